"""Floating-point numbers into other formats, into integers and from them, and rounding to integral values.

Section numbers are those of IEEE 754-2019.
"""

from __future__ import annotations

from xenos.semantics.floating_format import (
    INVALID,
    TOWARD_ZERO,
    Format,
    nan_result,
    round_finite,
    shift_rounding,
    unpack,
)


def convert(bits: int, source: Format, target: Format, rm: int) -> tuple[int, int]:
    """convertFormat (§5.4.2): the number in another format; the "F", "D" and "Zfh" chapters' FCVT between formats."""
    magnitude = bits & source.magnitude
    negative = bits != magnitude
    if magnitude > source.infinity:
        return target.canonical_nan, nan_result(source, bits)[1]
    sign = target.sign if negative else 0
    if magnitude == source.infinity:
        return sign | target.infinity, 0
    if not magnitude:
        return sign, 0
    significand, exponent = unpack(magnitude, source)
    return round_finite(negative, significand, exponent + source.least - target.least, target, rm)


def to_int(bits: int, fmt: Format, width: int, signed: bool, rm: int) -> tuple[int, int]:
    """convertToIntegerExact (§5.4.1, §5.8): a two's-complement or unsigned number of `width` bits, as unsigned bits.

    Out of range it saturates and a NaN counts as above it, raising invalid alone ("F" chapter, table "Domains of
    float-to-integer conversions and behavior for invalid inputs").
    """
    low, high = (-1 << (width - 1), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    magnitude = bits & fmt.magnitude
    if magnitude >= fmt.infinity:
        return (low & ((1 << width) - 1) if bits == fmt.sign | fmt.infinity else high), INVALID
    value, flags = _integral(bits, magnitude, fmt, rm)
    if value > high:
        return high, INVALID
    if value < low:
        return low & ((1 << width) - 1), INVALID
    return value & ((1 << width) - 1), flags


def to_int_modular(bits: int, fmt: Format, width: int) -> tuple[int, int]:
    """The number rounded toward zero, modulo 2**width; NaNs and infinities give 0 ("Zfa" chapter, FCVTMOD.W.D).

    The flags are those of a saturating conversion to a signed number.
    """
    magnitude = bits & fmt.magnitude
    if magnitude >= fmt.infinity:
        return 0, INVALID
    value, flags = _integral(bits, magnitude, fmt, TOWARD_ZERO)
    if not -1 << (width - 1) <= value < 1 << (width - 1):
        flags = INVALID
    return value & ((1 << width) - 1), flags


def from_int(value: int, width: int, signed: bool, fmt: Format, rm: int) -> tuple[int, int]:
    """convertFromInt (§5.4.1): an integer given as `width` unsigned bits."""
    if signed and value >> (width - 1):
        return round_finite(True, (1 << width) - value, -fmt.least, fmt, rm)
    return round_finite(False, value, -fmt.least, fmt, rm) if value else (0, 0)


def round_to_integral(bits: int, fmt: Format, rm: int, exact: bool) -> tuple[int, int]:
    """roundToIntegral (§5.9); raises inexact only if `exact` ("Zfa" chapter: FROUND, and FROUNDNX as `exact`)."""
    magnitude = bits & fmt.magnitude
    if magnitude > fmt.infinity:
        return nan_result(fmt, bits)
    # From here on every number is an integer: its last place is worth at least one.
    if magnitude >> fmt.fraction_bits > -fmt.least or not magnitude:
        return bits, 0
    value, flags = _integral(bits, magnitude, fmt, rm)
    if not value:
        return bits & fmt.sign, flags if exact else 0
    return round_finite(value < 0, abs(value), -fmt.least, fmt, rm)[0], flags if exact else 0


def _integral(bits: int, magnitude: int, fmt: Format, rm: int) -> tuple[int, int]:
    """A finite number rounded to an unbounded integer, and the inexact flag."""
    significand, exponent = unpack(magnitude, fmt)
    shift = -fmt.least - exponent
    negative = bits != magnitude
    if shift <= 0:
        value, flags = significand << -shift, 0
    else:
        value, flags = shift_rounding(significand, shift, negative, rm)
    return -value if negative else value, flags
