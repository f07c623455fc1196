"""What earlier runs knew of a mapping's code: how long its loops ran and which ways they took, kept beside its code."""

from __future__ import annotations

import marshal

from xenos.engines.code.store import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenos.engines.code.segment import Segment
    from xenos.engines.region.engine import RegionEngine

_WORTH = 0.01       # seconds at loops: what is not longer is not written
_WITHIN = 0.1       # seconds in regions
_MOST = 4096        # entries of each kind


class History:
    """What one engine has from earlier runs, and leaves to later ones."""

    def __init__(self, engine: RegionEngine) -> None:
        self._engine = engine
        self.vain: set[int] = set()             # headers that the last run asked for, and ended before they were made
        self.recalled: dict[int, float] = {}    # what the engine's `spent` was when it was read
        self.news = False                       # whether something was asked for, made or tried in this run

    def read(self, segment: Segment) -> None:
        """Take up what earlier runs knew of a segment's code, and what is still so."""
        engine, low = self._engine, segment.low
        body = engine.store.load(_key(segment)) if engine.store is not None and segment.key is not None else None
        if body is None:
            return
        spent, steps, vain, again, untried, levels, within, settled = marshal.loads(body)
        for pc, seconds in spent:
            engine.spent[pc + low] = self.recalled[pc + low] = engine.spent.get(pc + low, 0.0) + seconds
        engine.steps.update({(a + low, b + low): times for a, b, times in steps})
        self.vain.update(pc + low for pc in vain)
        engine.orders.again.update({pc + low: seconds for pc, seconds in again})
        engine.orders.refused.update({pc + low: "no gain in an earlier run" for pc, _ in again})
        engine.tiers.recall(levels)
        there = segment.regions_by_header()
        engine.trials.recall({pc + low: ({place + low for place in places}, *more) for pc, places, *more in untried}, there)
        engine.second.recall(segment, there, {pc + low: stays for pc, stays in settled},
                             {pc + low: seconds for pc, seconds in within})

    def write(self, segment: Segment, asked: Iterable[int]) -> None:
        """Write down what is known of a segment's code, if that is more than it was; `asked` are headers that workers are at."""
        engine, low, high = self._engine, segment.low, segment.high
        spent = {pc: seconds for pc, seconds in engine.spent.items() if low <= pc < high}
        new = sum(spent.values()) - sum(self.recalled.get(pc, 0.0) for pc in spent)
        if engine.store is None or segment.key is None or not (
                self.news or new >= _WORTH or engine.second.gained >= _WITHIN):
            return
        longest = sorted(spent.items(), key=lambda item: -item[1])[:_MOST]
        ways = [(a - low, b - low, times) for (a, b), times in engine.steps.items() if low <= a < high and low <= b < high][-_MOST:]
        orders = engine.orders
        engine.store.save(_key(segment), [marshal.dumps((
            [(pc - low, seconds) for pc, seconds in longest], ways, [pc - low for pc in asked if low <= pc < high],
            [(pc - low, seconds) for pc, seconds in orders.again.items() if low <= pc < high and pc in orders.refused],
            [(pc - low, [place - low for place in places], *more)
             for pc, (places, *more) in engine.trials.open.items() if low <= pc < high],
            engine.tiers.learned,
            [(pc - low, seconds) for pc, seconds in engine.second.seconds.items() if low <= pc < high],
            [(pc - low, stays) for pc, stays in engine.second.settled.items() if low <= pc < high]))], "profile")

    def after_fork(self) -> None:
        """In a forked child: what is known up to now is its parent's to write."""
        self.recalled, self.news = dict(self._engine.spent), False


def _key(segment: Segment) -> bytes:
    return digest(segment.key or b"", b"profile")
