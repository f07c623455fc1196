"""What is known of how a guest's code ran: how often a block was seen, and where it went on to."""

from __future__ import annotations


class Profile:
    """Counts of steps from block to block, as they were sampled: (address of the last instruction, goal) -> times."""

    __slots__ = ("_after", "_goes", "_seen")

    def __init__(self) -> None:
        self._goes: dict[int, dict[int, int]] = {}
        self._seen: dict[int, int] = {}
        self._after: dict[tuple[int, int], dict[int, int]] = {}

    def add(self, last: int, goal: int, times: int = 1) -> None:
        """A jump at `last` went to `goal`."""
        goes = self._goes.setdefault(last, {})
        goes[goal] = goes.get(goal, 0) + times
        self._seen[goal] = self._seen.get(goal, 0) + times

    def goes(self, last: int) -> dict[int, int]:
        """Where the jump at an address went, with how often."""
        return self._goes.get(last, {})

    def add_after(self, last: int, before: int, goal: int, times: int) -> None:
        """It went to `goal` so often when it had gone to `before` the time before."""
        goes = self._after.setdefault((last, before), {})
        goes[goal] = goes.get(goal, 0) + times

    def after(self, last: int, before: int) -> dict[int, int]:
        """Where the jump at an address went when it had gone to `before` the time before, with how often."""
        return self._after.get((last, before), {})

    def weight(self, pc: int) -> float:
        """How often a block was come to."""
        return self._seen.get(pc, 0)
