"""Stops in the middle: illegal words, memory that ends or is protected, code that changes; all before is done, all else not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from engines.both import ON_BOTH
from engines.side_by_side import AREA_SIZE, AREAS, DATA, DATA_SIZE, EXECUTE, READ, WRITE, Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu.exits import Breakpoint, Fault, Illegal

pytestmark = ON_BOTH
GUARDED = 0x5000_0000       # one page that can be read, one that cannot be touched, one for all, one for nothing but code
PAGE = 0x1000
VALUE = 0x1122_3344_5566_7788
ACCESSES = [
    *(f"{name} {{v}}, 0({{b}})" for name in ("lb", "lbu", "lh", "lhu", "lw", "lwu", "ld", "sb", "sh", "sw", "sd")),
    *(f"{name} {{f}}, 0({{b}})" for name in ("flh", "flw", "fld", "fsh", "fsw", "fsd")),
    *(f"{name}.{size} {{v}}, {{w}}, ({{b}})" for size in "wd" for name in (
        "amoswap", "amoadd", "amoxor", "amoand", "amoor", "amomin", "amomax", "amominu", "amomaxu", "sc")),
    "lr.w {v}, ({b})", "lr.d {v}, ({b})", "cbo.zero ({b})"]
# Pinned in the host's registers, kept in memory, and both.
PLACES = [{"b": "s0", "v": "a0", "w": "a1", "f": "fa0"}, {"b": "t3", "v": "t4", "w": "t5", "f": "ft0"},
          {"b": "s1", "v": "t4", "w": "a4", "f": "fs0"}, {"b": "a0", "v": "a0", "w": "a0", "f": "fa0"},
          {"b": "t3", "v": "zero", "w": "t3", "f": "ft0"}]


@pytest.fixture
def guarded(pair: SideBySide) -> Iterator[SideBySide]:
    for page, prot in enumerate((READ, 0, READ | WRITE, READ | EXECUTE)):
        pair.memory.map(GUARDED + page * PAGE, PAGE, prot)
    pair.others[GUARDED + 2 * PAGE] = bytes(i & 255 for i in range(PAGE))
    yield pair
    pair.others.clear()
    pair.memory.unmap(GUARDED, 4 * PAGE)


def block(*lines: str, x: dict[int, int] | None = None, f: dict[int, int] | None = None) -> Block:
    """All registers differ from one another, so that none can be lost or mixed up unseen."""
    distinct = {i: VALUE * (2 * i + 1) & (1 << 64) - 1 for i in range(1, 32)}
    return Block(tuple(map(ASSEMBLER.assemble, lines)), registers({**distinct, **(x or {})}, f or distinct),
                 memory=bytes(i & 255 for i in range(DATA_SIZE)))


def number_of(name: str) -> int:
    return {"s0": 8, "s1": 9, "a0": 10, "t3": 28}[name]


@pytest.mark.parametrize("place", range(len(PLACES)))
@pytest.mark.parametrize("access", ACCESSES)
def test_access_that_fails(guarded: SideBySide, access: str, place: int) -> None:
    """In front of, behind and across every border; in the middle of a block whose other instructions count."""
    names = PLACES[place]
    line = access.format(**names)
    edges = [GUARDED + page * PAGE + offset for page in range(5) for offset in (-8, -4, -3, -1, 0, 1, 8)]
    guarded.check_all([block("addi a5, a5, 1", line, "addi a5, a5, 1", x={number_of(names["b"]): address}) for address in (
        *edges, DATA + DATA_SIZE - 1, DATA - 1, 1 << 63, (1 << 47) - 4, 1 << 46, (1 << 64) - 1, 0)], f"{line} at {names['b']}")


@pytest.mark.parametrize("word", [0, 0xFFFF_FFFF, 0x0000_707F, 0x0200_705B, 0x8002])
def test_illegal_word_in_a_block(pair: SideBySide, word: int) -> None:
    before = [ASSEMBLER.assemble("addi a0, a0, 1")] * 5
    program = Block((*before, word, *before), registers())
    have, want = pair.run(program)
    assert have == want and have.left == Illegal(word) and have.count == 5


@pytest.mark.parametrize("regions", [17, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_blocks_of_every_length_that_end_in_a_fault(pair: SideBySide, regions: int) -> None:
    """Also those of more instructions than are translated at once, and after branches not taken. One in so many is a region."""
    for number, (length, filler, last) in enumerate(product(
            (0, 1, 2, 62, 63, 64, 65, 127, 128, 200),
            ("addi a0, a0, 1", "c.addi a0, 1", "beq a0, zero, 8", "ld a1, 0(s0)", "addi zero, zero, 0"),
            ("ld a0, 0(s1)", "amoadd.d a0, a1, (s1)", "sd a1, 0(s1)", "csrrs a1, fflags, a0"))):
        if not pair.forced or number % regions == 0:
            pair.check(block(*[filler] * length, last, "addi a0, a0, 1", x={8: DATA, 9: 1 << 63, 10: 1}),
                       f"{length} {filler}, {last}")


def test_fault_in_a_loop_is_counted(pair: SideBySide) -> None:
    """The second, third ... round goes through links; the access leaves the data in one of them."""
    for step in (8, 64, 1024):
        pair.check(block("ld a0, 0(s0)", f"addi s0, s0, {step}", "add a1, a1, a0", "bne a1, zero, -12", x={8: DATA, 11: 1}))


def test_code_that_ends_with_its_memory(pair: SideBySide) -> None:
    """The last instruction is done; what is not there faults, and so does one of which only half is there."""
    end = GUARDED + PAGE
    for half in (False, True):
        pair.memory.map(GUARDED, PAGE, READ | WRITE | EXECUTE)
        try:
            code = block("addi a0, a0, 1", "addi a0, a0, 1").code() + (b"\x13\x05" if half else b"")
            pair.memory.write(end - len(code), code)
            for engine in (pair.stencil, pair.reference):
                pair.begin(block("addi zero, zero, 0"), end - len(code))
                pair.cpu.write("x", 10, 0)
                left = engine.run(pair.cpu, pair.memory, 100)  # type: ignore[attr-defined]
                assert left == Fault(Fault.EXECUTE, end, Fault.NOTHING)
                assert (pair.cpu.pc, pair.cpu.read("x", 10), pair.cpu.count) == (end - 2 * half, 2, 1002)
        finally:
            pair.memory.unmap(GUARDED, PAGE)


def test_code_that_changes_itself(pair: SideBySide) -> None:
    """With fence.i the new instruction is executed: in the block itself, in one linked before, and time and again."""
    one, five = (ASSEMBLER.assemble(f"addi a0, a0, {n}").to_bytes(4, "little") for n in (1, 5))
    program = block("jal zero, 4", "addi a0, a0, 1", "sw a1, 0(s0)", "fence.i", "addi a2, a2, -1", "bne a2, zero, -16", "c.ebreak",
                    x={10: 0, 12: 3})
    address = pair.place(program)
    for turn in range(3):
        pair.memory.view[address + 4:address + 8] = one
        pair.stencil.invalidate(address, address + 64)
        pair.begin(program, address)
        pair.cpu.write("x", 8, address + 4)
        pair.cpu.write("x", 11, int.from_bytes(five, "little"))
        assert pair.stencil.run(pair.cpu, pair.memory, 1000) == Breakpoint()
        assert pair.cpu.read("x", 10) == 1 + 5 + 5, turn


def test_changed_code_of_every_kind_is_seen(pair: SideBySide) -> None:
    """Whatever stood there first (also what leaves generated code), whatever comes then."""
    kinds = ["addi a0, a0, 1", "ebreak", "csrr a0, cycle", "fadd.d fa0, fa1, fa2, rmm", "fence.i", "ld a0, 0(s0)",
             "bne a0, zero, 8", "jal zero, 8"]
    address = AREAS[0] + AREA_SIZE - 64
    for first in kinds:
        for second in kinds:
            for line in (first, second):
                program = block(line, "c.ebreak", x={8: DATA, 10: 1})
                pair.memory.write(address, program.code() + b"\x02\x90" * 4)
                made = []
                for engine in (pair.stencil, pair.reference):
                    pair.begin(program, address)
                    made.append(pair.outcome(engine.run(pair.cpu, pair.memory, 100), program))  # type: ignore[attr-defined]
                assert made[0] == made[1], (first, second, line)


def test_unmapped_code_is_gone(pair: SideBySide) -> None:
    program = block("addi a0, a0, 1", "c.ebreak")
    for _ in range(3):
        pair.memory.map(GUARDED, PAGE, READ | WRITE | EXECUTE)
        pair.memory.write(GUARDED, program.code())
        pair.begin(program, GUARDED)
        assert pair.stencil.run(pair.cpu, pair.memory, 100) == Breakpoint()
        pair.memory.protect(GUARDED, PAGE, READ | WRITE)
        pair.begin(program, GUARDED)
        assert pair.stencil.run(pair.cpu, pair.memory, 100) == Fault(Fault.EXECUTE, GUARDED, Fault.PROTECTED)
        pair.memory.unmap(GUARDED, PAGE)
        pair.begin(program, GUARDED)
        assert pair.stencil.run(pair.cpu, pair.memory, 100) == Fault(Fault.EXECUTE, GUARDED, Fault.NOTHING)
