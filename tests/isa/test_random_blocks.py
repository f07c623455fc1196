"""Random code of many instructions, in a loop: each engine against qemu-riscv64."""

from __future__ import annotations

import pytest

from isa.engine_runner import EngineRunner
from isa.random_blocks import BlockMaker, usable
from oracles import missing, run_words
from oracles.cases import Case, Result
from xenos.isa import find_guest
from xenos.semantics.disassembler import Disassembler

COUNT = 1000
GUEST = find_guest("riscv64")
DISASSEMBLER = Disassembler(GUEST.instructions(), GUEST.names)


def listing(case: Case) -> str:
    """The code, to look at."""
    lines = []
    for word in case.words:
        decoded = GUEST.instructions().decoder.decode(word, 4 if word & 3 == 3 else 2)
        lines.append(DISASSEMBLER.text(decoded) if decoded else f"{word:#x}")
    return "\n".join(lines)


def compare(cases: list[Case], wanted: list[Result], given: list[Result]) -> None:
    """Fail with the first case whose results differ."""
    for number, (case, want, have) in enumerate(zip(cases, wanted, given, strict=True)):
        same = (want.signal, want.pc, want.x, want.f, want.fcsr, want.memory) == (
            have.signal, have.pc, have.x, have.f, have.fcsr, have.memory)
        registers = [f"{'xf'[i > 31]}{i % 32}: {a:#x} wanted, {b:#x} given"
                     for i, (a, b) in enumerate(zip(want.x + want.f, have.x + have.f, strict=True)) if a != b]
        assert same, (f"case {number}:\n{listing(case)}\n"
                      f"signal {want.signal} {have.signal}, pc {want.pc:#x} {have.pc:#x}, "
                      f"fcsr {want.fcsr:#x} {have.fcsr:#x}, memory {want.memory == have.memory}, {registers}")


@pytest.mark.skipif(bool(missing(10)), reason=missing(10))
@pytest.mark.parametrize(("length", "rounds"), [(6, 1), (40, 3)])
def test_qemu_agrees(runner: EngineRunner, length: int, rounds: int) -> None:
    maker = BlockMaker(length, usable())
    cases = [maker.case(length, rounds) for _ in range(COUNT // runner.every)]
    compare(cases, run_words(cases, 10), runner.run(cases))


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_old_qemu_agrees(runner: EngineRunner) -> None:
    maker = BlockMaker(7, usable(new=False))
    cases = [maker.case(20, 2) for _ in range(COUNT // runner.every)]
    compare(cases, run_words(cases), runner.run(cases))
