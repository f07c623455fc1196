"""dirent.h: listing a directory."""

from __future__ import annotations

import ctypes

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_BUFFER_MAX = 1 << 20
_LENGTH_AT, _NAME_AT = 16, 19   # in struct linux_dirent64, which is the same for every ISA


def getdents64(process: Process, fd: int, dirp: int, count: int) -> int:
    """getdents64(2)."""
    listing = process.descriptors.listings.get(fd)
    if listing is None:
        return kernel.call(process, "getdents64", fd, kernel.pointer(process, dirp, count), count)
    from xenos.linux import procfs

    buffer = ctypes.create_string_buffer(min(count, _BUFFER_MAX))
    while True:
        done = kernel.call(process, "getdents64", fd, buffer, len(buffer))
        if done <= 0:
            return done
        found, data = bytearray(), buffer.raw
        at = 0
        while at < done:
            length = int.from_bytes(data[at + _LENGTH_AT : at + _LENGTH_AT + 2], "little")
            entry = data[at : at + length]
            name = entry[_NAME_AT:].split(b"\0", 1)[0]
            if procfs.shows(process, listing, name):
                found += entry
            at += length
        if found:
            process.memory.write(dirp, found)
            return len(found)
