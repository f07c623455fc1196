"""The operation table: every pure operation by a second, independent definition, on all values of six or seven bits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from xenos.cpu.layout import RegisterFile
from xenos.semantics.floating import DOUBLE, HALF, SINGLE
from xenos.semantics.operations import TABLE, lanewise, mask
from xenos.semantics.trace import Trace
from xenos.semantics.values import Value

WIDTH = 6
SIZE = 1 << WIDTH


def trace() -> Trace:
    return Trace((RegisterFile("x", 64, 32),), 64)


def s(value: int) -> int:
    """Two's complement, by counting."""
    return list(range(SIZE // 2))[value] if value < SIZE // 2 else value - SIZE


def bits(value: int) -> list[int]:
    """Lowest first."""
    return [value // 2**i % 2 for i in range(WIDTH)]


def number(digits: list[int]) -> int:
    return sum(digit * 2**i for i, digit in enumerate(digits))


def polynomial(a: int, b: int) -> int:
    """The product of two polynomials over two elements, all of it."""
    digits = [0] * (2 * WIDTH)
    for i, j in product(range(WIDTH), repeat=2):
        digits[i + j] ^= bits(a)[i] & bits(b)[j]
    return number(digits)


def truncated(a: int, b: int) -> int:
    """The quotient rounded toward zero, by trying: the largest one whose product is not beyond."""
    if b == 0:
        return -1
    found = max(q for q in range(SIZE + 1) if q * abs(b) <= abs(a))
    return found if (a < 0) == (b < 0) else -found


def rotated(a: int, by: int) -> int:
    digits = bits(a)
    return number([digits[(i - by) % WIDTH] for i in range(WIDTH)])


def leading(digits: list[int]) -> int:
    return next((i for i, digit in enumerate(digits) if digit), WIDTH)


BINARY: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: (a + b) % SIZE, "sub": lambda a, b: (a - b) % SIZE, "mul": lambda a, b: a * b % SIZE,
    "mulhu": lambda a, b: a * b // SIZE, "mulhs": lambda a, b: s(a) * s(b) // SIZE % SIZE,
    "mulhsu": lambda a, b: s(a) * b // SIZE % SIZE,
    "udiv": lambda a, b: truncated(a, b) % SIZE, "urem": lambda a, b: a - b * truncated(a, b) if b else a,
    "sdiv": lambda a, b: truncated(s(a), s(b)) % SIZE,
    "srem": lambda a, b: (s(a) - s(b) * truncated(s(a), s(b)) if b else a) % SIZE,
    "smin": lambda a, b: a if s(a) < s(b) else b, "smax": lambda a, b: b if s(a) < s(b) else a,
    "umin": lambda a, b: a if a < b else b, "umax": lambda a, b: b if a < b else a,
    "clmul": lambda a, b: polynomial(a, b) % SIZE, "clmulh": lambda a, b: polynomial(a, b) // SIZE,
    "and": lambda a, b: number([x * y for x, y in zip(bits(a), bits(b), strict=True)]),
    "or": lambda a, b: number([max(x, y) for x, y in zip(bits(a), bits(b), strict=True)]),
    "xor": lambda a, b: number([(x + y) % 2 for x, y in zip(bits(a), bits(b), strict=True)]),
    "shl": lambda a, b: a * 2**b % SIZE, "lshr": lambda a, b: a // 2**b, "ashr": lambda a, b: s(a) // 2**b % SIZE,
    "rotl": rotated, "rotr": lambda a, b: rotated(a, -b),
    "eq": lambda a, b: bits(a) == bits(b), "ne": lambda a, b: bits(a) != bits(b),
    "ult": lambda a, b: a in range(b), "ule": lambda a, b: a in range(b + 1),
    "slt": lambda a, b: s(b) - s(a) > 0, "sle": lambda a, b: s(b) - s(a) >= 0,
}
UNARY: dict[str, Callable[[int], int]] = {
    "not": lambda a: SIZE - 1 - a, "clz": lambda a: leading(bits(a)[::-1]), "ctz": lambda a: leading(bits(a)),
    "popcount": lambda a: sum(bits(a)), "reverse_bits": lambda a: number(bits(a)[::-1]),
}
# Those of no fixed shape are tested one by one below, floating point in test_floating.
ELSEWHERE = {"select", "zext", "sext", "extract", "concat", "reverse_bytes", "splat", "lane", "with_lane", "box",
             "unbox", "fclassify", "const"}


def apply(op: Value, *args: int) -> Any:
    return lanewise(op)(op, *args)


def test_every_pure_operation_is_tested() -> None:
    assert {name for name, row in TABLE.items() if row.effect == "pure"} == BINARY.keys() | UNARY.keys() | ELSEWHERE


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    t = trace()
    op = t.const(0, WIDTH).apply(name, t.const(0, WIDTH))
    for a, b in product(range(SIZE), repeat=2):
        assert apply(op, a, b) == BINARY[name](a, b), (a, b)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    op = trace().const(0, WIDTH).apply(name)
    for a in range(SIZE):
        assert apply(op, a) == UNARY[name](a), a


def test_width_changes() -> None:
    t = trace()
    a, b = t.const(0, 8), t.const(0, 4)
    assert apply(a.zext(16), 0x80) == 0x0080
    assert apply(a.sext(16), 0x80) == 0xFF80
    assert apply(a.sext(16), 0x7F) == 0x007F
    assert apply(a.extract(2, 3), 0b1011_0100) == 0b101
    assert apply(a.concat(b), 0xAB, 0xC) == 0xABC
    assert apply(t.const(0, 32).apply("reverse_bytes"), 0x0102_0304) == 0x0403_0201


@pytest.mark.parametrize(("fmt", "width"), [(HALF, 16), (SINGLE, 32)])
def test_boxes(fmt: Any, width: int) -> None:
    t = trace()
    boxed = apply(t.const(0, width).box(64), 0x1234)
    assert boxed == mask(64) - mask(width) + 0x1234
    unbox = t.const(0, 64).unbox(width)
    assert apply(unbox, boxed) == 0x1234
    for bit in range(width, 64):
        assert apply(unbox, boxed ^ 1 << bit) == fmt.canonical_nan


def test_lanes() -> None:
    t = trace()
    vector = t.const(0, 8).splat(4)
    assert apply(vector, 0xAB) == 0xABAB_ABAB
    assert apply(vector.lane(2), 0x0403_0201) == 0x03
    assert apply(vector.with_lane(1, t.const(0, 8)), 0x0403_0201, 0xFF) == 0x0403_FF01
    assert apply(vector + vector, 0xFF01_80FF, 0x0101_8001) == 0x0002_0000
    assert apply(vector == vector, 0xFF01_80FF, 0xFF00_80FE) == 0b1010
    assert apply(vector.sext(16), 0x8001_7F00) == 0xFF80_0001_007F_0000


def test_floating_lanes_gather_flags() -> None:
    t = trace()
    vector = t.const(0, 64).splat(2)
    op = Value(t, "fdiv", 64, (vector, vector), 2, rounding=0)
    one, three = 0x3FF0_0000_0000_0000, 0x4008_0000_0000_0000
    quotient, flags = lanewise(op)(op, 0, one | one << 64, three)
    assert (quotient, flags) == (0x3FD5_5555_5555_5555 | DOUBLE.infinity << 64, 9)
