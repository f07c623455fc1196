"""Units that go on where jumps go: code of a file mapping, with calls of short functions and jumps to the heads of loops."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from engines.side_by_side import BEST, DATA, DATA_SIZE, EXECUTE, GUEST, READ, WRITE, pack, registers
from engines.test_links import check
from engines.wild_blocks import ASSEMBLER
from xenos.cpu import layout as at
from xenos.cpu.exits import Breakpoint, Budget, Exit, Fault
from xenos.cpu.state import Cpu
from xenos.engines.code.segment import BLOCKS, COPY, UNITS
from xenos.engines.code.store import Store
from xenos.engines.reference import ReferenceEngine
from xenos.engines.stencil.engine import StencilEngine
from xenos.memory.flat import FlatMemory

START = 0x4100_0000
FUNCTIONS, CASES = 6, 8
USED = ("a0", "a1", "a4", "a6", "a7", "s1", "s3", "s4", "t0", "t3", "t4")   # some have pins on every host, some on none
PLAIN = ["add {0}, {1}, {2}", "xor {0}, {1}, {2}", "sub {0}, {0}, {1}", "addi {0}, {1}, {3}", "addiw {0}, {1}, 0",
         "mul {0}, {1}, {2}", "slliw {0}, {1}, 3", "srli {0}, {1}, 5", "ld {0}, {4}(s0)", "sd {1}, {4}(s0)", "lbu {0}, {4}(s0)",
         "rem {0}, {1}, {2}",
         "amoadd.d {0}, {1}, (s2)", "sltu {0}, {1}, {2}", "c.mv {0}, {1}"]
Line = str | tuple[str, str]    # of a program: an instruction, ("", a label), or a jump and its label


def fillers(random: Random, most: int) -> list[Line]:
    return [random.choice(PLAIN).format(*random.choices(USED, k=3), random.randrange(-2048, 2048), 8 * random.randrange(32))
            for _ in range(random.randrange(most))]


def program(random: Random) -> list[Line]:
    """A loop over a table of cases, as an interpreter has it; each case calls functions, and goes back to the head."""
    lines: list[Line] = ["addi t6, zero, 60", ("", "head"), *fillers(random, 3), ("beq t6, zero, {}", "end"), "addi t6, t6, -1",
                         f"andi t5, t6, {CASES - 1}", "slli t5, t5, 2", ("auipc t1, 0", ""), "add t1, t1, t5", "jalr zero, 12(t1)"]
    lines += [("jal zero, {}", f"case{number}") for number in range(CASES)]
    for number in range(CASES):
        lines += [("", f"case{number}"), *fillers(random, 5)]
        for _ in range(random.randrange(4)):
            lines += [("jal ra, {}", f"function{random.randrange(FUNCTIONS)}"), *fillers(random, 4)]
        if random.random() < 0.4:
            goal = f"case{random.randrange(number + 1, CASES)}" if number + 1 < CASES else "head"
            lines += [(f"{random.choice(('bne', 'bltu'))} a0, a1, {{}}", goal), *fillers(random, 3)]
        lines.append(("jal zero, {}", random.choice(("head", "head", f"shared{random.randrange(2)}"))))
    for number in range(2):
        lines += [("", f"shared{number}"), *fillers(random, 6), ("jal zero, {}", "head")]
    for number in range(FUNCTIONS):
        lines += [("", f"function{number}"), *fillers(random, 9)]
        if random.random() < 0.3:
            lines += ["srli t2, t2, 9", ("bne t2, zero, {}", f"function{number}"), *fillers(random, 3)]
        lines.append("jalr zero, 0(ra)")
    return [*lines, ("", "end"), "c.ebreak"]


def assembled(lines: list[Line]) -> bytes:
    """All jumps are of the long kind, so that one pass finds the labels."""
    labels: dict[str, int] = {}
    place = 0
    for line in lines:
        if not isinstance(line, str) and not line[0]:
            labels[line[1]] = place
        else:
            place += 2 if line[:2] == "c." else 4
    code = b""
    for line in lines:
        if isinstance(line, str):
            code += ASSEMBLER.assemble(line).to_bytes(2 if line.startswith("c.") else 4, "little")
        elif line[0]:
            code += ASSEMBLER.assemble(line[0].format(labels.get(line[1], 0) - len(code))).to_bytes(4, "little")
    return code


class Guest:
    """A program in a file that is mapped, and both engines."""

    def __init__(self, folder: Path) -> None:
        self.cpu = Cpu(GUEST.layout)
        self.memory = FlatMemory()
        self.memory.map(DATA, DATA_SIZE, READ | WRITE)
        self.store = Store(str(folder / "code"))
        self.file = folder / "program"
        self.stencil = StencilEngine(pack(BEST), store=self.store)
        self.reference = ReferenceEngine(GUEST)

    def load(self, code: bytes) -> None:
        """Map a file with this code, in place of the last."""
        self.file.unlink(missing_ok=True)
        self.file.write_bytes(code.ljust(4096, b"\0"))
        fd = os.open(self.file, os.O_RDONLY)
        self.memory.map(START, 4096, READ | EXECUTE, fd=fd, offset=0)
        os.close(fd)

    def run(self, stencil: bool, base: int, seed: int, budget: int = 1_000_000) -> tuple[Exit, int, int, bytes, bytes]:
        """From a state made of a number to wherever it ends: what is to be seen then."""
        random = Random(seed)
        x = {number: random.getrandbits(random.choice((3, 12, 64))) for number in range(1, 32)}
        self.cpu.bytes[at.CONTROL_SIZE:at.CONTROL_SIZE + GUEST.layout.size] = registers({**x, 8: base, 18: DATA + 8})
        self.cpu.set(at.COUNT, 0)
        self.cpu.pc = START
        self.memory.view[DATA:DATA + DATA_SIZE] = random.randbytes(DATA_SIZE)
        left = (self.stencil if stencil else self.reference).run(self.cpu, self.memory, budget)  # type: ignore[attr-defined]
        return (left, self.cpu.pc, self.cpu.count, bytes(self.cpu.bytes[at.CONTROL_SIZE:at.CONTROL_SIZE + GUEST.layout.size]),
                bytes(self.memory.view[DATA:DATA + DATA_SIZE]))

    def same(self, base: int, seed: int) -> Exit:
        """Run on both engines, and see that there is no difference; gives the exit."""
        have, want = self.run(True, base, seed), self.run(False, base, seed)
        for part, ours, theirs in zip(("exit", "pc", "count", "registers", "memory"), have, want, strict=True):
            assert ours == theirs, (part, hex(have[1]), hex(want[1]))
        return want[0]


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    made = Guest(tmp_path)
    yield made
    made.stencil.runtime.restore()
    made.memory.close()


@pytest.mark.parametrize("seed", range(12))
def test_units_that_follow_jumps_do_as_the_reference_engine(guest: Guest, seed: int) -> None:
    guest.load(assembled(program(Random(seed))))
    assert isinstance(guest.same(DATA, seed), Breakpoint)
    assert isinstance(guest.same(DATA, seed + 1), Breakpoint)
    segment = guest.stencil.segments[0]
    copies = [pc & ~COPY for pc in segment._list(BLOCKS)[::2] if pc & COPY]
    own = [pc for pc in segment._list(BLOCKS)[::2] if not pc & COPY]
    assert len(copies) > 10 and len(own) == len(set(own)), "each address has one block that is not a copy"
    assert check(guest.stencil) > 10
    for pc in own:
        assert guest.stencil.table.find(pc + segment.low)
    # Each block's unit says where it was translated from.
    for pc, offset in zip(segment._list(BLOCKS)[::2], segment._list(BLOCKS)[1::2], strict=True):
        found, where, unit = segment.block(offset)
        first, end = segment.unit(unit)
        assert (found, where) == ((pc & ~COPY) + segment.low, offset) and first <= found < end


@pytest.mark.parametrize("seed", range(12))
def test_faults_in_copies_are_exact(guest: Guest, seed: int) -> None:
    """Where the base of most accesses lies before the end of the data decides which of them fault."""
    guest.load(assembled(program(Random(seed))))
    faults = 0
    for base in range(DATA + DATA_SIZE - 256, DATA + DATA_SIZE, 24):
        faults += isinstance(guest.same(base, seed), Fault)
    assert faults > 5


def test_units_come_back_from_the_cache(guest: Guest) -> None:
    guest.load(assembled(program(Random(1))))
    guest.same(DATA, 1)
    guest.stencil.save()
    units = guest.stencil.segments[0]._words[UNITS + 8 >> 3]
    guest.stencil = StencilEngine(guest.stencil.pack, store=guest.store)
    guest.same(DATA, 1)
    guest.same(DATA + DATA_SIZE - 100, 1)
    assert guest.stencil.loaded and guest.stencil.translated < units
    check(guest.stencil)


def test_units_of_another_file_in_the_same_place_are_forgotten(guest: Guest) -> None:
    for seed in range(4):
        guest.load(assembled(program(Random(seed))))
        guest.same(DATA, seed)


def test_a_loop_of_followed_jumps_stops_at_its_limit(guest: Guest) -> None:
    """Back to the head by a jump that is left out: the poll is still there."""
    guest.load(assembled([("", "head"), "addi a0, a0, 1", ("beq a0, zero, {}", "head"), ("jal zero, {}", "tail"), "c.ebreak",
                          ("", "tail"), "addi a1, a1, 1", ("jal zero, {}", "head")]))
    left, _, count, _, _ = guest.run(True, DATA, 0, 10_000)
    assert isinstance(left, Budget) and 10_000 <= count < 10_000 + 64
