"""Mapping a program and its interpreter into guest memory."""

from __future__ import annotations

import os

from xenos.errors import LoadError
from xenos.linux import elf as elves
from xenos.linux.elf import PAGE, Elf
from xenos.memory.host import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process
    from xenos.linux.program import Program
    from xenos.memory.flat import FlatMemory

STACK_SIZE = 8 << 20
_STACK_GUARD = 1 << 20  # stays empty, so that a stack that grows too far faults


class Image:
    """A program in memory: where execution starts, and what the auxiliary vector says of it. Guest addresses."""

    __slots__ = ("base", "break_start", "elf", "entry", "headers", "start")

    def __init__(self, elf: Elf, bias: int) -> None:
        self.elf = elf
        self.headers = elf.header_address + bias if elf.header_address else 0
        self.entry = elf.entry + bias       # AT_ENTRY: the program's own
        self.start = self.entry             # where to begin: the interpreter's entry if there is one
        self.base = 0                       # AT_BASE: where the interpreter lies
        self.break_start = (elf.high + bias + PAGE - 1) & -PAGE


def load(process: Process, program: Program) -> Image:
    """Map `program` into the process's empty memory. LoadError if guest memory has no room for it."""
    memory = process.memory
    image = Image(program.elf, place(memory, program.elf, program.fd, program=True))
    if program.interpreter is not None:
        bias = place(memory, program.interpreter, program.interpreter_fd, program=False)
        image.base = program.interpreter.low + bias
        image.start = program.interpreter.entry + bias
    stack = memory.top - PAGE - STACK_SIZE
    memory.map(stack, STACK_SIZE, 7 if program.elf.executable_stack else 3, name="[stack]")
    memory.ceiling = stack - _STACK_GUARD
    return image


def place(memory: FlatMemory, elf: Elf, fd: int, *, program: bool) -> int:
    """Map all segments of one file; returns what to add to its own addresses."""
    try:
        bias = 0 if elf.fixed else memory.find_slot(elf.high - elf.low, elf.identity, program=program) - elf.low
        if memory.regions.between(elf.low + bias, elf.high + bias):
            raise LoadError(f"{elf.path}: its addresses from {elf.low:#x} are taken by the program that it interprets")
        for segment in elf.segments:
            _map(memory, segment, bias, fd)
    except OSError as error:
        size = elf.high - elf.low
        raise LoadError(f"{elf.path}: cannot map its {size} bytes of memory: {os.strerror(error.errno or 0)}") from None
    return bias


def _map(memory: FlatMemory, segment: elves.Segment, bias: int, fd: int) -> None:
    address = segment.address + bias
    start = address & -PAGE
    data_end = address + segment.file_size
    page_end = (data_end + PAGE - 1) & -PAGE
    if segment.file_size:
        memory.map(start, page_end - start, segment.prot, fd=fd, offset=segment.offset - (address - start))
    else:
        page_end = start
    end = address + segment.memory_size
    if segment.memory_size == segment.file_size:
        return
    tail = min(page_end, end) - data_end
    if tail > 0 and segment.file_size:
        # The rest of the last page of the file is something else's; .bss starts there, with zeroes.
        if not segment.prot & WRITE:
            memory.protect(page_end - PAGE, PAGE, segment.prot | WRITE)
        memory.write(data_end, bytes(page_end - data_end))
        if not segment.prot & WRITE:
            memory.protect(page_end - PAGE, PAGE, segment.prot)
    if end > page_end:
        memory.map(page_end, end - page_end, segment.prot)
