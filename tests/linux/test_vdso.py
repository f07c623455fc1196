"""Functions that the host's kernel puts into every process, found wherever their image is linked."""

from __future__ import annotations

import ctypes
import struct
import time

import pytest

from xenos.linux.hosts import vdso

_NAMES = b"\0__kernel_clock_gettime\0"


def test_the_clock_is_read() -> None:
    address = vdso.function("clock_gettime")
    if not address:
        pytest.skip("this host's kernel has no clock_gettime in its vDSO")
    words = (ctypes.c_int64 * 2)()
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)(address)
    before = time.monotonic_ns()
    assert call(time.CLOCK_MONOTONIC, ctypes.addressof(words)) == 0
    assert before <= words[0] * 1_000_000_000 + words[1] <= time.monotonic_ns()


@pytest.mark.parametrize("linked", ["at 0", "where it lies", "high"])
def test_symbols_of_an_image(monkeypatch: pytest.MonkeyPatch, linked: str) -> None:
    """qemu-user links its own where it has put it; kernels link theirs at 0, and did so near the end of all addresses once."""
    room = ctypes.create_string_buffer(0x400)
    base = ctypes.addressof(room)
    at = {"at 0": 0, "where it lies": base, "high": 0xFFFF_FFFF_FF70_0000}[linked]
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, at + 0x300, 8)
    image = bytearray(0x400)
    struct.pack_into("<QQ", image, 0x20, 0x40, 0x80)                # of program headers, of section headers
    struct.pack_into("<HHHH", image, 0x36, 56, 1, 64, 3)
    struct.pack_into("<IIQQ", image, 0x40, 1, 5, 0, at)             # PT_LOAD
    struct.pack_into("<IIQQQQIIQQ", image, 0xC0, 0, 11, 0, 0, 0x200, len(symbols), 2, 0, 8, 24)
    struct.pack_into("<IIQQQQIIQQ", image, 0x100, 0, 3, 0, 0, 0x280, len(_NAMES), 0, 0, 1, 0)
    image[0x200:0x200 + len(symbols)] = symbols
    image[0x280:0x280 + len(_NAMES)] = _NAMES
    ctypes.memmove(base, bytes(image), len(image))
    monkeypatch.setattr(vdso, "_base", lambda: base)
    assert vdso.function("clock_gettime") == base + 0x300
    assert vdso.function("getcpu") == 0
