"""Regions that CPUs have long been in are compiled once more, with all of LLVM's passes and by what is seen of their ways then.

Such a region is tried against the one that was there before (tuning/trial.py); what is faster stays.
"""

from __future__ import annotations

from xenos.tuning.levels import ALL

_WORTH = 0.1        # seconds in regions, to be remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.code.segment import Segment
    from xenos.engines.region.engine import RegionEngine
    from xenos.engines.region.history import Past
    from xenos.tuning.trial import Verdict


class Second:
    """Those of one engine."""

    def __init__(self, engine: RegionEngine) -> None:
        self._engine = engine
        self.seconds: dict[int, float] = {}     # header -> how long CPUs were in its region, until that was done
        self.done: dict[int, bool] = {}         # headers of regions that were compiled once more -> whether that stayed
        self.asked = 0                          # how many, in this run
        self._recalled = 0.0                    # of those seconds, what earlier runs had

    def seen(self, cpu: Cpu, segment: Segment, header: int, seconds: float) -> Exit | None:
        """A CPU was in a region for so long; have that compiled once more, if that is worth it. What the CPU does meanwhile, step
        by step, may end in an exit.

        Code that the guest makes itself has one region only: where it is put, there may be nothing to compare it with.
        """
        engine = self._engine
        if not engine.tiers.jobs or engine.soft or header in self.done or not segment.high or engine.trials.undecided(header):
            return None
        spent = self.seconds[header] = self.seconds.get(header, 0.0) + seconds
        if engine.compiling or not engine.tiers.better(spent, bool(engine.pool.workers)):
            return None
        worker = engine.pool.idle() or engine.pool.start()
        if worker is None:
            return None
        self.done[header] = False
        self.asked += 1
        left = engine.follow(cpu)
        if engine.tiers.jobs:
            engine.send(worker, header, level=ALL)
        return left

    def judged(self, verdict: Verdict) -> None:
        """Regions were measured: those that are not faster than what was there before go, and that goes on."""
        engine = self._engine
        stays = verdict.better
        engine.tiers.levels[ALL].proved(max(1.0, verdict.faster or 1 / verdict.ratio) if stays else 1.0)
        for header in verdict.headers:
            self.done[header] = stays
            if not stays and (found := engine.region(engine.table.find(header))) is not None:
                segment, unit, _ = found
                engine.translator.turn(unit, False, segment, engine.table)
                engine.translator.forget(unit, segment, engine.table)
                segment.kept_regions = -1       # the cache on disk is to lack it, too
        engine.stop()

    def recall(self, past: Past) -> None:
        """Take up what earlier runs knew."""
        for pc, seconds in past.seconds.items():
            self.seconds[pc] = self.seconds.get(pc, 0.0) + seconds
            self._recalled += seconds
        self.done.update(past.done)

    def forget(self, start: int = 0, end: int = 1 << 64) -> None:
        """What is there is other code now."""
        for pc in [pc for pc in self.seconds.keys() | self.done.keys() if start <= pc < end]:
            self.seconds.pop(pc, None)
            self.done.pop(pc, None)

    @property
    def learned(self) -> bool:
        """Whether there is something that earlier runs did not know."""
        return sum(seconds for pc, seconds in self.seconds.items() if pc not in self.done) - self._recalled > _WORTH
