"""The name of the function at a guest address, from the symbol tables of the file mapped there."""

from __future__ import annotations

import os
import struct
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")
SHT_SYMTAB, SHT_DYNSYM = 2, 11
STT_FUNC, STT_NOTYPE = 2, 0
_TABLE_MAX = 64 << 20   # a damaged file must not make a crash report slow
_LONGEST = 400          # bytes of a name
_KEPT = 4               # tables of files that were asked for last: a profile asks for many names in a few
_tables: dict[tuple[str, int, int], Table] = {}


def describe(process: Process, address: int) -> str:
    """`main+0x12`, `libc.so.6+0x3f10` where there are no symbols, or "" where no file is mapped."""
    region = process.memory.regions.at(address)
    if region is None or region.file is None:
        return ""
    place = address - region.start + region.offset
    short = os.path.basename(region.file)
    try:
        found = _table(region.file).name(place)
    except (OSError, struct.error, ValueError, OverflowError):
        found = ""
    return found or f"{short}+{place:#x}"


def _table(path: str) -> Table:
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        key = path, status.st_mtime_ns, status.st_size
        if key not in _tables:
            while len(_tables) >= _KEPT:
                del _tables[next(iter(_tables))]
            _tables[key] = Table(file.read(_TABLE_MAX))
        return _tables[key]


class Table:
    """The functions of the ELF file `data`, and where its bytes are when it runs."""

    def __init__(self, data: bytes) -> None:
        table, = struct.unpack_from("<Q", data, 32)
        count, = struct.unpack_from("<H", data, 56)
        self._segments = []     # offset, size, address
        for index in range(count):
            kind, _, offset, virtual, _, size, _, _ = _SEGMENT.unpack_from(data, table + index * 56)
            if kind == 1:
                self._segments.append((offset, size, virtual))
        sections_at, = struct.unpack_from("<Q", data, 40)
        count, = struct.unpack_from("<H", data, 60)
        sections = [_SECTION.unpack_from(data, sections_at + index * 64) for index in range(count)]
        named: dict[int, tuple[int, str]] = {}      # address -> length, name; of several the first
        for _, kind, _, _, offset, size, link, _, _, _ in sections:
            if kind in (SHT_SYMTAB, SHT_DYNSYM) and link < len(sections):
                self._take(data, range(offset, min(offset + size, len(data)) - 23, 24), sections[link][4], named)
        self._named = named
        self._starts = sorted(named)

    @staticmethod
    def _take(data: bytes, entries: range, strings: int, named: dict[int, tuple[int, str]]) -> None:
        for at in entries:
            text, info, _, section, value, length = _SYMBOL.unpack_from(data, at)
            if info & 15 not in (STT_FUNC, STT_NOTYPE) or not section or value in named:
                continue
            label = data[strings + text : strings + text + _LONGEST].partition(b"\0")[0].decode("utf-8", "replace")
            if label and not label.startswith("$"):  # $x, $d mark code and data for disassemblers
                named[value] = length, label

    def name(self, place: int) -> str:
        """`main+0x12` for the byte at that offset of the file; empty if no function has it."""
        for offset, size, virtual in self._segments:
            if offset <= place < offset + size:
                return self._function(place - offset + virtual)
        return ""

    def _function(self, wanted: int) -> str:
        for index in range(bisect_right(self._starts, wanted) - 1, -1, -1):
            start = self._starts[index]
            length, label = self._named[start]
            if not length or wanted < start + length:
                return f"{label}+{wanted - start:#x}"
        return ""
