"""Tracing: an instruction's meaning, a Python function, is run once per form and leaves a list of operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xenos.cpu.layout import RegisterFile
from xenos.errors import DescriptionError
from xenos.semantics.operations import TABLE
from xenos.semantics.values import Value


class RegisterField:
    """A field of the encoding that numbers a register; only good as an index into a register file."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Registers:
    """A register file as an instruction sees it: `x[rs1]` reads, `x[rd] = value` writes."""

    def __init__(self, trace: Trace, file: RegisterFile) -> None:
        self._trace = trace
        self.file = file
        self.width = file.width

    def __getitem__(self, field: RegisterField | int) -> Value:
        return Value(self._trace, "read", self.width, file=self.file.name, field=_index(field))

    def __setitem__(self, field: RegisterField | int, value: Value) -> None:
        if value.width != self.width:
            raise DescriptionError(f"{self.file.name} holds {self.width} bits, not {value.width}: extend the value")
        Value(self._trace, "write", 0, (value,), file=self.file.name, field=_index(field))


def _index(field: RegisterField | int) -> str | int:
    """Fields are named; an instruction that always uses one register (a stack pointer, say) numbers it."""
    return field.name if isinstance(field, RegisterField) else field


class Memory:
    """Memory as an instruction sees it; little-endian. `order` is `acquire`, `release`, both, or nothing."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def load(self, address: Value, width: int, order: str = "") -> Value:
        """`width` bits from `address`."""
        return Value(self._trace, "load", width, (address,), order=order)

    def store(self, address: Value, value: Value, order: str = "") -> None:
        """All bits of `value` to `address`."""
        Value(self._trace, "store", 0, (address, value), order=order)

    def amo(self, kind: str, address: Value, value: Value, order: str = "") -> Value:
        """Replace what is at `address` by `kind`(old, value) in one step; gives the old value."""
        return Value(self._trace, "amo", value.width, (address, value), kind=kind, order=order)

    def compare_exchange(self, address: Value, expected: Value, new: Value, order: str = "") -> Value:
        """Store `new` if `expected` is at `address`, in one step; gives the old value."""
        return Value(self._trace, "compare_exchange", new.width, (address, expected, new), order=order)

    def reserve(self, address: Value, width: int, order: str = "") -> Value:
        """Load, and hold a reservation on the address."""
        return Value(self._trace, "reserve", width, (address,), order=order)

    def store_conditional(self, address: Value, value: Value, order: str = "") -> Value:
        """Store if the reservation still holds, and end it; gives one bit, 0 for success."""
        return Value(self._trace, "store_conditional", 1, (address, value), order=order)

    def zero_block(self, address: Value, size: int) -> None:
        """Store `size` zero bytes; `address` is aligned to `size`."""
        Value(self._trace, "zero_block", 0, (address,), size=size)


class Trace:
    """What an instruction sees of the machine while it is traced, and the list of operations that it leaves."""

    def __init__(self, files: Sequence[RegisterFile], xlen: int) -> None:
        self.operations: list[Value] = []
        self.files = {file.name: Registers(self, file) for file in files}
        self.memory = Memory(self)
        self.xlen = xlen

    def append(self, value: Value) -> int:
        """Take one more operation; gives its number."""
        self.operations.append(value)
        return len(self.operations) - 1

    def const(self, value: int, width: int) -> Value:
        """A constant."""
        return Value(self, "const", width, value=value & ((1 << width) - 1))

    def field(self, name: str, signed: bool) -> Value:
        """An immediate of the encoding, extended to the machine's width."""
        return Value(self, "field", self.xlen, name=name, signed=signed)

    @property
    def pc(self) -> Value:
        """Address of this instruction."""
        return Value(self, "pc", self.xlen)

    @property
    def next(self) -> Value:
        """Address behind this instruction."""
        return Value(self, "next", self.xlen)

    # Floating point. `rounding` is 0-4, or 7 for the dynamic mode of the machine; 0 where nothing is rounded.

    def fp(self, op: str, *args: Value, width: int | None = None, rounding: int = 0, **attrs: Any) -> Value:
        """A floating-point operation of the table; `width` where the result is of another width than the arguments.

        With the dynamic mode, an instruction is illegal while the mode is none of 0-4.
        """
        own = 1 if TABLE[op].shape == "test" else args[0].width
        return Value(self, op, width or own, args, rounding=rounding, **attrs)

    def get_flags(self) -> Value:
        """The five accrued exception flags, extended to the machine's width."""
        return Value(self, "get_flags", self.xlen)

    def set_flags(self, value: Value) -> None:
        """Replace the accrued flags by the lowest five bits of `value`."""
        Value(self, "set_flags", 0, (value,))

    def get_rounding(self) -> Value:
        """The dynamic rounding mode, extended to the machine's width."""
        return Value(self, "get_rounding", self.xlen)

    def set_rounding(self, value: Value) -> None:
        """Replace the dynamic rounding mode by the lowest three bits of `value`."""
        Value(self, "set_rounding", 0, (value,))

    def counter(self, name: str) -> Value:
        """`cycle`, `time` or `instret`."""
        return Value(self, "counter", self.xlen, name=name)

    # Order and control.

    def fence(self, before: str, after: str) -> None:
        """Accesses of kinds `before` (r, w) come before those of kinds `after`."""
        Value(self, "fence", 0, before=before, after=after)

    def sync_code(self) -> None:
        """Code written so far is what is executed from the next instruction on."""
        Value(self, "sync_code", 0)

    def branch(self, condition: Value, target: Value) -> None:
        """Go to `target` if the one-bit condition is 1."""
        Value(self, "branch", 0, (condition, target))

    def jump(self, target: Value) -> None:
        """Go to `target`."""
        Value(self, "jump", 0, (target,))

    def trap(self, cause: str) -> None:
        """`breakpoint` or `illegal`."""
        Value(self, "trap", 0, cause=cause)

    def syscall(self) -> None:
        """Call the kernel."""
        Value(self, "syscall", 0)
