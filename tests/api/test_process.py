"""`xenos.Process`: stepping, stopping, looking into a program and changing it."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import xenos
from cli.kit import DATA, EXIT, GUEST, ROOT, SPIN, TEXT, elf, printing, write
from xenos.cpu.exits import Budget, Fault, Syscall
from xenos.errors import HostError, LoadError, UsageError
from xenos.memory.flat import MemoryFault

# Adds up 5 + 4 + 3 + 2 + 1 by calling `add` five times, and exits with the sum.
SUM = ["addi a0, zero, 0", "addi a1, zero, 5", "jal ra, 20", "bne a1, zero, -4", *EXIT, "addi zero, zero, 0",
       "add a0, a0, a1", "addi a1, a1, -1", "jalr zero, 0(ra)"]
NAMES = {"_start": 0, "add": 7}
GCC = "riscv64-linux-gnu-gcc"


@pytest.fixture(params=["stencil", "reference"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def sum_up(tmp_path: Path, engine: str) -> Iterator[xenos.Process]:
    with xenos.Process(write(tmp_path, elf(SUM, bytes(64), NAMES)), engine=engine) as process:
        yield process


def test_it_stands_before_its_first_instruction(sum_up: xenos.Process) -> None:
    assert sum_up.pc == TEXT and sum_up.instructions == 0 and sum_up.result is None
    assert f"pc={TEXT:#x}" in repr(sum_up)


def test_running_gives_the_result(sum_up: xenos.Process) -> None:
    result = sum_up.run()
    assert result is not None and result.status == 15 and sum_up.result == result
    assert result.instructions == sum_up.instructions == 2 + 5 * 5 + 2


def test_steps_are_single_instructions(sum_up: xenos.Process) -> None:
    assert sum_up.step() == Budget() and sum_up.pc == TEXT + 4
    assert sum_up.step(2) == Budget() and sum_up.pc == sum_up.symbols["add"]
    assert sum_up["a1"] == 5 and sum_up.instructions == 3
    assert isinstance(sum_up.step(26), Syscall)
    assert sum_up.result is not None and sum_up.result.status == 15
    with pytest.raises(UsageError, match="has ended"):
        sum_up.step()


def test_stepping_and_running_mix(sum_up: xenos.Process) -> None:
    assert sum_up.run(limit=1) is None
    sum_up.step(3)
    result = sum_up.run()
    assert result is not None and result.status == 15 and result.instructions == 29


def test_run_until_a_symbol_again_and_again(sum_up: xenos.Process) -> None:
    seen = []
    while sum_up.run_until("add"):
        assert sum_up.pc == TEXT + 28
        seen.append(sum_up["a1"])
    assert seen == [5, 4, 3, 2, 1] and sum_up.result is not None and sum_up.result.status == 15
    assert not sum_up.run_until("add")


def test_run_until_an_address_with_a_limit(sum_up: xenos.Process) -> None:
    assert sum_up.run_until(TEXT + 16) and sum_up["a0"] == 15
    sum_up.reset()
    assert not sum_up.run_until(TEXT + 20, limit=3) and sum_up.result is None


def test_the_breakpoint_leaves_no_trace(sum_up: xenos.Process) -> None:
    before = sum_up.memory.read(TEXT, 40)
    sum_up.run_until("add")
    assert sum_up.memory.read(TEXT, 40) == before
    assert [(r.start, r.prot) for r in sum_up.memory.regions][:1] == [(TEXT, 5)]


def test_a_place_without_code_is_refused(sum_up: xenos.Process) -> None:
    with pytest.raises(UsageError, match="no code at 0x10"):
        sum_up.run_until(0x10)
    with pytest.raises(KeyError):
        sum_up.run_until("nowhere")


def test_registers_are_read_and_set_by_name(sum_up: xenos.Process) -> None:
    sum_up.run_until("add")
    sum_up["a0"] = -1
    assert sum_up["a0"] == sum_up["x10"] == sum_up.registers["a0"] == (1 << 64) - 1
    sum_up["zero"] = 5
    assert sum_up["zero"] == 0 and len(sum_up.registers) == 64
    with pytest.raises(KeyError, match="no register 'rax'"):
        sum_up["rax"]
    sum_up["a0"] = 100
    result = sum_up.run()
    assert result is not None and result.status == 115


def test_the_pc_can_be_set(sum_up: xenos.Process) -> None:
    sum_up["a0"] = 42
    sum_up.pc = TEXT + 16
    result = sum_up.run()
    assert result is not None and result.status == 42


def test_memory_is_read_and_written(sum_up: xenos.Process) -> None:
    sum_up.memory.write(DATA, b"hello\0")
    assert sum_up.memory.read(DATA, 5) == b"hello" and sum_up.memory.cstring(DATA) == b"hello"
    assert sum_up.memory.load(DATA, 2) == 0x6568
    with pytest.raises(MemoryFault):
        sum_up.memory.read(0, 1)


def test_it_can_be_reset_and_reused(sum_up: xenos.Process, tmp_path: Path) -> None:
    for _ in range(3):
        sum_up.memory.write(DATA, b"dirty")
        result = sum_up.run()
        assert result is not None and result.status == 15
        sum_up.reset()
        assert sum_up.pc == TEXT and sum_up.instructions == 0 and sum_up.result is None
        assert sum_up.memory.read(DATA, 5) == bytes(5)
    sum_up.load(write(tmp_path, elf(["addi a0, zero, 9", *EXIT]), "other"))
    result = sum_up.run()
    assert result is not None and result.status == 9


def test_a_crash_can_be_looked_into(tmp_path: Path, engine: str) -> None:
    with xenos.Process(write(tmp_path, elf(["addi a0, zero, 16", "ld a1, 8(a0)"])), engine=engine) as process:
        result = process.run()
        assert result is not None and result.signal == 11 and "reading 0x18" in result.crash
        assert process.pc == TEXT + 4 and process["a0"] == 16
        process.reset()
        process.step()
        assert process.step() == Fault(Fault.READ, 0x18, Fault.NOTHING)
    assert process.result is not None and process.result.signal == 11


def test_its_output_is_that_of_this_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with xenos.Process(write(tmp_path, printing(b"hello\n"))) as process:
        process.run()
    assert capfd.readouterr().out == "hello\n"


def test_it_leaves_the_limits_of_this_process(sum_up: xenos.Process) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        sum_up.run()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_only_one_may_be_open(tmp_path: Path) -> None:
    program = write(tmp_path, elf(SPIN))
    with xenos.Process(program), pytest.raises(HostError, match="close"):
        xenos.Process(program)
    xenos.Process(program).close()
    xenos.Process(program)      # dropped unclosed
    with xenos.Process(program) as process:
        assert process.run(limit=1000) is None


def test_what_cannot_be_loaded_is_an_error_and_leaves_room(tmp_path: Path) -> None:
    with pytest.raises(LoadError):
        xenos.Process(write(tmp_path, b"hello"))
    xenos.Process(write(tmp_path, elf(SPIN))).close()


def test_a_closed_one_says_so(tmp_path: Path) -> None:
    process = xenos.Process(write(tmp_path, elf(SPIN)))
    process.close()
    process.close()
    for use in (process.run, process.step, process.reset, lambda: process.pc, lambda: process["a0"], lambda: process.registers,
                lambda: process.memory, lambda: process.symbols, lambda: process.flags):
        with pytest.raises(UsageError, match="closed"):
            use()
    assert "closed" in repr(process) and process.result is None


def test_without_a_program_it_says_so(sum_up: xenos.Process, tmp_path: Path) -> None:
    """It ran nothing, and told of a segmentation fault."""
    with pytest.raises(LoadError, match="no such program"):
        sum_up.load(tmp_path / "nothing")
    for use in (sum_up.run, sum_up.step, lambda: sum_up.run_until(TEXT), lambda: sum_up["a0"]):
        with pytest.raises(UsageError, match="nothing could not be; load"):
            use()
    sum_up.load(write(tmp_path, elf(SUM)))
    result = sum_up.run()
    assert result is not None and result.status == 15


def test_flags_of_floating_point_are_read_and_set(tmp_path: Path, engine: str) -> None:
    """1 / 3 is inexact, 0 / 0 invalid; then the exit status is what the guest sees of it."""
    lines = ["addi a0, zero, 1", "addi a1, zero, 3", "fcvt.d.l fa0, a0, rne", "fcvt.d.l fa1, a1, rne", "fdiv.d fa2, fa0, fa1, rne",
             "fsub.d fa0, fa0, fa0, rne", "fdiv.d fa2, fa0, fa0, rne", "csrr a0, fflags", *EXIT]
    with xenos.Process(write(tmp_path, elf(lines)), engine=engine) as process:
        assert (process.step(4), process.flags, process.step(), process.flags) == (Budget(), 0, Budget(), 1)
        process.flags = 8
        process.run_until(TEXT + 28)
        assert process.flags == 24
        process.reset()
        assert process.flags == 0
        result = process.run()
    assert result is not None and result.status == 17


def test_positions_of_symbols_follow_the_program(tmp_path: Path, engine: str) -> None:
    """A position-independent program lies elsewhere than it was linked."""
    if shutil.which(GCC) is None:
        pytest.skip(f"{GCC} is not installed")
    (tmp_path / "p.c").write_text("""
        int twice(int n) { return 2 * n; }
        void _start(void) {
            register int result asm("a0") = twice(3);
            register long number asm("a7") = 93;
            asm volatile("ecall" : : "r"(result), "r"(number));
        }""")
    flags = ["-O1", "-fno-inline", "-fpie", "-nostdlib", "-static", "-Wl,-pie,--no-dynamic-linker", "-fno-ipa-cp"]
    subprocess.run([GCC, *flags, "-o", "p", "p.c"], cwd=tmp_path, check=True)
    with xenos.Process(tmp_path / "p", engine=engine) as process:
        assert process.pc == process.symbols["_start"] > 0x10000
        assert process.run_until("twice") and process["a0"] == 3
        process["a0"] = 21
        result = process.run()
    assert result is not None and result.status == 42


def test_the_example_program() -> None:
    with xenos.Process(ROOT / "examples" / "tour", engine="stencil") as process:
        assert process.run(limit=10_000) is None
        assert process.instructions >= 10_000 and process.registers["sp"] > 0


def test_registers_have_the_guests_names() -> None:
    assert {"sp", "a0", "fa0"} <= set(GUEST.names)
