"""Numbers narrower than a floating-point register: NaN boxing (Unprivileged ISA, ch. "D")."""

from __future__ import annotations

from xenos.isa.riscv.registers import FLEN
from xenos.semantics.values import Value


def half(register: Value) -> Value:
    """The half-precision operand in a register: the canonical NaN unless it is boxed."""
    return register.unbox(16)


def single(register: Value) -> Value:
    """The single-precision operand in a register: the canonical NaN unless it is boxed."""
    return register.unbox(32)


def boxed(number: Value) -> Value:
    """A register's worth of bits that holds `number`."""
    return number.box(FLEN)
