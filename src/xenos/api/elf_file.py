"""An ELF file for looking at: its code, and what its addresses are called. Damaged tables read as empty ones."""

from __future__ import annotations

import os
import stat
import struct
from bisect import bisect_right

from xenos.errors import LoadError, MissingFile

_HEADER = struct.Struct("<HHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SHT_SYMTAB, _SHT_NOBITS, _SHT_DYNSYM = 2, 8, 11
_SHF_ALLOC, _SHF_EXECINSTR = 2, 4
_PT_LOAD, _PF_X = 1, 1
_OBJECT_FILE = 1
_SHN_ABS = 0xFFF1
_NAMED = (0, 1, 2)  # symbol types without one, of data and of functions


class Code:
    """A stretch of code: a section, or a segment where a file has no sections. `address` is where it is linked."""

    __slots__ = ("address", "data", "index", "name")

    def __init__(self, name: str, address: int, data: bytes, index: int) -> None:
        self.name = name
        self.address = address
        self.data = data
        self.index = index


class Symbol:
    """A name for an address. `section` numbers the section that it is in."""

    __slots__ = ("address", "function", "name", "section", "size")

    def __init__(self, name: str, address: int, size: int, function: bool, section: int) -> None:
        self.name = name
        self.address = address
        self.size = size
        self.function = function
        self.section = section


class ElfFile:
    """A 64-bit little-endian ELF file. LoadError if it is none; MissingFile if it is not there."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):   # a pipe ends, /dev/zero does not
                    raise LoadError(f"{path}: is a device, not an ELF file")
                data = file.read()
        except FileNotFoundError:
            raise MissingFile(f"{path}: no such file") from None
        except IsADirectoryError:
            raise LoadError(f"{path}: is a directory, not an ELF file") from None
        except OSError as error:
            raise LoadError(f"{path}: cannot be read: {error.strerror}") from None
        if data[:4] != b"\x7fELF":
            raise LoadError(f"{path}: not an ELF file")
        if len(data) < 64 or data[4] != 2 or data[5] != 1:
            raise LoadError(f"{path}: not a 64-bit little-endian ELF file, or truncated")
        self._data = data
        header = _HEADER.unpack_from(data, 16)
        self.kind: int = header[0]
        self.machine: int = header[1]
        self.entry: int = header[3]
        self._segments_at, self._sections_at = header[4:6]
        segment_size, self._segments, section_size, self._sections, self._names_in = header[8:]
        if segment_size != _SEGMENT.size:
            self._segments = 0
        if section_size != _SECTION.size:
            self._sections = 0

    def _bytes(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size] if offset + size <= len(self._data) else b""

    def _records(self, shape: struct.Struct, offset: int, count: int) -> list[tuple[int, ...]]:
        return list(shape.iter_unpack(self._bytes(offset, count * shape.size)))

    def _text(self, strings: bytes, offset: int) -> str:
        return strings[offset : max(offset, strings.find(0, offset))].decode("utf-8", "replace")

    def code(self) -> list[Code]:
        """What is executable, in the order of the file."""
        sections = self._records(_SECTION, self._sections_at, self._sections)
        names = self._bytes(*sections[self._names_in][4:6]) if self._names_in < len(sections) else b""
        found = [
            Code(self._text(names, name), address, self._bytes(offset, size), index)
            for index, (name, kind, flags, address, offset, size, *_) in enumerate(sections)
            if flags & _SHF_EXECINSTR and kind != _SHT_NOBITS
        ]
        if not sections:
            segments = self._records(_SEGMENT, self._segments_at, self._segments)
            found = [
                Code("", address, self._bytes(offset, size), -1)
                for kind, flags, offset, address, _, size, _, _ in segments if kind == _PT_LOAD and flags & _PF_X
            ]
        return [part for part in found if part.data]

    def symbols(self) -> list[Symbol]:
        """Names of functions, of data and of places in code, sorted by address."""
        sections = self._records(_SECTION, self._sections_at, self._sections)
        found: dict[tuple[int, str], Symbol] = {}
        for _, kind, _, _, offset, size, link, _, _, _ in sections:
            if kind not in (_SHT_SYMTAB, _SHT_DYNSYM) or link >= len(sections):
                continue
            strings = self._bytes(*sections[link][4:6])
            for text, info, _, section, value, length in self._records(_SYMBOL, offset, size // _SYMBOL.size):
                if info & 15 not in _NAMED or not section or section == _SHN_ABS:
                    continue
                name = self._text(strings, text)
                if name and not name.startswith(("$", ".L")):  # marks for disassemblers, labels of the compiler
                    found[value, name] = Symbol(name, value, length, info & 15 == 2, section)
        return sorted(found.values(), key=lambda symbol: (symbol.address, not symbol.function, symbol.name))

    def load_bias(self, start: int, offset: int) -> int | None:
        """What a loader added to the file's addresses, if it mapped the byte at `offset` to `start`."""
        for kind, _, at, address, _, size, _, _ in self._records(_SEGMENT, self._segments_at, self._segments):
            if kind == _PT_LOAD and at & -4096 <= offset < at + size:
                return start - (address + offset - at)
        return None

    @property
    def relocatable(self) -> bool:
        """An object file: all its sections start at 0."""
        return self.kind == _OBJECT_FILE


class Labels:
    """Finds the symbol that an address belongs to."""

    def __init__(self, symbols: list[Symbol]) -> None:
        self._symbols = symbols
        self._starts = [symbol.address for symbol in symbols]

    def at(self, address: int) -> list[Symbol]:
        """The symbols that stand exactly there, functions first."""
        index = bisect_right(self._starts, address - 1)
        found = []
        while index < len(self._starts) and self._starts[index] == address:
            found.append(self._symbols[index])
            index += 1
        return found

    def describe(self, address: int) -> str:
        """`main`, `main+0x12`, or nothing where no symbol comes before."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return ""
        start = self._starts[index]
        name = self.at(start)[0].name
        return f"{name}+{address - start:#x}" if address != start else name
