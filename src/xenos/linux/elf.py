"""Reading a 64-bit ELF file's headers, and refusing, one by one, those that no kernel would load."""

from __future__ import annotations

import itertools
import os
import stat
import struct

from xenos.errors import LoadError
from xenos.memory.placement import IDENTITY

PAGE = 4096
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_PHDR, PT_GNU_STACK = 1, 2, 3, 6, 0x6474E551
PF_X, PF_W, PF_R = 1, 2, 4
ET_EXEC, ET_DYN = 2, 3
_KINDS = {0: "no file type", 1: "an object file: link it first", 4: "a core dump"}
_PATH_MAX = 4096
_LOWEST = 0x1000  # address 0 stays unmapped, so that null pointers fault


class Segment:
    """One program header of type PT_LOAD; all numbers in bytes."""

    __slots__ = ("address", "file_size", "flags", "memory_size", "offset")

    def __init__(self, address: int, offset: int, file_size: int, memory_size: int, flags: int) -> None:
        self.address = address
        self.offset = offset
        self.file_size = file_size
        self.memory_size = memory_size
        self.flags = flags

    @property
    def prot(self) -> int:
        """The protection in mmap's bits: read 1, write 2, execute 4."""
        flags = self.flags
        return (flags & PF_R) >> 2 | flags & PF_W | (flags & PF_X) << 2


class Elf:
    """What loading needs to know of an ELF file. `low` and `high` are the pages that its segments span."""

    __slots__ = (
        "entry", "executable_stack", "fixed", "header_address", "headers", "high", "identity", "interpreter", "low",
        "path", "segments",
    )

    def __init__(self, path: str, identity: bytes, *, fixed: bool, entry: int, headers: int) -> None:
        self.path = path
        self.identity = identity        # what decides where it is placed
        self.fixed = fixed              # ET_EXEC: only right at the addresses it names
        self.entry = entry
        self.headers = headers          # how many program headers
        self.header_address = 0         # where they lie once loaded, or 0
        self.executable_stack = False   # for compilers that put code there
        self.interpreter: bytes | None = None
        self.segments: list[Segment] = []
        self.low = 0
        self.high = 0


def machine_name(machine: int) -> str:
    """What people call the ISA with this e_machine."""
    try:
        from xenos.isa.elf_machines import NAMES  # only for an error message
    except ImportError:
        return f"ELF machine {machine}"
    return NAMES.get(machine, f"ELF machine {machine}")


def read(fd: int, path: str, machine: int, limit: int) -> Elf:
    """Headers of an open file, which must be a program for ISA `machine` below address `limit`; else LoadError."""
    status = os.fstat(fd)
    size = status.st_size
    if not stat.S_ISREG(status.st_mode):
        raise LoadError(f"{path}: is no regular file, so no program")
    identity = os.pread(fd, IDENTITY, 0)
    head = identity[:64]
    if head[:4] != b"\x7fELF":
        raise LoadError(f"{path}: not an ELF program" + (", and no script: that begins with #!" if head else " (it is empty)"))
    _identity(path, head, machine)
    kind, _, _, entry, table, _, _, _, entry_size, count = struct.unpack_from("<HHIQQQIHHH", head, 16)
    if kind not in (ET_EXEC, ET_DYN):
        raise LoadError(f"{path}: not a program but {_KINDS.get(kind, f'ELF type {kind}')}")
    if entry_size != 56 or not 0 < count < 0xFFFF:
        raise LoadError(f"{path}: damaged ELF: {count} program headers of {entry_size} bytes")
    if table > size or count * 56 > size - table:
        raise LoadError(f"{path}: truncated ELF: program headers end at {table + count * 56}, the file at {size}")
    elf = Elf(path, identity, fixed=kind == ET_EXEC, entry=entry, headers=count)
    data = os.pread(fd, count * 56, table)
    if len(data) < count * 56:
        raise LoadError(f"{path}: truncated ELF: the file shrank while it was read")
    for index in range(count):
        header = struct.unpack_from("<IIQQQQQQ", data, index * 56)
        kind, flags, offset, address, _, file_size, memory_size, align = header
        if kind == PT_LOAD and memory_size:
            _check_segment(path, index, size, limit, offset, address, file_size, memory_size, align)
            elf.segments.append(Segment(address, offset, file_size, memory_size, flags))
        elif kind == PT_INTERP and elf.interpreter is None:
            elf.interpreter = _interpreter(path, fd, size, offset, file_size)
        elif kind == PT_GNU_STACK:
            elf.executable_stack = flags & PF_X != 0
        elif kind == PT_PHDR:
            elf.header_address = address
    _check_layout(elf, table)
    return elf


