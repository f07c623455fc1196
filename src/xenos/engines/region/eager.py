"""The region engine forced hot, for tests: a region at every block that is come to, at once, in this process.

Where a program's regions begin, how large they are and what is believed of its ways is drawn by a seed: whatever is drawn, the
program must run as on any engine. Beside that, hot headers are looked for as ever, only much more often.

LLVM takes some milliseconds for each region, and a program comes to a hundred thousand blocks: large ones can only have regions at
a share of them. With a cache those of code from files are there in the next run, which draws only where it comes to other blocks: a
run is the same once more in an empty one.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.maker import Maker
from xenos.engines.region.pages import SIZE, page, reach
from xenos.engines.region.profile import Profile
from xenos.engines.region.trials import Trials
from xenos.engines.region.worker import Source, work
from xenos.errors import EngineError
from xenos.tuning.tiers import Tiers

if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.code.store import Store
    from xenos.engines.stencil.pack import Pack
    from xenos.memory.flat import FlatMemory
    from xenos.tuning.trial import Verdict

_SIZES = (1, 2, 3, 5, 8, 13, 40, 150)      # instructions of a region, at most
_TRIES = 8
_OFTEN = 1 << 11        # instructions between two looks at where a CPU is


class EagerEngine(RegionEngine):
    """`share` of all blocks get regions of up to `most` instructions each, of many sizes if that is 0. With `plain`, none keeps
    registers for accesses that fail: the guest is known to make none."""

    def __init__(self, pack: Pack, level: int, *, store: Store | None = None, seed: int = 0, share: float = 1.0, most: int = 0,
                 plain: bool = False) -> None:
        super().__init__(pack, level, store=store, jobs=1)
        self.tiers = Often(share)
        self._maker = Maker(pack.name, level)
        self.pool: Any = Here(self._maker)
        self.trials = Endless(self)
        self._random = Random(seed)
        self._drawn = f" drawn {seed} {share} {most} {plain}".encode()
        self._share = share
        self._most = most
        self._plain = plain
        self.exact = not plain

    @property
    def flavour(self) -> bytes:     # type: ignore[override]
        """No other engine is to find these regions in the cache, nor this one those of another seed."""
        return super().flavour + self._drawn

    def see(self, faults: bool) -> None:
        """As the guest wants it, unless it is known to have no faults."""
        if not self._plain:
            super().see(faults)

    def _translate(self, pc: int, cpu: Cpu) -> Exit | None:
        """Translate what is there, and make regions of its blocks."""
        left = super()._translate(pc, cpu)
        if left is None and not self.soft and (code := self.table.find(pc)):
            for header in self._from(code):
                if self._random.random() < self._share and not self.orders.known(header):
                    self._force(header)
        return left

    def _from(self, code: int, whole: bool = False) -> list[int]:
        """The guest addresses of the block at a host address and those that were made after it, or all of its segment's."""
        for segment in self.segments:
            if 0 <= code - segment.base < segment.capacity:
                return segment.guest_addresses(0 if whole else code - segment.base)
        return []

    def _force(self, header: int) -> None:
        """Compile what is there as it is now, and let it run."""
        r, segment = self._random, self.segment(header)
        for _ in range(_TRIES):
            held: dict[int, bytes | None] = {}
            source = Source(self._maker, Live(self.memory, held), SIZE, *reach(self.memory, header, segment))
            profile = Invented(r, self._from(self.table.find(header), whole=True)[-64:]) if r.random() < 0.5 else Profile()
            graph = self._maker.graph(header, source.fetch, profile, self._most or r.choice(_SIZES))
            if not graph.nodes:
                return
            try:
                exact = not self._plain and (segment is None or segment.exact or r.random() < 0.5)
                made = self._maker.make(graph, r.choice((1, 2, 2, 3)), exact)
            except EngineError as error:
                self.orders.refused[header] = str(error)
                return
            answer = {"body": made.body, "low": made.low, "high": made.high, "size": made.size, "exact": exact}
            if self.install(header, answer, segment, held) or header in self.orders.refused:
                return      # else another thread has written there meanwhile: again


class Endless(Trials):
    """Regions stay, however slow."""

    def judged(self, verdict: Verdict) -> None:
        """It does not matter."""


class Live:
    """Pages as they are when they are asked for first; `held` gets them."""

    def __init__(self, memory: FlatMemory, held: dict[int, bytes | None]) -> None:
        self._memory = memory
        self._held = held

    def get(self, number: int, default: bytes) -> bytes | None:
        """The page."""
        if number not in self._held:
            self._held[number] = page(self._memory, number)
        return self._held[number]


class Often(Tiers):
    """What is found by a look is worth a region, whatever it costs: all of it, or some if the `share` is small."""

    def __init__(self, share: float) -> None:
        super().__init__(1)
        self.interval = int(_OFTEN / max(share, 0.001))
        self._random = Random(0)
        self._some = math.sqrt(share)
        self.stay = 0

    def better(self, seconds: float, instructions: float | None, started: bool) -> bool:
        """No: those of all levels are drawn from the first."""
        return False

    def worthwhile(self, seconds: float, started: bool) -> bool:
        """Yes, or sometimes."""
        return self._random.random() < self._some

    def sampled(self, new: bool, trying: bool) -> None:
        """It is looked as often as ever."""


class Invented(Profile):
    """Ways that somebody made up: jumps go to some of the addresses that are `known`."""

    __slots__ = ("_known", "_random")

    def __init__(self, random: Random, known: list[int]) -> None:
        super().__init__()
        self._random = random
        self._known = known

    def goes(self, last: int) -> dict[int, int]:
        """The same each time that it is asked."""
        if last not in self._goes:
            r = self._random
            near = [last + 2, last + 4, last + 8, last - 4, *self._known]
            self._goes[last] = {r.choice(near): r.randrange(1, 300) for _ in range(r.randrange(r.choice((4, 4, 4, 12))))}
        return self._goes[last]

    def after(self, last: int, before: int) -> dict[int, int]:
        """The same goals, in an order of their own."""
        if (last, before) not in self._after:
            self._after[last, before] = {goal: self._random.randrange(300) for goal in self.goes(last)}
        return self._after[last, before]


class Here:
    """A pool whose one worker does its job at once, in this process."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._done: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.workers: list[object] = []
        self.memory = (0, 0)
        self.problem = ""
        self.started = self.lost = 0

    def idle(self) -> object | None:
        """It is always."""
        return self

    def start(self) -> object | None:
        """There is nothing to start."""
        return self

    def give(self, worker: object, job: dict[str, Any]) -> bool:
        """Do the job."""
        self._done.append((job, work(self._maker, job)))
        return True

    def answers(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All since it was asked last."""
        done, self._done = self._done, []
        return done

    def wait(self, seconds: float) -> bool:
        """Whatever it was asked is done."""
        return bool(self._done)

    def told(self) -> str:
        """There is nothing to tell of it."""
        return ""

    def losses(self) -> str:
        """There are none."""
        return ""

    def close(self) -> None:
        """There is nobody to end."""

    def after_fork(self) -> None:
        """The child does its own."""
        self._done.clear()
