"""Which instructions can be part of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.engines.llvm.emit import Slow
from xenos.engines.region.binding import RegionBinding
from xenos.engines.region.emit import ExactEmit

if TYPE_CHECKING:
    from xenos.cpu.layout import Layout
    from xenos.engines.llvm.emit import Floats
    from xenos.semantics.decoder import Decoded
    from xenos.semantics.instruction import Form


_NEVER = {"counter", "trap", "syscall", "sync_code"}


class Usable:
    """Says of an instruction whether it can be part of a region: exact code for it exists on this host, and it needs nobody's
    help. That hangs on its form."""

    def __init__(self, floats: Floats, layout: Layout) -> None:
        self._floats = floats
        self._layout = layout
        self._known: dict[Form, bool] = {}

    def __call__(self, decoded: Decoded) -> bool:
        """Whether it can."""
        known = self._known.get(decoded.form)
        if known is None:
            known = self._known[decoded.form] = self._find(decoded)
        return known

    def _find(self, decoded: Decoded) -> bool:
        if any(op.op in _NEVER for op in decoded.form.effects):
            return False
        binding = RegionBinding(self._layout, 0)
        binding.begin(0, decoded)
        emit = ExactEmit(binding, self._floats)
        try:
            emit.instruction(decoded.form, "slow")
        except Slow:
            return False
        return True
