"""Random blocks: the stencil engine does what the reference engine does, at every host level; and lockstep finds out when not."""

from __future__ import annotations

import struct
from copy import copy

import pytest

from engines.conftest import Pairs
from engines.side_by_side import BEST, DATA, LEVELS, SideBySide, registers
from engines.side_by_side import Block as OneBlock
from engines.wild_blocks import ASSEMBLER, WildBlocks
from xenos.cpu.exits import Breakpoint, Fault, Syscall
from xenos.engines.lockstep import LockstepEngine
from xenos.engines.stencil.engine import StencilEngine
from xenos.engines.translator import layout as at
from xenos.errors import EngineError

# (host level, seed, blocks, instructions of each): ten thousand at the best level, a sample at those below.
RUNS = [(BEST, seed, 2400, 12) for seed in range(4)] + [(BEST, 4, 400, 90)] + [(level, 5, 500, 12) for level in LEVELS[:-1]]


@pytest.mark.parametrize(("level", "seed", "count", "length"), RUNS)
def test_random_blocks(pairs: Pairs, level: int, seed: int, count: int, length: int) -> None:
    maker = WildBlocks(seed)
    for number in range(count):
        pairs.at(level).check(maker.block(length), f"seed {seed}, block {number}")


def lockstep(pair: SideBySide) -> LockstepEngine:
    return LockstepEngine(StencilEngine(pair.stencil.pack), pair.reference)


def confused(pair: SideBySide, line: str, instead: str) -> LockstepEngine:
    """Lockstep of an engine that takes every instruction like `line` for one like `instead`: its book is wrong there."""
    pack = copy(pair.stencil.pack)
    book = bytearray(pack.book())
    forms = []
    for word in map(ASSEMBLER.assemble, (instead, line)):
        leaf = int.from_bytes(book[at.LEAVES:at.LEAVES + 8], "little")
        mask, value = struct.unpack_from("<II", book, leaf + at.LEAF_MASK)
        while word & mask != value:
            leaf += at.LEAF
            mask, value = struct.unpack_from("<II", book, leaf + at.LEAF_MASK)
        forms.append(leaf + at.LEAF_FORM)
    book[forms[1]:forms[1] + 4] = book[forms[0]:forms[0] + 4]
    pack.book = lambda: bytes(book)
    return LockstepEngine(StencilEngine(pack), pair.reference)


def block(*lines: str, **x: int) -> OneBlock:
    return OneBlock(tuple(map(ASSEMBLER.assemble, lines)), registers({int(name[1:]): value for name, value in x.items()}),
                    memory=bytes(range(256)))


def test_lockstep_runs_to_the_end(pair: SideBySide) -> None:
    """Stores happen once, a loop leaves after each round, the clock may differ, the exit is the stencil engine's."""
    program = block("addi x31, zero, 5", "ld a1, 0(s0)", "addi a1, a1, 1", "sd a1, 0(s0)", "amoadd.d a2, a1, (s0)", "csrr a3, time",
                    "fence.i", "addi x31, x31, -1", "bne x31, zero, -26", "ecall", x8=DATA)
    words = program.words
    assert len(words) == 10
    sizes = [4 if word & 3 == 3 else 2 for word in words]
    back = -sum(sizes[1:8])
    program = block("addi x31, zero, 5", "ld a1, 0(s0)", "addi a1, a1, 1", "sd a1, 0(s0)", "amoadd.d a2, a1, (s0)",
                    "csrr a3, time", "fence.i", "addi x31, x31, -1", f"bne x31, zero, {back}", "ecall", x8=DATA)
    engine = lockstep(pair)
    address = pair.place(program)
    pair.begin(program, address)
    assert engine.run(pair.cpu, pair.memory, 1000) == Syscall()
    assert (pair.cpu.read("x", 31), pair.cpu.count - 1000, pair.cpu.pc) == (0, 42, address + sum(sizes))
    assert engine.blocks > 5


@pytest.mark.parametrize(("line", "left"), [
    ("c.ebreak", Breakpoint()), ("sd a1, 0(s0)", Fault(Fault.WRITE, 1 << 63)),
    ("amoadd.d a1, a1, (s0)", Fault(Fault.WRITE, 1 << 63))])
def test_lockstep_leaves_as_they_do(pair: SideBySide, line: str, left: object) -> None:
    program = block("addi a1, a1, 1", line, "addi a1, a1, 1", x8=1 << 63)
    address = pair.place(program)
    pair.begin(program, address)
    assert lockstep(pair).run(pair.cpu, pair.memory, 1000) == left
    assert (pair.cpu.read("x", 11), pair.cpu.pc, pair.cpu.count - 1000) == (1, address + 4, 1)


def test_lockstep_names_the_instruction(pair: SideBySide) -> None:
    """With a stencil that is wrong on purpose: addition where there should be subtraction."""
    engine = confused(pair, "sub a0, a1, a2", "add a0, a1, a2")
    program = block("addi a3, zero, 1", "sd a3, 0(s0)", "sub a0, a1, a2", "add a4, a0, a0", "ecall", x8=DATA, x11=5, x12=3)
    address = pair.place(program)
    pair.begin(program, address)
    with pytest.raises(EngineError, match=rf"`sub a0, a1, a2` at {address + 8:#x}: a0 0x8, should be 0x2$"):
        engine.run(pair.cpu, pair.memory, 1000)


def test_lockstep_sees_wrong_stores(pair: SideBySide) -> None:
    engine = confused(pair, "sd a0, 8(s0)", "sw a0, 8(s0)")
    program = block("sd a0, 8(s0)", "ecall", x8=DATA, x10=0x1122_3344_5566_7788)
    address = pair.place(program)
    pair.begin(program, address)
    with pytest.raises(EngineError, match=rf"`sd a0, 8\(s0\)` at {address:#x}: byte at {DATA + 12:#x} 0x0c, should be 0x44"):
        engine.run(pair.cpu, pair.memory, 1000)
