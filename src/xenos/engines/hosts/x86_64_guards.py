"""Accesses of an x86-64 host as inline assembly, for code that goes on elsewhere where one fails (Intel SDM vol. 2)."""

from __future__ import annotations

STATE = "r12"       # x86_64.py, STATE_REGISTER
VECTOR = "=x"
CLOBBERS = ("~{flags}",)

# Operands: the result if there is one, index and constant of the address, values.
_FROM, _TO = "${2:c}($1)", "${1:c}($0)"

# Narrow values fill the register: code that reads a register behind a write to its lower part waits for both.
LOADS = {
    "u8": f"movzbl {_FROM}, ${{0:k}}", "s8": f"movsbq {_FROM}, $0",
    "u16": f"movzwl {_FROM}, ${{0:k}}", "s16": f"movswq {_FROM}, $0", "u32": f"movl {_FROM}, ${{0:k}}", "s32": f"movslq {_FROM}, $0", "u64": f"movq {_FROM}, $0", "f64": f"movsd {_FROM}, $0",
}
STORES = {
    "u8": f"movb $2, {_TO}", "u16": f"movw $2, {_TO}", "u32": f"movl $2, {_TO}", "u64": f"movq $2, {_TO}",
    "f32": f"movss $2, {_TO}", "f64": f"movsd $2, {_TO}",
}
# Text, and the register that goes in and comes out. Operands tell their width by themselves.
ATOMIC = {
    "swap": (f"xchg $0, {_FROM}", "r"), "add": (f"lock xadd $0, {_FROM}", "r"), "exchange": (f"lock cmpxchg $4, {_FROM}", "{ax}"),
}


def split(constant: int, width: int) -> tuple[int, int]:
    """Of the constant part of an address, what is to be added beforehand, and what the instruction adds: all of it."""
    return 0, constant
