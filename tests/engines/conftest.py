"""What the tests of this folder share: the two engines on one memory, one host level at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.side_by_side import BEST, SideBySide


@pytest.fixture(scope="module")
def pair() -> Iterator[SideBySide]:
    """At the best level of this host."""
    made = SideBySide(BEST)
    yield made
    made.close()
