"""A process without a program for each test of a system call."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linux.kit import FORM, SCRATCH, Guest, Script
from xenos.cpu.layout import Layout, RegisterFile
from xenos.cpu.state import Cpu
from xenos.memory.flat import FlatMemory


@pytest.fixture
def guest() -> Iterator[Guest]:
    memory = FlatMemory()
    process = Guest(FORM, Cpu(Layout((RegisterFile("r", 64, 16),))), memory, Script())
    memory.map(SCRATCH, 0x100000, 3)
    yield process
    process.close()
    process.reset()
    memory.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[[bytes], str]:
    """Write bytes to an executable file."""

    def write(data: bytes, name: str = "program") -> str:
        path = tmp_path / name
        path.write_bytes(data)
        path.chmod(0o755)
        return str(path)

    return write
