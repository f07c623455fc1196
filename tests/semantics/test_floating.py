"""Floating-point definitions against a second definition: fractions, exhaustively for a format of six bits."""

from __future__ import annotations

import functools
import math
import random
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product

import pytest

from xenos.semantics import floating as fp
from xenos.semantics.floating import DOUBLE, HALF, SINGLE, Format

TINY = Format(3, 2)
TINY_BITS = range(1 << TINY.width)
MODES = range(5)


def value(bits: int, fmt: Format) -> Fraction:
    """The number that finite bits stand for (IEEE 754-2019 §3.4)."""
    bias = (1 << (fmt.exponent_bits - 1)) - 1
    exponent = (bits & fmt.magnitude) >> fmt.fraction_bits
    fraction = Fraction(bits & fmt.fraction_mask, fmt.hidden)
    magnitude = (1 + fraction) * Fraction(2) ** (exponent - bias) if exponent else fraction * Fraction(2) ** (1 - bias)
    return -magnitude if bits & fmt.sign else magnitude


def is_finite(bits: int, fmt: Format) -> bool:
    return bits & fmt.magnitude < fmt.infinity


def to_integer(number: Fraction, rm: int) -> int:
    """A number rounded to an integer (§4.3)."""
    low = math.floor(number)
    if number == low or rm == fp.DOWN:
        return low
    if rm == fp.UP:
        return low + 1
    if rm == fp.TOWARD_ZERO:
        return math.trunc(number)
    if number - low == Fraction(1, 2):
        return low + (low % 2 if rm == fp.NEAREST_EVEN else number > 0)
    return low + (number - low > Fraction(1, 2))


@functools.cache
def rounded(number: Fraction, fmt: Format, rm: int) -> tuple[int, int]:
    """Bits and flags of a non-zero number, by the text of §4.3, §7.4, §7.5 and §7.6."""
    emax = (1 << (fmt.exponent_bits - 1)) - 1
    emin = 1 - emax
    exponent = 0
    while abs(number) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    while abs(number) < Fraction(2) ** exponent:
        exponent -= 1
    free_place = Fraction(2) ** (exponent - fmt.fraction_bits)
    place = Fraction(2) ** (max(exponent, emin) - fmt.fraction_bits)
    free = to_integer(number / free_place, rm) * free_place
    result = to_integer(number / place, rm) * place
    sign = fmt.sign if number < 0 else 0
    if abs(free) >= Fraction(2) ** (emax + 1):
        to_infinity = rm in (fp.NEAREST_EVEN, fp.NEAREST_MAX_MAGNITUDE) or rm == (fp.DOWN if sign else fp.UP)
        return sign | (fmt.infinity if to_infinity else fmt.infinity - 1), fp.OVERFLOW | fp.INEXACT
    flags = fp.INEXACT if result != number else 0
    if flags and abs(free) < Fraction(2) ** emin:
        flags |= fp.UNDERFLOW
    count = abs(result) / Fraction(2) ** (emin - fmt.fraction_bits)
    assert count.denominator == 1
    leading = max(0, count.numerator.bit_length() - 1 - fmt.fraction_bits)
    return sign | (leading << fmt.fraction_bits) + (count.numerator >> leading), flags


def finite_pairs(fmt: Format) -> Iterator[tuple[int, int]]:
    finite = [bits for bits in TINY_BITS if is_finite(bits, fmt)]
    return product(finite, finite)


@pytest.mark.parametrize("operation, exact", [
    (fp.add, lambda a, b: a + b), (fp.sub, lambda a, b: a - b), (fp.mul, lambda a, b: a * b),
    (fp.div, lambda a, b: a / b if b else Fraction(0)),
], ids=["add", "sub", "mul", "div"])
def test_every_pair_of_a_tiny_format_is_rounded_as_the_standard_says(
        operation: Callable[..., tuple[int, int]], exact: Callable[[Fraction, Fraction], Fraction]) -> None:
    for a, b in finite_pairs(TINY):
        if number := exact(value(a, TINY), value(b, TINY)):
            for rm in MODES:
                assert operation(a, b, TINY, rm) == rounded(number, TINY, rm), (a, b, rm)


