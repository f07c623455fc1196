"""A64 instructions as far as stencils need them: where they hold registers, and where they branch (Arm ARM, C4.1)."""

from __future__ import annotations

from xenos.errors import EngineError

GENERAL, VECTOR = "x", "f"
_D, _N, _A, _M = 0, 5, 10, 16          # positions of Rd or Rt, Rn, Ra or Rt2, Rm or Rs
NONE = 31                              # the zero register or the stack pointer

Fields = list[tuple[int, str]]         # (position, bank)

BRANCH = 0x1400_0000                   # B


class Jump:
    """A direct branch: its condition is in the word. `short` ones reach 32 KiB, other conditional ones 1 MiB."""

    __slots__ = ("conditional", "distance", "short")

    def __init__(self, distance: int, conditional: bool, short: bool = False) -> None:
        self.distance = distance
        self.conditional = conditional
        self.short = short


def _signed(word: int, low: int, width: int) -> int:
    value = word >> low & (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def jump(word: int) -> Jump | None:
    """The direct branch that a word is, if any."""
    if word & 0xFC00_0000 == BRANCH:
        return Jump(4 * _signed(word, 0, 26), conditional=False)
    if word & 0xFF00_0010 == 0x5400_0000 or word & 0x7E00_0000 == 0x3400_0000:      # B.cond, CBZ, CBNZ
        return Jump(4 * _signed(word, 5, 19), conditional=True)
    if word & 0x7E00_0000 == 0x3600_0000:                                           # TBZ, TBNZ
        return Jump(4 * _signed(word, 5, 14), conditional=True, short=True)
    return None


def ends(word: int) -> bool:
    """Whether nothing goes on behind it: B, BR, RET."""
    return word & 0xFC00_0000 == BRANCH or word & 0xFFFF_FC1F in (0xD61F_0000, 0xD65F_0000)


def inverted(word: int) -> int:
    """The conditional branch with the opposite condition."""
    return word ^ (1 if word >> 24 == 0x54 else 1 << 24)


def aimed(word: int, distance: int) -> int:
    """The branch, going `distance` bytes from itself; EngineError if it cannot reach that far."""
    if word & 0xFC00_0000 == BRANCH:
        low, width = 0, 26
    else:
        low, width = 5, 14 if word & 0x7E00_0000 == 0x3600_0000 else 19
    units = distance >> 2
    if not -(1 << (width - 1)) <= units < 1 << (width - 1):
        raise EngineError(f"a branch of {distance} bytes is out of the host's reach")
    mask = (1 << width) - 1
    return word & ~(mask << low) | (units & mask) << low


def registers(word: int) -> Fields:
    """The fields of a word that name registers, but for zero and stack pointer; EngineError if the word is unknown."""
    group = word >> 25 & 15
    if group in (0b1000, 0b1001):
        fields = _immediate(word)
    elif group in (0b1010, 0b1011):
        fields = _control(word)
    elif group & 0b0101 == 0b0100:
        fields = _memory(word)
    elif group & 0b0111 == 0b0101:
        fields = _register(word)
    elif group & 0b0111 == 0b0111:
        fields = _vector(word)
    else:
        raise _unknown(word)
    return [(at, bank) for at, bank in fields if bank == VECTOR or word >> at & 31 != NONE]


def _unknown(word: int) -> EngineError:
    return EngineError(f"host instruction {word:#010x} is not known to the stencil builder")


def _immediate(word: int) -> Fields:
    kind = word >> 23 & 7
    if kind in (0, 1):                                  # ADR, ADRP
        return [(_D, GENERAL)]
    if kind in (2, 4, 6):                               # add and subtract, logical, bit field
        return [(_D, GENERAL), (_N, GENERAL)]
    if kind == 5:                                       # MOVN, MOVZ, MOVK
        return [(_D, GENERAL)]
    if kind == 7:                                       # EXTR
        return [(_D, GENERAL), (_N, GENERAL), (_M, GENERAL)]
    raise _unknown(word)


def _control(word: int) -> Fields:
    if word & 0x7C00_0000 == 0x3400_0000:               # CBZ, TBZ
        return [(_D, GENERAL)]
    if word & 0xFC00_0000 == BRANCH or word >> 24 == 0x54:
        return []
    if word >> 24 == 0xD5:                              # MSR, MRS, barriers, hints: Rt is 31 where there is none
        return [(_D, GENERAL)]
    if word & 0xFFFF_FC1F in (0xD61F_0000, 0xD65F_0000):
        return [(_N, GENERAL)]
    raise _unknown(word)


def _memory(word: int) -> Fields:
    data = VECTOR if word >> 26 & 1 else GENERAL
    if word & 0x3F00_0000 == 0x0800_0000:               # exclusive, ordered, compare and swap
        if word & 0x0020_0000 and not word & 0x0080_0000:
            raise _unknown(word)                        # pairs
        return [(_D, GENERAL), (_N, GENERAL), (_A, GENERAL), (_M, GENERAL)]
    if word & 0x3A00_0000 == 0x2800_0000:               # pairs
        return [(_D, data), (_N, GENERAL), (_A, data)]
    if word & 0x3B00_0000 == 0x3900_0000:               # unsigned offset
        return [(_D, data), (_N, GENERAL)]
    if word & 0x3B00_0000 == 0x3800_0000:
        if not word & 0x0020_0000:
            if word & 0x0000_0400:
                raise _unknown(word)                    # write-back: a fault would find the base changed
            return [(_D, data), (_N, GENERAL)]          # unscaled
        if word & 0x0C00 == 0x0800:                     # register offset
            return [(_D, data), (_N, GENERAL), (_M, GENERAL)]
        if word & 0x0C00 == 0 and data == GENERAL:      # atomic
            return [(_D, GENERAL), (_N, GENERAL), (_M, GENERAL)]
    raise _unknown(word)


def _register(word: int) -> Fields:
    two = [(_D, GENERAL), (_N, GENERAL)]
    three = [*two, (_M, GENERAL)]
    if word & 0x1F00_0000 in (0x0A00_0000, 0x0B00_0000):        # logical, add and subtract
        return three
    if word & 0x1F00_0000 == 0x1B00_0000:                       # multiply and add
        return [*three, (_A, GENERAL)]
    kind = word >> 21 & 15
    if word & 0x1E00_0000 != 0x1A00_0000:
        raise _unknown(word)
    if kind == 0 or kind == 4:                                  # with carry, conditional select
        return three
    if kind == 2:                                               # conditional compare
        return [(_N, GENERAL)] if word & 0x0800 else [(_N, GENERAL), (_M, GENERAL)]
    if kind == 6:                                               # one source, two sources
        return two if word >> 30 & 1 else three
    raise _unknown(word)


def _vector(word: int) -> Fields:
    one, two = [(_D, VECTOR)], [(_D, VECTOR), (_N, VECTOR)]
    three = [*two, (_M, VECTOR)]
    if word & 0x5F00_0000 == 0x1F00_0000:                       # scalar multiply and add
        return [*three, (_A, VECTOR)]
    if word & 0x5F20_0000 == 0x1E20_0000:                       # scalar floating point
        if word & 0xFC00 == 0:
            return _convert(word)
        if word & 0x7C00 == 0x4000:                             # one source
            return two
        if word & 0xFC00 == 0x2000:                             # compare; bit 3: with zero
            return [(_N, VECTOR)] if word & 8 else [(_N, VECTOR), (_M, VECTOR)]
        if word & 0x1C00 == 0x1000:                             # immediate
            return one
        if word & 0x0C00 == 0x0400:                             # conditional compare
            return [(_N, VECTOR), (_M, VECTOR)]
        return three                                            # two sources, conditional select
    if word & 0x9F20_0400 == 0x0E20_0400 or word & 0x9F20_0C00 == 0x0E20_0000:      # three the same, three different
        return three
    if word & 0x9F3E_0C00 == 0x0E20_0800 or word & 0x9F3E_0C00 == 0x0E30_0800:      # two registers, across lanes
        return two
    if word & 0xDF3E_0C00 == 0x5E20_0800 or word & 0xDF3E_0C00 == 0x5E30_0800:      # the same of scalars
        return two
    if word & 0x9FF8_0400 == 0x0F00_0400:                       # modified immediate
        return one
    if word & 0x9F80_0400 == 0x0F00_0400:                       # shift by immediate
        return two
    if word & 0xFFE0_FC00 == 0x5E00_0400:                       # a lane to a scalar
        return two
    if word & 0x9FE0_8400 == 0x0E00_0400:                       # copies
        return _copy(word)
    raise _unknown(word)


def _convert(word: int) -> Fields:
    """Between a floating-point and a general register, by opcode."""
    if word >> 16 & 7 in (2, 3, 7):                             # SCVTF, UCVTF, FMOV
        return [(_D, VECTOR), (_N, GENERAL)]
    return [(_D, GENERAL), (_N, VECTOR)]


def _copy(word: int) -> Fields:
    if word >> 29 & 1:                                          # INS, element
        return [(_D, VECTOR), (_N, VECTOR)]
    kind = word >> 11 & 15
    if kind in (1, 3):                                          # DUP, INS from a general register
        return [(_D, VECTOR), (_N, GENERAL)]
    if kind in (5, 7):                                          # SMOV, UMOV
        return [(_D, GENERAL), (_N, VECTOR)]
    return [(_D, VECTOR), (_N, VECTOR)]
