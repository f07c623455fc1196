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

Steps = dict[tuple[int, int], int]


def recall(store: Store, segment: Segment) -> tuple[dict[int, float], Steps, list[int]]:
    """Seconds by header, times by step, and headers that were being compiled at the end, as `keep` wrote them for the same code;
    all empty if it did not."""
    body = store.load(_key(segment)) if segment.key is not None else None
    if body is None:
        return {}, {}, []
    spent, steps, vain = marshal.loads(body)
    low = segment.low
    return ({pc + low: seconds for pc, seconds in spent}, {(a + low, b + low): times for a, b, times in steps},
            [pc + low for pc in vain])


def keep(store: Store, segment: Segment, spent: dict[int, float], steps: Steps, vain: list[int], before: dict[int, float]) -> None:
    """Write down what is new since `before`, if that is worth it."""
    low, high = segment.low, segment.high
    mine = {pc: seconds for pc, seconds in spent.items() if low <= pc < high}
    if segment.key is None or sum(mine.values()) - sum(before.get(pc, 0.0) for pc in mine) < _WORTH:
        return
    longest = sorted(mine.items(), key=lambda item: -item[1])[:_MOST]
    ways = [(a - low, b - low, times) for (a, b), times in steps.items() if low <= a < high and low <= b < high][-_MOST:]
    store.save(_key(segment), [marshal.dumps((
        [(pc - low, seconds) for pc, seconds in longest], ways, [pc - low for pc in vain if low <= pc < high]))], "profile")


def _key(segment: Segment) -> bytes:
    return digest(segment.key or b"", b"profile")
