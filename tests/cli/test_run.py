"""`xenos run`: options, output, exit statuses, and the line on a program that crashes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from cli import kit
from cli.kit import EXIT, TEXT, WRITE, elf, printing, write, xenos
from xenos.engines.choose import KINDS


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("hello"), printing(b"hello\n", 7), "hello")


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Writes all that the kernel put on its stack, byte by byte until the stack ends."""
    lines = ["addi a1, sp, 0", "addi a0, zero, 1", "addi a2, zero, 1", "addi a7, zero, 64", "ecall", "addi a1, a1, 1",
             "bge a0, zero, -20", "addi a0, zero, 0", *EXIT]
    return write(tmp_path_factory.mktemp("echo"), elf(lines), "echo")


@pytest.mark.parametrize("engine", KINDS)
def test_every_engine_runs_a_program(hello: Path, engine: str) -> None:
    ended = xenos("run", "--engine", engine, hello)
    assert (ended.stdout, ended.stderr, ended.status) == ("hello\n", "", 7)


def test_a_program_is_found_relative_to_the_current_directory(hello: Path) -> None:
    assert xenos("run", "./hello", cwd=hello.parent).status == 7
    assert xenos("run", "hello", cwd=hello.parent).status == 7


def test_arguments_and_environment_reach_the_program(echo: Path) -> None:
    ended = xenos("run", "-E", "COLOUR=sky blue", "-ESHAPE=round", echo, "--stats", "two words", "--", COLOUR="red")
    strings = ended.stdout.split("\0")
    assert strings[strings.index("--stats") :][:3] == ["--stats", "two words", "--"]
    assert "COLOUR=sky blue" in strings and "SHAPE=round" in strings and "COLOUR=red" not in strings


def test_two_dashes_end_the_options(hello: Path) -> None:
    hello.with_name("--stats").write_bytes(hello.read_bytes())
    hello.with_name("--stats").chmod(0o755)
    assert xenos("run", "--", "--stats", cwd=hello.parent).stderr == ""


def test_statistics_go_to_standard_error(hello: Path) -> None:
    ended = xenos("run", "--stats", hello)
    assert ended.stdout == "hello\n" and ended.status == 7
    assert "exit status 7" in ended.stderr and "8 guest instructions" in ended.stderr
    assert "units translated" in ended.stderr and "CPU" in ended.stderr
    assert all(line.startswith("xenos: ") for line in ended.stderr.splitlines())


def test_strace_prints_the_calls(hello: Path) -> None:
    ended = xenos("run", "--strace", hello)
    assert 'write(1, "hello\\n", 6) = 6' in ended.stderr and ended.stdout == "hello\n"


def test_an_unknown_call_is_reported_under_strace_only(tmp_path: Path) -> None:
    program = write(tmp_path, elf(["lui a7, 16", "ecall", "sub a0, zero, a0", *EXIT]))
    plain, traced = xenos("run", program), xenos("run", "--strace", program)
    assert plain.status == traced.status == 38  # ENOSYS
    assert plain.stderr == "" and "65536" in traced.stderr


@pytest.mark.parametrize("words, says", [
    ([], "no program to run"),
    (["--nonsense", "x"], "there is no option --nonsense"),
    (["--stats=yes", "x"], "there is no option --stats=yes"),
    (["--sysroot"], "--sysroot wants a value"),
    (["--sysroot=", "x"], "--sysroot wants a folder"),
    (["--engine", "qemu", "x"], "no engine `qemu`; there are: region, stencil, reference, lockstep"),
    (["-E", "COLOUR", "x"], "-E wants NAME=VALUE, not `COLOUR`"),
])
def test_a_wrong_command_line_is_one_line_and_status_2(words: list[str], says: str) -> None:
    ended = xenos("run", *words)
    assert ended.status == 2 and says in ended.complaint and ended.stdout == ""


def test_help_lists_the_options() -> None:
    ended = xenos("run", "--help")
    assert ended.status == 0 and ended.stderr == ""
    for option in ("--sysroot", "--engine", *KINDS, "--strace", "--stats", "--debug", "-E"):
        assert option in ended.stdout


# Programs that die


CRASHES = {
    "null": (["addi a0, zero, 16", "ld a1, 0(a0)"], 11, "segmentation fault (SIGSEGV)", "reading 0x10"),
    "absolute": (["lb a1, 0(zero)"], 11, "segmentation fault (SIGSEGV)", "reading 0x0"),
    "read_only": (["auipc a0, 0", "sd a0, 0(a0)"], 11, "segmentation fault (SIGSEGV)", "not allowed there"),
    "jump_away": (["jalr ra, 64(zero)"], 11, "at pc 0x40", "executing 0x40"),
    "illegal": (["addi a0, zero, 1", ".word 0xffffffff"], 4, "illegal instruction (SIGILL)", "0xffffffff is no",
                "build without that"),
    "data": ([".word 0"], 4, "illegal instruction (SIGILL)", "0x00000000 is no instruction implemented here"),
    "breakpoint": (["ebreak"], 5, "breakpoint (SIGTRAP)", ""),
    "abort": (["addi a7, zero, 172", "ecall", "addi a1, zero, 6", "addi a7, zero, 129", "ecall"], 6, "SIGABRT", ""),
}


@pytest.mark.parametrize("name", CRASHES)
@pytest.mark.parametrize("engine", ["stencil", "reference"])
def test_a_crash_is_one_line_and_128_plus_the_signal(tmp_path: Path, name: str, engine: str) -> None:
    lines, signal, *says = CRASHES[name]
    ended = xenos("run", "--engine", engine, write(tmp_path, elf(lines)))
    assert ended.status == 128 + signal
    assert all(part in ended.complaint for part in says)


