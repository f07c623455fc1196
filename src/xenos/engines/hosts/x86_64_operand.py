"""Where in memory an x86-64 instruction would have gone, by its bytes and the registers that it found.

An access through an address that is not canonical is a general-protection fault, which says no address (AMD APM vol. 2, 8.2.14).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Where struct sigcontext (asm/sigcontext.h) has rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi among its words; then come r8 to r15.
_PLACES = (13, 14, 12, 11, 15, 10, 9, 8, *range(8))
_PREFIXES = (0x66, 0xF0, 0xF2, 0xF3)
_NO_BASE = 5


def operand(code: bytes, words: Sequence[int]) -> int | None:
    """The address of the operand in memory of the instruction at the start of `code`, modulo 2**64; None if it has none that is
    made of general registers. `words` are those of struct sigcontext from r8 to rsp. Intel SDM vol. 2, 2.1.5, 2.2.1 and 2.3."""
    general = [words[place] for place in _PLACES]
    at = next(at for at, byte in enumerate(code) if byte not in _PREFIXES)
    index_high = base_high = 0
    if code[at] in (0xC4, 0xC5):        # VEX
        if code[at] == 0xC4:
            index_high, base_high = ~code[at + 1] >> 3 & 8, ~code[at + 1] >> 2 & 8
        at += 0xC7 - code[at]           # the opcode is behind three bytes, or two
    else:
        if code[at] & 0xF0 == 0x40:     # REX
            index_high, base_high = code[at] << 2 & 8, code[at] << 3 & 8
            at += 1
        if code[at] == 0x0F:
            at += 2 if code[at + 1] in (0x38, 0x3A) else 1
    mod, low = code[at + 1] >> 6, code[at + 1] & 7
    at += 2
    address = 0
    if low == 4:                        # SIB
        index = code[at] >> 3 & 7 | index_high
        if index != 4:
            address = general[index] << (code[at] >> 6)
        low = code[at] & 7
        at += 1
    elif mod == 0 and low == _NO_BASE:  # relative to rip
        return None
    if mod == 3:
        return None
    size = mod if mod < 2 else 4
    if mod == 0 and low == _NO_BASE:
        size = 4
    else:
        address += general[low | base_high]
    return address + int.from_bytes(code[at:at + size], "little", signed=True) & (1 << 64) - 1
