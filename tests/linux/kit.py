"""What the tests of linux/ are made with: a process whose calls a test makes, and ELF files made to order."""

import struct
from collections.abc import Callable
from typing import Any

from xenos.cpu.exits import Exit
from xenos.cpu.state import Cpu
from xenos.engines.choose import bridge
from xenos.linux import kernel
from xenos.linux.form import LinuxForm
from xenos.linux.generic_numbers import NUMBERS
from xenos.linux.process import Process
from xenos.memory.flat import FlatMemory

MACHINE = 0x1234
SCRATCH = 0x200000  # where tests put what they pass to calls


class Script:
    """An engine that answers with the exits it was given, after doing to the CPU what they come with."""

    def __init__(self) -> None:
        self.exits: list[Exit | Callable[[Cpu], Exit]] = []

    def run(self, cpu: Cpu, memory: FlatMemory, budget: int) -> Exit:
        step = self.exits.pop(0)
        return step(cpu) if callable(step) else step


FORM = LinuxForm(
    machine="guest64", elf_machine=MACHINE, numbers=NUMBERS, hwcap=0x2A, cpuinfo="cpu : {cpu}\n", calls={},
    number=("r", 8), arguments=tuple(("r", n) for n in range(6)), result=("r", 0),
    stack_pointer=("r", 9), thread_pointer=("r", 10), signal_frame="",
)
CALL_NUMBERS = {name: number for number, name in NUMBERS.items()}


class Guest(Process):
    """A process whose calls a test makes by name; pointers to data are written for it."""

    def __init__(self, form: LinuxForm, cpu: Cpu, memory: FlatMemory, engine: Any) -> None:
        super().__init__(form, cpu, memory, engine, bridge=bridge())
        self._mask = kernel.get_mask()

    def call(self, name: str, *arguments: int | bytes) -> int:
        """Make a system call; bytes are put into guest memory as C strings and passed by address."""
        self.signals.listen()
        if not self.leader.tid:
            self.leader.begin(main=True)
        at = SCRATCH
        for index in range(6):
            value = arguments[index] if index < len(arguments) else 0
            if isinstance(value, bytes):
                self.memory.write(at, value + b"\0")
                value, at = at, at + (len(value) + 16 & ~15)
            self.cpu.write("r", index, value)
        self.cpu.write("r", 8, CALL_NUMBERS[name])
        self.system_call(self.leader)
        while self.leader.woken:    # a signal came of it
            self.wake(self.leader)
        result = self.cpu.read("r", 0)
        return result - (1 << 64) if result >> 63 else result

    def close(self) -> None:
        """Give the host's signals back."""
        self.bridge.leave(self.leader.tid)
        self.signals.restore()
        kernel.set_mask(self._mask)


def segment(
    address: int = 0x10000, offset: int = 0, file_size: int = 0x200, memory_size: int = 0x200, flags: int = 5,
    kind: int = 1, align: int = 4096,
) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, file_size, memory_size, align)


def make_elf(
    *segments: bytes, kind: int = 2, machine: int = MACHINE, entry: int = 0x10100, size: int = 0x1000,
    tail: bytes = b"", **changes: int,
) -> bytes:
    """An ELF file of `size` bytes; `changes` overwrite fields of its header."""
    fields = {"phoff": 64, "phentsize": 56, "phnum": len(segments), "class": 2, "data": 1, "version": 1, **changes}
    head = bytes((0x7F, 0x45, 0x4C, 0x46, fields["class"], fields["data"], fields["version"])) + bytes(9)
    head += struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, entry, fields["phoff"], 0, 0, 64,
        fields["phentsize"], fields["phnum"], 64, 0, 0,
    )
    return (head + b"".join(segments)).ljust(size, b"\0") + tail
