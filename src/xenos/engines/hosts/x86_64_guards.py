"""Accesses of an x86-64 host as inline assembly, for code that goes on elsewhere where one fails (Intel SDM vol. 2)."""

from __future__ import annotations

STATE = "r12"       # x86_64.py, STATE_REGISTER
VECTOR = "=x"
CLOBBERS = ("~{flags}",)

# Narrow values fill the register: code that reads a register behind a write to its lower part waits for both.
# `{at}` is the address, which comes last; before it come the result, if there is one, and values.
LOADS = {
    "u8": "movzbl {at}, ${{0:k}}", "s8": "movsbq {at}, $0", "u16": "movzwl {at}, ${{0:k}}", "s16": "movswq {at}, $0",
    "u32": "movl {at}, ${{0:k}}", "s32": "movslq {at}, $0", "u64": "movq {at}, $0",
    "f32": "movss {at}, $0", "f64": "movsd {at}, $0",
}
STORES = {
    "u8": "movb $0, {at}", "u16": "movw $0, {at}", "u32": "movl $0, {at}", "u64": "movq $0, {at}",
    "f32": "movss $0, {at}", "f64": "movsd $0, {at}",
}
# Operands tell their width by themselves.
_ATOMIC = {"swap": ("xchg $0, {at}", ["=r", "0"]), "add": ("lock xadd $0, {at}", ["=r", "0"]),
           "exchange": ("lock cmpxchg $2, {at}", ["={ax}", "{ax}", "r"])}
SCALES = (0, 1, 2, 3)      # bits by which a second part of an address may be shifted


def split(constant: int, width: int) -> tuple[int, int]:
    """Of the constant part of an address, what is to be added beforehand, and what the instruction adds: all of it."""
    return 0, constant


def where(operands: int, parts: int, shift: int) -> str:
    """An address whose one or two parts and constant are the operands from that number on."""
    index = f",${operands + 1},{1 << shift}" if parts == 2 else ""
    return f"${{{operands + parts}:c}}(${operands}{index})"


def atomic(kind: str, width: int, level: int) -> tuple[str, list[str], list[str]] | None:
    """What is done in one step: text, constraints of the result and of what is given, what is destroyed; None for those that are
    loops of an exchange."""
    found = _ATOMIC.get(kind)
    return (*found, []) if found else None
