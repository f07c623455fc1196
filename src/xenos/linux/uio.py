"""sys/uio.h: reading and writing several buffers at once."""

from __future__ import annotations

import os
import struct

from xenos.linux import waiting
from xenos.linux.unistd import span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL, EOPNOTSUPP = 22, 95
IOV_MAX = 1024


def vector(process: Process, iov: int, count: int) -> list[memoryview]:
    """The buffers that an array of `struct iovec` names."""
    if not 0 <= count <= IOV_MAX:
        raise OSError(EINVAL, "too many buffers")
    words = struct.unpack(f"<{2 * count}Q", process.memory.read(iov, 16 * count))
    return [span(process, start, length) for start, length in zip(words[::2], words[1::2], strict=False) if length]


def readv(process: Process, fd: int, iov: int, count: int) -> int:
    """readv(2)."""
    waiting.until_ready(process, fd, waiting.POLLIN)
    return os.readv(fd, vector(process, iov, count))


def writev(process: Process, fd: int, iov: int, count: int) -> int:
    """writev(2)."""
    waiting.until_ready(process, fd, waiting.POLLOUT)
    try:
        return os.writev(fd, vector(process, iov, count))
    except BrokenPipeError:
        return process.signals.broken_pipe()


def preadv(process: Process, fd: int, iov: int, count: int, offset: int) -> int:
    """preadv(2)."""
    return os.preadv(fd, vector(process, iov, count), offset)


def pwritev(process: Process, fd: int, iov: int, count: int, offset: int) -> int:
    """pwritev(2)."""
    return os.pwritev(fd, vector(process, iov, count), offset)


def preadv2(process: Process, fd: int, iov: int, count: int, offset: int, high: int, flags: int) -> int:
    """preadv2(2)."""
    if flags:
        return os.preadv(fd, vector(process, iov, count), offset, flags) if offset != -1 else -EOPNOTSUPP
    return readv(process, fd, iov, count) if offset == -1 else preadv(process, fd, iov, count, offset)


def pwritev2(process: Process, fd: int, iov: int, count: int, offset: int, high: int, flags: int) -> int:
    """pwritev2(2)."""
    if flags:
        return os.pwritev(fd, vector(process, iov, count), offset, flags) if offset != -1 else -EOPNOTSUPP
    return writev(process, fd, iov, count) if offset == -1 else pwritev(process, fd, iov, count, offset)
