"""The name of the function at a guest address, from the symbol tables of the file mapped there."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")
SHT_SYMTAB, SHT_DYNSYM = 2, 11
STT_FUNC, STT_NOTYPE = 2, 0
_TABLE_MAX = 64 << 20  # a damaged file must not make a crash report slow


def describe(process: Process, address: int) -> str:
    """`main+0x12`, `libc.so.6+0x3f10` where there are no symbols, or "" where no file is mapped."""
    region = process.memory.regions.at(address)
    if region is None or region.file is None:
        return ""
    place = address - region.start + region.offset
    short = os.path.basename(region.file)
    try:
        with open(region.file, "rb") as file:
            found = _lookup(file.read(_TABLE_MAX), place)
    except (OSError, struct.error, ValueError, OverflowError):
        found = ""
    return found or f"{short}+{place:#x}"


def _lookup(data: bytes, place: int) -> str:
    """The function that holds byte `place` of the ELF file `data`."""
    table, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    for index in range(count):
        kind, _, offset, virtual, _, size, _, _ = _SEGMENT.unpack_from(data, table + index * 56)
        if kind == 1 and offset <= place < offset + size:
            wanted = place - offset + virtual
            break
    else:
        return ""
    sections_at, = struct.unpack_from("<Q", data, 40)
    count, = struct.unpack_from("<H", data, 60)
    sections = [_SECTION.unpack_from(data, sections_at + index * 64) for index in range(count)]
    best, name = -1, ""
    for _, kind, _, _, offset, size, link, _, _, _ in sections:
        if kind not in (SHT_SYMTAB, SHT_DYNSYM) or link >= len(sections):
            continue
        strings = sections[link][4]
        for at in range(offset, min(offset + size, len(data)) - 23, 24):
            text, info, _, section, value, length = _SYMBOL.unpack_from(data, at)
            if info & 15 not in (STT_FUNC, STT_NOTYPE) or not section or not best < value <= wanted:
                continue
            if length and wanted >= value + length:
                continue
            end = data.find(b"\0", strings + text)
            label = data[strings + text : end].decode("utf-8", "replace")
            if label and not label.startswith("$"):  # $x, $d mark code and data for disassemblers
                best, name = value, label
    return f"{name}+{wanted - best:#x}" if name else ""
