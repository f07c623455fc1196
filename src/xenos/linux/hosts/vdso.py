"""Functions that the host's kernel puts into every process (vdso(7)), found by name in their ELF image."""

from __future__ import annotations

import ctypes
import struct

_AT_SYSINFO_EHDR = 33
_LOAD = 1
_DYNSYM, _SYMENT = 11, 24
_PREFIXES = (b"__vdso_", b"__kernel_")


def function(name: str) -> int:
    """Host address of a function such as `clock_gettime`; 0 if there is none."""
    base = _base()
    if not base:
        return 0
    try:
        symbols = _symbols(base)
    except (ValueError, StopIteration, struct.error):
        return 0
    for prefix in _PREFIXES:
        if (found := symbols.get(prefix + name.encode())) is not None:
            return found
    return 0


def _base() -> int:
    getauxval = ctypes.CDLL(None).getauxval
    getauxval.restype = ctypes.c_ulong
    return int(getauxval(ctypes.c_ulong(_AT_SYSINFO_EHDR)))


def _symbols(base: int) -> dict[bytes, int]:
    """Addresses of the dynamic symbols of an image as it lies in memory (gABI ch. 5).

    It may be linked at any address: kernels link it at 0, qemu-user where it has put it.
    """
    head = ctypes.string_at(base, 64)
    programs, sections = struct.unpack_from("<QQ", head, 0x20)
    size, count = struct.unpack_from("<HH", head, 0x36)
    parts = [struct.unpack_from("<IIQQ", ctypes.string_at(base + programs + size * number, size)) for number in range(count)]
    moved = base - next(address - offset for kind, _, offset, address in parts if kind == _LOAD)
    size, count = struct.unpack_from("<HH", head, 0x3A)
    table = ctypes.string_at(base + sections, size * count)
    headers = [struct.unpack_from("<IIQQQQIIQQ", table, size * number) for number in range(count)]
    found = {}
    for _, kind, _, _, offset, length, link, *_ in headers:
        if kind == _DYNSYM:
            names = ctypes.string_at(base + headers[link][4], headers[link][5])
            for at in range(0, length, _SYMENT):
                label, _, _, section, value, _ = struct.unpack("<IBBHQQ", ctypes.string_at(base + offset + at, _SYMENT))
                if section:
                    found[names[label : names.index(b"\0", label)]] = value + moved & (1 << 64) - 1
    return found
