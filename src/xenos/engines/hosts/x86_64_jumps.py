"""Jumps of an x86-64 host: 32 bits, relative to what follows them (Intel SDM vol. 2, JMP, Jcc)."""

from __future__ import annotations

from xenos.engines.native.words import i32, u8, u16


def aim(view: int, site: int, goal: int) -> int:
    """Four bytes inside a cache line are written at once (Intel SDM vol. 3, 9.1.1)."""
    i32[view + site] = goal - site - 4
    return 0


def pad(place: int, site: int) -> int:
    """The site shall not cross a line of 64 bytes: NOPs of one to three bytes (SDM vol. 2, NOP)."""
    inside = site & 63
    if inside <= 60:
        return 0
    if inside == 63:
        u8[place] = 0x90
    elif inside == 62:
        u16[place] = 0x9066
    else:
        u16[place] = 0x1F0F
        u8[place + 2] = 0
    return 64 - inside
