"""Reading the ELF object files that LLVM makes: functions, their bytes and their relocations (gABI ch. 4)."""

from __future__ import annotations

import struct

from xenos.errors import EngineError


class Relocation:
    """A place in a function's bytes that awaits a symbol's value."""

    __slots__ = ("addend", "offset", "symbol", "type")

    def __init__(self, offset: int, type_: int, symbol: str, addend: int) -> None:
        self.offset = offset
        self.type = type_
        self.symbol = symbol
        self.addend = addend


class Function:
    """One function: code and relocations, offsets from its start."""

    __slots__ = ("code", "name", "relocations")

    def __init__(self, name: str, code: bytes, relocations: list[Relocation]) -> None:
        self.name = name
        self.code = code
        self.relocations = relocations


_SYMTAB, _RELA = 2, 4
_FUNCTION, _SECTION = 2, 3


class ObjectFile:
    """`functions` by name. Constant pools are `constants`, by section name; relocations name them `.section`. Of accesses that may
    fail, `faults` are offset, offset at which code goes on there, and what else is said; or `places` are offset and number."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"\x7fELF" or data[4] != 2:
            raise EngineError("LLVM gave no 64-bit ELF object")
        (offset,) = struct.unpack_from("<Q", data, 0x28)
        size, count, names_at = struct.unpack_from("<HHH", data, 0x3A)
        headers = [struct.unpack_from("<IIQQQQIIQQ", data, offset + size * i) for i in range(count)]

        def text(table: int, at: int) -> str:
            start = headers[table][4] + at
            return data[start:data.index(b"\0", start)].decode()

        section_names = [text(names_at, h[0]) for h in headers]
        bodies = [data[h[4]:h[4] + h[5]] for h in headers]
        self.constants = {name: body for name, body in zip(section_names, bodies, strict=True)
                          if name.startswith(".rodata")}
        symbols: list[tuple[str, int, int, int, int]] = []
        for header in headers:
            if header[1] == _SYMTAB:
                for at in range(header[4], header[4] + header[5], 24):
                    name, info, _, section, value, length = struct.unpack_from("<IBBHQQ", data, at)
                    label = section_names[section] if info & 15 == _SECTION else text(header[6], name)
                    symbols.append((label, info & 15, section, value, length))
        pending: dict[int, list[Relocation]] = {}
        for header in headers:
            if header[1] == _RELA:
                pending[header[7]] = []
                for where, info, addend in struct.iter_unpack("<QQq", bodies[headers.index(header)]):
                    label, _, section, value, _ = symbols[info >> 32]
                    if 0 < section < len(headers) and section_names[section] in self.constants:
                        label, addend = section_names[section], addend + value
                    pending[header[7]].append(Relocation(where, info & 0xFFFF_FFFF, label, addend))
        # Tables of jumps are constants that refer to code.
        self.constant_relocations = {section_names[section]: found for section, found in pending.items()
                                     if section_names[section] in self.constants and found}

        def words(section: str) -> list[tuple[int, bool]]:
            """A section's numbers of 32 bits, and whether each is an offset in the code."""
            if section not in section_names:
                return []
            number = section_names.index(section)
            offsets = {one.offset: one.addend for one in pending.get(number, [])}
            body = struct.iter_unpack("<I", bodies[number])
            return [(offsets.get(4 * at, word), 4 * at in offsets) for at, (word,) in enumerate(body)]

        rows = iter(word for word, _ in words(".faults"))
        self.faults = list(zip(rows, rows, rows, strict=True))
        self.places: list[tuple[int, int]] = []     # in the section, a number stands behind all its offsets
        waiting: list[int] = []
        for word, is_offset in words(".places"):
            if is_offset:
                waiting.append(word)
            else:
                self.places += [(offset, word) for offset in waiting]
                waiting = []
        self.functions: dict[str, Function] = {}
        self.text = b""            # the section of the functions, whole, with its relocations
        self.text_relocations: list[Relocation] = []
        self.offsets: dict[str, int] = {}
        for section in {s[2] for s in symbols if s[1] == _FUNCTION}:
            relocations = sorted(pending.get(section, []), key=lambda r: r.offset)
            next_one = 0
            self.text, self.text_relocations = bodies[section], relocations
            for name, _, _, value, length in sorted((s for s in symbols if s[1] == _FUNCTION and s[2] == section),
                                                    key=lambda s: s[3]):
                mine = []
                while next_one < len(relocations) and relocations[next_one].offset < value + length:
                    r = relocations[next_one]
                    mine.append(Relocation(r.offset - value, r.type, r.symbol, r.addend))
                    next_one += 1
                self.offsets[name] = value
                self.functions[name] = Function(name, bodies[section][value:value + length], mine)
