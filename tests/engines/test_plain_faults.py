"""Accesses that fail in regions that keep no registers for that: the guest's pc, what failed, and memory are the reference's."""

from __future__ import annotations

from random import Random

import pytest

from engines.side_by_side import DATA, DATA_SIZE, Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER

MANY = tuple(n for n in range(5, 31) if n not in (8, 9))      # more than the host has: LLVM puts all kinds of things away
TWO = ("add", "sub", "xor", "and", "or", "mul", "addw", "subw", "slt", "sltu")
LOADS = ("lw", "lwu", "lh", "lhu", "lb", "lbu", "ld")
STORES = ("sw", "sd", "sh", "sb")
ATOMIC = ("amoadd", "amoswap", "amoand", "amoor", "amoxor", "amomin", "amomaxu")


def line(r: Random, few: tuple[int, ...]) -> str:
    """A step of one kind or another, most of them with few registers or many."""
    to, first, second = (f"x{r.choice(few)}" for _ in range(3))
    kind = r.randrange(10)
    where = f"{4 * r.randrange(-16, 16)}(x{r.choice((8, 9))})"
    if kind < 4:
        return f"{r.choice(TWO)} {to}, {first}, {second}"
    if kind < 5:
        return f"{r.choice(('addi', 'andi', 'xori', 'addiw'))} {to}, {first}, {r.choice((0, 1, -1, 255))}"
    if kind < 8:
        return f"{r.choice(LOADS)} {to}, {where}"
    if kind < 9:
        return f"{r.choice(STORES)} {first}, {where}"
    return f"{r.choice(ATOMIC)}.{r.choice('wd')} {to}, {first}, (x{r.choice((8, 9))})"


def block(seed: int, wild: bool) -> Block:
    """A loop with accesses around the ends of a page, or somewhere where no memory can be."""
    r = Random(f"plain faults {seed} {wild}")
    lines = [line(r, r.choice((MANY, MANY[:6]))) for _ in range(r.randrange(4, 60))]
    for _ in range(r.randrange(3)):
        skip = r.randrange(len(lines))
        lines.insert(skip, f"{r.choice(('beq', 'bne', 'blt'))} x{r.choice(MANY)}, x{r.choice(MANY)}, "
                           f"{4 * r.randrange(1, len(lines) - skip + 1)}")
    lines += [f"addi x8, x8, {r.choice((0, 4, 64, -4))}", "addi x31, x31, -1"]
    words = [ASSEMBLER.assemble(one) for one in (*lines, f"bne x31, zero, {-4 * len(lines)}")]
    ends = [r.choice((DATA + DATA_SIZE - 4 * r.randrange(-2, 24), DATA + 4 * r.randrange(24), DATA + DATA_SIZE // 2))
            for _ in range(2)]
    if wild:
        ends[r.randrange(2)] = r.getrandbits(64) & r.choice((-1, -8)) & (1 << r.choice((64, 64, 63, 49))) - 1
    return Block(tuple(words), registers({31: r.randrange(1, 9), 8: ends[0], 9: ends[1]}
                                         | {n: r.getrandbits(64) >> r.choice((0, 32, 63)) for n in MANY}),
                 memory=r.randbytes(DATA_SIZE), area=r.randrange(2))


@pytest.mark.parametrize("wild", [False, True])
@pytest.mark.parametrize("seed", range(300))
def test_a_fault_is_told_with_its_place(plain: SideBySide, seed: int, wild: bool) -> None:
    one = block(seed, wild)
    have, want = plain.run(one)
    assert (have.left, have.pc, have.memory) == (want.left, want.pc, want.memory), one.listing()


def test_an_atomic_access_fails_behind_those_before_it(plain: SideBySide) -> None:
    """LLVM makes a loop of some, and would have its first load fail before a load that comes earlier, in three of sixty regions."""
    one = block(1819, wild=True)
    for _ in range(60):
        have, want = plain.run(one)
        assert (have.left, have.pc) == (want.left, want.pc), one.listing()