def test_divisions_of_halves_keep_the_tail_of_the_quotient() -> None:
    r = random.Random(4)
    for _ in range(2000):
        # a dividend of few bits gives the shortest quotient
        a = r.choice((1, 2, 3, r.randrange(1, HALF.infinity)))
        b = r.choice((HALF.hidden + 1, r.randrange(1, HALF.infinity)))
        rm = r.choice(MODES)
        assert fp.div(a, b, HALF, rm) == rounded(value(a, HALF) / value(b, HALF), HALF, rm), (a, b, rm)


def test_square_roots_of_a_tiny_format_and_of_halves_lie_between_their_neighbours() -> None:
    for fmt in (TINY, HALF):
        for a in range(1, fmt.infinity, 1 if fmt is TINY else 7):
            down, flags = fp.sqrt(a, fmt, fp.DOWN)
            root, square = value(down, fmt), value(a, fmt)
            above = value(down + 1, fmt)
            assert root * root <= square < above * above
            assert flags == (fp.INEXACT if root * root < square else 0)
            up = down + (flags != 0)
            middle = (root + above) / 2
            assert fp.sqrt(a, fmt, fp.UP) == (up, flags)
            assert fp.sqrt(a, fmt, fp.NEAREST_EVEN)[0] == (up if middle * middle < square else down)


def test_fused_multiply_add_rounds_once() -> None:
    r = random.Random(1)
    for _ in range(6000):
        a, b, c = (r.randrange(TINY.infinity) | r.choice((0, TINY.sign)) for _ in range(3))
        if number := value(a, TINY) * value(b, TINY) + value(c, TINY):
            for rm in MODES:
                assert fp.fma(a, b, c, TINY, rm) == rounded(number, TINY, rm), (a, b, c, rm)


def test_halves_round_to_integers_as_the_standard_says() -> None:
    for a in range(0, HALF.infinity, 13):
        for bits in (a, a | HALF.sign):
            for rm in MODES:
                exact = value(bits, HALF)
                integer = to_integer(exact, rm)
                inexact = fp.INEXACT if integer != exact else 0
                assert fp.to_int(bits, HALF, 32, True, rm) == (integer & 0xFFFF_FFFF, inexact)
                expected = rounded(Fraction(integer), HALF, rm)[0] if integer else bits & HALF.sign
                assert fp.round_to_integral(bits, HALF, rm, exact=True) == (expected, inexact)
                assert fp.round_to_integral(bits, HALF, rm, exact=False) == (expected, 0)


def test_integers_saturate_and_raise_only_invalid() -> None:
    cases = [
        # half and single infinities must not count as the numbers their bits resemble
        (HALF, HALF.infinity, 32, True, 0x7FFF_FFFF), (HALF, HALF.sign | HALF.infinity, 64, True, 1 << 63),
        (HALF, HALF.infinity, 64, False, (1 << 64) - 1), (HALF, HALF.sign | HALF.infinity, 32, False, 0),
        (SINGLE, SINGLE.canonical_nan | SINGLE.sign, 32, True, 0x7FFF_FFFF),
        (DOUBLE, DOUBLE.infinity | 1, 32, False, 0xFFFF_FFFF),
        (DOUBLE, double(2.0 ** 31), 32, True, 0x7FFF_FFFF), (DOUBLE, double(-2.0 ** 31 - 1), 32, True, 1 << 31),
        (DOUBLE, double(-1.5), 64, False, 0), (SINGLE, 0x5F80_0000, 64, False, (1 << 64) - 1),
    ]
    for fmt, bits, width, signed, expected in cases:
        assert fp.to_int(bits, fmt, width, signed, fp.NEAREST_EVEN) == (expected, fp.INVALID)
    assert fp.to_int(double(-0.5), DOUBLE, 32, False, fp.NEAREST_EVEN) == (0, fp.INEXACT)
    assert fp.to_int(double(2.0 ** 31 - 0.5), DOUBLE, 32, True, fp.TOWARD_ZERO) == (0x7FFF_FFFF, fp.INEXACT)


def test_modular_conversion_keeps_the_low_bits() -> None:
    for number in (0.0, 1.5, -1.5, -0.9, 2.0 ** 31, -2.0 ** 31, 2.0 ** 32 + 7, -2.0 ** 40 - 9, 1e300):
        low = int(number) & 0xFFFF_FFFF
        in_range = -2 ** 31 <= int(number) < 2 ** 31
        flags = fp.INVALID if not in_range else fp.INEXACT if number != int(number) else 0
        assert fp.to_int_modular(double(number), DOUBLE, 32) == (low, flags)
    for bits in (DOUBLE.infinity, DOUBLE.sign | DOUBLE.infinity, DOUBLE.canonical_nan):
        assert fp.to_int_modular(bits, DOUBLE, 32) == (0, fp.INVALID)


