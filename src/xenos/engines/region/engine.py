"""The region engine: the stencil engine, which has hot code compiled meanwhile and takes it in as the guest runs."""

from __future__ import annotations

import time

from xenos.cpu import layout as at
from xenos.cpu.exits import Interrupted
from xenos.engines.region.history import History
from xenos.engines.region.orders import Orders
from xenos.engines.region.pages import SIZE, between, page
from xenos.engines.region.pool import Pool
from xenos.engines.region.second import Second
from xenos.engines.region.trials import Trials
from xenos.engines.runtime.native import Listed
from xenos.engines.stencil.engine import StencilEngine
from xenos.engines.translator.layout import BUT_CALLS
from xenos.memory.flat import BASE
from xenos.memory.host import EXEC, WRITE
from xenos.tuning.levels import FEW
from xenos.tuning.tiers import Tiers

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
_PATIENCE = 2.0     # seconds that CPUs have for leaving code which is not to run any more
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
        self.within: set[int] = set()           # where CPUs were in regions
        self.orders = Orders(self)
        self.trials = Trials(self)
        self.second = Second(self)
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
        self.orders.restart()
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
            self.trials.look(pc, region, taken / done, bool(self.orders.open))
        if not self.tiers.jobs or self.soft or region is not None:
            self.within.add(pc)
            left = self.second.seen(cpu, *within, passed) if within is not None else None
        elif not (without or self.trials.off):
            new = pc not in self.spent
            self.spent[pc] = self.spent.get(pc, 0.0) + passed
            if not self.orders.known(pc):
                left = self.orders.ask(cpu, pc)
        self.tiers.sampled(new, self.trials.running)
        if self.orders.open:
            self.orders.take()
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
            anew = level == FEW and self.orders.goes_on(header)
            before = segment.regions_by_header().get(header, []) if anew else []
            done = self.translator.adopt(header, made["high"], made["body"], segment, self.table)
            for unit in before if done else ():
                self.translator.forget(unit, segment, self.table)
                segment.stale = True
        else:
            source = between(self.memory, made["low"], made["high"], held)
            done = self.generations.adopt(self.memory, header, made["low"], made["high"], made["body"], source)
        if not done:
            if level == FEW and not self.compiled_at(header):
                self.orders.refused[header] = "its segment is full"
            return False
        self.compiled += 1
        self.instructions += made["size"]
        self.tiers.compiled(made["size"], made.get("cpu", 0.0), level)
        if level == FEW:
            self.second.forget(header, header + 1)      # that was another region's
        self.trials.made(header, set(made.get("places", ())), level)
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

    @property
    def steps(self) -> dict[tuple[int, int], int]:
        """(block, where it went) -> times, as far as CPUs were followed, in this run and in earlier ones."""
        return self.orders.burst.counts

    # Forgetting.

    def invalidate(self, start: int, end: int) -> None:
        """The guest says that it wrote code in this range: see `StencilEngine.invalidate`."""
        super().invalidate(start, end)
        self.orders.burst.invalidate(start, end)

    def _drop(self, segment: Segment) -> None:
        super()._drop(segment)
        self._forget_heat(segment.low, segment.high or 1 << 64)

    def _forget_heat(self, start: int, end: int) -> None:
        for pc in [pc for pc in self.spent if start <= pc < end]:
            del self.spent[pc]
        self.orders.forget(start, end)
        self.second.forget(start, end)
        self.trials.forget(start, end)

    def after_fork(self) -> None:
        """In a forked child: the workers are its parent's."""
        super().after_fork()
        self.pool.after_fork()
        self.orders.after_fork()
        self.history.after_fork()
        self.second.after_fork()

    def segment(self, pc: int) -> Segment | None:
        segment = super().segment(pc)
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
            self.history.write(segment, self.orders.open)

    def save(self) -> None:
        """Keep what was made and seen, and end the workers.

        A program that is over before its code is compiled would have it compiled in vain each time: at the second time that is
        waited for, so that it is in the cache at the third.
        """
        if self._memory is not None:
            with self._lock:
                self.orders.wait(self.history.vain)
        self.pool.close()
        super().save()
