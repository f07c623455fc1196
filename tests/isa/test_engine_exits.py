"""How an engine stops, and that it stops exactly: nothing of the instruction that failed has happened."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from isa.engine_runner import EXECUTE, READ, WRITE, EngineRunner
from oracles import CODE, DATA, DATA_SIZE
from xenos.cpu import layout as at
from xenos.cpu.exits import Breakpoint, Budget, Exit, Fault, Illegal, Interrupted, Syscall
from xenos.isa import find_guest
from xenos.semantics.assembler import Assembler

GUEST = find_guest("riscv64")
ASSEMBLER = Assembler(GUEST.instructions(), GUEST.names)
A0, A1, A2, A3 = 10, 11, 12, 13
MISALIGNED = 3
NOWHERE = 0x5000_0000
END = DATA + DATA_SIZE


def code(lines: Sequence[str]) -> bytes:
    words = [ASSEMBLER.assemble(line) for line in lines]
    return b"".join(word.to_bytes(4 if word & 3 == 3 else 2, "little") for word in words)


def run(
    runner: EngineRunner, *lines: str, budget: int = 1000, at_pc: int = CODE, memory: bytes = b"", **x: int,
) -> Exit:
    """Run these lines with a0 to a3 given, all else zero; the registers stay for the test to look at."""
    cpu = runner.cpu
    runner.memory.write(at_pc, code(lines))
    runner.engine.invalidate(at_pc, at_pc + 4 * len(lines))
    if at_pc == CODE:
        runner.code = bytes(max(len(runner.code), 4 * len(lines) + 16))  # so that the runner clears it away
    runner.memory.write(DATA, memory + bytes(DATA_SIZE - len(memory)))
    for number in range(32):
        cpu.write("x", number, 0)
        cpu.write("f", number, 0)
    for name, value in x.items():
        cpu.write(*GUEST.names[name], value)
    for word in (at.FLAGS, at.ROUNDING, at.COUNT, at.INTERRUPT):
        cpu.set(word, 0)
    cpu.set(at.RESERVED_ADDRESS, -1)
    cpu.pc = at_pc
    left: Exit = runner.engine.run(cpu, runner.memory, budget)
    return left


def test_system_call_is_done(runner: EngineRunner) -> None:
    assert run(runner, "addi a0, a0, 1", "ecall", "addi a0, a0, 1") == Syscall()
    assert (runner.cpu.pc, runner.cpu.read("x", A0), runner.cpu.count) == (CODE + 8, 1, 2)


@pytest.mark.parametrize("line", ["ebreak", "c.ebreak"])
def test_breakpoint_is_not_done(runner: EngineRunner, line: str) -> None:
    assert run(runner, "addi a0, a0, 1", line) == Breakpoint()
    assert (runner.cpu.pc, runner.cpu.count) == (CODE + 4, 1)


def test_illegal_instruction_tells_its_word(runner: EngineRunner) -> None:
    runner.memory.write(CODE + 8, (0xFFFF_FFFF).to_bytes(4, "little"))
    assert run(runner, "addi a0, a0, 1", "addi a0, a0, 1") == Illegal(0xFFFF_FFFF)
    assert runner.cpu.pc == CODE + 8
    runner.memory.write(CODE + 4, bytes(2))
    assert run(runner, "addi a0, a0, 1") == Illegal(0)


@pytest.mark.parametrize("mode", [5, 6, 7])
def test_reserved_dynamic_rounding_mode_is_illegal(runner: EngineRunner, mode: int) -> None:
    left = run(runner, "csrrwi zero, frm, " + str(mode), "fadd.d fa0, fa1, fa2, rne", "fdiv.d fa0, fa1, fa2, dyn")
    assert left == Illegal(ASSEMBLER.assemble("fdiv.d fa0, fa1, fa2, dyn"))
    assert (runner.cpu.pc, runner.cpu.get(at.FLAGS)) == (CODE + 8, 0)


@pytest.mark.parametrize(("line", "access"), [
    ("ld a0, 0(a0)", READ), ("lb zero, 0(a0)", READ), ("fld fa0, 0(a0)", READ), ("sd a0, 0(a0)", WRITE),
    ("amoadd.d a0, a1, (a0)", WRITE), ("lr.w a0, (a0)", READ), ("cbo.zero (a0)", WRITE), ("cbo.clean (a0)", READ)])
@pytest.mark.parametrize("address", [NOWHERE, 0, 1 << 63, (1 << 64) - 64, 1 << 47])
def test_access_to_nothing_faults(runner: EngineRunner, line: str, access: int, address: int) -> None:
    assert run(runner, line, a0=address, a1=7) == Fault(access, address, Fault.NOTHING)
    assert (runner.cpu.pc, runner.cpu.read("x", A0), runner.cpu.count) == (CODE, address, 0)


@pytest.mark.parametrize("line", ["sd a1, 0(a0)", "amoswap.d a1, a1, (a0)", "cbo.zero (a0)"])
def test_write_to_read_only_memory_faults(runner: EngineRunner, line: str) -> None:
    runner.memory.map(NOWHERE, 0x1000, READ)
    try:
        assert run(runner, line, a0=NOWHERE, a1=7) == Fault(WRITE, NOWHERE, Fault.PROTECTED)
        assert (runner.cpu.read("x", A1), runner.memory.load(NOWHERE, 8)) == (7, 0)
    finally:
        runner.memory.unmap(NOWHERE, 0x1000)


def test_store_across_the_end_of_memory_changes_nothing(runner: EngineRunner) -> None:
    left = run(runner, "sd a1, 0(a0)", a0=END - 4, a1=(1 << 64) - 1)
    assert left == Fault(WRITE, END, Fault.NOTHING)
    assert runner.memory.load(END - 8, 8) == 0


@pytest.mark.parametrize("line", ["lr.w a1, (a0)", "amoor.w a1, a1, (a0)", "sc.d a1, a1, (a0)"])
def test_misaligned_atomic_faults(runner: EngineRunner, line: str) -> None:
    left = run(runner, line, a0=DATA + 2, a1=7)
    assert isinstance(left, Fault)
    assert (left.address, left.mapped, runner.cpu.read("x", A1)) == (DATA + 2, MISALIGNED, 7)


def test_jump_to_nothing_faults_there(runner: EngineRunner) -> None:
    assert run(runner, "jalr ra, 0(a0)", a0=NOWHERE) == Fault(EXECUTE, NOWHERE, Fault.NOTHING)
    assert (runner.cpu.pc, runner.cpu.read("x", 1), runner.cpu.count) == (NOWHERE, CODE + 4, 1)
    assert run(runner, "jalr ra, 0(a0)", a0=DATA) == Fault(EXECUTE, DATA, Fault.PROTECTED)


def test_instruction_across_two_pages(runner: EngineRunner) -> None:
    """Its second half must be executable, too."""
    runner.memory.map(NOWHERE, 0x2000, READ | WRITE | EXECUTE)
    try:
        start = NOWHERE + 0x0FFE
        assert run(runner, "addi a0, a0, 5", "ecall", at_pc=start) == Syscall()
        assert runner.cpu.read("x", A0) == 5
        runner.memory.protect(NOWHERE + 0x1000, 0x1000, READ | WRITE)
        runner.cpu.pc = start
        assert runner.engine.run(runner.cpu, runner.memory, 10) == Fault(EXECUTE, NOWHERE + 0x1000, Fault.PROTECTED)
        assert runner.cpu.pc == start
    finally:
        runner.memory.unmap(NOWHERE, 0x2000)


def test_budget_ends_a_loop(runner: EngineRunner) -> None:
    assert run(runner, "addi a0, a0, 1", "jal zero, -4", budget=100) == Budget()
    assert 100 <= runner.cpu.count <= 200
    assert abs(runner.cpu.count - 2 * runner.cpu.read("x", A0)) <= 1


def test_interrupt_is_reported_once(runner: EngineRunner) -> None:
    run(runner, "jal zero, +0", budget=10)
    runner.cpu.interrupt()
    assert runner.engine.run(runner.cpu, runner.memory, 1_000_000) == Interrupted()
    assert runner.engine.run(runner.cpu, runner.memory, 10) == Budget()


def test_changed_code_is_executed_after_a_fence(runner: EngineRunner) -> None:
    new = ASSEMBLER.assemble("addi a0, a0, 2")
    lines = ["jal zero, +12", "addi a0, a0, 1", "jalr zero, 0(ra)",      # a routine that adds one
             "jal ra, -8", "sw a1, 4(a2)", "fence.i", "jal ra, -20", "ecall"]
    assert run(runner, *lines, a1=new, a2=CODE) == Syscall()
    assert runner.cpu.read("x", A0) == 3


@pytest.mark.parametrize(("lines", "failed", "stored"), [
    (["lr.d a1, (a0)", "sc.d a2, a3, (a0)"], 0, 77),
    (["sc.d a2, a3, (a0)"], 1, 5),
    (["lr.d a1, (a0)", "addi a0, a0, 8", "sc.d a2, a3, (a0)"], 1, 5),
    (["lr.d a1, (a0)", "sd a3, 0(a0)", "sc.d a2, zero, (a0)"], 1, 77),
    (["lr.d a1, (a0)", "sc.d a2, a1, (a0)", "sc.d a2, a3, (a0)"], 1, 5),
    (["lr.w a1, (a0)", "sc.w a2, a3, (a0)"], 0, 77)])
def test_store_conditional(runner: EngineRunner, lines: list[str], failed: int, stored: int) -> None:
    """Succeeds with a reservation on its address, if memory was not changed, and once."""
    assert run(runner, *lines, "ecall", a0=DATA, a3=77, memory=b"\5") == Syscall()
    assert (runner.cpu.read("x", A2), runner.memory.load(DATA, 8)) == (failed, stored)


def test_counters_count(runner: EngineRunner) -> None:
    assert run(runner, "csrr a0, instret", "csrr a1, cycle", "csrr a2, time", "csrr a3, time", "ecall") == Syscall()
    read = [runner.cpu.read("x", number) for number in (A0, A1, A2, A3)]
    assert read[0] < read[1] <= 5
    assert 0 < read[2] <= read[3] < read[2] + 10_000_000


def test_zero_register_stays_zero(runner: EngineRunner) -> None:
    lines = ["addi zero, zero, 5", "lw zero, 0(a0)", "add a1, zero, zero", "ecall"]
    assert run(runner, *lines, a0=DATA, memory=b"\7") == Syscall()
    assert (runner.cpu.read("x", 0), runner.cpu.read("x", A1)) == (0, 0)


def test_flags_accrue(runner: EngineRunner) -> None:
    """1/3 is inexact, 1/0 divides by zero; nothing clears them but a write."""
    one, three = 0x3FF0_0000_0000_0000, 0x4008_0000_0000_0000
    lines = ["fmv.d.x fa0, a0", "fmv.d.x fa1, a1", "fdiv.d fa2, fa0, fa1, rne", "fdiv.d fa3, fa0, fa4, rne",
             "csrr a2, fflags", "csrrwi a3, fflags, 0", "ecall"]
    assert run(runner, *lines, a0=one, a1=three) == Syscall()
    assert (runner.cpu.read("x", A2), runner.cpu.read("x", A3), runner.cpu.get(at.FLAGS)) == (9, 9, 0)
