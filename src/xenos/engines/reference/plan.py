"""A form's effect list made ready to walk."""

from __future__ import annotations

from xenos.engines.reference.machine import Move, move
from xenos.semantics.instruction import Form
from xenos.semantics.operations import TABLE

_DYNAMIC = 7
_WRITES = ("store", "amo", "compare_exchange", "store_conditional", "zero_block")


class Plan:
    """`moves`, one for each operation. `dynamic`: the dynamic rounding mode matters; `syncs`: code may have changed.
    `loads`: of memory, it only reads."""

    __slots__ = ("dynamic", "loads", "moves", "syncs")

    def __init__(self, form: Form) -> None:
        self.moves: list[Move] = [move(op) for op in form.effects]
        self.dynamic = any(TABLE[op.op].effect == "fp" and op.attr("rounding") == _DYNAMIC for op in form.effects)
        self.loads = not any(op.op in _WRITES for op in form.effects)
        self.syncs = any(op.op == "sync_code" for op in form.effects)
