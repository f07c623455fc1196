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
# What is done in one step, by level: text, constraints of the result and of what is given, what is destroyed. `{alone}` is an
# address in one register, `r` a register of the access's width; what may fail are the last `1:`, and `2:` where there is one.
# All are ordered both ways. x16 and x17 are nobody's.
_ONE = "NAME ${{1:r}}, ${{0:r}}, {alone}"
_LOOP = "ldaxr ${{0:r}}, {alone}\nNAME r16, ${{0:r}}, ${{1:r}}\n2: stlxr w17, r16, {alone}\ncbnz w17, 1b"
_ATOMIC = {
    1: {"swap": ("ldaxr ${{0:r}}, {alone}\n2: stlxr w17, ${{1:r}}, {alone}\ncbnz w17, 1b", ["=&r", "r"], ["~{x17}"]),
        "exchange": ("ldaxr ${{0:r}}, {alone}\neor r16, ${{0:r}}, ${{1:r}}\ncbnz r16, 3f\n2: stlxr w17, ${{2:r}}, {alone}\n"
                     "cbnz w17, 1b\n3:", ["=&r", "r", "r"], ["~{x16}", "~{x17}"]),
        **{kind: (_LOOP.replace("NAME", name), ["=&r", "r"], ["~{x16}", "~{x17}"]) for kind, name in {
            "add": "add", "and": "and", "or": "orr", "xor": "eor"}.items()}},
    # LSE has none that keeps common bits: one clears bits, here those of the opposite.
    2: {"and": ("mvn r16, ${{1:r}}\n1: ldclral r16, ${{0:r}}, {alone}", ["=r", "r"], ["~{x16}"]),
        "exchange": ("casal ${{0:r}}, ${{2:r}}, {alone}", ["=r", "0", "r"], []),
        **{kind: (_ONE.replace("NAME", name), ["=r", "r"], []) for kind, name in {
            "swap": "swpal", "add": "ldaddal", "or": "ldsetal", "xor": "ldeoral", "smin": "ldsminal", "smax": "ldsmaxal",
            "umin": "lduminal", "umax": "ldumaxal"}.items()}},
}
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


def atomic(kind: str, width: int, level: int) -> tuple[str, list[str], list[str]] | None:
    """What is done in one step (see `_ATOMIC`); None for those that are loops of an exchange."""
    found = _ATOMIC[level].get(kind)
    if found is None:
        return None
    text, constraints, destroyed = found
    r = "w" if width == 32 else "x"
    return text.replace(":r}", f":{r}}}").replace(" r16", f" {r}16"), constraints, destroyed
