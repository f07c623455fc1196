"""Accesses that fail in the middle of regions: the state is the reference engine's, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engines.hot_regions import HotSideBySide
from engines.side_by_side import DATA, DATA_SIZE, READ, WRITE, Block, registers
from engines.test_exact_stops import ACCESSES, GUARDED, PAGE, PLACES, VALUE, number_of
from engines.wild_blocks import ASSEMBLER
from xenos.cpu import layout as at
from xenos.cpu.exits import Breakpoint, Fault

LAST = GUARDED + 3 * PAGE       # what can be read and written ends here


@pytest.fixture(scope="module")
def hot() -> Iterator[HotSideBySide]:
    made = HotSideBySide()
    made.memory.map(GUARDED, PAGE, READ)
    made.memory.map(GUARDED + PAGE, PAGE, 0)
    made.memory.map(GUARDED + 2 * PAGE, PAGE, READ | WRITE)
    made.others[GUARDED + 2 * PAGE] = bytes(i * 7 & 255 for i in range(PAGE))
    yield made
    made.close()


def loop(*lines: str, x: dict[int, int] | None = None) -> Block:
    """Lines gone through up to six times, among others that use many registers, in memory and in the host's."""
    inside = ("addi a5, a5, 1", "add t6, t6, a5", "xor s2, s2, t6", "fsgnj.d ft3, fs2, fs3", *lines, "sub s11, s11, a5",
              "fsgnj.d fs2, ft3, ft4", "addi a6, a6, -1")
    words = [ASSEMBLER.assemble(line) for line in inside]
    back = -sum(4 if word & 3 == 3 else 2 for word in words)
    distinct = {i: VALUE * (2 * i + 1) & (1 << 64) - 1 for i in range(1, 32)}
    return Block((*words, ASSEMBLER.assemble(f"bne a6, zero, {back}")), registers({**distinct, 16: 6, **(x or {})}, distinct),
                 memory=bytes(i & 255 for i in range(DATA_SIZE)))


@pytest.mark.parametrize("place", (0, 1, 3))
@pytest.mark.parametrize("access", ACCESSES)
def test_access_that_fails_in_a_loop(hot: HotSideBySide, access: str, place: int) -> None:
    """At once or some rounds later: in front of, behind and across every border, and where addresses are none."""
    names = PLACES[place]
    line, base = access.format(**names), names["b"]
    block = loop(line, f"addi {base}, {base}, 8")
    starts = [border - 8 * rounds + offset for border in (GUARDED, GUARDED + PAGE, GUARDED + 2 * PAGE, LAST, DATA + DATA_SIZE)
              for rounds in (0, 1, 4) for offset in (0, -4, -3, 3)]
    before = hot.hot.compiled
    hot.cpu.set(at.HOST_PC, 0)
    blocks = []
    for start in (*starts, 1 << 63, (1 << 47) - 12, 1 << 46, (1 << 64) - 9, 0):
        data = bytearray(block.registers)
        data[8 * number_of(base):8 * number_of(base) + 8] = start.to_bytes(8, "little")
        reserved = (start, 0) if access.startswith("sc") else block.reserved     # without one nothing is stored, and nothing fails
        blocks.append(replace(block, registers=bytes(data), reserved=reserved))
    hot.check_all(blocks, line)
    assert hot.hot.compiled > before and hot.hot.failed_in_a_region(hot.cpu)


def test_the_access_that_failed_is_made_again(hot: HotSideBySide) -> None:
    """With what is mapped changed in between, as a handler does, the run is what it would have been."""
    block = loop("ld a0, 0(s0)", "add s3, s3, a0", "sd s3, 8(s0)", "addi s0, s0, 8", x={8: LAST - 24})
    address = hot.place(block)
    outcomes = []
    for engine in (hot.hot, hot.reference):
        hot.begin(block, address)
        left = engine.run(hot.cpu, hot.memory, 1000)  # type: ignore[attr-defined]
        assert left == Fault(Fault.WRITE, LAST, Fault.NOTHING)
        hot.memory.map(LAST, PAGE, READ | WRITE)
        outcomes.append(hot.outcome(engine.run(hot.cpu, hot.memory, 1000), block))  # type: ignore[attr-defined]
        hot.memory.unmap(LAST, PAGE)
    assert outcomes[0] == outcomes[1] and outcomes[0].left == Breakpoint()
    assert hot.hot.failed_in_a_region(hot.cpu)


def test_many_accesses_in_one_region(hot: HotSideBySide) -> None:
    """Each of them is found, whichever fails: the others before it have been done, those behind it have not."""
    lines = [f"{name} {'f' * name.startswith('f')}a{number % 6}, {8 * number}(s0)"
             for number, name in enumerate(["ld", "sd", "fld", "fsd", "lw", "sw", "flw", "fsw", "lbu", "sb", "lh", "sh"] * 4)]
    block = loop(*lines)
    blocks = []
    for number in range(len(lines) + 1):
        data = bytearray(block.registers)
        data[64:72] = (LAST - 8 * number).to_bytes(8, "little")
        blocks.append(replace(block, registers=bytes(data)))
    hot.check_all(blocks, "many")
    assert hot.hot.failed_in_a_region(hot.cpu)