def _identity(path: str, head: bytes, machine: int) -> None:
    if len(head) < 64:
        raise LoadError(f"{path}: truncated ELF: {len(head)} bytes of a header of 64")
    big = head[5] == 2
    found = int.from_bytes(head[18:20], "big" if big else "little")
    if found != machine or big or head[4] != 2:
        what = f"{'32-bit ' if head[4] == 1 else ''}{'big-endian ' if big else ''}{machine_name(found)}"
        raise LoadError(f"{path}: a program for {what}; this runs 64-bit {machine_name(machine)} only")
    if head[5] != 1 or head[6] != 1:
        raise LoadError(f"{path}: damaged ELF: data encoding {head[5]}, version {head[6]}")


def _check_segment(
    path: str, index: int, size: int, limit: int,
    offset: int, address: int, file_size: int, memory_size: int, align: int,
) -> None:
    where = f"{path}: damaged ELF: segment {index}"
    if file_size > memory_size:
        raise LoadError(f"{where} has {file_size} bytes for {memory_size} of memory")
    if offset > size or file_size > size - offset:
        raise LoadError(f"{path}: truncated ELF: segment {index} ends at {offset + file_size}, the file at {size}")
    if address + memory_size > 1 << 64:
        raise LoadError(f"{where} wraps around the address space ({address:#x} + {memory_size:#x})")
    if address + memory_size > limit - PAGE:
        raise LoadError(f"{where} ends at {address + memory_size:#x}, above the {limit:#x} that a guest has here")
    if file_size and (address - offset) % PAGE:
        raise LoadError(f"{where} lies at {address:#x} but at {offset:#x} in the file: not congruent to a page")
    if align > 1 and align & (align - 1):
        raise LoadError(f"{where} has alignment {align}, no power of two")


def _interpreter(path: str, fd: int, size: int, offset: int, length: int) -> bytes:
    if not 2 <= length <= _PATH_MAX or offset > size or length > size - offset:
        raise LoadError(f"{path}: damaged ELF: interpreter name of {length} bytes at {offset}")
    name = os.pread(fd, length, offset)
    if len(name) < length or name[-1] or name.index(0) == 0:
        raise LoadError(f"{path}: damaged ELF: interpreter name is not a string")
    return name[: name.index(0)]


def _check_layout(elf: Elf, table: int) -> None:
    path, segments = elf.path, elf.segments
    if not segments:
        raise LoadError(f"{path}: damaged ELF: nothing to load")
    for before, after in itertools.pairwise(segments):
        if after.address < before.address + before.memory_size:
            where = f"{before.address:#x} and {after.address:#x}"
            raise LoadError(f"{path}: damaged ELF: segments at {where} overlap or are unsorted")
    elf.low = segments[0].address & -PAGE
    elf.high = (segments[-1].address + segments[-1].memory_size + PAGE - 1) & -PAGE
    if elf.fixed and elf.low < _LOWEST:
        raise LoadError(f"{path}: wants address {elf.low:#x}, which stays empty for null pointers; link it higher")
    if not any(s.flags & PF_X and s.address <= elf.entry < s.address + s.memory_size for s in segments):
        raise LoadError(f"{path}: damaged ELF: its entry {elf.entry:#x} is in no executable segment")
    if not elf.header_address:
        for segment in segments:
            if segment.offset <= table and table + elf.headers * 56 <= segment.offset + segment.file_size:
                elf.header_address = segment.address + table - segment.offset
