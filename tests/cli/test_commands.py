"""The other commands: version, help, disasm and doctor."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.kit import EXIT, ROOT, TEXT, elf, environment, write, xenos
from xenos.engines.choose import KINDS

LINES = ["addi a0, zero, 3", "jal ra, 8", "addi zero, zero, 0", "beq a0, zero, -4", ".word 0xffffffff", *EXIT]
SYMBOLS = {"_start": 0, "count": 3}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return write(tmp_path, elf(LINES, symbols=SYMBOLS))


def test_version_is_that_of_the_project() -> None:
    ended = xenos("--version")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (ended.stdout, ended.status) == (f"xenos {wanted}\n", 0)


def test_help_and_no_arguments_show_the_commands() -> None:
    asked, bare = xenos("--help"), xenos()
    assert asked.status == 0 and "xenos doctor" in asked.stdout
    assert bare.status == 2 and bare.stderr == asked.stdout


def test_an_unknown_command_is_refused(program: Path) -> None:
    ended = xenos("walk")
    assert ended.status == 2 and "no command `walk`" in ended.complaint
    ended = xenos(program)
    assert ended.status == 2 and f"did you mean `xenos run {program}`?" in ended.complaint


def test_disasm_shows_addresses_bytes_text_and_symbols(program: Path) -> None:
    ended = xenos("disasm", program)
    assert ended.status == 0 and ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert f"{TEXT:016x} <_start>:" in lines
    assert f"   {TEXT:x}:  00300513  addi a0, zero, 3" in lines
    assert f"   {TEXT + 4:x}:  008000ef  jal ra, {TEXT + 12:#x} <count>" in lines
    assert f"   {TEXT + 12:x}:  fe050ee3  beq a0, zero, {TEXT + 8:#x} <_start+0x8>" in lines
    assert f"   {TEXT + 16:x}:  ffffffff  .4byte 0xffffffff" in lines


def test_disasm_as_json(program: Path) -> None:
    ended = xenos("disasm", "--json", program)
    document = json.loads(ended.stdout)
    section, = document["sections"]
    assert document["entry"] == TEXT and section["name"] == ".text"
    assert section["instructions"][0] == {
        "address": TEXT, "bytes": "13053000", "text": "addi a0, zero, 3", "symbol": "_start"}
    assert section["instructions"][1]["target"] == TEXT + 12


@pytest.mark.parametrize("content, says", [
    (b"hello", "not an ELF file"),
    (elf(EXIT)[:30], "truncated"),
    (elf(EXIT)[:70], "no code"),
    (elf(EXIT)[:18] + b"\x3e\0" + elf(EXIT)[20:], "for x86-64, of which no instruction is described"),
])
def test_disasm_refuses_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    ended = xenos("disasm", write(tmp_path, content))
    assert ended.status == 126 and says in ended.complaint


def test_disasm_shows_names_of_any_bytes(tmp_path: Path) -> None:
    """On terminals that cannot show them all, and without doing what they tell the terminal."""
    path = write(tmp_path, elf(LINES, symbols={"\x1b[2J\u00fcber": 0, "count": 3}), "f\udcff\n")
    for encoding in ("ascii:strict", "utf-8:strict"):
        ended = xenos("disasm", path, PYTHONIOENCODING=encoding)
        assert ended.status == 0 and "\x1b" not in ended.stdout and f"{TEXT:016x} <\\x1b[2J" in ended.stdout
        assert "/f\\udcff\\n: riscv64" in ended.stdout
        assert json.loads(xenos("disasm", "--json", path, PYTHONIOENCODING=encoding).stdout)["entry"] == TEXT


def test_disasm_does_not_read_a_device() -> None:
    """Of /dev/zero there is no end."""
    ended = xenos("disasm", "/dev/zero")
    assert ended.status == 126 and "is a device" in ended.complaint


def test_disasm_wants_one_file(tmp_path: Path) -> None:
    assert xenos("disasm").status == xenos("disasm", "a", "b").status == xenos("disasm", "--nonsense", "a").status == 2
    assert xenos("disasm", tmp_path / "nothing").status == 127
    assert xenos("disasm", tmp_path).status == 126


def test_doctor_tells_of_host_engines_and_caches(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "something").write_bytes(bytes(5000))
    ended = xenos("doctor", XENOS_CACHE=str(tmp_path))
    assert ended.status == 0 and ended.stderr == ""
    for word in ("python", "feature level", *KINDS, "code arena", str(tmp_path), "packs"):
        assert word in ended.stdout
    facts = json.loads(xenos("doctor", "--json", XENOS_CACHE=str(tmp_path)).stdout)
    assert facts["usable"] and facts["cache"]["packs"] == "8 KiB" and facts["missing"] == []


def test_without_llvm_and_without_a_library_it_is_said_what_to_install(program: Path, tmp_path: Path) -> None:
    """-S hides what is installed; the cache is empty."""
    for words, status in (("run", program), 125), (("doctor",), 1):
        done = subprocess.run([sys.executable, "-S", "-m", "xenos", *words], capture_output=True, text=True,
                              env=environment(XENOS_CACHE=str(tmp_path)))
        assert done.returncode == status and "pip install llvmlite" in done.stdout + done.stderr


def test_doctor_names_what_is_missing() -> None:
    ended = xenos("doctor", XENOS_CACHE="/dev/null/below")
    assert "XENOS_CACHE=DIR" in ended.stdout.split("missing")[-1]
