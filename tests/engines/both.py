"""Tests that are the same for stencils and for regions: the `pair` of theirs is made with each in turn."""

from __future__ import annotations

import pytest

# `pytestmark` of a module whose tests take a `pair`. Those with one kind of engine come one after the other: it is made once.
ON_BOTH = pytest.mark.parametrize("pair", ["stencils", "regions"], indirect=True, scope="module")
