"""What is to be compiled as soon as a worker has nothing to do: what was hottest first, and what has got hotter meanwhile."""

from __future__ import annotations

MOST = 8    # to follow a CPU takes a millisecond, and what waits for long may be hot no more


class Waiting:
    """Headers of regions, with the seconds that they had run for and the pages of code that are asked about."""

    def __init__(self) -> None:
        self._jobs: dict[int, tuple[float, set[int]]] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, header: object) -> bool:
        return header in self._jobs

    def room(self) -> bool:
        """Whether one more may wait."""
        return len(self._jobs) < MOST

    def add(self, header: int, seconds: float, pages: set[int]) -> None:
        """One more."""
        self._jobs[header] = seconds, pages

    def hottest(self, spent: dict[int, float]) -> tuple[int, float, set[int]]:
        """Take the one that has run longest, with what was `spent` at it since: the header, seconds in all, pages."""
        header = max(self._jobs, key=lambda one: self._jobs[one][0] + spent.get(one, 0.0))
        seconds, pages = self._jobs.pop(header)
        return header, seconds + spent.get(header, 0.0), pages

    def forget(self, start: int = 0, end: int = 1 << 64) -> None:
        """What is there is other code now."""
        for header in [header for header in self._jobs if start <= header < end]:
            del self._jobs[header]
