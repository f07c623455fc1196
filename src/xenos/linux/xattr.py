"""sys/xattr.h: extended attributes."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

E2BIG, ERANGE = 7, 34
_VALUE_MAX = 64 << 10


def _where(process: Process, path: bytes, *, follow: bool) -> bytes:
    host, dir_fd = process.locate(-100, path, follow=follow)
    return host if dir_fd is None else b"/proc/self/fd/%d/%s" % (dir_fd, host)


def _answer(process: Process, data: bytes, buffer: int, size: int) -> int:
    if size:
        if size < len(data):
            return -ERANGE
        process.memory.write(buffer, data)
    return len(data)


def getxattr(process: Process, path: bytes, name: bytes, value: int, size: int) -> int:
    """getxattr(2)."""
    return _answer(process, os.getxattr(_where(process, path, follow=True), name), value, size)


def lgetxattr(process: Process, path: bytes, name: bytes, value: int, size: int) -> int:
    """lgetxattr(2)."""
    return _answer(process, os.getxattr(_where(process, path, follow=False), name, follow_symlinks=False), value, size)


def fgetxattr(process: Process, fd: int, name: bytes, value: int, size: int) -> int:
    """fgetxattr(2)."""
    return _answer(process, os.getxattr(fd, name), value, size)


def _names(found: list[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in found)


def listxattr(process: Process, path: bytes, list: int, size: int) -> int:
    """listxattr(2)."""
    return _answer(process, _names(os.listxattr(_where(process, path, follow=True))), list, size)


def llistxattr(process: Process, path: bytes, list: int, size: int) -> int:
    """llistxattr(2)."""
    found = os.listxattr(_where(process, path, follow=False), follow_symlinks=False)
    return _answer(process, _names(found), list, size)


def flistxattr(process: Process, fd: int, list: int, size: int) -> int:
    """flistxattr(2)."""
    return _answer(process, _names(os.listxattr(fd)), list, size)


def _value(process: Process, value: int, size: int) -> bytes:
    if size > _VALUE_MAX:
        raise OSError(E2BIG, "value too long")
    return process.memory.read(value, size)


def setxattr(process: Process, path: bytes, name: bytes, value: int, size: int, flags: int) -> int:
    """setxattr(2)."""
    os.setxattr(_where(process, path, follow=True), name, _value(process, value, size), flags)
    return 0


def lsetxattr(process: Process, path: bytes, name: bytes, value: int, size: int, flags: int) -> int:
    """lsetxattr(2)."""
    os.setxattr(_where(process, path, follow=False), name, _value(process, value, size), flags, follow_symlinks=False)
    return 0


def fsetxattr(process: Process, fd: int, name: bytes, value: int, size: int, flags: int) -> int:
    """fsetxattr(2)."""
    os.setxattr(fd, name, _value(process, value, size), flags)
    return 0


def removexattr(process: Process, path: bytes, name: bytes) -> int:
    """removexattr(2)."""
    os.removexattr(_where(process, path, follow=True), name)
    return 0


def lremovexattr(process: Process, path: bytes, name: bytes) -> int:
    """lremovexattr(2)."""
    os.removexattr(_where(process, path, follow=False), name, follow_symlinks=False)
    return 0


def fremovexattr(process: Process, fd: int, name: bytes) -> int:
    """fremovexattr(2)."""
    os.removexattr(fd, name)
    return 0
