"""What is done in one step, in regions: by atomic instructions or, at an AArch64 host's level 1, by loads and stores that are tied.

Every block here is one region, for LLVM takes its time under qemu.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from engines.hot_regions import HotSideBySide
from engines.side_by_side import BEST, READ, WRITE, Block, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu import layout as at

KINDS = ("swap", "add", "xor", "and", "or", "min", "max", "minu", "maxu")
AREA, PAGE = 0x5000_0000, 0x1000    # pages to write, then one that can be read, one that cannot be touched, and nothing
NEXT = AREA + PAGE
READABLE, SHUT, END = AREA + 2 * PAGE, AREA + 5 * PAGE, AREA + 8 * PAGE
EDGES = (0, 1, 1 << 31, (1 << 31) - 1, 0xFFFF_FFFF, 1 << 63, (1 << 63) - 1, (1 << 64) - 1, 0x0123_4567_89AB_CDEF)
ZERO_AND_SELF = ["amoadd.d zero, a1, (s0)", "amoswap.w a2, zero, (s0)", "amoand.d a1, a1, (s0)", "amomax.w a1, a1, (s0)"]
RESERVED = ["lr.w a2, (s0)", "sc.w a3, a1, (s0)", "sc.w a4, a1, (s0)", "lr.d t4, (s0)", "sc.d t5, t6, (s0)"]


@pytest.fixture(scope="module", params=(1, BEST))
def hot(request: pytest.FixtureRequest) -> Iterator[HotSideBySide]:
    made = HotSideBySide(request.param)
    for start in (AREA, AREA + 3 * PAGE, AREA + 6 * PAGE):
        made.memory.map(start, 2 * PAGE, READ | WRITE)
    made.memory.map(READABLE, PAGE, READ)
    made.memory.map(SHUT, PAGE, 0)
    yield made
    made.close()


def each(sizes: str) -> list[str]:
    """All operations, each on the next eight bytes, operands and results in registers of all kinds of places."""
    lines = []
    for number, kind in enumerate(KINDS):
        for size in sizes:
            value, result = ("a1", "t6", "s3", "s11")[number % 4], ("a2", "t4", "s4", "s10")[number * 5 % 4]
            lines += [f"amo{kind}.{size} {result}, {value}, (s0)", f"xor s2, s2, {result}", "addi s0, s0, 8"]
    return lines


def block(lines: list[str], base: int, r: random.Random) -> Block:
    """From some state, in which many a value is an edge."""
    some = {number: r.choice(EDGES) if r.random() < 0.7 else r.getrandbits(64) for number in range(1, 32)}
    return Block(tuple(map(ASSEMBLER.assemble, lines)), registers({**some, 8: base}))


def fill(hot: HotSideBySide, r: random.Random) -> None:
    """What is in memory before."""
    for start in (NEXT, AREA + 4 * PAGE, AREA + 7 * PAGE):
        hot.others[start] = b"".join(r.choice(EDGES).to_bytes(8, "little") for _ in range(PAGE // 8))


def check(hot: HotSideBySide, lines: list[str], bases: list[int], failing: bool = False) -> None:
    """The same block from all of these addresses on; if it fails there, it does so in a region, and after as much."""
    r = random.Random(len(lines))
    made = hot.hot.compiled
    address = 0
    for base in bases:
        fill(hot, r)
        one = block(lines, base, r)
        address = address or hot.place(one)
        hot.cpu.set(at.HOST_PC, 0)
        hot.begin(one, address)
        have = hot.outcome(hot.hot.run(hot.cpu, hot.memory, 1000), one)
        after = [bytes(hot.memory.view[start:start + PAGE]) for start in hot.others]
        assert not failing or hot.hot.failed_in_a_region(hot.cpu), f"{base:#x}: {have.left}"
        hot.begin(one, address)
        assert have == hot.outcome(hot.reference.run(hot.cpu, hot.memory, 1000), one), f"{base:#x}"
        assert after == [bytes(hot.memory.view[start:start + PAGE]) for start in hot.others], f"{base:#x}"
    assert hot.hot.compiled > made and not hot.hot.orders.refused


@pytest.mark.parametrize("size", ["w", "d"])
def test_operations(hot: HotSideBySide, size: str) -> None:
    check(hot, each(size), [NEXT + 64] * 40)


def test_the_same_register_twice_or_none(hot: HotSideBySide) -> None:
    check(hot, [*ZERO_AND_SELF, *RESERVED, "amoadd.d s0, s0, (s0)"], [NEXT + 64] * 10)


def test_each_fails_at_each_border(hot: HotSideBySide) -> None:
    """Those before it have been done, those behind it have not, and of itself nothing has."""
    lines = each("wd")
    check(hot, lines, [border - 8 * number for border in (READABLE, SHUT, END) for number in range(2 * len(KINDS))], failing=True)


def test_reservations_fail(hot: HotSideBySide) -> None:
    check(hot, ["lr.w a2, (s0)", "addi a2, a2, 1", "sc.w a3, a2, (s0)"], [READABLE, READABLE + 4], failing=True)
    check(hot, ["lr.d a2, (s0)", "addi a2, a2, 1", "sc.d a3, a2, (s0)"], [READABLE, SHUT, END], failing=True)


def test_what_is_not_aligned_is_left_to_others(hot: HotSideBySide) -> None:
    check(hot, ["addi s0, s0, 4", "amoadd.d a2, a1, (s0)", "addi s0, s0, -3", "amoxor.w a2, a1, (s0)"], [NEXT + 64, NEXT + 61])
