"""Guest memory for each test; only one may be open at a time."""

from collections.abc import Iterator

import pytest

from xenos.memory.flat import FlatMemory


@pytest.fixture
def memory() -> Iterator[FlatMemory]:
    arena = FlatMemory()
    yield arena
    arena.close()
