"""Whether regions that were taken in made their program faster.

What LLVM makes of a loop is faster than its stencils in nearly all cases, by a factor that nobody knows beforehand. Where a program
keeps coming in and going out, it may be slower. So each is measured while the program does the same as before: first its pace
before and after, each a median over some looks. Where this does not show that it is clearly faster, it is turned off and on again
by turns: a machine on which others begin to work slows down what runs with it as much as what runs without, and so does a program
that goes on to other things.
"""

from __future__ import annotations

import math

_LOOKS = 24         # that a pace is a median of
_KEPT = 64          # looks that are remembered
_SHARE = 3 / 4      # of the looks must be in what is tried, before and after: else a program may do by turns what is fast and slow
_PATIENCE = 64      # looks until that is given up
_CLEAR = 0.9        # of the time before, or less, and no more is asked
_TURN = 8           # looks of a turn, behind the one in which it began
_LEAST, _MOST = 5, 40   # pairs of turns, of which one was without
_SURE = 3.0          # standard errors between two times that differ by no chance,
_FEW = 15.0         # and this over the number of pairs more, as it is looked after each
_TELLING = 5        # standard errors of the whole are less than the share of it of which something is learned
_SLOWER = 1.02      # that much, and it matters
_BOUNDS = 0.5, 8.0  # between these lies how much faster anything is


class Verdict:
    """What a trial came to: the regions by their headers, the `places` that are in them, how much `faster` their code runs (0 if
    that is not known), how much longer the program takes: `ratio`; and whether that is `sure`."""

    __slots__ = ("faster", "headers", "places", "ratio", "sure")

    def __init__(self, headers: set[int], places: set[int], faster: float, ratio: float, sure: bool = True) -> None:
        self.headers = headers
        self.places = places
        self.faster = faster
        self.ratio = ratio
        self.sure = sure

    @property
    def slower(self) -> bool:
        """Whether the program would be better off without them."""
        return self.sure and self.ratio > _SLOWER


class Trial:
    """One after the other. Workers slow their guest down: looks while they work are compared with looks while they work.

    `off` says whether the regions of `headers` are to be out of the way now: the engine sees to that after each look.
    """

    def __init__(self) -> None:
        self.headers: set[int] = set()
        self.off = False
        self._places: set[int] = set()      # where a CPU was seen that is in the regions now
        self._next: list[tuple[int, set[int]]] = []     # what was taken in meanwhile
        self._before: dict[bool, list[tuple[int, float]]] = {False: [], True: []}     # busy -> (place, pace)
        self._after: dict[bool, list[tuple[int, float]]] = {False: [], True: []}
        self._left = 0
        self._turns: list[float] = []       # mean pace of each, those without at even places
        self._turn: list[float] | None = None   # paces of the one at hand, if it is done by turns
        self._seen = self._within = 0       # looks without: all, and those at the places

    @property
    def running(self) -> bool:
        """Whether something is being tried."""
        return bool(self.headers)

    def begin(self, header: int, places: set[int]) -> None:
        """A region was taken in; a CPU at one of these places would be in it now. Others may be on trial: it is tried with them,
        or after them where that goes by turns already."""
        if self._turn is not None:
            self._next.append((header, places))
            return
        if not self.headers:
            self._left = _PATIENCE
        self.headers.add(header)
        self._places |= places | {header}
        self._after = {False: [], True: []}

    def look(self, place: int, pace: float, busy: bool) -> Verdict | None:
        """A CPU was seen at a place, a region's header if in one, after instructions that took `pace` seconds each."""
        if self._turn is not None:
            return self._by_turns(self._turn, place, pace)
        looks = (self._after if self.headers else self._before)[busy]
        looks.append((place, pace))
        if not self.headers:
            del looks[:-_KEPT]
            return None
        self._left -= 1
        if len(looks) < _LOOKS and self._left:
            return None
        verdict = self._judge(self._before[busy], looks)
        if verdict is not None and verdict.ratio < _CLEAR:
            self._before = self._after      # what was seen last is what comes before the next one
            self._end()
            return verdict
        self.off, self._turn, self._turns, self._seen, self._within = True, [], [], 0, 0
        return None

    def _judge(self, before: list[tuple[int, float]], after: list[tuple[int, float]]) -> Verdict | None:
        if len(before) < _LOOKS or len(after) < _LOOKS:
            return None
        share = sum(place in self._places for place, _ in before) / len(before)
        if share < _SHARE or sum(place in self.headers for place, _ in after) < _SHARE * len(after):
            return None     # it did something else
        return self._verdict(_median(after) / _median(before), share)

    def _verdict(self, ratio: float, share: float, sure: bool = True, error: float = 0.0) -> Verdict:
        low, high = _BOUNDS
        faster = 0.0
        if share > _TELLING * error:    # of what hardly runs it is chance
            faster = max(low, min(share / max(ratio - 1 + share, share / high), high))
        return Verdict(self.headers, self._places, faster, ratio, sure)

    def _by_turns(self, turn: list[float], place: int, pace: float) -> Verdict | None:
        turn.append(pace)
        if self.off:
            self._seen += 1
            self._within += place in self._places
        if len(turn) <= _TURN:
            return None
        self._turns.append(sum(turn[1:]) / _TURN)       # in the first it was yet to be turned
        self._turn = []
        self.off = not self.off
        if not self.off or len(self._turns) < 2 * _LEAST:
            return None
        ratio, error = _compare(self._turns[::2], self._turns[1::2])
        sure = abs(math.log(ratio)) > (_SURE + _FEW / (len(self._turns) // 2)) * error
        if not sure and len(self._turns) < 2 * _MOST:
            return None
        verdict = self._verdict(ratio, self._within / self._seen, sure, error)
        self._before = {False: [], True: []}
        self._end()
        return verdict

    def _end(self) -> None:
        self._after = {False: [], True: []}
        self.headers, self._places, self._turn, self.off = set(), set(), None, False
        following, self._next = self._next, []
        for header, places in following:
            self.begin(header, places)


def _median(looks: list[tuple[int, float]]) -> float:
    return sorted(pace for _, pace in looks)[len(looks) // 2]


def _compare(without: list[float], within: list[float]) -> tuple[float, float]:
    """How many times as long turns took as those before them, and the standard error of that number's logarithm."""
    logs = [math.log(one / other) for one, other in zip(within, without, strict=True)]
    mean = sum(logs) / len(logs)
    return math.exp(mean), math.sqrt(sum((log - mean) ** 2 for log in logs) / (len(logs) - 1) / len(logs))
