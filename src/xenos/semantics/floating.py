"""Floating-point operations by definition (IEEE 754-2019): exact integers, then one rounding.

Each returns (bits, flags). What the standard leaves open is chosen as in the "F" chapter: every NaN result is canonical
(positive, quiet, payload zero) and tininess is detected after rounding. Conversions live in `floating_convert`, formats
and rounding in `floating_format`.
"""

from __future__ import annotations

from math import isqrt

from xenos.semantics.floating_convert import convert, from_int, round_to_integral, to_int, to_int_modular
from xenos.semantics.floating_format import (
    DIVIDE_BY_ZERO,
    DOUBLE,
    DOWN,
    HALF,
    INEXACT,
    INVALID,
    NEAREST_EVEN,
    NEAREST_MAX_MAGNITUDE,
    OVERFLOW,
    SINGLE,
    TOWARD_ZERO,
    UNDERFLOW,
    UP,
    Format,
    is_signaling,
    nan_result,
    round_finite,
    unpack,
)

__all__ = [
    "DIVIDE_BY_ZERO", "DOUBLE", "DOWN", "HALF", "INEXACT", "INVALID", "NEAREST_EVEN", "NEAREST_MAX_MAGNITUDE",
    "OVERFLOW", "SINGLE", "TOWARD_ZERO", "UNDERFLOW", "UP", "Format", "add", "classify", "convert", "div", "eq_quiet",
    "fma", "from_int", "le_quiet", "le_signaling", "lt_quiet", "lt_signaling", "maximum", "maximum_number", "minimum",
    "minimum_number", "mul", "round_to_integral", "sqrt", "sub", "to_int", "to_int_modular",
]


# Arithmetic (§5.4.1). Signs of sums and products: §6.3; infinities: §6.1; invalid operations: §7.2.

def add(a: int, b: int, fmt: Format, rm: int) -> tuple[int, int]:
    """addition (§5.4.1)."""
    a_magnitude, b_magnitude = a & fmt.magnitude, b & fmt.magnitude
    infinity = fmt.infinity
    if a_magnitude >= infinity or b_magnitude >= infinity:
        if a_magnitude > infinity or b_magnitude > infinity:
            return nan_result(fmt, a, b)
        if a_magnitude == b_magnitude and a != b:
            return fmt.canonical_nan, INVALID
        return (a if a_magnitude == infinity else b), 0
    a_significand, a_exponent = unpack(a_magnitude, fmt)
    b_significand, b_exponent = unpack(b_magnitude, fmt)
    return _sum(a != a_magnitude, a_significand, a_exponent, b != b_magnitude, b_significand, b_exponent, fmt, rm)


def sub(a: int, b: int, fmt: Format, rm: int) -> tuple[int, int]:
    """subtraction (§5.4.1)."""
    return add(a, b ^ fmt.sign, fmt, rm)


def _sum(a_negative: bool, a: int, a_exponent: int, b_negative: bool, b: int, b_exponent: int, fmt: Format, rm: int,
         ) -> tuple[int, int]:
    """Two finite numbers added exactly and rounded once; an exact zero takes its sign from §6.3."""
    exponent = a_exponent
    if a_exponent > b_exponent:
        a <<= a_exponent - b_exponent
        exponent = b_exponent
    else:
        b <<= b_exponent - a_exponent
    total = (-a if a_negative else a) + (-b if b_negative else b)
    if total:
        return round_finite(total < 0, abs(total), exponent, fmt, rm)
    negative = a_negative if a_negative == b_negative else rm == DOWN
    return (fmt.sign if negative else 0), 0


def mul(a: int, b: int, fmt: Format, rm: int) -> tuple[int, int]:
    """multiplication (§5.4.1)."""
    a_magnitude, b_magnitude = a & fmt.magnitude, b & fmt.magnitude
    sign = (a ^ b) & fmt.sign
    infinity = fmt.infinity
    if a_magnitude >= infinity or b_magnitude >= infinity:
        if a_magnitude > infinity or b_magnitude > infinity:
            return nan_result(fmt, a, b)
        return (sign | infinity, 0) if a_magnitude and b_magnitude else (fmt.canonical_nan, INVALID)
    if not a_magnitude or not b_magnitude:
        return sign, 0
    a_significand, a_exponent = unpack(a_magnitude, fmt)
    b_significand, b_exponent = unpack(b_magnitude, fmt)
    return round_finite(sign != 0, a_significand * b_significand, a_exponent + b_exponent + fmt.least, fmt, rm)


