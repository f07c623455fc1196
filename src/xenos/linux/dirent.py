"""dirent.h: listing a directory."""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_BUFFER_MAX = 1 << 20
EINVAL = 22


def getdents64(process: Process, fd: int, dirp: int, count: int) -> int:
    """getdents64(2): struct linux_dirent64 is the same for every ISA."""
    from xenos.linux import libc

    if count < 24:
        return -EINVAL
    buffer = ctypes.create_string_buffer(min(count, _BUFFER_MAX))
    done = libc.call("getdents64", fd, ctypes.addressof(buffer), len(buffer), wide=True)
    process.memory.write(dirp, buffer.raw[:done])
    return done
