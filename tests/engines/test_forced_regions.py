"""The region engine, forced on from the first execution, does what the reference engine does: blocks, instructions, stops."""

from __future__ import annotations

import random

import pytest

from engines.placements import States, forms, placements
from engines.side_by_side import BREAK, DATA, EXECUTE, READ, WRITE, Block, SideBySide, differences, registers
from engines.wild_blocks import ASSEMBLER, WildBlocks
from xenos.cpu.exits import Budget
from xenos.engines.code.segment import ROWS, SLOW
from xenos.engines.region.eager import EagerEngine

CHAPTERS = forms()
DOUBLE_2_5 = 0x4004_0000_0000_0000

# Each was wrong once: (lines, registers x, registers f).
ONCE_WRONG = {
    "flags of a conversion whose result nobody wants": (
        ["fcvt.wu.d a5, fa7, rtz", "cpop a5, s4"], {}, {17: DOUBLE_2_5}),
    "constants loaded as one wide vector": (
        ["addi t3, zero, 1", "addi t4, zero, 2", "addi t5, zero, 3", "addi t6, zero, 4", "lui s8, 5", "lui s9, 6", "lui s10, 7",
         "lui s11, 8"], {}, {}),
    "a double NaN that looks like a boxed single number": (
        ["fadd.d fa3, ft5, ft5, dyn", "fminm.s fa7, fa2, fa3"], {}, {5: 0xFFFF_FFFF_4040_0000, 12: 0xFFFF_FFFF_4120_0000}),
    "a copy of a half number that is none of its register": (["fsgnj.h ft9, fa2, fa2"], {}, {12: 0xFFFF_FFFF_0000_4761}),
}


@pytest.mark.parametrize("name", ONCE_WRONG)
@pytest.mark.parametrize("before", range(3))
def test_what_was_wrong_once(forced: SideBySide, name: str, before: int) -> None:
    lines, x, f = ONCE_WRONG[name]
    words = tuple(map(ASSEMBLER.assemble, ["addi zero, zero, 0"] * before + lines))
    forced.check(Block(words, registers({8: DATA, **x}, f), memory=bytes(64)), name)


def test_loads_whose_result_is_wanted_where_ways_join(forced: SideBySide) -> None:
    """Of a word that was loaded the same half is wanted on two ways. LLVM's instcombine takes it out before the load is made
    (seen with 22.1; found as a Python that called its own frozen modules invalid)."""
    lines = ["blt a0, zero, 16", "lw a4, 8(s0)", "addiw a4, a4, -1", "jal zero, 20",
             "ld a3, 0(s0)", "lw a4, 8(s0)", "addi s1, zero, 0", "addiw a4, a4, -1", "sw a4, 16(s0)", "addi a5, a4, 1"]
    words = tuple(map(ASSEMBLER.assemble, lines))
    for number in range(30):
        for way in (1, (1 << 64) - 1):
            start = registers({8: DATA, 9: 7, 10: way})
            forced.check(Block(words, start, memory=bytes(range(number, number + 64))), f"{number}, way {way:#x}")


def test_more_ways_out_than_there_can_be(forced: SideBySide) -> None:
    """Such a region is refused; in a segment without links, room was made for them again and again."""
    block = Block(tuple(map(ASSEMBLER.assemble, ("addi a0, a0, 1", "jal zero, -4"))), registers())
    engine, pc = forced.stencil, forced.place(block)
    forced.begin(block, pc)
    assert isinstance(engine, EagerEngine) and engine.run(forced.cpu, forced.memory, 100) == Budget()
    engine.memory.watching().guard(pc, pc + 8)
    for ways in (ROWS - 1, ROWS + 1):
        rows = [word for number in range(ways) for word in (16 * number, SLOW, pc + 4)]
        region = b"".join(word.to_bytes(8, "little") for word in (pc, 16 * ways, ways, 0, *rows)) + bytes(16 * ways)
        engine.generations._open.clear()
        assert engine.generations.adopt(engine.memory, pc, pc, pc + 8, region, bytes(8)) is (ways < ROWS)
    engine.invalidate(pc, pc + 8)


def test_jumps_below_0(forced: SideBySide) -> None:
    """From a low address there are jumps to the highest ones, be they only data that look like such a jump."""
    low, size, apart = 0x10000, 0x1000, 64
    memory = forced.memory
    memory.map(low, size, READ | WRITE | EXECUTE)
    memory.watching().told(low, low + size)
    words = tuple(map(ASSEMBLER.assemble, ("bne a0, zero, 8", f"jal zero, {-2 * low}", "addi a1, a1, 1", "c.ebreak")))
    memory.view[low:low + size] = BREAK.to_bytes(2, "little") * (size // 2)
    for number in range(20):
        for taken in (1, 0):
            block, address = Block(words, registers({10: taken})), low + apart * number
            memory.view[address:address + len(block.code())] = block.code()
            have, want = forced.run(block, address)
            assert have == want, differences(have, want)
    memory.unmap(low, size)


def test_regions_are_forced_at_new_blocks_only(forced: SideBySide, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is translated anew brings no others of its segment, made since it was made first, into play again."""
    engine, drawn = forced.stencil, []
    assert isinstance(engine, EagerEngine)
    monkeypatch.setattr(engine, "_random", Counted(drawn))
    blocks = [Block((ASSEMBLER.assemble("addi a1, a1, 1"), BREAK), registers()) for _ in range(20)]
    places = [forced.place(block) for block in blocks]
    for block, address in zip(blocks, places, strict=True):
        forced.run(block, address)
    before = len(drawn)
    assert before >= len(blocks)
    forced.memory.view[places[0]:places[0] + 2] = BREAK.to_bytes(2, "little")
    engine.invalidate(places[0], places[0] + 1)
    forced.run(blocks[0], places[0])
    assert len(drawn) == before + 1


class Counted(random.Random):
    """Chance that is against every region, and is noted."""

    def __init__(self, drawn: list[float]) -> None:
        super().__init__(0)
        self._drawn = drawn

    def random(self) -> float:
        """That it is not to be."""
        self._drawn.append(1.0)
        return 1.0


@pytest.mark.parametrize(("seed", "count", "length"), [(0, 250, 12), (1, 40, 90)])
def test_random_blocks(forced: SideBySide, seed: int, count: int, length: int) -> None:
    maker = WildBlocks(f"regions {seed}")
    for number in range(count):
        forced.check(maker.block(length), f"seed {seed}, block {number}")


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(40))
def test_many_random_blocks(forced: SideBySide, seed: int) -> None:
    maker = WildBlocks(f"many regions {seed}")
    for number in range(500):
        forced.check(maker.block(12 if seed % 4 else 60), f"seed {seed}, block {number}")


def every(pair: SideBySide, chapter: str, one_of: int, states: int) -> None:
    """Of each form, one in so many placements, in so many states; half of the accesses are wild."""
    for form in CHAPTERS[chapter]:
        r = random.Random(f"region {form.name}")
        made = States(form, r)
        for number, places in enumerate(placements(form, r)):
            if number % one_of == 0:
                word, fields = made.word(places)
                for turn in range(states):
                    pair.check(made.block(word, fields, r.randrange(4), wild=turn % 2 > 0), f"{form.name} {places}")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_instruction(forced: SideBySide, chapter: str) -> None:
    every(forced, chapter, 17, 4)


@pytest.mark.exhaustive
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_instruction_in_every_place(forced: SideBySide, chapter: str) -> None:
    every(forced, chapter, 1, 10)
