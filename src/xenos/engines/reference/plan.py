"""A form's effect list made ready to walk: each operation with the function that plays it and its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenos.engines.reference.machine import PLAYERS
from xenos.semantics.instruction import Form
from xenos.semantics.operations import TABLE, lanewise
from xenos.semantics.values import Value

DYNAMIC = 7

# (operation, definition of a pure one or None, player of any other or None, argument numbers)
Move = tuple[Value, Callable[..., Any] | None, Callable[..., Any] | None, tuple[int, ...]]


class Plan:
    """`moves`, one for each operation; `dynamic` if the dynamic rounding mode matters."""

    __slots__ = ("dynamic", "moves")

    def __init__(self, form: Form) -> None:
        self.moves: list[Move] = []
        self.dynamic = False
        for op in form.effects:
            row = TABLE[op.op]
            arguments = tuple(arg.number for arg in op.args)
            if row.effect == "pure":
                self.moves.append((op, lanewise(op), None, arguments))
            else:
                self.moves.append((op, None, PLAYERS["fp" if row.effect == "fp" else op.op], arguments))
                self.dynamic |= row.effect == "fp" and op.attr("rounding") == DYNAMIC
