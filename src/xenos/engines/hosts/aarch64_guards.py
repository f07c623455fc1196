"""Accesses of an AArch64 host as inline assembly, for code that goes on elsewhere where one fails (Arm ARM DDI 0487, C6.2)."""

from __future__ import annotations

STATE = "x20"       # aarch64.py, STATE_REGISTER
VECTOR = "=w"
CLOBBERS: tuple[str, ...] = ()

# `{at}` is the address, which comes last; before it come the result, if there is one, and values.
LOADS = {
    "u8": "ldrb ${{0:w}}, {at}", "s8": "ldrsb ${{0:x}}, {at}", "u16": "ldrh ${{0:w}}, {at}", "s16": "ldrsh ${{0:x}}, {at}",
    "u32": "ldr ${{0:w}}, {at}", "s32": "ldrsw ${{0:x}}, {at}", "u64": "ldr ${{0:x}}, {at}", "f32": "ldr ${{0:s}}, {at}",
    "f64": "ldr ${{0:d}}, {at}",
}
STORES = {
    "u8": "strb ${{0:w}}, {at}", "u16": "strh ${{0:w}}, {at}", "u32": "str ${{0:w}}, {at}", "u64": "str ${{0:x}}, {at}",
    "f32": "str ${{0:s}}, {at}", "f64": "str ${{0:d}}, {at}",
}
ATOMIC: dict[str, tuple[str, str]] = {}     # not yet: these instructions are left to others
SCALES: tuple[int, ...] = ()                # no address has two parts and a constant


def split(constant: int, width: int) -> tuple[int, int]:
    """Of the constant part of an address, what is to be added beforehand, and what the instruction adds: its low part, as far
    as that is a multiple of the access (LDR, unsigned offset) or small (LDUR, which assemblers choose by themselves)."""
    low = (constant + 0x800 & 0xFFF) - 0x800
    if low % (width // 8) == 0 and low >= 0 or -256 <= low < 256:
        return constant - low, low
    return constant, 0


def where(operands: int, parts: int, shift: int) -> str:
    """An address whose part and constant are the operands from that number on."""
    return f"[${operands}, ${operands + 1}]"