def test_a_crash_names_pc_and_symbol(tmp_path: Path) -> None:
    lines = ["jal ra, 8", *EXIT[:1], "addi a0, zero, 0", "lb a1, 0(a0)"]
    ended = xenos("run", write(tmp_path, elf(lines, symbols={"_start": 0, "victim": 2}), "prog"))
    assert f"prog: segmentation fault (SIGSEGV) at pc {TEXT + 12:#x} <victim+0x4>" in ended.complaint


def test_debug_shows_the_registers_of_a_crash(tmp_path: Path) -> None:
    program = write(tmp_path, elf(["lui a3, 0x12345", "csrrsi zero, fflags, 16", "lb a1, 0(a2)"]))
    ended = xenos("run", "--debug", program)
    assert ended.status == 139
    assert f"pc {TEXT + 8:016x}  flag {16:016x}    rm {0:016x}" in ended.stderr and f"a3 {0x12345000:016x}" in ended.stderr


# Standard streams


CLOSE_STDERR = ["addi a0, zero, 2", "addi a7, zero, 57", "ecall"]
FORK = ["addi a0, zero, 17", *(f"addi a{n}, zero, 0" for n in range(1, 5)), "addi a7, zero, 220", "ecall"]
# Its status into the data, whose low bits say by which signal it died: the exit status.
WAIT = ["addi a0, zero, -1", f"lui a1, {kit.DATA >> 12}", "addi a2, zero, 0", "addi a3, zero, 0", "addi a7, zero, 260", "ecall",
        "lw a0, 0(a1)", "andi a0, a0, 127", *EXIT]


@pytest.mark.parametrize("option, says", [("--strace", "exit_group(3) ..."), ("--stats", "exit status 3"), ("--debug", "")])
def test_what_was_asked_for_is_told_though_the_guest_closes_standard_error(tmp_path: Path, option: str, says: str) -> None:
    """As all programs of the GNU coreutils do before they end."""
    ended = xenos("run", option, write(tmp_path, elf([*CLOSE_STDERR, "addi a0, zero, 3", "addi a7, zero, 94", "ecall"])))
    assert ended.status == 3 and says in ended.stderr


@pytest.mark.parametrize("options", [(), ("--debug", "--stats", "--strace")])
def test_nothing_is_told_to_a_file_that_the_guest_opens_in_its_place(tmp_path: Path, options: tuple[str, ...]) -> None:
    name = tmp_path / "its-own"
    lines = [*CLOSE_STDERR, "addi a0, zero, -100", f"lui a1, {kit.DATA >> 12}", "addi a2, zero, 66", "addi a3, zero, 438",
             "addi a7, zero, 56", "ecall", "lb a1, 0(zero)"]
    ended = xenos("run", *options, write(tmp_path, elf(lines, bytes(name) + b"\0")))
    assert ended.status == 139 and name.read_bytes() == b"" and bool(options) == ("SIGSEGV" in ended.stderr)


def test_a_child_that_crashes_without_standard_error_dies_by_its_signal(tmp_path: Path) -> None:
    child = [*CLOSE_STDERR, "lb a1, 0(zero)"]
    ended = xenos("run", write(tmp_path, elf([*FORK, f"bne a0, zero, {4 + 4 * len(child)}", *child, *WAIT])))
    assert (ended.status, ended.stderr) == (11, "")


def test_nobody_waits_for_the_statistics_of_a_child(tmp_path: Path) -> None:
    """Whoever reads our standard error sees it end when we do, though a child of the guest's goes on without it."""
    child = [*CLOSE_STDERR, "addi a0, zero, 1", "addi a7, zero, 57", "ecall", *kit.SPIN]
    program = write(tmp_path, elf([*FORK, f"bne a0, zero, {4 + 4 * len(child)}", *child, "addi a0, zero, 0", *EXIT]))
    run = subprocess.Popen(kit.command("run", "--stats", program), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=kit.environment(), start_new_session=True)
    try:
        _, told = run.communicate(timeout=60)
        assert b"exit status 0" in told
    finally:
        os.killpg(run.pid, signal.SIGKILL)


@pytest.mark.parametrize("words, status", [(("no-such-program",), 127), ((os.devnull,), 126)])
def test_the_status_is_right_without_standard_error(words: tuple[str, ...], status: int) -> None:
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *kit.command("run", *words)], env=kit.environment())
    assert done.returncode == status


@pytest.mark.parametrize("words", [("--help",), ("doctor",), ("run", "--help")])
def test_a_full_disk_is_one_line(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(kit.command(*words), stdout=full, stderr=subprocess.PIPE, env=kit.environment())
    assert (done.returncode, done.stderr) == (125, b"xenos: cannot write: No space left on device\n")
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *kit.command(*words)], stderr=subprocess.PIPE,
                          env=kit.environment())
    assert (done.returncode, done.stderr) == (0, b"")


def test_nobody_reading_is_quiet_and_sigpipe(tmp_path: Path) -> None:
    lines = [*WRITE, "addi a2, zero, 8", "ecall", "jal zero, -20"]
    run = subprocess.Popen(kit.command("run", write(tmp_path, elf(lines))), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=kit.environment())
    assert run.stdout is not None and run.stderr is not None
    run.stdout.read(1)
    run.stdout.close()
    assert run.stderr.read() == b"" and run.wait(30) == 128 + 13
    run.stderr.close()
