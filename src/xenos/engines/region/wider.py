"""Regions that CPUs begin to leave by a way that nobody had seen before are made once more, with what is there now.

A program may do one thing for a while and then another, in the same loop. A region made in between has half of it. One more for the
other half would do, but they would lead to one another each time round; the loop as a whole is faster, or no slower (a region that
grows with the ways its program takes: A. Gal, M. Franz, Incremental dynamic code generation with trace trees, 2006).
"""

from __future__ import annotations

from xenos.tuning.levels import ALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenos.engines.region.burst import Burst
    from xenos.engines.region.engine import RegionEngine

_LEAST = 3      # times that a burst is to have come to a region, or it says nothing
_TIMES = 3      # that a region is made anew in a run: what changes again and again is not to be compiled each time


class Wider:
    """Those of one engine."""

    def __init__(self, engine: RegionEngine) -> None:
        self._engine = engine
        self._made: dict[int, tuple[set[int], set[tuple[int, int]]]] = {}   # header -> its region's blocks, ways out known
        self._along: dict[int, int] = {}    # headers of regions that are made anew -> where the new way goes to
        self._times: dict[int, int] = {}    # header -> how often it was

    def along(self, header: int) -> int | None:
        """Where a region is to come to that is made anew; None for any other."""
        return self._along.get(header)

    def find(self, burst: Burst, header: int) -> int | None:
        """Where the region begins that is to be made anew, rather than one at a header: what the last burst came to nearly as often
        as to that, and left most of the time by a way that is new.

        Code that the guest makes itself has one region only, as with second levels (region/second.py).
        """
        least = max(_LEAST, burst.places.get(header, 0) / 2)
        roots = [pc for pc, times in burst.places.items() if times >= least and self._may(pc)]
        for root in sorted(roots, key=burst.often, reverse=True):
            blocks, known = self._made[root]
            way = burst.way_out(blocks, known)
            if way is not None and 2 * burst.last[way] > burst.places[root]:
                self._along[root] = way[1]
                self._times[root] = self._times.get(root, 0) + 1
                return root
        return None

    def _may(self, root: int) -> bool:
        engine = self._engine
        if root not in self._made or self._times.get(root, 0) >= _TIMES or engine.orders.asked(root):
            return False
        if engine.trials.tries(root, ALL):      # it would be another one that is on trial
            return False
        found = engine.region(engine.table.find(root))
        return found is not None and found[2] == root and found[0].high > 0

    def made(self, header: int, blocks: Iterable[int], ways: Iterable[tuple[int, int]]) -> None:
        """A region of these blocks was taken in; it was asked for when these ways had been seen."""
        within = set(blocks)
        self._made[header] = within, {(here, goal) for here, goal in ways if here in within and goal not in within}

    def done(self, header: int, failed: bool) -> None:
        """A worker has made a region anew, or `failed`: then it would the next time, too."""
        if self._along.pop(header, None) is not None and failed:
            self._times[header] = _TIMES

    def after_fork(self) -> None:
        """In a forked child: the workers are its parent's."""
        self._along.clear()

    def forget(self, start: int = 0, end: int = 1 << 64) -> None:
        """What is there is other code now."""
        for known in (self._made, self._along, self._times):
            for pc in [pc for pc in known if start <= pc < end]:
                del known[pc]