def double(number: float) -> int:
    return int.from_bytes(struct.pack("<d", number), "little")


def test_doubles_agree_with_the_host() -> None:
    r = random.Random(2)
    for _ in range(3000):
        a, b = (math.ldexp(r.uniform(-1, 1), r.randrange(-520, 500)) for _ in range(2))
        assert fp.add(double(a), double(b), DOUBLE, 0)[0] == double(a + b)
        assert fp.mul(double(a), double(b), DOUBLE, 0)[0] == double(a * b)
        assert fp.div(double(a), double(b), DOUBLE, 0)[0] == double(a / b)
        assert fp.sqrt(double(abs(a)), DOUBLE, 0)[0] == double(math.sqrt(abs(a)))
        assert fp.lt_signaling(double(a), double(b), DOUBLE) == (a < b, 0)
        single = int.from_bytes(struct.pack("<f", a), "little") if abs(a) < 1e38 else None
        assert single is None or fp.convert(double(a), DOUBLE, SINGLE, 0)[0] == single


def test_every_half_survives_wider_formats_and_every_integer_its_width() -> None:
    for bits in range(1 << 16):
        if bits & HALF.magnitude <= HALF.infinity:
            for wide in (SINGLE, DOUBLE):
                there, flags = fp.convert(bits, HALF, wide, 0)
                assert flags == 0
                assert fp.convert(there, wide, HALF, 0) == (bits, 0)
    r = random.Random(3)
    for _ in range(2000):
        number = r.getrandbits(r.randrange(1, 54))
        assert fp.to_int(fp.from_int(number, 64, True, DOUBLE, 0)[0], DOUBLE, 64, True, 0) == (number, 0)
        negative = -number & (1 << 64) - 1
        assert fp.to_int(fp.from_int(negative, 64, True, DOUBLE, 0)[0], DOUBLE, 64, True, 0) == (negative, 0)


QUIET, SIGNALING = 0b0_111_11, 0b0_111_01
NEGATIVE_QUIET = 0b1_111_10
INFINITY, ZERO, ONE = 0b0_111_00, 0, 0b0_011_00
MINUS = TINY.sign
NAN = (TINY.canonical_nan, 0)
INVALID = (TINY.canonical_nan, fp.INVALID)