def div(a: int, b: int, fmt: Format, rm: int) -> tuple[int, int]:
    """division (§5.4.1); a finite number by zero raises divide-by-zero (§7.3)."""
    a_magnitude, b_magnitude = a & fmt.magnitude, b & fmt.magnitude
    sign = (a ^ b) & fmt.sign
    infinity = fmt.infinity
    if a_magnitude >= infinity or b_magnitude >= infinity:
        if a_magnitude > infinity or b_magnitude > infinity:
            return nan_result(fmt, a, b)
        if a_magnitude == b_magnitude:
            return fmt.canonical_nan, INVALID
        return (sign | infinity if a_magnitude == infinity else sign), 0
    if not b_magnitude:
        return (sign | infinity, DIVIDE_BY_ZERO) if a_magnitude else (fmt.canonical_nan, INVALID)
    if not a_magnitude:
        return sign, 0
    a_significand, a_exponent = unpack(a_magnitude, fmt)
    b_significand, b_exponent = unpack(b_magnitude, fmt)
    scale = 2 * fmt.fraction_bits + 4              # long enough that the tail below the quotient is only its lowest bit
    quotient, rest = divmod(a_significand << scale, b_significand)
    return round_finite(sign != 0, quotient | (rest != 0), a_exponent - b_exponent - scale - fmt.least, fmt, rm)


