"""What cannot be run: each refusal is one line that says what and what to do, with a shell's status."""

from __future__ import annotations

import os
import shutil
import struct
import sys
from pathlib import Path

import pytest

from cli.kit import EXIT, elf, write, xenos

PROGRAM = elf(["addi a0, zero, 0", *EXIT])
SEGMENT = 64    # the first program header


def patched(*changes: tuple[int, str, int]) -> bytes:
    """PROGRAM with numbers overwritten: (offset, struct format, value)."""
    data = bytearray(PROGRAM)
    for offset, shape, value in changes:
        struct.pack_into(shape, data, offset, value)
    return bytes(data)


HOSTILE = {
    "empty": (b"", "not an ELF program"),
    "text": (b"hello, world\n", "not an ELF program, and no script: that begins with #!"),
    "cut_in_header": (PROGRAM[:40], "truncated"),
    "cut_in_program_headers": (PROGRAM[:100], "truncated"),
    "cut_in_segment": (PROGRAM[:0x1004], "truncated"),
    "32_bit": (patched((4, "<B", 1)), "32-bit"),
    "big_endian": (PROGRAM[:5] + b"\2" + PROGRAM[6:16] + b"\0\2\0\x15" + PROGRAM[20:], "big-endian PowerPC (64 bits)"),
    "other_isa": (patched((18, "<H", 183)), "a program for AArch64"),
    "unknown_isa": (patched((18, "<H", 0x7777)), "ELF machine 30583"),
    "object_file": (patched((16, "<H", 1)), "object file"),
    "no_headers": (patched((56, "<H", 0)), "0 program headers"),
    "headers_far_away": (patched((32, "<Q", 1 << 60)), "truncated"),
    "headers_wrap": (patched((32, "<Q", (1 << 64) - 56)), "truncated"),
    "segment_wraps": (patched((SEGMENT + 16, "<Q", (1 << 64) - 0x1000), (SEGMENT + 40, "<Q", 0x2000)), "wraps around"),
    "segment_too_high": (patched((SEGMENT + 72, "<Q", 1 << 47)), "above the"),
    "segments_overlap": (patched((SEGMENT + 56 + 16, "<Q", 0x11000)), "overlap"),
    "file_size_above_memory_size": (patched((SEGMENT + 40, "<Q", 1)), "bytes for 1 of memory"),
    "offset_not_congruent": (patched((SEGMENT + 16, "<Q", 0x11010)), "not congruent"),
    "entry_nowhere": (patched((24, "<Q", 0x5000)), "entry 0x5000 is in no executable segment"),
    "at_address_zero": (patched((SEGMENT + 16, "<Q", 0), (24, "<Q", 0)), "stays empty for null pointers"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path, name: str) -> None:
    content, says = HOSTILE[name]
    path = write(tmp_path, content)
    ended = xenos("run", path)
    assert ended.status == 126 and str(path) in ended.complaint and says in ended.complaint


def test_a_program_of_the_host_is_named(tmp_path: Path) -> None:
    ended = xenos("run", shutil.which("true") or sys.executable)
    assert ended.status == 126 and "a program for" in ended.complaint and "this runs" in ended.complaint


def test_a_missing_program(tmp_path: Path) -> None:
    ended = xenos("run", tmp_path / "nothing")
    assert ended.status == 127 and "no such program" in ended.complaint


def test_a_directory(tmp_path: Path) -> None:
    ended = xenos("run", tmp_path)
    assert ended.status == 126 and "is a directory" in ended.complaint


def test_no_permission(tmp_path: Path) -> None:
    path = write(tmp_path, PROGRAM)
    path.chmod(0o644)
    ended = xenos("run", path)
    assert ended.status == 126 and "no permission to execute it; try chmod" in ended.complaint


def interpreted_by(name: bytes) -> bytes:
    """PROGRAM, dynamically linked."""
    data = bytearray(PROGRAM)
    struct.pack_into("<H", data, 56, 3)
    struct.pack_into("<IIQQQQQQ", data, SEGMENT + 112, 3, 4, 0x800, 0, 0, len(name) + 1, len(name) + 1, 1)
    data[0x800 : 0x801 + len(name)] = name + b"\0"
    return bytes(data)


def test_a_missing_interpreter(tmp_path: Path) -> None:
    path = write(tmp_path, interpreted_by(b"/lib/ld-of-the-guest.so.1"))
    ended = xenos("run", path)
    assert ended.status == 127 and "ld-of-the-guest.so.1" in ended.complaint and "--sysroot DIR" in ended.complaint
    ended = xenos("run", "--sysroot", tmp_path, path)
    assert ended.status == 127 and "unpack the guest's C library" in ended.complaint


def test_an_interpreter_that_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for other in (tmp_path, pipe, Path(os.devnull)):
        ended = xenos("run", write(tmp_path, interpreted_by(os.fsencode(other))))
        assert ended.status == 126 and f"dynamic linker cannot be used: {other}: is no regular file" in ended.complaint


def test_a_name_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    """That of the interpreter is whatever the file says."""
    ended = xenos("run", write(tmp_path, interpreted_by(b"/lib/\x1b[2Jld\nxenos: all is well")))
    assert ended.status == 127 and "/lib/\\x1b[2Jld\\nxenos: all is well" in ended.complaint
    ended = xenos("run", tmp_path / "two\nlines")
    assert ended.status == 127 and "two\\nlines: no such program" in ended.complaint


def test_a_missing_sysroot(tmp_path: Path) -> None:
    ended = xenos("run", "--sysroot", tmp_path / "nothing", write(tmp_path, PROGRAM))
    assert ended.status == 127 and "no such directory" in ended.complaint


def test_a_script_without_its_interpreter(tmp_path: Path) -> None:
    ended = xenos("run", write(tmp_path, b"#!/no/such/shell -e\necho hello\n"))
    assert ended.status == 127 and "/no/such/shell" in ended.complaint


def test_a_script_of_the_guest_runs(tmp_path: Path) -> None:
    program = write(tmp_path, PROGRAM, "interpreter")
    assert xenos("run", write(tmp_path, f"#!{program}\n".encode(), "script")).status == 0


def test_a_device_is_no_program() -> None:
    ended = xenos("run", os.devnull)
    assert ended.status == 126 and "no regular file" in ended.complaint


def test_a_pipe_is_no_program_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe").chmod(0o755)
    ended = xenos("run", tmp_path / "pipe")
    assert ended.status == 126 and "no regular file" in ended.complaint


def test_a_bug_of_ours_is_one_line_too(tmp_path: Path) -> None:
    """A module that fails stands for one; the traceback comes with --debug only."""
    (tmp_path / "sitecustomize.py").write_text(
        "import xenos.cpu.state\ndef fail(*_): raise ValueError('planted')\nxenos.cpu.state.Cpu.__init__ = fail\n")
    path = write(tmp_path, PROGRAM)
    from cli.kit import ROOT

    found = f"{ROOT / 'src'}:{tmp_path}"
    ended = xenos("run", path, PYTHONPATH=found)
    assert ended.status == 125 and "a bug of Xenos: ValueError: planted" in ended.complaint
    ended = xenos("run", "--debug", path, PYTHONPATH=found)
    assert ended.status == 125 and "Traceback" in ended.stderr
