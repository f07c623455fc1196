"""Accesses of an AArch64 host as inline assembly, for code that goes on elsewhere where one fails (Arm ARM DDI 0487, C6.2)."""

from __future__ import annotations

STATE = "x20"       # aarch64.py, STATE_REGISTER
VECTOR = "=w"
CLOBBERS: tuple[str, ...] = ()

# Operands: the result if there is one, index and constant of the address, values.
_FROM, _TO = "[$1, $2]", "[$0, $1]"

LOADS = {
    "u8": f"ldrb ${{0:w}}, {_FROM}", "s8": f"ldrsb ${{0:x}}, {_FROM}", "u16": f"ldrh ${{0:w}}, {_FROM}",
    "s16": f"ldrsh ${{0:x}}, {_FROM}", "u32": f"ldr ${{0:w}}, {_FROM}", "s32": f"ldrsw ${{0:x}}, {_FROM}",
    "u64": f"ldr ${{0:x}}, {_FROM}", "f64": f"ldr ${{0:d}}, {_FROM}",
}
STORES = {
    "u8": f"strb ${{2:w}}, {_TO}", "u16": f"strh ${{2:w}}, {_TO}", "u32": f"str ${{2:w}}, {_TO}", "u64": f"str ${{2:x}}, {_TO}",
    "f32": f"str ${{2:s}}, {_TO}", "f64": f"str ${{2:d}}, {_TO}",
}
ATOMIC: dict[str, tuple[str, str]] = {}     # not yet: these instructions are left to others


def split(constant: int, width: int) -> tuple[int, int]:
    """Of the constant part of an address, what is to be added beforehand, and what the instruction adds: its low part, as far
    as that is a multiple of the access (LDR, unsigned offset) or small (LDUR, which assemblers choose by themselves)."""
    low = (constant + 0x800 & 0xFFF) - 0x800
    if low % (width // 8) == 0 and low >= 0 or -256 <= low < 256:
        return constant - low, low
    return constant, 0
