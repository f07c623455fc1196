"""Branches of an AArch64 host: one word each, whose distance is a field of 26, 19 or 14 bits (Arm ARM, C4.1)."""

from __future__ import annotations

from xenos.engines.native.words import u32


def aim(view: int, site: int, goal: int) -> int:
    """A word is written at once (Arm ARM, B2.2.1)."""
    word = u32[view + site]
    if word & 0xFC00_0000 == 0x1400_0000:
        low, mask = 0, (1 << 26) - 1
    elif word & 0x7E00_0000 == 0x3600_0000:
        low, mask = 5, (1 << 14) - 1
    else:
        low, mask = 5, (1 << 19) - 1
    u32[view + site] = word & ~(mask << low) | (goal - site >> 2 & mask) << low
    return 0


def pad(place: int, site: int) -> int:
    """Words are aligned as they are."""
    return 0
