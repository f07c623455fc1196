"""The region engine: the stencil engine, which has hot code compiled meanwhile and takes it in as the guest runs."""

from __future__ import annotations

import time

from xenos.cpu import layout as at
from xenos.cpu.exits import Interrupted
from xenos.engines.region.burst import Burst
from xenos.engines.region.history import History
from xenos.engines.region.pages import SIZE, between, page, reach
from xenos.engines.region.pool import Pool
from xenos.engines.region.second import Second
from xenos.engines.region.trials import Trials
from xenos.engines.region.waiting import Waiting
from xenos.engines.runtime.native import Listed
from xenos.engines.stencil.engine import StencilEngine
from xenos.engines.translator.layout import BUT_CALLS
from xenos.errors import HostError
from xenos.memory.flat import BASE
from xenos.memory.host import EXEC, WRITE
from xenos.tuning.levels import ALL, FEW
from xenos.tuning.tiers import LATER, MOST, WHOLE, Tiers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.code.segment import Segment
    from xenos.engines.code.store import Store
    from xenos.engines.stencil.pack import Pack
    from xenos.memory.flat import FlatMemory

_STUB = 0       # exit code (runtime/text.py)
_PATIENCE = 2.0     # seconds that the end of a program waits for what it had compiled in vain before
_EVER = 1e9         # seconds
_LONGEST = 0.02     # seconds between two looks that count at most: the guest may have waited meanwhile


