"""Following a CPU block by block for a short while, to see which ways its code takes (bursty tracing, M. Hirzel, T. Chilimbi).

Counters in stencils would tell more, and cost tight loops most of their time (docs/figures.md); this costs a few microseconds
for a block, and is done only where code is about to be compiled.
"""

from __future__ import annotations

from itertools import pairwise

from xenos.cpu import layout as at
from xenos.cpu.exits import Budget
from xenos.engines.region.pages import SIZE
from xenos.engines.stencil.engine import StencilEngine
from xenos.engines.translator.layout import MOST
from xenos.tuning.tiers import MANY, STEPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu

_FOREVER = 1 << 62


class Burst:
    """Steps of an engine's CPUs: (block, where it went) -> times."""

    def __init__(self, engine: StencilEngine) -> None:
        self._engine = engine
        self._single: StencilEngine | None = None
        self.counts: dict[tuple[int, int], int] = {}
        self._after: dict[tuple[int, int, int], int] = {}   # (block, where it went the time before, where it went) -> times
        self.places: dict[int, int] = {}    # blocks that were seen in the last burst -> times
        self.last: dict[tuple[int, int], int] = {}      # and its steps
        self._back: dict[int, int] = {}     # and how often by a jump back
        self._way: list[int] = []           # those that were executed, one after the other
        self._sizes: dict[int, int] = {}    # and the instructions of each

    def follow(self, cpu: Cpu) -> Exit | None:
        """Let the CPU take some steps; an exit that it came to, which is its engine's to hand on."""
        engine = self._engine
        if self._single is None:
            self._single = _Single(engine)
        calls = cpu.get(at.CALLS)
        cpu.clear_jump_cache()
        self.places, self.last, self._back, self._way, self._sizes = {}, {}, {}, [], {}
        left: Exit | None = None
        begun, size = cpu.pc, 0
        went: dict[int, int] = {}
        try:
            for _ in range(STEPS):
                here, before = cpu.pc, cpu.count
                left = self._single.run(cpu, engine.memory, _FOREVER)
                if not isinstance(left, Budget):
                    break
                step = here, cpu.pc
                self.counts[step] = self.counts.get(step, 0) + 1
                self.last[step] = self.last.get(step, 0) + 1
                if here in went:
                    after = here, went[here], cpu.pc
                    self._after[after] = self._after.get(after, 0) + 1
                went[here] = cpu.pc
                size += cpu.count - before
                if cpu.count - before < MOST:       # else there is more of the block
                    self._way.append(begun)
                    self._sizes[begun] = size
                    begun, size = cpu.pc, 0
                self.places[cpu.pc] = self.places.get(cpu.pc, 0) + 1
                if cpu.pc <= here:
                    self._back[cpu.pc] = self._back.get(cpu.pc, 0) + 1
                left = None
        finally:
            cpu.set(at.CALLS, calls)
            cpu.clear_jump_cache()
            engine.resume(cpu)
            self._forget_few()
        return left

    def _forget_few(self) -> None:
        """What came after what is kept of those blocks that go to many only."""
        goals: dict[int, int] = {}
        for here, _ in self.counts:
            goals[here] = goals.get(here, 0) + 1
        self._after = {step: times for step, times in self._after.items() if goals[step[0]] >= MANY}

    def head(self, known: Callable[[int], bool]) -> int | None:
        """Of the blocks that are not `known` and that the last burst came to nearly as often as to any of these: the one that it
        went back to most often, which is where a loop begins."""
        times = {pc: times for pc, times in self.places.items() if times > 2 and not known(pc)}
        often = [pc for pc in times if 2 * times[pc] >= max(times.values())]
        return max(often, key=self.often, default=None)

    def often(self, pc: int) -> tuple[int, int]:
        """How often the last burst came to a block by a jump back, and in all."""
        return self._back.get(pc, 0), self.places[pc]

    def way_out(self, blocks: set[int], known: set[tuple[int, int]]) -> tuple[int, int] | None:
        """Of the ways out of a region of these blocks that are not `known`: the one that the last burst took most often."""
        ways = (step for step in self.last if step[0] in blocks and step[1] not in blocks and step not in known)
        return max(ways, key=lambda step: self.last[step], default=None)

    def pages(self, header: int) -> set[int]:
        """The pages of code that the last burst was in, and those of a header."""
        return {number for pc in (header, *self.places) for number in (pc // SIZE, (pc + 64) // SIZE)}

    def stay(self, low: int, high: int, most: int) -> float:
        """How many instructions the last burst executed between coming into a region and leaving it again, if that had those of
        the blocks in [low, high) that were come to most often, or that most of the instructions are of, up to `most`."""
        sizes, times = self._sizes, {pc: 0 for pc in self._sizes if low <= pc < high}
        for pc in self._way:
            if pc in times:
                times[pc] += 1
        return max(self._until_left(sorted(times, key=lambda pc: -times[pc]), most),
                   self._until_left(sorted(times, key=lambda pc: -times[pc] * sizes[pc]), most))

    def _until_left(self, blocks: list[int], most: int) -> float:
        """That of a region of the first of these blocks. The last may have more instructions, as some regions' do."""
        region: set[int] = set()
        size = 0
        for pc in blocks:
            if size < most:
                region.add(pc)
                size += self._sizes[pc]
        left = sum(here in region and goal not in region for here, goal in pairwise(self._way))
        return sum(self._sizes[pc] for pc in self._way if pc in region) / left if left else float("inf")

    def steps(self) -> list[tuple[int, int, int]]:
        """All that were seen: block, where it went, times."""
        return [(here, goal, times) for (here, goal), times in self.counts.items()]

    def after(self) -> list[tuple[int, int, int, int]]:
        """Of blocks that went to many: block, where it went the time before, where it went, times."""
        return [(*step, times) for step, times in self._after.items()]

    def restart(self) -> None:
        """Another program is run, at the same addresses."""
        self.counts.clear()
        self._after.clear()

    def invalidate(self, start: int, end: int) -> None:
        """The guest says that it wrote code in this range."""
        if self._single is not None:
            StencilEngine.invalidate(self._single, start, end)

    def after_fork(self) -> None:
        """In a forked child."""
        if self._single is not None:
            self._single.after_fork()


class _Single(StencilEngine):
    """Leaves after every block; what it is told of changed code is for the engine whose CPUs it has, too."""

    def __init__(self, whole: StencilEngine) -> None:
        super().__init__(whole.pack, linked=False)
        self._whole = whole

    def invalidate(self, start: int, end: int) -> None:
        """The guest says that it wrote code in this range."""
        self._whole.invalidate(start, end)