def sqrt(a: int, fmt: Format, rm: int) -> tuple[int, int]:
    """squareRoot (§5.4.1); of -0 it is -0 (§6.3)."""
    magnitude = a & fmt.magnitude
    if magnitude > fmt.infinity:
        return nan_result(fmt, a)
    if not magnitude or a == fmt.infinity:
        return a, 0
    if a != magnitude:
        return fmt.canonical_nan, INVALID
    significand, exponent = unpack(magnitude, fmt)
    exponent += fmt.least
    scale = 2 * fmt.fraction_bits + 8 + (exponent & 1)      # makes the exponent even, the root long enough for a tail
    significand <<= scale
    root = isqrt(significand)
    return round_finite(False, root | (root * root != significand), (exponent - scale) // 2 - fmt.least, fmt, rm)


def fma(a: int, b: int, c: int, fmt: Format, rm: int) -> tuple[int, int]:
    """fusedMultiplyAdd (§5.4.1): a * b + c rounded once.

    infinity * 0 + quiet NaN raises invalid: §7.2 c leaves it open, the "F" chapter does not.
    """
    a_magnitude, b_magnitude, c_magnitude = a & fmt.magnitude, b & fmt.magnitude, c & fmt.magnitude
    infinity = fmt.infinity
    negative = (a ^ b) & fmt.sign != 0
    if a_magnitude >= infinity or b_magnitude >= infinity or c_magnitude >= infinity:
        if a_magnitude > infinity or b_magnitude > infinity:
            return nan_result(fmt, a, b, c)
        product_is_infinite = a_magnitude == infinity or b_magnitude == infinity
        if product_is_infinite and not (a_magnitude and b_magnitude):
            return fmt.canonical_nan, INVALID
        if c_magnitude > infinity:
            return nan_result(fmt, c)
        if product_is_infinite and c_magnitude == infinity and negative != (c != c_magnitude):
            return fmt.canonical_nan, INVALID
        return (fmt.sign | infinity if negative else infinity) if product_is_infinite else c, 0
    a_significand, a_exponent = unpack(a_magnitude, fmt)
    b_significand, b_exponent = unpack(b_magnitude, fmt)
    c_significand, c_exponent = unpack(c_magnitude, fmt)
    return _sum(negative, a_significand * b_significand, a_exponent + b_exponent + fmt.least,
                c != c_magnitude, c_significand, c_exponent, fmt, rm)


# Minimum and maximum (§9.6). The `_number` pair ignores NaNs ("F" chapter, FMIN and FMAX), the other pair hands them
# on ("Zfa" chapter, FMINM and FMAXM). All order -0 below +0; a signaling NaN raises invalid.

def minimum_number(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """minimumNumber (§9.6): the lesser; the other one if one is a NaN."""
    a_is_nan, b_is_nan = a & fmt.magnitude > fmt.infinity, b & fmt.magnitude > fmt.infinity
    if a_is_nan or b_is_nan:
        return _the_number(a, a_is_nan, b, b_is_nan, fmt)
    return (a if _order(a, fmt) <= _order(b, fmt) else b), 0


def maximum_number(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """maximumNumber (§9.6): the greater; the other one if one is a NaN."""
    a_is_nan, b_is_nan = a & fmt.magnitude > fmt.infinity, b & fmt.magnitude > fmt.infinity
    if a_is_nan or b_is_nan:
        return _the_number(a, a_is_nan, b, b_is_nan, fmt)
    return (a if _order(a, fmt) >= _order(b, fmt) else b), 0


def minimum(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """minimum (§9.6): the lesser, or NaN if either is one."""
    if a & fmt.magnitude > fmt.infinity or b & fmt.magnitude > fmt.infinity:
        return nan_result(fmt, a, b)
    return (a if _order(a, fmt) <= _order(b, fmt) else b), 0


def maximum(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """maximum (§9.6): the greater, or NaN if either is one."""
    if a & fmt.magnitude > fmt.infinity or b & fmt.magnitude > fmt.infinity:
        return nan_result(fmt, a, b)
    return (a if _order(a, fmt) >= _order(b, fmt) else b), 0


def _the_number(a: int, a_is_nan: bool, b: int, b_is_nan: bool, fmt: Format) -> tuple[int, int]:
    """Of two operands, at least one a NaN, the number if there is one."""
    nan, flags = nan_result(fmt, a, b)
    return (nan if a_is_nan and b_is_nan else b if a_is_nan else a), flags


def _order(bits: int, fmt: Format) -> int:
    """An integer that orders numbers as they are ordered, -0 below +0."""
    return ~(bits & fmt.magnitude) if bits & fmt.sign else bits


# Comparison (§5.6.1, §5.11): the result is one bit, 0 if unordered. Quiet ones raise invalid for signaling NaNs,
# signaling ones for every NaN. FEQ is quiet, FLT and FLE signaling ("F" chapter), FLTQ and FLEQ quiet ("Zfa" chapter).

def eq_quiet(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """compareQuietEqual (§5.6.1)."""
    if a & fmt.magnitude > fmt.infinity or b & fmt.magnitude > fmt.infinity:
        return 0, nan_result(fmt, a, b)[1]
    return int(a == b or not (a | b) & fmt.magnitude), 0


def lt_signaling(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """compareSignalingLess (§5.6.1)."""
    if a & fmt.magnitude > fmt.infinity or b & fmt.magnitude > fmt.infinity:
        return 0, INVALID
    return int(_order(a, fmt) < _order(b, fmt) and (a | b) & fmt.magnitude != 0), 0


def le_signaling(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """compareSignalingLessEqual (§5.6.1)."""
    if a & fmt.magnitude > fmt.infinity or b & fmt.magnitude > fmt.infinity:
        return 0, INVALID
    return int(_order(a, fmt) <= _order(b, fmt) or not (a | b) & fmt.magnitude), 0


def lt_quiet(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """compareQuietLess (§5.6.1)."""
    if a & fmt.magnitude > fmt.infinity or b & fmt.magnitude > fmt.infinity:
        return 0, nan_result(fmt, a, b)[1]
    return lt_signaling(a, b, fmt)


def le_quiet(a: int, b: int, fmt: Format) -> tuple[int, int]:
    """compareQuietLessEqual (§5.6.1)."""
    if a & fmt.magnitude > fmt.infinity or b & fmt.magnitude > fmt.infinity:
        return 0, nan_result(fmt, a, b)[1]
    return le_signaling(a, b, fmt)


def classify(a: int, fmt: Format) -> int:
    """class (§5.7.2) as one bit of ten in the order of the "F" chapter's FCLASS table; raises no flag.

    From bit 0: -infinity, -normal, -subnormal, -0, +0, +subnormal, +normal, +infinity, signaling NaN, quiet NaN.
    """
    magnitude = a & fmt.magnitude
    if magnitude > fmt.infinity:
        return 1 << 8 if is_signaling(a, fmt) else 1 << 9
    size = 0 if not magnitude else 1 if magnitude < fmt.hidden else 2 if magnitude < fmt.infinity else 3
    return 1 << (3 - size if a != magnitude else 4 + size)
