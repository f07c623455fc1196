"""Whether regions that were taken in made their program faster.

What LLVM makes of a loop is faster than its stencils in nearly all cases, by a factor that nobody knows beforehand. Where a program
keeps coming in and going out, it may be slower. So each is measured while the program does the same as before: first its pace
before and after, each a median over some looks. Where this does not show that it is clearly faster, it is turned off and on again
by turns: a machine on which others begin to work slows down what runs with it as much as what runs without, and so does a program
that goes on to other things.

A region that is compiled once more at a higher level is compared with what it was before, by turns; it is there for what it gains
only, and goes if that is nothing.
"""

from __future__ import annotations

from xenos.tuning.levels import ALL, FEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKS = 24         # that a pace is a median of
_KEPT = 64          # looks that are remembered
_SHARE = 3 / 4      # of the looks must be in what is tried, before and after: else a program may do by turns what is fast and slow
_PATIENCE = 64      # looks until that is given up
_CLEAR = 0.9        # of the time before, or less, and no more is asked
_TURN = 8           # looks of a turn, behind the one in which it began
_LEAST, _MOST = 12, 40  # pairs of turns, of which one was without
DOUBTFUL = 0.7      # of the time before, or less: else a first run is not believed, whose code is still being translated
_SURE = 3.0         # standard errors by which the sum of ranks is off what chance would give
_MUCH = 0.5         # of the time
_TELLING = 0.2      # of the looks found regions at work, or it says nothing of how much faster they are
_SLOWER = 1.02      # that much, and it matters
_FASTER = 0.99      # that much or less, and a second level was worth it
_BOUNDS = 0.5, 8.0  # between these lies how much faster anything is


# A region without a verdict: the places in it, its level, paces of turns without and with it, how many looks found a CPU in it.
Untried = tuple[set[int], int, list[float], int]


class Verdict:
    """What a trial came to: the regions by their headers, the `places` that are in them, how much `faster` their code runs (0 if
    that is not known), how much longer the program takes: `ratio`; whether that is `sure`; of which `level` they are, and for which
    `share` of the time they were at work."""

    __slots__ = ("faster", "headers", "level", "places", "ratio", "share", "sure")

    def __init__(self, headers: set[int], places: set[int], faster: float, ratio: float, sure: bool = True,
                 level: int = FEW, share: float = 1.0) -> None:
        self.headers = headers
        self.places = places
        self.faster = faster
        self.ratio = ratio
        self.sure = sure
        self.level = level
        self.share = share

    @property
    def slower(self) -> bool:
        """Whether the program would be better off without them."""
        return self.sure and self.ratio > _SLOWER

    @property
    def vain(self) -> bool:
        """Whether they are surely no gain, or were at work for much of the time and nothing points to one."""
        return not self.slower and self.ratio >= 1 and (self.sure or self.share >= _MUCH)

    @property
    def better(self) -> bool:
        """Whether the program is better off with them."""
        return self.sure and self.ratio < _FASTER


