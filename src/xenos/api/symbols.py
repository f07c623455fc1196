"""Names of addresses in a running guest: the symbol tables of all files of which code is mapped."""

from __future__ import annotations

from xenos.api.elf_file import ElfFile
from xenos.errors import LoadError
from xenos.memory.flat import FlatMemory
from xenos.memory.host import EXEC

_tables: dict[tuple[str, int], dict[str, int]] = {}
_MOST_KEPT = 64  # tables, by file and place


def mapped_symbols(memory: FlatMemory, program: str) -> dict[str, int]:
    """Address by name; of two with one name, the one in the file `program` wins, then the one mapped lowest."""
    files: dict[tuple[str, int], dict[str, int]] = {}
    for region in memory.regions:
        if region.file is None or not region.prot & EXEC:
            continue
        key = (region.file, region.start - region.offset)
        if key not in _tables:
            if len(_tables) >= _MOST_KEPT:
                _tables.clear()
            _tables[key] = _read(region.file, region.start, region.offset)
        files[key] = _tables[key]
    merged: dict[str, int] = {}
    for key in sorted(files, key=lambda key: (key[0] == program, -key[1])):
        merged.update(files[key])
    return merged


def _read(path: str, start: int, offset: int) -> dict[str, int]:
    try:
        file = ElfFile(path)
    except LoadError:
        return {}
    bias = file.load_bias(start, offset)
    if bias is None:
        return {}
    return {symbol.name: symbol.address + bias for symbol in reversed(file.symbols())}
