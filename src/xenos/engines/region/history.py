"""What earlier runs knew of a mapping's code: how long its loops ran and which ways they took, kept beside its code."""

from __future__ import annotations

import marshal

from xenos.engines.code.store import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.segment import Segment
    from xenos.engines.code.store import Store

_WORTH = 0.01       # seconds: what is not longer is not written
_MOST = 4096        # entries of each kind

class Past:
    """What is known of how code ran."""

    __slots__ = ("again", "done", "levels", "seconds", "spent", "steps", "untried", "vain")

    def __init__(self, spent: dict[int, float], steps: dict[tuple[int, int], int], vain: list[int], again: dict[int, float],
                 untried: dict[int, tuple[set[int], int]], levels: dict[int, tuple[float, float]], seconds: dict[int, float],
                 done: dict[int, bool]) -> None:
        self.spent = spent      # seconds by header
        self.steps = steps      # times by step: a block, and where it went
        self.vain = vain        # headers that were being compiled at the end
        self.again = again      # those that were refused: after how many seconds they are worth another look
        self.untried = untried  # regions whose trial is not over, with the places in them, and their level
        self.levels = levels    # of each, the share of what was asked for that came to be, and how much faster that was
        self.seconds = seconds  # in regions, by their headers
        self.done = done        # those that were compiled at a second level, and whether that stayed


def recall(store: Store, segment: Segment) -> Past:
    """What `keep` wrote for the same code; nothing at all if it did not."""
    body = store.load(_key(segment)) if segment.key is not None else None
    if body is None:
        return Past({}, {}, [], {}, {}, {}, {}, {})
    spent, steps, vain, again, untried, levels, seconds, done = marshal.loads(body)
    low = segment.low
    return Past({pc + low: seconds for pc, seconds in spent}, {(a + low, b + low): times for a, b, times in steps},
                [pc + low for pc in vain], {pc + low: seconds for pc, seconds in again},
                {pc + low: ({place + low for place in places}, level) for pc, places, level in untried}, levels,
                {pc + low: time for pc, time in seconds}, {pc + low: stayed for pc, stayed in done})


def keep(store: Store, segment: Segment, past: Past, before: dict[int, float], learned: bool) -> None:
    """Write down what of that is this segment's, if something was `learned` of regions or enough seconds are new since `before`."""
    low, high = segment.low, segment.high
    mine = {pc: seconds for pc, seconds in past.spent.items() if low <= pc < high}
    if segment.key is None or not learned and sum(mine.values()) - sum(before.get(pc, 0.0) for pc in mine) < _WORTH:
        return
    longest = sorted(mine.items(), key=lambda item: -item[1])[:_MOST]
    ways = [(a - low, b - low, times) for (a, b), times in past.steps.items() if low <= a < high and low <= b < high][-_MOST:]
    store.save(_key(segment), [marshal.dumps((
        [(pc - low, seconds) for pc, seconds in longest], ways, [pc - low for pc in past.vain if low <= pc < high],
        [(pc - low, seconds) for pc, seconds in past.again.items() if low <= pc < high],
        [(pc - low, [place - low for place in places], level) for pc, (places, level) in past.untried.items() if low <= pc < high],
        past.levels,
        [(pc - low, time) for pc, time in past.seconds.items() if low <= pc < high],
        [(pc - low, stayed) for pc, stayed in past.done.items() if low <= pc < high]))], "profile")


def _key(segment: Segment) -> bytes:
    return digest(segment.key or b"", b"profile")
