"""Loops with many temporary registers: wherever a CPU is stopped in one, all registers are what they are there."""

from __future__ import annotations

from random import Random

from engines.side_by_side import DATA, Block, SideBySide, differences, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu.exits import Budget

MADE = (9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28)     # registers that a loop computes with; others: 5 counts, 8 leads to data
ROUNDS = 40
THREE = ("add", "sub", "xor", "and", "or", "addw", "mul", "sltu")


def body(r: Random) -> list[str]:
    """Instructions of one round, with jumps over some of them."""
    lines: list[str] = []
    for _ in range(r.randrange(1, 4)):
        part = [one(r) for _ in range(r.randrange(1, 14))]
        if r.random() < 0.5:
            skipped = [one(r) for _ in range(r.randrange(1, 5))]
            part += [f"{r.choice(('beq', 'bltu'))} x{r.choice(MADE)}, x{r.choice(MADE)}, {4 + 4 * len(skipped)}", *skipped]
        lines += part
    return lines


def one(r: Random) -> str:
    a, b, c = (f"x{r.choice(MADE)}" for _ in range(3))
    return r.choice((f"{r.choice(THREE)} {a}, {b}, {c}", f"slli {a}, {b}, {r.randrange(64)}", f"addiw {a}, {b}, 0",
                     f"addi {a}, {b}, {r.randrange(-99, 99)}", f"ld {a}, {8 * r.randrange(8)}(x8)",
                     f"sd {a}, {8 * r.randrange(8)}(x8)"))


def program(r: Random) -> tuple[int, ...]:
    """A loop, or one around it."""
    inner = body(r)
    lines = [*inner, "addi x5, x5, -1", f"bne x5, zero, {-4 * (len(inner) + 1)}"]
    if r.random() < 0.5:
        lines = [f"addi x5, zero, {r.randrange(1, 9)}", *lines, *body(r), "addi x6, x6, -1"]
        lines.append(f"bne x6, zero, {-4 * len(lines)}")
    return tuple(map(ASSEMBLER.assemble, lines))


def test_stopped_anywhere(plain: SideBySide) -> None:
    for seed in range(60):
        r = Random(f"loops {seed}")
        x = {number: r.choice((r.getrandbits(64), r.randrange(100))) for number in MADE} | {5: ROUNDS, 6: 6, 8: DATA}
        block = Block(program(r), registers(x), memory=r.randbytes(64))
        address = plain.place(block)
        plain.begin(block, address)
        most = r.choice((20, 200, 2000))
        seen = []
        while not seen or isinstance(seen[-1].left, Budget):
            seen.append(plain.outcome(plain.stencil.run(plain.cpu, plain.memory, r.randrange(1, most)), block))
        plain.begin(block, address)
        done = 0
        for number, have in enumerate(seen):
            more = have.count - done + (not isinstance(have.left, Budget))
            want = plain.outcome(plain.reference.run(plain.cpu, plain.memory, more), block)
            assert have == want, f"seed {seed}, slice {number}: {differences(have, want)}"
            done = have.count
    assert plain.stencil.segments and any(segment.wild for segment in plain.stencil.segments)
