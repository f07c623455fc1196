"""Threads that enter generated code without Python: what is done for them before, and when they have left it."""

from __future__ import annotations

from xenos.cpu import layout as at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.code.limbo import Limbo
    from xenos.engines.stencil.engine import StencilEngine
    from xenos.memory.flat import FlatMemory


class Launches:
    """The three steps of `StencilEngine.run`, apart from each other."""

    def __init__(self, engine: StencilEngine, limbo: Limbo, known: int) -> None:
        self._engine = engine
        self._known = known
        self._limbo = limbo

    def start(self, cpu: Cpu, memory: FlatMemory, budget: int) -> int:
        """Make a CPU ready: the host address of the code that a thread is to enter, or 0 if `run` must see to something first.

        Afterwards one of `land` and `lost` is called.
        """
        engine = self._engine
        if not engine.linked:
            return 0
        with memory.lock:
            if memory is not engine.memory or engine.soft or cpu.get(at.ROUNDING) > 3:
                return 0
            code = engine.table.find(cpu.pc)
            if code:
                engine.runtime.prepare(cpu, self._known)
                self._limbo.running[cpu.address] = cpu
                self._limbo.enter(cpu)
                for word, value in ((at.UNCACHED, 0), (at.TABLE, engine.table.address), (at.TABLE_MASK, engine.table.mask),
                                    (at.LIMIT, engine.until(cpu, cpu.count + budget))):
                    cpu.set(word, value)
        return code

    def land(self, cpu: Cpu) -> Exit | None:
        """A thread has left generated code: as `run` would return; None if it can go on."""
        try:
            return self._engine.left(cpu, 0)
        finally:
            self.lost(cpu)

    def lost(self, cpu: Cpu) -> None:
        """A CPU is in no code of ours any more, and what it left for is of no interest."""
        cpu.epoch = 0
        self._limbo.running.pop(cpu.address, None)
