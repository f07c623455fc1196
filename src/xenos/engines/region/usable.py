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


def usable(decoded: Decoded, floats: Floats, layout: Layout) -> bool:
    """Whether an instruction can be part of a region: exact code for it exists on this host, and it needs nobody's help."""
    form = decoded.form
    known: bool | None = getattr(form, "in_regions", None)
    if known is None:
        known = _usable(form, decoded, floats, layout)
        form.in_regions = known     # type: ignore[attr-defined]
    return known


_NEVER = {"counter", "trap", "syscall", "sync_code"}


def _usable(form: Form, decoded: Decoded, floats: Floats, layout: Layout) -> bool:
    if any(op.op in _NEVER for op in form.effects):
        return False
    binding = RegionBinding(layout, 0)
    binding.begin(0, decoded)
    emit = ExactEmit(binding, floats)
    try:
        emit.instruction(form, "slow")
    except Slow:
        return False
    return True