class Trial:
    """One after the other. Workers slow their guest down: looks while they work are compared with looks while they work.

    `off` says whether the regions of `headers` are to be out of the way now: the engine sees to that after each look.
    """

    def __init__(self) -> None:
        self.headers: dict[int, set[int]] = {}          # with the places where a CPU was seen that is in the region now
        self.off = False
        self.level = FEW        # that they are of
        self._next: dict[int, Untried] = {}             # what was taken in meanwhile
        self._before: dict[bool, list[tuple[int, float]]] = {False: [], True: []}     # busy -> (place, pace)
        self._after: dict[bool, list[tuple[int, float]]] = {False: [], True: []}
        self._left = 0
        self._turns: list[float] = []       # mean pace of each, those without at even places
        self._turn: list[float] | None = None   # paces of the one at hand, if it is done by turns
        self._within = 0                    # looks that found a CPU in the regions

    @property
    def running(self) -> bool:
        """Whether something is being tried."""
        return bool(self.headers)

    @property
    def open(self) -> dict[int, Untried]:
        """All that no verdict was given on yet."""
        turns = self._turns[:len(self._turns) & -2]     # those with it have one without it before them
        return {header: (places, self.level, turns, self._within) for header, places in self.headers.items()} | self._next

    def __contains__(self, header: object) -> bool:
        return header in self.headers or header in self._next

    def begin(self, header: int, places: set[int], level: int = FEW, turns: Sequence[float] = (), within: int = 0) -> None:
        """A region was taken in; a CPU at one of these places would be in it now. Others may be on trial: it is tried with them,
        or after them where they are of another level, or that goes by turns already and it is of other code. An earlier trial of
        it alone may have had some `turns`, and looks `within` it."""
        self._next.pop(header, None)
        if self.headers and level != self.level or self._turn is not None and not places & self._places():
            self._next[header] = places, level, list(turns), within
            return
        if not self.headers:
            self._left, self.level = _PATIENCE, level
        self.headers[header] = places | {header}
        self._after = {False: [], True: []}
        if self._turn is not None or level == ALL or turns:
            self._take_turns()      # from the beginning: where one is out of the way, the other one would do its work
        if turns and len(self.headers) == 1:
            self._turns, self._within = list(turns), within

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
        self._take_turns()
        return None

    def _take_turns(self) -> None:
        self.off, self._turn, self._turns, self._within = True, [], [], 0

    def _places(self) -> set[int]:
        return set().union(*self.headers.values())

    def _judge(self, before: list[tuple[int, float]], after: list[tuple[int, float]]) -> Verdict | None:
        if len(before) < _LOOKS or len(after) < _LOOKS:
            return None
        places = self._places()
        share = sum(place in places for place, _ in before) / len(before)
        if share < _SHARE or sum(place in self.headers for place, _ in after) < _SHARE * len(after):
            return None     # it did something else
        return self._verdict(_median(after) / _median(before), share)

    def _verdict(self, ratio: float, share: float, sure: bool = True) -> Verdict:
        low, high = _BOUNDS
        faster = max(low, min(share / max(ratio - 1 + share, share / high), high)) if share > _TELLING else 0.0
        return Verdict(set(self.headers), self._places(), faster, ratio, sure, self.level, share)

    def _by_turns(self, turn: list[float], place: int, pace: float) -> Verdict | None:
        turn.append(pace)
        self._within += place in self.headers
        if len(turn) <= _TURN:
            return None
        # In the first look it was yet to be turned; in the longest, something else may have had the processor.
        self._turns.append(sum(sorted(turn[1:])[:-1]) / (_TURN - 1))
        self._turn = []
        self.off = not self.off
        if not self.off or len(self._turns) < 2 * _LEAST:
            return None
        ratio, errors = _compare(self._turns[::2], self._turns[1::2])
        sure = errors > _SURE
        if not sure and len(self._turns) < 2 * _MOST:
            return None
        seen = self._within if self.level == ALL else 2 * self._within     # one of the level below has the same header
        verdict = self._verdict(ratio, min(1.0, seen / (_TURN + 1) / len(self._turns)), sure)
        self._before = {False: [], True: []}
        self._end()
        return verdict

    def _end(self) -> None:
        self._after = {False: [], True: []}
        self.headers, self._turn, self._turns, self._within, self.off = {}, None, [], 0, False
        following, self._next = self._next, {}
        for header, one in following.items():
            self.begin(header, *one)


def _median(looks: list[tuple[int, float]]) -> float:
    return sorted(pace for _, pace in looks)[len(looks) // 2]


def _compare(without: list[float], within: list[float]) -> tuple[float, float]:
    """How many times as long turns took as those before them, as a median; and by how many standard errors it is no chance which
    of two took longer (F. Wilcoxon, Individual comparisons by ranking methods, 1945)."""
    import math  # for few programs: to load it takes longer than the rest of this file

    logs = sorted((math.log(one / other) for one, other in zip(within, without, strict=True)), key=abs)
    count = len(logs)
    ranks = sum(math.copysign(rank + 1, log) for rank, log in enumerate(logs))
    return math.exp(sorted(logs)[count // 2]), abs(ranks) / math.sqrt(count * (count + 1) * (2 * count + 1) / 6)
