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


@pytest.fixture(scope="module")
def pair() -> Iterator[SideBySide]:
    """At the best level of this host."""
    made = SideBySide(BEST)
    yield made
    made.close()
