"""32-bit numbers in registers of 64, as regions work with them: the results are the reference's, and rotations are ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest

from engines.side_by_side import Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.engines.hosts import host, host_floats
from xenos.engines.llvm import library
from xenos.engines.llvm.compiler import Compiler
from xenos.engines.region.graph import Graph
from xenos.engines.region.profile import Profile
from xenos.engines.region.text import RegionText
from xenos.engines.stencil.pins import homes
from xenos.isa import find_guest
from xenos.memory.flat import BASE

NUMBERS = (5, 6, 7, 10, 11, 28)
EDGES = (0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - (1 << 31),
         (1 << 64) - (1 << 31) - 1, 0x1234_5678_9abc_def0)
TWO = ("addw", "subw", "sllw", "srlw", "sraw", "and", "or", "xor", "and", "or", "xor", "add", "sub")
SMALL = ("andi", "ori", "xori", "addiw", "addi")
SHIFTS = ("slliw", "srliw", "sraiw", "slli", "srli", "srai")


def line(r: Random) -> str:
    """One that makes such a number, or works with some, or moves one."""
    to, first, second = (f"x{r.choice(NUMBERS)}" for _ in range(3))
    kind = r.randrange(10)
    if kind < 4:
        return f"{r.choice(TWO)} {to}, {first}, {r.choice((second, second, 'zero'))}"
    if kind < 7:
        width = (name := r.choice(SHIFTS)).endswith("w")
        return f"{name} {to}, {first}, {r.randrange(32 if width else 64)}"
    if kind < 9:
        return f"{r.choice(SMALL)} {to}, {first}, {r.choice((0, 0, -1, 1, 255, -2048, 2047))}"
    return f"{r.choice(('slt', 'sltu', 'mulw', 'divw', 'remuw', 'mul'))} {to}, {first}, {second}"


def block(seed: int) -> Block:
    """A loop of them."""
    r = Random(f"narrow {seed}")
    lines = [line(r) for _ in range(r.randrange(4, 40))]
    skip = r.randrange(len(lines))
    lines.insert(skip, f"beq x{r.choice(NUMBERS)}, x{r.choice(NUMBERS)}, {4 * r.randrange(1, len(lines) - skip + 1)}")
    words = [ASSEMBLER.assemble(one) for one in (*lines, "addi x8, x8, -1", f"bne x8, zero, {-4 * (len(lines) + 1)}")]
    return Block(tuple(words), registers({8: r.randrange(1, 9)} | {n: r.choice((*EDGES, r.getrandbits(64))) for n in NUMBERS}))


@pytest.fixture(scope="module", params=[False, True], ids=["exact", "plain"])
def pair(request: pytest.FixtureRequest) -> Iterator[SideBySide]:
    """With regions that keep registers for faults, or none."""
    made = SideBySide(forced=True, plain=request.param)
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(150))
def test_results(pair: SideBySide, seed: int) -> None:
    pair.check(block(seed), f"seed {seed}")


def module(lines: tuple[str, ...], machine: str, exact: bool) -> str:
    """What LLVM's few passes make of a loop's region."""
    words = {4 * at: ASSEMBLER.assemble(one) for at, one in enumerate((*lines, f"bne a1, zero, {-4 * len(lines)}", "ecall"))}
    guest, target = find_guest("riscv64"), host(machine)
    graph = Graph(guest.instructions(), lambda pc: (words[pc], 4) if pc in words else None, 0, Profile())
    pins = {offset: pin for pin, offset in homes(guest, target).items()}
    text = RegionText(graph, guest.layout, pins, target, host_floats(1, machine), BASE, guest.alignment, exact).write()
    cpu, features = target.CPUS[1]
    return str(Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)._optimized(text, 1))


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """llvmlite's own modules can be printed."""
    monkeypatch.setattr(library, "_KNOWN", ())


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("exact", [True, False])
def test_a_rotation_of_a_word_is_one(machine: str, exact: bool) -> None:
    """Though its parts are in registers that a way out of the loop puts back."""
    lines = ("slliw t0, a0, 21", "srliw t1, a0, 11", "or a2, t0, t1", "slliw t0, a0, 7", "srliw t1, a0, 25", "or t0, t0, t1",
             "xor a2, a2, t0", "addiw a3, a2, 0", "addw a0, a0, a3", "addi a1, a1, -1")
    assert module(lines, machine, exact).count("@llvm.fshl.i32(i32 %") >= 2


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize(("load", "use", "wide"), [("lw", "add", True), ("lwu", "add", True), ("lw", "addw", False),
                                                   ("lwu", "addw", False), ("lw", "or", True)])
def test_a_word_is_extended_as_it_is_loaded_where_that_is_wanted(load: str, use: str, wide: bool) -> None:
    """Else it is a word in the loop, and extended for the ways out."""
    text = module((f"{load} t0, 0(a0)", f"{use} a2, a2, t0", "addi a1, a1, -1"), "x86_64", False)
    loaded = re.search(r"(%\S+) = load volatile i32", text)
    assert loaded is not None
    assert bool(re.search(rf"= [sz]ext (nneg )?i32 {loaded[1]} to i64", text)) == wide
    assert bool(re.search(rf"= freeze i32 {loaded[1]}\n", text)) != wide
