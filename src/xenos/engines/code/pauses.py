"""How long guest threads were stopped because code was given up: how often, the longest time, and what few were longer than."""

from __future__ import annotations

_STEP = 10_000      # nanoseconds
_STEPS = 1000       # what is longer is told as the longest


class Pauses:
    """Counts in steps of 10 microseconds. `count` is how many there were, `longest` and `total` are in seconds."""

    def __init__(self) -> None:
        self.count = 0
        self.longest = self.total = 0.0
        self._steps = [0] * (_STEPS + 1)

    def note(self, nanoseconds: int) -> None:
        """A guest thread was stopped for so long."""
        self.count += 1
        self.total += nanoseconds / 1e9
        self._steps[min(nanoseconds // _STEP, _STEPS)] += 1
        self.longest = max(self.longest, nanoseconds / 1e9)

    def most(self, share: float) -> float:
        """Seconds that no more than this share of all pauses exceed (0.99: the 99th percentile), to 10 microseconds."""
        left = share * self.count
        for number, count in enumerate(self._steps[:_STEPS]):
            left -= count
            if left <= 0:
                return min((number + 1) * _STEP / 1e9, self.longest)
        return self.longest
