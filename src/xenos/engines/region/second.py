"""Regions that CPUs have long been in are compiled once more, with all of LLVM's passes and by what is seen of their ways then.

Such a region is tried against the one that was there before (tuning/trial.py); what is faster stays.
"""

from __future__ import annotations

from xenos.tuning.levels import ALL, CODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.code.segment import Segment
    from xenos.engines.region.engine import RegionEngine
    from xenos.tuning.trial import Verdict


class Second:
    """Those of one engine."""

    def __init__(self, engine: RegionEngine) -> None:
        self._engine = engine
        self.seconds: dict[int, float] = {}     # header -> how long CPUs were seen in its region, until that is settled
        self.settled: dict[int, bool] = {}      # headers of regions whose second level stays, or of which there is to be none
        self.refused: dict[int, str] = {}       # why there is none, if it could not be made in this run
        self.asked: set[int] = set()            # headers of those that were asked for in this run
        self.ratios: dict[int, float] = {}      # and of those that there was a verdict on: how many times as long it took
        self.gained = 0.0                       # of the seconds, what this run has had
        self._inherited: dict[int, float] = {}  # and what is the parent's of a forked child

    def seen(self, cpu: Cpu, segment: Segment, unit: int, header: int, seconds: float) -> Exit | None:
        """A CPU was in a region for so long; have that compiled once more, if that is worth it. What the CPU does meanwhile, step
        by step, may end in an exit.

        Code that the guest makes itself has one region only: where it is put, there may be nothing to compare it with.
        """
        engine = self._engine
        if not engine.tiers.jobs or engine.soft or not segment.high or header in self.settled or engine.trials.undecided(header):
            return None
        self.gained += seconds
        self.seconds[header] = spent = self.seconds.get(header, 0.0) + seconds
        spent -= self._inherited.get(header, 0.0)
        if engine.orders.compiling or not engine.tiers.better(spent, segment.code_size(unit) / CODE, bool(engine.pool.workers)):
            return None
        worker = engine.pool.idle() or engine.pool.start()
        if worker is None:
            return None
        self.asked.add(header)
        left = engine.orders.follow(cpu)
        if engine.tiers.jobs:
            engine.orders.send(worker, header, level=ALL)
        return left

    def failed(self, header: int, why: str) -> None:
        """It could not be made, and is not asked for again."""
        self.refused[header] = why
        self._settle(header, False)

    def judged(self, verdict: Verdict, tried: list[tuple[int, Segment, int]]) -> None:
        """Regions were measured: header, segment and unit of each. Those that are not faster than what was there before go."""
        engine = self._engine
        stays = verdict.better
        engine.tiers.levels[ALL].proved(max(1.0, verdict.faster or 1 / verdict.ratio) if stays else 1.0)
        for header, segment, unit in tried:
            self._settle(header, stays)
            self.ratios[header] = verdict.ratio
            if not stays:
                self._give_up(segment, unit)
        engine.stop()

    def _settle(self, header: int, stays: bool) -> None:
        self.settled[header] = stays
        self.seconds.pop(header, None)

    def _give_up(self, segment: Segment, unit: int) -> None:
        """What was there before goes on."""
        engine = self._engine
        engine.translator.turn(unit, False, segment, engine.table)
        engine.translator.forget(unit, segment, engine.table)
        segment.stale = True

    def recall(self, segment: Segment, there: dict[int, list[int]], settled: dict[int, bool], seconds: dict[int, float]) -> None:
        """Take up what earlier runs knew of a segment, as far as that fits the units of regions that are `there`: other processes
        keep that, too, and in another file."""
        for pc, stays in settled.items():
            units = there.get(pc, [])
            if not stays and len(units) > 1:
                self._give_up(segment, units[-1])
            if units and not stays or len(units) > 1:
                self.settled[pc] = stays
        self.seconds.update({pc: time for pc, time in seconds.items() if pc in there and pc not in self.settled})

    def forget(self, start: int = 0, end: int = 1 << 64) -> None:
        """What is there is other code now."""
        for known in (self.seconds, self.settled, self.refused, self.ratios, self._inherited):
            for pc in [pc for pc in known if start <= pc < end]:
                del known[pc]
        self.asked -= {pc for pc in self.asked if start <= pc < end}

    def after_fork(self) -> None:
        """In a forked child: it has not been anywhere yet."""
        self._inherited, self.gained = dict(self.seconds), 0.0
        self.asked.clear()

    def told(self) -> str:
        """For people: what became of those that were asked for or tried in this run; empty if none was."""
        every = self.asked | self.ratios.keys()
        if not every:
            return ""
        parts = [("faster so", [pc for pc in self.ratios if self.settled.get(pc)]),
                 ("not", [pc for pc in self.ratios if not self.settled.get(pc)]),
                 ("not made", [pc for pc in every if pc in self.refused]),
                 ("to be seen", [pc for pc in every if pc not in self.settled])]
        return f"{len(every):,} were worth all passes: " + ", ".join(
            f"{len(headers):,} {what}{self._times(headers)}" for what, headers in parts if headers)

    def _times(self, headers: list[int]) -> str:
        """How many times as long as before it took with those, if that is known."""
        ratios = sorted(self.ratios[pc] for pc in headers if pc in self.ratios)
        ends = dict.fromkeys(f"{ratio:.2f}" for ratio in (ratios[:1] + ratios[-1:]))
        return f" ({' to '.join(ends)} x the time)" if ratios else ""
