"""The written law of an effect list: what every instruction's trace must keep, checked when it is made.

1. Arguments come before their uses, and widths fit the operation's shape.
2. At most one operation ends the instruction, and nothing follows it.
3. Nothing is read from a register file after a write to it, and no register is written twice: engines may hold writes
   back.
4. No register is written before the last access to memory, so that a fault leaves the state untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.errors import DescriptionError
from xenos.semantics.operations import TABLE

if TYPE_CHECKING:
    from xenos.semantics.values import Value


def ends(op: Value) -> bool:
    """Whether the operation ends its instruction elsewhere than at the next one."""
    return TABLE[op.op].effect == "control"


def check(operations: list[Value], name: str) -> None:
    """Raise DescriptionError, naming the instruction, where the list breaks the law."""
    def refuse(op: Value, why: str) -> None:
        raise DescriptionError(f"{name}: {op!r}: {why}")

    written: set[tuple[str, str | int]] = set()
    ended = False
    for number, op in enumerate(operations):
        row = TABLE.get(op.op)
        if row is None:
            refuse(op, "no such operation")
            continue
        if ended:
            refuse(op, "follows the operation that ends the instruction")
        if len(op.args) != row.arity:
            refuse(op, f"takes {row.arity} arguments")
        if any(arg.number >= number or operations[arg.number] is not arg for arg in op.args):
            refuse(op, "uses a value that is not there yet")
        _check_widths(op, row.shape, refuse)
        if op.op in ("read", "write"):
            register = (op.attr("file"), op.attr("field"))
            if register in written or (op.op == "read" and any(file == register[0] for file, _ in written)):
                refuse(op, "the register file was written before")
            if op.op == "write":
                written.add(register)
        if row.effect == "memory" and written:
            refuse(op, "a register was written before this access")
        ended = ends(op)


def _check_widths(op: Value, shape: str, refuse: object) -> None:
    assert callable(refuse)
    kinds = {(arg.width, arg.lanes) for arg in op.args}
    if shape == "same" and kinds != {(op.width, op.lanes)}:
        refuse(op, f"arguments of {sorted(kinds)} bits, lanes")
    if shape == "test" and (len(kinds) != 1 or op.width != 1):
        refuse(op, f"compares {sorted(kinds)} bits, lanes")
    if op.op == "write" and op.args[0].width < 1:
        refuse(op, "writes no value")
    if op.op == "branch" and op.args[0].width != 1:
        refuse(op, "needs a condition of one bit")
    if op.op == "concat" and op.width != op.args[0].width + op.args[1].width:
        refuse(op, "is not as wide as its parts")
