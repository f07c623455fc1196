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
        self._forced = False

    def at(self, level: int, *, forced: bool = False) -> SideBySide:
        """The engines at a host level; `forced`: the region engine, with a region at every block, in the stencil engine's place."""
        if self._open is None or (self._open.level, self._forced) != (level, forced):
            self.close()
            self._open, self._forced = SideBySide(level, forced=forced), forced
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


@pytest.fixture(scope="module")
def plain() -> Iterator[SideBySide]:
    """The same, with regions that keep no registers for accesses that fail."""
    made = SideBySide(forced=True, plain=True)
    yield made
    made.close()


@pytest.fixture
def pair(pairs: Pairs, request: pytest.FixtureRequest) -> SideBySide:
    """Engines at the best level of this host; see engines/both.py."""
    return pairs.at(BEST, forced=getattr(request, "param", "") == "regions")
