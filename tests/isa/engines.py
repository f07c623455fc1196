"""The engines that the tests of this folder run on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenos.engines.reference import ReferenceEngine
from xenos.isa import find_guest

ENGINES: dict[str, Callable[[], Any]] = {"reference": lambda: ReferenceEngine(find_guest("riscv64"))}
