"""sys/statfs.h: what is known of a file system."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_SIZE = 120  # struct statfs of asm-generic, and of every 64-bit host


def statfs(process: Process, path: bytes, buf: int) -> int:
    """statfs(2)."""
    host, dir_fd = process.locate(-100, path)
    fd = os.open(host, os.O_PATH | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        return fstatfs(process, fd, buf)
    finally:
        os.close(fd)


def fstatfs(process: Process, fd: int, buf: int) -> int:
    """fstatfs(2)."""
    import ctypes

    from xenos.linux import libc

    data = ctypes.create_string_buffer(_SIZE)
    libc.call("fstatfs", fd, ctypes.addressof(data))
    process.memory.write(buf, data.raw)
    return 0
