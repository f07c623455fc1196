"""Regions on trial: turned off and on again in the table of blocks and in the jumps to them, and given up if they gain nothing."""

from __future__ import annotations

from xenos.tuning.levels import ALL, FEW
from xenos.tuning.tiers import LATER
from xenos.tuning.trial import DOUBTFUL, Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenos.engines.code.segment import Segment
    from xenos.engines.region.engine import RegionEngine
    from xenos.tuning.trial import Untried, Verdict


class Trials:
    """Those of one engine."""

    def __init__(self, engine: RegionEngine) -> None:
        self._engine = engine
        self._trial = Trial()
        self._held: dict[int, tuple[Segment, int]] = {}     # segment and unit of each region that is to be tried
        self._out: dict[int, tuple[Segment, int]] = {}      # and of those that are out of the way meanwhile
        self.untried: dict[int, Untried] = {}               # regions from the cache that no verdict was given on
        self._new: set[int] = set()                         # headers of those made in this run
        self._later: dict[int, Untried] = {}                # what the next run is to try once more

    @property
    def running(self) -> bool:
        """Whether something is being tried."""
        return self._trial.running

    @property
    def off(self) -> bool:
        """Whether what is being tried is out of the way."""
        return self._trial.off

    @property
    def open(self) -> dict[int, Untried]:
        """Regions that no verdict was given on yet, or not the last one."""
        return self._later | self.untried | self._trial.open

    def under(self, pc: int) -> bool:
        """Whether a region that begins there is being tried."""
        return pc in self._trial.headers

    def undecided(self, pc: int) -> bool:
        """Whether no verdict was given yet on a region that begins there."""
        return pc in self.untried or pc in self._trial

    def tries(self, pc: int, level: int) -> bool:
        """Whether there will be a verdict on a region of a level that begins there."""
        return pc in self.open and self.open[pc][1] == level

    def hold(self, header: int) -> None:
        """It is the region that begins there now which is to be tried."""
        engine = self._engine
        if (found := engine.region(engine.table.find(header))) is not None:
            self._held[header] = found[0], found[1]

    def made(self, header: int, places: set[int], level: int) -> None:
        """A region was made, in which a CPU would be that is at one of these places."""
        self._new.add(header)
        self.begin(header, places, level)

    def begin(self, header: int, places: set[int], level: int = FEW, turns: Sequence[float] = (), within: int = 0) -> None:
        """A region is to be tried, in which a CPU would be that is at one of these places; with what an earlier trial has seen."""
        self.hold(header)
        self._later.pop(header, None)
        self.untried.pop(header, None)
        self._engine.history.news = True
        self._trial.begin(header, places, level, turns, within)
        if self._trial.off and self.under(header):
            self.turn(True)

    def look(self, pc: int, region: int | None, pace: float, busy: bool) -> None:
        """A CPU was seen, in a `region` if there is one, after instructions that took `pace` seconds each; `busy`: with workers."""
        if region in self.untried:
            self.begin(region, *self.untried[region])
        before = self._trial.off
        verdict = self._trial.look(pc if region is None else region, pace, busy)
        if before != self._trial.off:
            self._engine.history.news = True
            self.turn(self._trial.off)
        if verdict is not None:
            self.judged(verdict)

    def recall(self, untried: dict[int, Untried], there: dict[int, list[int]]) -> None:
        """Take up regions of a segment that earlier runs had no verdict on, if they are `there`: the units of regions by header.
        What one of a higher level is compared with is to be there, too."""
        self.untried.update({pc: one for pc, one in untried.items() if len(there.get(pc, ())) == one[1]})

    def forget(self, start: int = 0, end: int = 1 << 64) -> None:
        """What is there is other code now. What is being tried shows that at its end."""
        for known in (self.untried, self._later):
            for pc in [pc for pc in known if start <= pc < end]:
                del known[pc]
        self._new -= {pc for pc in self._new if start <= pc < end}

    def restart(self) -> None:
        """Another program is run."""
        self._trial = Trial()
        self._out.clear()
        for known in (self._held, self.untried, self._later, self._new):
            known.clear()

    def turn(self, off: bool) -> None:
        """Take the regions on trial out of the way for a while, or let them run again, unless they are gone."""
        engine = self._engine
        if off:
            self._out.update((header, self._held[header]) for header in self._trial.headers if header in self._held)
        for segment, unit in self._out.values():
            if segment in engine.segments and not segment.leaving:
                engine.translator.turn(unit, not off, segment, engine.table)
        if not off:
            self._out.clear()
        engine.stop()

    def judged(self, verdict: Verdict) -> None:
        """Regions were measured: give up those that are slower than what there was before, or no faster."""
        engine = self._engine
        held = [(header, *self._held.pop(header)) for header in verdict.headers if header in self._held]
        tried = [one for one in held if one[1] in engine.segments and not one[1].leaving and one[1].lives(one[2])]
        if not tried:
            return      # its code is gone
        if verdict.level == ALL:
            engine.second.judged(verdict, tried)
            return
        if verdict.faster:
            engine.tiers.levels[FEW].proved(verdict.faster)
        if not verdict.slower and not verdict.vain:
            # What was there before may have been worse than it is from the cache: code is placed as it is come to, and moves.
            once_more = self._new & verdict.headers if verdict.ratio > DOUBTFUL else set()
            self._later.update({header: (verdict.places, FEW, [], 0) for header in once_more})
            return
        why = f"{100 * verdict.ratio - 100:.0f} % slower than without it" if verdict.slower else "no faster than without it"
        for _, segment, unit in tried:
            engine.translator.forget(unit, segment, engine.table)
            segment.stale = True        # the cache on disk is to lack it, too
        for pc in verdict.places:       # a region that begins elsewhere in the same loop would be no better
            engine.orders.refused[pc] = why
            engine.orders.again[pc] = LATER * max(engine.tiers.ran, engine.orders.again.get(pc, 0.0))
        engine.stop()
