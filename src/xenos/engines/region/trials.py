"""Regions on trial: turned off and on again in the table of blocks and in the jumps to them, and given up if they are slower."""

from __future__ import annotations

from xenos.tuning.levels import ALL, FEW
from xenos.tuning.tiers import LATER
from xenos.tuning.trial import Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.segment import Segment
    from xenos.engines.region.engine import RegionEngine
    from xenos.tuning.trial import Verdict


class Trials:
    """Those of one engine."""

    def __init__(self, engine: RegionEngine) -> None:
        self._engine = engine
        self._trial = Trial()
        self._out: list[tuple[Segment, int]] = []   # segment and unit of regions that are out of the way meanwhile
        # Regions from the cache that no verdict was given on, with the places in them, and their level.
        self.untried: dict[int, tuple[set[int], int]] = {}
        self.learned = False                        # whether there was a verdict in this run

    @property
    def running(self) -> bool:
        """Whether something is being tried."""
        return self._trial.running

    @property
    def off(self) -> bool:
        """Whether what is being tried is out of the way."""
        return self._trial.off

    @property
    def open(self) -> dict[int, tuple[set[int], int]]:
        """Regions that no verdict was given on yet, with the places in them, and their level."""
        return self.untried | self._trial.open

    def under(self, pc: int) -> bool:
        """Whether a region that begins there is being tried."""
        return pc in self._trial.headers

    def undecided(self, pc: int) -> bool:
        """Whether no verdict was given yet on a region that begins there."""
        return pc in self.untried or pc in self._trial.open

    def begin(self, header: int, places: set[int], level: int = FEW) -> None:
        """A region was taken in, in which a CPU would be that is at one of these places."""
        self._trial.begin(header, places, level)
        if self._trial.off and self.under(header):
            self.turn(True)

    def look(self, pc: int, region: int | None, pace: float, busy: bool) -> None:
        """A CPU was seen, in a `region` if there is one, after instructions that took `pace` seconds each; `busy`: with workers."""
        if region in self.untried:
            self.begin(region, *self.untried.pop(region))
        before = self._trial.off
        verdict = self._trial.look(pc if region is None else region, pace, busy)
        if before != self._trial.off:
            self.turn(self._trial.off)
        if verdict is not None:
            self.judged(verdict)

    def forget(self) -> None:
        """Another program is run, with other code at these addresses."""
        self._trial = Trial()
        self._out.clear()
        self.untried.clear()

    def turn(self, off: bool) -> None:
        """Take the regions on trial out of the way for a while, or let them run again, unless they are gone."""
        engine = self._engine
        if off:
            found = (engine.region(engine.table.find(header)) for header in self._trial.headers)
            self._out += [(segment, unit) for segment, unit, _ in filter(None, found)]
        for segment, unit in self._out:
            if segment in engine.segments and not segment.leaving:
                engine.translator.turn(unit, not off, segment, engine.table)
        if not off:
            self._out.clear()
        engine.stop()

    def judged(self, verdict: Verdict) -> None:
        """Regions were measured: give up those that are slower than what there was before."""
        engine = self._engine
        self.learned = True
        if verdict.level == ALL:
            engine.second.judged(verdict)
            return
        if verdict.faster:
            engine.tiers.levels[FEW].proved(verdict.faster)
        if not verdict.slower:
            return
        for header in verdict.headers:
            if (found := engine.region(engine.table.find(header))) is not None:
                segment, unit, _ = found
                engine.translator.forget(unit, segment, engine.table)
                segment.kept_regions = -1       # the cache on disk is to lack it, too
        for pc in verdict.places:       # a region that begins elsewhere in the same loop would be no better
            engine.refused[pc] = f"{100 * verdict.ratio - 100:.0f} % slower than without it"
            engine.again[pc] = LATER * max(engine.tiers.ran, engine.again.get(pc, 0.0))
        engine.stop()
