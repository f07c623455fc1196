"""Jumps between blocks: each goes to its block where there is one, else to its stub, and can be written while it is running."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random

import pytest

from engines.side_by_side import AREAS, BEST, SideBySide
from engines.wild_blocks import ASSEMBLER
from xenos.engines.code.segment import LINK, STUB_NOTE, Segment
from xenos.engines.code.table import FREE, GONE, MARKED
from xenos.engines.hosts import host
from xenos.engines.stencil.engine import StencilEngine

START, SIZE = AREAS[0], 40_000
FILLERS = ["c.mv a0, a1", "addi a0, a0, 1", "ld a0, 8(s0)", "lui a3, 5", "c.addi a0, 3", "add t5, t6, t4", "fsgnj.d fs1, fs2, fs2"]


@cache
def assembled(line: str) -> bytes:
    return ASSEMBLER.assemble(line).to_bytes(2 if line.startswith("c.") else 4, "little")


def program(random: Random) -> bytes:
    """Branches there and back, over whatever has code of odd sizes."""
    code = b""
    while len(code) < SIZE:
        for _ in range(random.randrange(6)):
            code += assembled(random.choice(FILLERS))
        far = random.choice([far for far in (-398, -130, -64, -30, -12, -6, 6, 10, 34, 66, 200, 398) if len(code) + far >= 0])
        code += assembled(random.choice([f"bne a0, a1, {far}", f"beq t6, t5, {far}", f"jal zero, {far}", f"jal ra, {far}"]))
    return code


def targets(segment: Segment) -> list[tuple[int, int, int, int]]:
    """(guest address, site, stub, where it goes) of each jump."""
    _, _, rows, *_, code = segment.pack()
    origin = segment.origin - segment.base      # what places in the rows are relative to
    words = memoryview(rows).cast("B").cast("q")
    found = []
    for pc, both in zip(words[::3], words[1::3], strict=True):
        site, stub = (both & 0xFFFF_FFFF) + origin, (both >> 32) + origin
        word = int.from_bytes(bytes(code[site:site + 4]), "little")
        if host().NAME == "x86_64":
            goal = site + 4 + (word ^ 1 << 31) - (1 << 31)
        else:
            low, width = (0, 26) if word & 0xFC00_0000 == 0x1400_0000 else (5, 14 if word & 0x7E00_0000 == 0x3600_0000 else 19)
            goal = site + 4 * (((word >> low & (1 << width) - 1) ^ 1 << width - 1) - (1 << width - 1))
        found.append((pc + segment.low, site, stub, goal))
    return found


def check(engine: StencilEngine) -> int:
    """Check all jumps; gives how many there are."""
    jumps = 0
    for segment in engine.segments:
        for pc, site, stub, goal in targets(segment):
            assert site // 64 == (site + 3) // 64, "a jump crosses a cache line"
            there = engine.table.find(pc)
            assert goal == (there - segment.base if there else stub), hex(pc)
            assert segment.stub(stub) == (LINK, pc) and stub >= STUB_NOTE
            jumps += 1
    return jumps


@pytest.fixture
def pair() -> Iterator[SideBySide]:
    pair = SideBySide(BEST)
    yield pair
    pair.close()


def translate(pair: SideBySide, starts: list[int]) -> None:
    """Have code for these addresses; nothing is run."""
    for pc in starts:
        if not pair.stencil.table.find(pc):
            assert pair.stencil._translate(pc, pair.cpu) is None


@pytest.mark.parametrize("seed", range(3))
def test_jumps_go_where_they_should(pair: SideBySide, seed: int) -> None:
    engine, random = pair.stencil, Random(seed)
    code = program(random)
    pair.memory.write(START, code)
    pair.cpu.pc = START
    engine.run(pair.cpu, pair.memory, 1)
    starts = list(range(START, START + len(code), 2))
    random.shuffle(starts)
    translate(pair, starts[:4000])
    assert check(engine) > 3000
    for _ in range(5):      # some of it changes, and is translated anew
        for _ in range(20):
            line = f"addi a1, a1, {random.randrange(1, 99)}"
            pair.memory.write(random.choice(starts) & -4, assembled(line))
        engine.invalidate(0, 1 << 64)
        gone = [pc for pc in starts[:4000] if not engine.table.find(pc)]
        assert 0 < len(gone) < 3000
        check(engine)
        translate(pair, gone)
        check(engine)


def test_blocks_from_the_cache_take_the_entries_of_those_that_went(pair: SideBySide) -> None:
    """Else an address would be in the table twice."""
    engine = pair.stencil
    pair.memory.write(START, program(Random(11)))
    pair.cpu.pc = START
    engine.run(pair.cpu, pair.memory, 1)
    translate(pair, list(range(START, START + 4000, 8)))
    table, (segment, *_) = engine.table, engine.segments
    words = table.words
    pcs = set(segment.guest_addresses())
    assert len(pcs) > 100
    for number in range(0, len(words), 2):
        if words[number] in pcs and number % 8:
            words[number] += GONE + MARKED
    engine.translator.fill(segment, table)
    names = [words[number] & MARKED - 1 & ~GONE for number in range(0, len(words), 2) if words[number] != FREE]
    assert all(table.find(pc) for pc in pcs) and all(names.count(pc) == 1 for pc in pcs)
