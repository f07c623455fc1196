"""Binary floating-point formats, the exception flags, and the one place where an exact result is rounded into a format.

Numbers are raw bit patterns. A finite one is unpacked to (significand, exponent), both integers: its magnitude is
significand * 2**(exponent + format.least), exactly. Every operation computes its exact result in that shape, of any
length, and hands it to `round_finite`. Section numbers are those of IEEE 754-2019.
"""

from __future__ import annotations

# Exceptions (§7), accrued as a set of bits.
INEXACT = 1
UNDERFLOW = 2
OVERFLOW = 4
DIVIDE_BY_ZERO = 8
INVALID = 16

# Rounding-direction attributes (§4.3).
NEAREST_EVEN = 0
TOWARD_ZERO = 1
DOWN = 2
UP = 3
NEAREST_MAX_MAGNITUDE = 4


class Format:
    """An interchange format (§3.4): the widths of exponent and trailing significand, and what follows from them."""

    __slots__ = ("canonical_nan", "exponent_bits", "fraction_bits", "fraction_mask", "hidden", "infinity", "least",
                 "magnitude", "quiet", "sign", "width")

    def __init__(self, exponent_bits: int, fraction_bits: int) -> None:
        self.exponent_bits = exponent_bits
        self.fraction_bits = fraction_bits
        self.width = 1 + exponent_bits + fraction_bits
        self.sign = 1 << (self.width - 1)
        self.magnitude = self.sign - 1                            # mask: everything but the sign
        self.hidden = 1 << fraction_bits                          # the leading significand bit, which is not stored
        self.fraction_mask = self.hidden - 1
        self.infinity = self.magnitude ^ self.fraction_mask       # any larger magnitude is a NaN
        self.quiet = self.hidden >> 1                             # set in quiet NaNs (§6.2.1)
        self.canonical_nan = self.infinity | self.quiet           # positive, quiet, payload zero
        self.least = 2 - (1 << (exponent_bits - 1)) - fraction_bits   # log2 of the smallest positive number

    def __repr__(self) -> str:
        return f"Format({self.exponent_bits}, {self.fraction_bits})"


HALF = Format(5, 10)
SINGLE = Format(8, 23)
DOUBLE = Format(11, 52)


def unpack(magnitude: int, fmt: Format) -> tuple[int, int]:
    """Significand and exponent of a finite number without its sign."""
    biased = magnitude >> fmt.fraction_bits
    if biased:
        return (magnitude & fmt.fraction_mask) | fmt.hidden, biased - 1
    return magnitude, 0


def is_signaling(bits: int, fmt: Format) -> bool:
    """Whether this is a signaling NaN (§6.2.1)."""
    return bits & fmt.magnitude > fmt.infinity and not bits & fmt.quiet


def nan_result(fmt: Format, *operands: int) -> tuple[int, int]:
    """The canonical NaN; invalid if an operand is a signaling NaN (§6.2, §7.2 a)."""
    for bits in operands:
        if is_signaling(bits, fmt):
            return fmt.canonical_nan, INVALID
    return fmt.canonical_nan, 0


def shift_rounding(significand: int, shift: int, negative: bool, rm: int) -> tuple[int, int]:
    """significand / 2**shift (shift > 0) rounded to an integer, and the inexact flag (§4.3)."""
    kept = significand >> shift
    rest = significand - (kept << shift)
    if not rest:
        return kept, 0
    if rm == NEAREST_EVEN:
        half = 1 << (shift - 1)
        up = rest > half or (rest == half and kept & 1 == 1)
    elif rm == TOWARD_ZERO:
        up = False
    elif rm == DOWN:
        up = negative
    elif rm == UP:
        up = not negative
    else:
        up = rest >> (shift - 1) == 1
    return kept + up, INEXACT


def round_finite(negative: bool, significand: int, exponent: int, fmt: Format, rm: int) -> tuple[int, int]:
    """An exact non-zero result rounded in direction `rm`, and its flags (§4.3, §7.4 to 7.6).

    `exponent` counts from `fmt.least`. The lowest bit may stand for a non-zero tail if the significand is three or
    more bits longer than the format's.
    """
    sign = fmt.sign if negative else 0
    fraction_bits = fmt.fraction_bits
    unit = exponent + significand.bit_length() - 1 - fraction_bits     # of the last place, were there no lower limit
    last = unit if unit > 0 else 0
    shift = last - exponent
    if shift <= 0:
        kept, flags = significand << -shift, 0
    else:
        kept, flags = shift_rounding(significand, shift, negative, rm)
    # The hidden bit, if there, counts one up in the exponent field, and so does a carry out of rounding.
    magnitude = (last << fraction_bits) + kept
    if magnitude >= fmt.infinity:
        return sign | _overflow(negative, fmt, rm), OVERFLOW | INEXACT
    if flags and unit < 0 and _is_tiny(significand, shift - 1, magnitude, negative, fmt, rm):
        flags |= UNDERFLOW
    return sign | magnitude, flags


def _overflow(negative: bool, fmt: Format, rm: int) -> int:
    """What a result too large to round turns into (§7.4)."""
    away = rm in (NEAREST_EVEN, NEAREST_MAX_MAGNITUDE, DOWN if negative else UP)
    return fmt.infinity if away else fmt.infinity - 1


def _is_tiny(significand: int, shift: int, magnitude: int, negative: bool, fmt: Format, rm: int) -> bool:
    """Tininess after rounding (§7.5 a): below the smallest normal even if rounded as though the exponent had no limit.

    Only a result that was rounded up to the smallest normal can differ: there was one more bit to be rounded to.
    """
    return magnitude < fmt.hidden or shift_rounding(significand, shift, negative, rm)[0] < fmt.hidden << 1
