"""What the tests of cli/ and api/ are made with: tiny programs assembled here, and the command run on them."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

from xenos.engines import choose
from xenos.engines.code import stock
from xenos.engines.hosts import host
from xenos.engines.stencil import pack
from xenos.isa import GUESTS, find_guest
from xenos.semantics.assembler import Assembler

ROOT = Path(__file__).absolute().parents[2]
GUEST = find_guest("riscv64")
MACHINE = GUEST.linux.elf_machine
TEXT, DATA = 0x11000, 0x12000   # where a program's code and its data lie
EXIT = ["addi a7, zero, 93", "ecall"]
SPIN = ["jal zero, 0"]
WRITE = ["addi a0, zero, 1", f"lui a1, {DATA >> 12}", "addi a7, zero, 64"]   # the data; the length comes in a2


@cache
def _assembler() -> Assembler:
    return Assembler(GUEST.instructions(), GUEST.names)


def assemble(lines: list[str]) -> bytes:
    """Machine code; all lines are instructions of 32 bits, `.word N` puts N itself, jumps are relative."""
    words = [int(line.split()[1], 0) if line.startswith(".word") else _assembler().assemble(line) for line in lines]
    return b"".join(word.to_bytes(4, "little") for word in words)


def elf(lines: list[str], data: bytes = b"", symbols: dict[str, int] | None = None) -> bytes:
    """A program: code at TEXT, data at DATA, `symbols` by the number of the instruction that they name."""
    code = assemble(lines)
    segments = [(5, 0x1000, TEXT, len(code)), (6, 0x2000, DATA, len(data) or 8)]
    body = b"".join(struct.pack("<IIQQQQQQ", 1, flags, offset, at, at, size, size, 4096)
                    for flags, offset, at, size in segments)
    text = b"\0.text\0.symtab\0.strtab\0"
    names, entries = b"\0", bytes(24)
    for name, number in (symbols or {}).items():
        entries += struct.pack("<IBBHQQ", len(names), 0x12, 0, 1, TEXT + 4 * number, 0)
        names += name.encode() + b"\0"
    tail, at = b"", 0x2000 + max(len(data), 8)
    sections = [bytes(64), struct.pack("<IIQQQQIIQQ", 1, 1, 6, TEXT, 0x1000, len(code), 0, 0, 4, 0)]
    for name, kind, content, link, size in ((7, 2, entries, 3, 24), (15, 3, names, 0, 0), (15, 3, text, 0, 0)):
        sections.append(struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at + len(tail), len(content), link, 0, 1, size))
        tail += content
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, MACHINE, 1, TEXT, 64, at + len(tail), 0, 64, 56, len(segments), 64, len(sections), 4)
    loaded = (head + body).ljust(0x1000, b"\0") + code.ljust(0x1000, b"\0") + data.ljust(8, b"\0")
    return loaded + tail + b"".join(sections)


def printing(text: bytes, status: int = 0) -> bytes:
    """A program that writes `text` to its standard output and exits."""
    return elf([*WRITE, f"addi a2, zero, {len(text)}", "ecall", f"addi a0, zero, {status}", *EXIT], text)


def write(folder: Path, content: bytes, name: str = "program") -> Path:
    """An executable file."""
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def environment(**changes: str) -> dict[str, str]:
    """That of a child that imports this source tree."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **changes}


def command(*words: str | Path) -> list[str]:
    """`xenos` with these words."""
    return [sys.executable, "-m", "xenos", *map(str, words)]


def with_library(folder: Path, program: Path) -> Path:
    """`folder`, made a cache that has the stencil library and no code: the user's, which running `program` completes."""
    xenos("run", program)
    packs = Path(choose.cache_folder()) / "packs"
    (folder / "packs").mkdir(parents=True)
    # Tests with other host levels leave libraries for those there.
    made = {pack.made_from(name, host().level())[:16] for name in GUESTS}
    for file in stock.files(str(packs), made, choose.in_use()[1]):
        if file.state == stock.IN_USE:
            shutil.copy(file.path, folder / "packs")
    return folder


class Ended:
    """How a command ended: its status and what it wrote, as text."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.status = done.returncode
        self.stdout = done.stdout.decode("utf-8", "backslashreplace")
        self.stderr = done.stderr.decode("utf-8", "backslashreplace")

    @property
    def complaint(self) -> str:
        """The one line that it wrote to standard error, and nothing else."""
        lines = self.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("xenos: "), self.stderr
        return lines[0].removeprefix("xenos: ")


def xenos(*words: str | Path, stdin: bytes = b"", cwd: Path | None = None, **changes: str) -> Ended:
    """Run the command to its end; `changes` are made to its environment."""
    return Ended(subprocess.run(command(*words), input=stdin, capture_output=True, timeout=120, cwd=cwd,
                                env=environment(**changes)))
