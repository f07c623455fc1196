"""What the tests of this folder share: the two engines on one memory, one host level at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.side_by_side import BEST, SideBySide


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "exhaustive: takes minutes; only run by `make exhaustive` (pytest -m exhaustive)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is exhaustive unless it is asked for."""
    if "exhaustive" not in config.getoption("markexpr"):
        chosen = [item for item in items if item.get_closest_marker("exhaustive") is None]
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("exhaustive")])
        items[:] = chosen


class Pairs:
    """One pair of engines at a time: only one may own the guest memory of a process."""

    def __init__(self) -> None:
        self._open: SideBySide | None = None

    def at(self, level: int) -> SideBySide:
        """The engines at a host level."""
        if self._open is None or self._open.level != level:
            self.close()
            self._open = SideBySide(level)
        return self._open

    def close(self) -> None:
        """Let the memory go."""
        if self._open is not None:
            self._open.close()
        self._open = None


@pytest.fixture(scope="module")
def pairs() -> Iterator[Pairs]:
    """Engines at any host level."""
    made = Pairs()
    yield made
    made.close()


@pytest.fixture(scope="module")
def forced() -> Iterator[SideBySide]:
    """The region engine, forced hot, and the reference."""
    made = SideBySide(forced=True)
    yield made
    made.close()


@pytest.fixture
def pair(pairs: Pairs) -> SideBySide:
    """Engines at the best level of this host."""
    return pairs.at(BEST)
