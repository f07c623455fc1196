"""Memory as arrays of numbers, indexed by address: what functions in the small part of Python read and write.

Compiled (native/language.py) these are loads and stores; in plain Python they do the same through ctypes, for tests.
"""

from __future__ import annotations

import ctypes


class Words:
    """All memory as numbers of one type. The index is an address in bytes; it need not be aligned."""

    def __init__(self, name: str, bits: int, signed: bool, type_: type[ctypes._SimpleCData[int]]) -> None:
        self.name = name
        self.bits = bits
        self.signed = signed
        self._type = type_

    def __getitem__(self, address: int) -> int:
        return self._type.from_address(address).value

    def __setitem__(self, address: int, value: int) -> None:
        self._type.from_address(address).value = value


u8 = Words("u8", 8, False, ctypes.c_uint8)
u16 = Words("u16", 16, False, ctypes.c_uint16)
u32 = Words("u32", 32, False, ctypes.c_uint32)
i32 = Words("i32", 32, True, ctypes.c_int32)
i64 = Words("i64", 64, True, ctypes.c_int64)


def call(function: int, first: int, second: int) -> None:
    """Call a C function of two words."""
    ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64)(function)(first, second)


def ask(function: int, *words: int) -> int:
    """The result of a C function of words."""
    word = ctypes.c_int64
    return int(ctypes.CFUNCTYPE(word, *[word] * len(words))(function)(*words))


def publish() -> None:
    """All that was written is seen by other threads before what is written from here on (a release fence)."""


def observe() -> None:
    """What is read from here on is what another thread wrote before what was read so far (an acquire fence)."""
