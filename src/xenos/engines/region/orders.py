"""What workers are asked for: where a region is to begin, by what CPUs were seen to do; and what is refused, or to wait."""

from __future__ import annotations

import time

from xenos.engines.region.burst import Burst
from xenos.engines.region.pages import SIZE, page, reach
from xenos.engines.region.waiting import Waiting
from xenos.engines.region.wider import Wider
from xenos.errors import HostError
from xenos.tuning.levels import ALL, FEW
from xenos.tuning.tiers import LATER, MOST, START, WHOLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.region.engine import RegionEngine

_PATIENCE = 2.0     # seconds that the end of a program waits for what it had compiled in vain before
_EVER = 1e9         # seconds


class Orders:
    """Those of one engine."""

    def __init__(self, engine: RegionEngine) -> None:
        self._engine = engine
        self.refused: dict[int, str] = {}       # headers that cannot be compiled, and why
        self.again: dict[int, float] = {}       # header -> seconds after which it is worth another look, though it was refused
        self.led: dict[int, int] = {}           # headers that were hot -> where their region was to begin
        self.open: dict[int, tuple[Any, ...]] = {}      # headers that workers are at: segment, pages, how often they asked for more
        self.burst = Burst(engine)
        self._waiting = Waiting()
        self._wider = Wider(engine)

    def known(self, pc: int) -> bool:
        """Whether there is nothing to be done for a header any more."""
        engine = self._engine
        return bool(self._given_up(pc) or self.asked(pc) or self.asked(self.led.get(pc, pc)) or engine.trials.under(pc)
                    or engine.compiled_at(pc))

    def _given_up(self, pc: int) -> bool:
        """Whether a header was refused, and has not yet run for so long again that it is worth another look."""
        return pc in self.refused and self._engine.spent.get(pc, 0.0) < self.again.get(pc, _EVER)

    def asked(self, pc: int) -> str:
        """Whether a worker is at it, or will be; empty if not."""
        return "being compiled" if pc in self.open else "waiting for a worker" if pc in self._waiting else ""

    @property
    def compiling(self) -> bool:
        """Whether a worker is at something, or something waits for one."""
        return bool(self.open) or bool(self._waiting)

    def ask(self, cpu: Cpu, header: int) -> Exit | None:
        """Have a region made, if that is worth it. What the CPU does meanwhile, step by step, may end in an exit."""
        engine, tiers, pool = self._engine, self._engine.tiers, self._engine.pool
        tiers.pending = len(self.open) + len(self._waiting)
        if not tiers.worthwhile(engine.spent[header], True):
            return None
        worker = pool.idle()
        if worker is None:
            # The first worker is for all that is hot in this run; one more for what has waited as long as starting it takes.
            waiting = engine.spent[header] if pool.workers else sum(
                seconds - engine.history.recalled.get(pc, 0.0) for pc, seconds in engine.spent.items() if not self._given_up(pc))
            more = not pool.workers or engine.compiled      # nothing has come of the first one yet
            if not (more and pool.more() and tiers.worthwhile(waiting, False)) and not (pool.full() and self._waiting.room()):
                return None     # one more would not be worth it, or enough waits for those that are there
        left = self.follow(cpu)
        if not tiers.jobs:
            return left
        # A loop is entered best where it begins; where that has a region, a copy of its code has been at work.
        seen, head = header, self.burst.head(self.known)
        header = seen if head is None else head
        if (awaited := self._awaited(header)) is not None:
            self.led[seen] = awaited
            return left
        seconds = engine.spent[seen]
        engine.spent[seen] = 0.0
        for pc in (seen, header):
            self.again[pc] = LATER * max(seconds, START)    # or a worker may be started for it once more, soon
        begins = self._wider.find(self.burst, header)
        if begins is None:
            begins = header
        self.led[seen] = begins
        stay = self.burst.stay(*reach(engine.memory, begins, engine.segment(begins)), MOST)
        if stay < tiers.stay:       # a worker would say the same, from the code
            self._wider.done(begins, failed=True)
            self.refused[seen] = self.refused[header] = f"left after {stay:.0f} instructions"
            tiers.refused(0.0)
            return left
        worker = worker or pool.start()     # where there may be no more, it waits
        if worker is None:
            self._waiting.add(begins, seconds, self.burst.pages(begins))
        else:
            self.send(worker, begins)
        return left

    def _awaited(self, header: int) -> int | None:
        """What a worker is at, of the same loop as a header by the last burst: with that, it may have its region."""
        places = self.burst.places
        return next((pc for pc in self.open if 2 * places.get(pc, 0) >= places.get(header, 0) > 0), None)

    def follow(self, cpu: Cpu) -> Exit | None:
        """See which ways a CPU goes, for some steps, which may end in an exit. Without room for that, no more is compiled."""
        try:
            return self.burst.follow(cpu)
        except HostError as error:
            self._engine.tiers.jobs, self._engine.pool.problem = 0, str(error)
            return None

    def send(self, worker: Any, header: int, pages: set[int] | None = None, *, tries: int = 0, level: int = FEW) -> None:
        """Have a worker make a region, with these pages of code, or those that were seen last."""
        engine = self._engine
        held = {number: page(engine.memory, number) for number in pages or self.burst.pages(header)}
        segment = engine.segment(header)
        low, high = reach(engine.memory, header, segment)
        job = {"job": tries, "header": header, "low": low, "high": high, "page": SIZE, "pages": held,
               "steps": self.burst.steps(), "after": self.burst.after(), "most": MOST, "whole": WHOLE,
               "stay": engine.tiers.stay if level == FEW else 0, "along": self._wider.along(header) if level == FEW else None,
               "speed": level, "exact": segment is None or segment.exact}
        if engine.pool.give(worker, job):
            self.open[header] = (segment, held, tries)
            engine.history.news = True
            if level == FEW:
                self.refused.pop(header, None)

    def take(self) -> None:
        """Take in what workers have made."""
        engine = self._engine
        for job, answer in engine.pool.answers():
            header, level, along = job["header"], job["speed"], job["along"]
            segment, held, tries = self.open.pop(header)
            if "pages" in answer and tries < 8:
                worker = engine.pool.idle()
                if worker is not None:
                    self.send(worker, header, set(held) | set(answer["pages"]), tries=tries + 1, level=level)
                elif level == FEW:
                    self._wider.done(header, failed=False)
                continue
            done = False
            if "body" not in answer:
                why = answer.get("error", "its code is all over the place" if "pages" in answer else "the worker ended over it")
                engine.tiers.refused(answer.get("cpu", 0.0), level)
                if level == ALL:
                    engine.second.failed(header, why)
                elif along is None or not self.goes_on(header):
                    self.refused[header] = why
                    if "error" not in answer:
                        self.again.pop(header, None)
            elif level == ALL or header not in self.refused or along is not None:    # its loop may have been, meanwhile
                done = engine.install(header, answer, segment, held, level)
                if done and segment is not None:
                    self._wider.made(header, answer["places"], ((here, goal) for here, goal, _ in job["steps"]))
                elif not done and level == ALL:
                    engine.second.failed(header, "there is no room for it, or its code is other code now")
            else:
                engine.tiers.compiling += answer.get("cpu", 0.0)
            if level == FEW:
                self._wider.done(header, failed=not done)
                self._settle(header, answer.get("places", ()) if done else ())
        engine.tiers.pending = len(self.open)
        while self._waiting and ((worker := engine.pool.idle()) is not None or not self.open):
            header, seconds, pages = self._waiting.hottest(engine.spent)
            if worker is not None and engine.tiers.worthwhile(seconds, True):
                self.send(worker, header, pages)
            else:
                engine.spent[header] = seconds      # compiling has had its share for now, or there are no workers any more
                self._wider.done(header, failed=False)

    def goes_on(self, header: int) -> bool:
        """Whether there is a region, though it may be out of the way for a while."""
        return self._engine.compiled_at(header) or self._engine.trials.under(header)

    def _settle(self, header: int, places: Iterable[int]) -> None:
        """What waited for a region that has these places is in it now, if it is one of them."""
        if places:
            self.refused.pop(header, None)
        for pc in places:
            if self.led.get(pc) == header:
                self._engine.spent[pc] = 0.0

    def wait(self, headers: set[int]) -> None:
        """Wait a while for what workers are at, if these are among it."""
        until = time.monotonic() + _PATIENCE
        while headers & self.open.keys() and self._engine.pool.wait(until - time.monotonic()):
            self.take()

    def forget(self, start: int, end: int) -> None:
        """What is there is other code now."""
        self._waiting.forget(start, end)
        self._wider.forget(start, end)
        for known in (self.refused, self.again, self.led):
            for pc in [pc for pc in known if start <= pc < end]:
                del known[pc]

    def restart(self) -> None:
        """Another program is run, at the same addresses."""
        self.led.clear()
        self.burst.restart()
        self._waiting.forget()
        self._wider.forget()

    def after_fork(self) -> None:
        """In a forked child: the workers are its parent's."""
        self.open.clear()
        self._waiting.forget()
        self._wider.after_fork()
        self.burst.after_fork()
