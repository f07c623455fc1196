"""What the tests of this folder share: a runner for each engine, one at a time: only one may own the guest memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isa.engine_runner import EngineRunner
from isa.engines import ALL


@pytest.fixture(scope="module", params=ALL)
def runner(request: pytest.FixtureRequest) -> Iterator[EngineRunner]:
    """Each engine in turn."""
    made = EngineRunner(ALL[request.param](), 13 if request.param == "region" else 1)
    yield made
    made.close()
