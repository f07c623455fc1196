"""The engines that the tests of this folder run on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenos.engines.choose import make_engine

ENGINES: dict[str, Callable[[], Any]] = {
    "reference": lambda: make_engine("reference", "riscv64"),
    "stencil": lambda: make_engine("stencil", "riscv64"),
}

# On the host's own processor, too: the region engine with a region at every block.
ALL = {**ENGINES, "region": lambda: make_engine("eager", "riscv64")}