@pytest.mark.parametrize("result, expected", [
    (fp.add(INFINITY, MINUS | INFINITY, TINY, 0), INVALID),
    (fp.add(INFINITY, INFINITY, TINY, 0), (INFINITY, 0)),
    (fp.sub(INFINITY, INFINITY, TINY, 0), INVALID),
    (fp.mul(INFINITY, MINUS, TINY, 0), INVALID),
    (fp.mul(INFINITY, MINUS | ONE, TINY, 0), (MINUS | INFINITY, 0)),
    (fp.div(ZERO, MINUS, TINY, 0), INVALID),
    (fp.div(INFINITY, INFINITY, TINY, 0), INVALID),
    (fp.div(ONE, MINUS, TINY, 0), (MINUS | INFINITY, fp.DIVIDE_BY_ZERO)),
    (fp.div(INFINITY, MINUS, TINY, 0), (MINUS | INFINITY, 0)),
    (fp.div(MINUS | ONE, INFINITY, TINY, 0), (MINUS, 0)),
    (fp.sqrt(MINUS, TINY, 0), (MINUS, 0)),
    (fp.sqrt(MINUS | ONE, TINY, 0), INVALID),
    (fp.sqrt(MINUS | INFINITY, TINY, 0), INVALID),
    (fp.sqrt(INFINITY, TINY, 0), (INFINITY, 0)),
    (fp.sqrt(NEGATIVE_QUIET, TINY, 0), NAN),
    (fp.add(NEGATIVE_QUIET, ONE, TINY, 0), NAN),
    (fp.add(QUIET, SIGNALING, TINY, 0), INVALID),
    (fp.fma(INFINITY, ZERO, QUIET, TINY, 0), INVALID),
    (fp.fma(INFINITY, QUIET, ZERO, TINY, 0), NAN),
    (fp.fma(ONE, ONE, SIGNALING, TINY, 0), INVALID),
    (fp.fma(INFINITY, ONE, MINUS | INFINITY, TINY, 0), INVALID),
    (fp.fma(ONE, ONE, MINUS | INFINITY, TINY, 0), (MINUS | INFINITY, 0)),
    (fp.fma(INFINITY, MINUS | ONE, ONE, TINY, 0), (MINUS | INFINITY, 0)),
    (fp.fma(MINUS, ONE, MINUS, TINY, 0), (MINUS, 0)),
    (fp.fma(ONE, ONE, MINUS | ONE, TINY, fp.DOWN), (MINUS, 0)),
    (fp.add(ONE, MINUS | ONE, TINY, fp.NEAREST_EVEN), (ZERO, 0)),
    (fp.add(ONE, MINUS | ONE, TINY, fp.DOWN), (MINUS, 0)),
    (fp.add(MINUS, MINUS, TINY, fp.UP), (MINUS, 0)),
    (fp.minimum_number(ZERO, MINUS, TINY), (MINUS, 0)),
    (fp.maximum_number(MINUS, ZERO, TINY), (ZERO, 0)),
    (fp.minimum_number(QUIET, ONE, TINY), (ONE, 0)),
    (fp.maximum_number(ONE, SIGNALING, TINY), (ONE, fp.INVALID)),
    (fp.minimum_number(QUIET, NEGATIVE_QUIET, TINY), NAN),
    (fp.minimum_number(QUIET, SIGNALING, TINY), INVALID),
    (fp.minimum(QUIET, ONE, TINY), NAN),
    (fp.maximum(ONE, SIGNALING, TINY), INVALID),
    (fp.maximum(ZERO, MINUS, TINY), (ZERO, 0)),
    (fp.minimum(MINUS | INFINITY, ONE, TINY), (MINUS | INFINITY, 0)),
    (fp.eq_quiet(ZERO, MINUS, TINY), (1, 0)),
    (fp.lt_signaling(MINUS, ZERO, TINY), (0, 0)),
    (fp.le_signaling(ZERO, MINUS, TINY), (1, 0)),
    (fp.eq_quiet(QUIET, QUIET, TINY), (0, 0)),
    (fp.eq_quiet(ONE, SIGNALING, TINY), (0, fp.INVALID)),
    (fp.lt_signaling(QUIET, ONE, TINY), (0, fp.INVALID)),
    (fp.le_quiet(QUIET, ONE, TINY), (0, 0)),
    (fp.lt_quiet(SIGNALING, ONE, TINY), (0, fp.INVALID)),
    (fp.convert(SIGNALING, TINY, HALF, 0), (HALF.canonical_nan, fp.INVALID)),
    (fp.convert(NEGATIVE_QUIET, TINY, HALF, 0), (HALF.canonical_nan, 0)),
    (fp.round_to_integral(SIGNALING, TINY, 0, exact=False), INVALID),
    (fp.round_to_integral(MINUS | INFINITY, TINY, 0, exact=True), (MINUS | INFINITY, 0)),
])
def test_special_values(result: tuple[int, int], expected: tuple[int, int]) -> None:
    assert result == expected


def test_comparisons_of_a_tiny_format_order_numbers() -> None:
    for a, b in finite_pairs(TINY):
        x, y = value(a, TINY), value(b, TINY)
        assert fp.eq_quiet(a, b, TINY) == (x == y, 0)
        assert fp.lt_signaling(a, b, TINY) == fp.lt_quiet(a, b, TINY) == (x < y, 0)
        assert fp.le_signaling(a, b, TINY) == fp.le_quiet(a, b, TINY) == (x <= y, 0)
        assert value(fp.minimum(a, b, TINY)[0], TINY) == min(x, y)
        assert value(fp.maximum_number(a, b, TINY)[0], TINY) == max(x, y)


def test_classes() -> None:
    ordered = [MINUS | INFINITY, MINUS | ONE, MINUS | 1, MINUS, ZERO, 1, ONE, INFINITY, SIGNALING, QUIET]
    assert [fp.classify(bits, TINY) for bits in ordered] == [1 << i for i in range(10)]
