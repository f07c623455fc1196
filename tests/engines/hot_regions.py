"""Engines side by side where everything that is reached becomes a region at once, in this process."""

from __future__ import annotations

from engines.side_by_side import BEST, SideBySide, pack
from xenos.cpu import layout as at
from xenos.cpu.exits import Exit
from xenos.cpu.state import Cpu
from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.maker import Maker
from xenos.engines.region.profile import Profile


class RegionsAtOnce(RegionEngine):
    """Makes a region of whatever is reached for the first time, if it can be one."""

    def __init__(self, level: int) -> None:
        super().__init__(pack(level), level, jobs=0)
        self.maker = Maker("riscv64", level)

    def _translate(self, pc: int, cpu: Cpu) -> Exit | None:
        left = super()._translate(pc, cpu)
        if left is None and self.table.find(pc) and self.wanted(pc):
            graph = self.maker.graph(pc, self._fetch, Profile())
            if graph.nodes:
                made = self.maker.make(graph)
                self.install(pc, {"low": made.low, "high": made.high, "body": made.body, "size": made.size}, self._segment(pc))
        return left

    def wanted(self, pc: int) -> bool:
        """Whether there is to be a region there."""
        return True

    def _fetch(self, pc: int) -> tuple[int, int] | None:
        if self.memory.regions.at(pc) is None:
            return None
        return self._word(pc), self._behind(pc) - pc

    def failed_in_a_region(self, cpu: Cpu) -> bool:
        """Whether the last fault was in a region."""
        return self._region_at(cpu.get(at.HOST_PC))


class HotSideBySide(SideBySide):
    """What is `stencil` elsewhere is `hot` here."""

    def __init__(self, level: int = BEST) -> None:
        super().__init__(level)
        self.stencil.runtime.restore()
        self.stencil = self.hot = RegionsAtOnce(level)
