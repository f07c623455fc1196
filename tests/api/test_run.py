"""`xenos.run`: how a program ended and what it wrote, in a process of its own."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

import xenos
from cli.kit import DATA, EXIT, SPIN, elf, printing, write
from xenos import errors


@pytest.fixture(autouse=True)
def _this_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's decides what the child imports."""
    monkeypatch.setenv("PYTHONPATH", "/nowhere")


def test_status_and_output_are_captured(tmp_path: Path) -> None:
    result = xenos.run(write(tmp_path, printing(b"hello\n", 7)), capture=True)
    assert (result.status, result.signal, result.exit_status, result.crash) == (7, 0, 7, "")
    assert (result.stdout, result.text, result.stderr, result.instructions) == (b"hello\n", "hello\n", b"", 8)
    assert repr(result) == "Result(status=7, instructions=8)"


def test_output_goes_through_by_default(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = xenos.run(write(tmp_path, printing(b"hello\n")))
    assert capfd.readouterr().out == "hello\n" and result.stdout == b""


def test_a_crash_is_told_in_the_result_only(tmp_path: Path) -> None:
    result = xenos.run(write(tmp_path, elf(["ld a0, 0(a1)"])), capture=True)
    assert (result.signal, result.status, result.exit_status, result.stderr) == (11, 0, 139, b"")
    assert "segmentation fault (SIGSEGV)" in result.crash


def test_input(tmp_path: Path) -> None:
    """The program copies what it reads, once."""
    lines = [f"lui a1, {DATA >> 12}", "addi a2, zero, 100", "addi a7, zero, 63", "ecall", "addi a2, a0, 0",
             "addi a0, zero, 1", "addi a7, zero, 64", "ecall", *EXIT]
    program = write(tmp_path, elf(lines, bytes(128)))
    assert xenos.run(program, stdin="from text", capture=True).text == "from text"
    assert xenos.run(program, stdin=b"from bytes", capture=True).text == "from bytes"
    (tmp_path / "file").write_text("from a file")
    with (tmp_path / "file").open() as file:
        assert xenos.run(program, stdin=file, capture=True).text == "from a file"


def test_environment_and_current_directory(tmp_path: Path) -> None:
    # Prints its stack from the first argument on, until the write fails at the end of memory.
    lines = ["addi a1, sp, 0", "addi a0, zero, 1", "addi a2, zero, 1", "addi a7, zero, 64", "ecall", "addi a1, a1, 1",
             "bge a0, zero, -20", *EXIT]
    write(tmp_path, elf(lines), "show")
    result = xenos.run("./show", "one", env={"ONLY": "this", "PYTHONHOME": "/nowhere"}, cwd=tmp_path, capture=True)
    strings = result.stdout.split(b"\0")
    assert [b"one", b"ONLY=this", b"PYTHONHOME=/nowhere"] == strings[strings.index(b"one") :][:3]


def test_what_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingFile, match="no such program"):
        xenos.run(tmp_path / "nothing")
    with pytest.raises(errors.LoadError, match="not an ELF program"):
        xenos.run(write(tmp_path, b"hello"))
    with pytest.raises(errors.UsageError, match="no engine `qemu`"):
        xenos.run(tmp_path, engine="qemu")
    with pytest.raises(xenos.XenosError):
        xenos.run(tmp_path, sysroot=tmp_path / "nothing")


def test_a_timeout_kills(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"still running after 0\.5 seconds"):
        xenos.run(write(tmp_path, elf(SPIN)), timeout=0.5)
    assert time.monotonic() - started < 10


def test_several_at_once(tmp_path: Path) -> None:
    program = write(tmp_path, printing(b"x", 5))
    results: list[xenos.Result] = []
    threads = [threading.Thread(target=lambda: results.append(xenos.run(program, capture=True))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(result.status, result.stdout) for result in results] == [(5, b"x")] * 3


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    program = write(tmp_path, printing(b"x"))
    before = os.listdir("/proc/self/fd")
    xenos.run(program, capture=True)
    assert os.listdir("/proc/self/fd") == before
