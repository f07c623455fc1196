"""Calls that Python's `os` does not have, through the host's C library."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
ENOSYS = 38


def call(name: str, *arguments: int | bytes, wide: bool = False) -> int:
    """Call a function of the C library that takes words and strings and says -1 with errno; OSError then.

    `wide` is for functions that return ssize_t or a pointer instead of int.
    """
    try:
        function = _libc[name]
    except AttributeError:
        raise OSError(ENOSYS, f"the host's C library has no {name}") from None
    function.restype = ctypes.c_long if wide else ctypes.c_int
    result: int = function(*[item if isinstance(item, bytes) else ctypes.c_long(item) for item in arguments])
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
