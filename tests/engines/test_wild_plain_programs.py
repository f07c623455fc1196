"""The random programs again, those without faults, in regions that keep no registers for accesses that fail: plain ones."""

from __future__ import annotations

import pytest

from engines.side_by_side import SideBySide
from engines.test_wild_programs import check


@pytest.mark.parametrize("seed", range(20))
def test_programs(plain: SideBySide, seed: int) -> None:
    check(plain, f"plain {seed}")


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1000))
def test_many_programs(plain: SideBySide, seed: int) -> None:
    check(plain, f"many plain {seed}")