class RegionEngine(StencilEngine):
    """Stencils, and regions for what is hot. `jobs` workers at most; none compile with 0, and by default some do."""

    follows = BUT_CALLS     # a function that is called is to be come to by jumps: it may become a region

    def __init__(self, pack: Pack, level: int, *, store: Store | None = None, jobs: int | None = None) -> None:
        super().__init__(pack, store=store)
        self.exact = True       # whether somebody may see the registers at a fault; else regions keep none for that
        self.segments = Listed(lambda: self.runtime.look_in(self.all_segments()))
        self.tiers = Tiers(jobs)
        self.pool = Pool(self.tiers.jobs, [pack.name, str(level), str(SIZE)])
        self.spent: dict[int, float] = {}       # header -> seconds for which stencils ran what begins there
        self.compiled = 0                       # regions taken in, and the instructions in them
        self.instructions = 0
        self.refused: dict[int, str] = {}       # headers that cannot be compiled, and why
        self.within: set[int] = set()           # where CPUs were in regions
        self.led: dict[int, int] = {}           # headers that were hot -> where their region was to begin
        self.again: dict[int, float] = {}      # header -> seconds after which it is worth another look, though it was refused
        self._asked: dict[int, tuple[Any, ...]] = {}
        self._waiting = Waiting()
        self.trials = Trials(self)
        self.second = Second(self)
        self._burst = Burst(self)
        self.history = History(self)

    @property
    def flavour(self) -> bytes:     # type: ignore[override]
        """Code of a program that sees no faults may hold any regions, that of others only exact ones."""
        return b"regions" if self.exact else b"any regions"

    def see(self, faults: bool) -> None:
        """The guest sees registers at its faults from now on, or no longer; or faults are to be ours to see, too."""
        memory = self._memory
        if faults == self.exact or not faults and memory is not None and (memory.growing or memory.watched.value):
            return
        if not faults or memory is None:
            self.exact = faults
            return
        with self._lock:
            self.exact = True
            wild = [segment for segment in self.segments if segment.wild]
            for segment in wild:
                self._drop(segment)     # what else is in it comes from the cache again, or is translated anew
            for segment in self.segments:
                segment.exact = True    # so is all that it has; regions that are not would be made in vain
            self._limbo.stop()
            others = [(cpu, cpu.epoch) for cpu in self._limbo.running.values()]
        until = time.monotonic() + _PATIENCE    # one that is yet to begin may wait for who waits for us
        for cpu, epoch in others if wild else ():       # in a region they poll, and leave
            while (cpu.epoch == epoch and cpu.get(at.RUNNING) and not cpu.get(at.IN_KERNEL)
                   and cpu.address in self._limbo.running and time.monotonic() < until):
                time.sleep(0)

    # When to look.

    def until(self, cpu: Cpu, limit: int) -> int:
        """Now and then it is looked at where the CPU is, however often it comes back in between."""
        count, interval = cpu.count, self.tiers.interval
        cpu.set(at.RUNNING, 1)      # it has found its code, and is about to (`see`)
        if not count < cpu.due <= count + interval:
            cpu.due = count + interval
        return min(limit, cpu.due)

    def _polled(self, cpu: Cpu, limit: int) -> Exit | None:
        left = super()._polled(cpu, limit)
        if not isinstance(left, Interrupted):
            with self._lock:
                found = self._look(cpu)
            if found is not None:
                return found
        return left

    def _attach(self, memory: FlatMemory) -> None:
        super()._attach(memory)
        self.within.clear()
        self.led.clear()
        self._burst.counts.clear()      # of another program, at the same addresses
        self._waiting.forget()
        self.trials.restart()
        self.second.forget()
        self.pool.memory = BASE, memory.size

    def _look(self, cpu: Cpu) -> Exit | None:
        """See where a CPU is, whether that is worth a region, and what workers have done."""
        # By the clock on the wall, a busy machine's guests would seem to run for long.
        now = time.thread_time()
        taken = max(now - cpu.looked, 0.0)
        passed = min(taken, _LONGEST)
        done, cpu.seen = cpu.count - cpu.seen, cpu.count
        self.tiers.ran += passed
        left, new = None, False
        pc = cpu.pc
        within = self.region(cpu.get(at.EXIT_INFO)) if cpu.get(at.EXIT_CODE) == _STUB else None
        region = within[2] if within is not None else None
        without = self.trials.off       # what is seen then is what there was before regions
        if taken and done * 2 > self.tiers.interval:
            self.trials.look(pc, region, taken / done, bool(self._asked))
        if not self.tiers.jobs or self.soft or region is not None:
            self.within.add(pc)
            left = self.second.seen(cpu, *within, passed) if within is not None else None
        elif not without:
            new = pc not in self.spent
            self.spent[pc] = self.spent.get(pc, 0.0) + passed
            if not self._known(pc):
                left = self._ask(cpu, pc)
        self.tiers.sampled(new, self.trials.running)
        if self._asked:
            self._take()
        cpu.looked = time.thread_time()     # to follow a CPU takes as long as some looks
        self.tiers.watching += cpu.looked - now
        return left

    def stop(self) -> None:
        """Let all CPUs see anew where they go on, at their next poll."""
        self._limbo.stop()

    def region(self, code: int) -> tuple[Segment, int, int] | None:
        """The region that a host address lies in, if it lies in one: its segment, its unit and where it begins."""
        for segment in self.segments:
            if 0 <= code - segment.base < segment.capacity:
                header, _, unit = segment.block(code - segment.base)
                return (segment, unit, header) if segment.region(unit) is not None else None
        return None

    def _known(self, pc: int) -> bool:
        """Whether there is nothing to be done for a header any more."""
        return self._given_up(pc) or pc in self._asked or pc in self._waiting or self.trials.under(pc) or self.compiled_at(pc)

    def _given_up(self, pc: int) -> bool:
        """Whether a header was refused, and has not yet run for so long again that it is worth another look."""
        return pc in self.refused and self.spent.get(pc, 0.0) < self.again.get(pc, _EVER)

    # Having it compiled.

    def _ask(self, cpu: Cpu, header: int) -> Exit | None:
        """Have a region made, if that is worth it. What the CPU does meanwhile, step by step, may end in an exit."""
        self.tiers.pending = len(self._asked) + len(self._waiting)
        if not self.tiers.worthwhile(self.spent[header], True):
            return None
        worker = self.pool.idle()
        if worker is None:
            # The first worker is for all that is hot in this run; one more for what has waited as long as starting it takes.
            waiting = self.spent[header] if self.pool.workers else sum(
                seconds - self.history.recalled.get(pc, 0.0) for pc, seconds in self.spent.items() if not self._given_up(pc))
            more = not self.pool.workers or self.compiled       # nothing has come of the first one yet
            if not (more and self.pool.more() and self.tiers.worthwhile(waiting, False)) and not (
                    self.pool.full() and self._waiting.room()):
                return None     # one more would not be worth it, or enough waits for those that are there
        left = self.follow(cpu)
        if not self.tiers.jobs:
            return left
        seconds = self.spent[header]
        self.again[header] = LATER * seconds
        self.spent[header] = 0.0
        # A loop is entered best where it begins; where that has a region, a copy of its code has been at work.
        seen, head = header, self._burst.head(self._known)
        if head is not None:
            self.again[head] = self.again[seen]
            self.led[seen] = header = head
        stay = self._burst.stay(*reach(self.memory, header, self._segment(header)), MOST)
        if stay < self.tiers.stay:      # a worker would say the same, from the code
            self.refused[seen] = self.refused[header] = f"left after {stay:.0f} instructions"
            self.tiers.refused(0.0)
            return left
        worker = worker or self.pool.start()    # where there may be no more, it waits
        if worker is None:
            self._waiting.add(header, seconds, self._burst.pages(header))
        else:
            self.send(worker, header)
        return left

    def follow(self, cpu: Cpu) -> Exit | None:
        """See which ways a CPU goes, for some steps, which may end in an exit. Without room for that, no more is compiled."""
        try:
            return self._burst.follow(cpu)
        except HostError as error:
            self.tiers.jobs, self.pool.problem = 0, str(error)
            return None

    @property
    def compiling(self) -> bool:
        """Whether a worker is at something, or something waits for one."""
        return bool(self._asked) or bool(self._waiting)

    def send(self, worker: Any, header: int, pages: set[int] | None = None, *, tries: int = 0, level: int = FEW) -> None:
        """Have a worker make a region, with these pages of code, or those that were seen last."""
        held = {number: page(self.memory, number) for number in pages or self._burst.pages(header)}
        segment = self._segment(header)
        low, high = reach(self.memory, header, segment)
        job = {"job": tries, "header": header, "low": low, "high": high, "page": SIZE, "pages": held,
               "steps": self._burst.steps(), "most": MOST, "whole": WHOLE,
               "stay": self.tiers.stay if level == FEW else 0, "speed": level,
               "exact": segment is None or segment.exact}
        if self.pool.give(worker, job):
            self._asked[header] = (segment, held, tries)
            self.history.news = True
            if level == FEW:
                self.refused.pop(header, None)

    def _take(self) -> None:
        """Take in what workers have made."""
        for job, answer in self.pool.answers():
            header, level = job["header"], job["speed"]
            segment, held, tries = self._asked.pop(header)
            if "pages" in answer and tries < 8:
                worker = self.pool.idle()
                if worker is not None:
                    self.send(worker, header, set(held) | set(answer["pages"]), tries=tries + 1, level=level)
            elif "body" not in answer:
                why = answer.get("error", "its code is all over the place" if "pages" in answer else "the worker ended over it")
                self.tiers.refused(answer.get("cpu", 0.0), level)
                if level == ALL:
                    self.second.failed(header, why)
                    continue
                self.refused[header] = why
                if "error" not in answer:
                    self.again.pop(header, None)
            elif level == ALL:
                if not self.install(header, answer, segment, held, level):
                    self.second.failed(header, "there is no room for it, or its code is other code now")
            elif header not in self.refused:    # its loop may have been, meanwhile
                self.install(header, answer, segment, held)
        self.tiers.pending = len(self._asked)
        while self._waiting and ((worker := self.pool.idle()) is not None or not self._asked):
            header, seconds, pages = self._waiting.hottest(self.spent)
            if worker is not None and self.tiers.worthwhile(seconds, True):
                self.send(worker, header, pages)
            else:
                self.spent[header] = seconds    # compiling has had its share for now, or there are no workers any more

    def install(self, header: int, made: dict[str, Any], segment: Segment | None, held: dict[int, bytes | None],
                level: int = FEW) -> bool:
        """Let a region run from now on where its header is reached, unless the pages that it was made from are others now. Its
        `segment` is that of a file mapping, or None elsewhere."""
        if self.exact and not made["exact"]:
            return False
        if segment is None:
            self.memory.watching().guard(made["low"], made["high"])     # before the look whether it has changed
        elif segment not in self.segments:
            return False
        if any(page(self.memory, number) != body for number, body in held.items()):
            return False
        if segment is not None:
            done = self.translator.adopt(header, made["high"], made["body"], segment, self.table)
        else:
            source = between(self.memory, made["low"], made["high"], held)
            done = self.generations.adopt(self.memory, header, made["low"], made["high"], made["body"], source)
        if not done:
            if level == FEW:
                self.refused[header] = "its segment is full"
            return False
        self.compiled += 1
        self.instructions += made["size"]
        self.tiers.compiled(made["size"], made.get("cpu", 0.0), level)
        if level == FEW:
            self.second.forget(header, header + 1)      # that was another region's
        self.trials.begin(header, set(made.get("places", ())), level)
        self._faults.changed()
        self.stop()
        return True

    # What people are told.

    def told(self) -> str:
        """Lines for people: what was compiled, what could not be, by whom, and when that is done at all."""
        from xenos.engines.region.told import lines

        return "\n".join(lines(self))

    def trouble(self) -> str:
        """What went wrong with workers; empty if nothing did."""
        from xenos.engines.region.told import trouble

        return trouble(self)

    def standing(self, pc: int) -> str:
        """What was decided about the code at a guest address, in some words."""
        from xenos.engines.region.told import standing

        return standing(self, pc)

    def compiled_at(self, pc: int) -> bool:
        """Whether a region begins at a guest address."""
        return self.region(self.table.find(pc)) is not None

    def asked(self, pc: int) -> str:
        """Whether a worker is at it, or will be."""
        return "being compiled" if pc in self._asked else "waiting for a worker" if pc in self._waiting else ""

    @property
    def steps(self) -> dict[tuple[int, int], int]:
        """(block, where it went) -> times, as far as CPUs were followed, in this run and in earlier ones."""
        return self._burst.counts

    # Forgetting.

    def invalidate(self, start: int, end: int) -> None:
        """The guest says that it wrote code in this range: see `StencilEngine.invalidate`."""
        super().invalidate(start, end)
        self._burst.invalidate(start, end)

    def _drop(self, segment: Segment) -> None:
        super()._drop(segment)
        self._forget_heat(segment.low, segment.high or 1 << 64)

    def _forget_heat(self, start: int, end: int) -> None:
        self._waiting.forget(start, end)
        for known in (self.spent, self.refused, self.again):
            for pc in [pc for pc in known if start <= pc < end]:
                del known[pc]
        self.second.forget(start, end)
        self.trials.forget(start, end)

    def after_fork(self) -> None:
        """In a forked child: the workers are its parent's."""
        super().after_fork()
        self.pool.after_fork()
        self._asked.clear()
        self._waiting.forget()
        self.history.after_fork()
        self.second.after_fork()
        self._burst.after_fork()

    def _segment(self, pc: int) -> Segment | None:
        segment = super()._segment(pc)
        if segment is None and not self.exact:
            region = self.memory.regions.at(pc)
            if region is not None and region.prot & (WRITE | EXEC) == WRITE | EXEC:
                self.see(True)      # it will be watched for writes: a fault may be for our sake
        return segment

    def _file_segment(self, low: int, high: int) -> Segment:
        segment = super()._file_segment(low, high)
        segment.exact = self.exact      # as its key says
        self.history.read(segment)
        return segment

    def _save(self, segment: Segment) -> None:
        if self.trials.off:     # in the next run nobody would let them run again
            self.trials.turn(False)
        super()._save(segment)
        if not self.soft:
            self.history.write(segment, self._asked)

    def save(self) -> None:
        """Keep what was made and seen, and end the workers.

        A program that is over before its code is compiled would have it compiled in vain each time: at the second time that is
        waited for, so that it is in the cache at the third.
        """
        if self._memory is not None:
            with self._lock:
                until = time.monotonic() + _PATIENCE
                while self.history.vain & self._asked.keys() and self.pool.wait(until - time.monotonic()):
                    self._take()
        self.pool.close()
        super().save()
