"""Engines side by side where everything that is reached becomes a region at once, in this process."""

from __future__ import annotations

from engines.side_by_side import BEST, SideBySide, pack
from xenos.cpu import layout as at
from xenos.cpu.state import Cpu
from xenos.engines.region.eager import EagerEngine


class RegionsAtOnce(EagerEngine):
    """Makes regions that hold what is reached as a whole, and no others."""

    def __init__(self, level: int) -> None:
        super().__init__(pack(level), level, most=150)

    def failed_in_a_region(self, cpu: Cpu) -> bool:
        """Whether the last fault was in a region."""
        return self.region(cpu.get(at.HOST_PC)) is not None


class HotSideBySide(SideBySide):
    """What is `stencil` elsewhere is `hot` here."""

    def __init__(self, level: int = BEST) -> None:
        super().__init__(level)
        self.stencil.runtime.restore()
        self.stencil = self.hot = RegionsAtOnce(level)
