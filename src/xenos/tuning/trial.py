"""Whether regions that were taken in made their program faster: its pace before and after, each a median over some looks.

What LLVM makes of a loop is faster than its stencils in nearly all cases, by a factor that nobody knows beforehand. Where a program
keeps coming in and going out, it may be slower. So each is measured while the program does the same as before.
"""

from __future__ import annotations

_LOOKS = 24         # that a pace is a median of
_KEPT = 64          # looks that are remembered
_SHARE = 3 / 4      # of the looks must be in what is tried, before and after: else a program may do by turns what is fast and slow
_PATIENCE = 1000    # looks until that is given up
_SLOWER = 1.02      # that much, and it is no chance
_BOUNDS = 0.5, 8.0  # between these lies how much faster anything is


class Verdict:
    """What a trial came to: the regions by their headers, the `places` that are in them, how much `faster` their code runs, how
    much longer the program takes: `ratio`."""

    __slots__ = ("faster", "headers", "places", "ratio")

    def __init__(self, headers: set[int], places: set[int], faster: float, ratio: float) -> None:
        self.headers = headers
        self.places = places
        self.faster = faster
        self.ratio = ratio

    @property
    def slower(self) -> bool:
        """Whether the program would be better off without them."""
        return self.ratio > _SLOWER


class Trial:
    """One after the other. Workers slow their guest down: looks while they work are compared with looks while they work."""

    def __init__(self) -> None:
        self._before: dict[bool, list[tuple[int, float]]] = {False: [], True: []}     # busy -> (place, pace)
        self._after: dict[bool, list[tuple[int, float]]] = {False: [], True: []}
        self._places: set[int] = set()      # where a CPU was seen that is in the regions now
        self._headers: set[int] = set()
        self._left = 0

    @property
    def running(self) -> bool:
        """Whether something is being tried."""
        return bool(self._headers)

    def begin(self, header: int, places: set[int]) -> None:
        """A region was taken in; a CPU at one of these places would be in it now. Others may be on trial: it is tried with them."""
        if not self._headers:
            self._left = _PATIENCE
        self._headers.add(header)
        self._places |= places | {header}
        self._after = {False: [], True: []}

    def look(self, place: int, pace: float, busy: bool) -> Verdict | None:
        """A CPU was seen at a place, a region's header if in one, after instructions that took `pace` seconds each."""
        looks = (self._after if self._headers else self._before)[busy]
        looks.append((place, pace))
        if not self._headers:
            del looks[:-_KEPT]
            return None
        self._left -= 1
        if len(looks) < _LOOKS and self._left:
            return None
        verdict = self._judge(self._before[busy], looks)
        if verdict is None or not verdict.slower:
            self._before = self._after      # what was seen last is what comes before the next one
        self._after = {False: [], True: []}
        self._headers, self._places = set(), set()
        return verdict

    def _judge(self, before: list[tuple[int, float]], after: list[tuple[int, float]]) -> Verdict | None:
        if len(before) < _LOOKS or len(after) < _LOOKS:
            return None
        share = sum(place in self._places for place, _ in before) / len(before)
        if share < _SHARE or sum(place in self._headers for place, _ in after) < _SHARE * len(after):
            return None     # it did something else
        ratio = _median(after) / _median(before)
        low, high = _BOUNDS
        faster = share / max(ratio - 1 + share, share / high)
        return Verdict(self._headers, self._places, max(low, min(faster, high)), ratio)


def _median(looks: list[tuple[int, float]]) -> float:
    return sorted(pace for _, pace in looks)[len(looks) // 2]
