"""fcntl.h: opening files, and what can be asked of an open one."""

from __future__ import annotations

import os
import struct

from xenos.linux import kernel, passing, procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

E2BIG, EINVAL, EAGAIN = 7, 22, 11
O_CLOEXEC, O_NOFOLLOW, O_PATH, O_DIRECTORY = 0o2000000, 0o400000, 0o10000000, 0o200000
O_CREAT, O_ACCMODE, O_TRUNC, O_TMPFILE = 0o100, 3, 0o1000, 0o20000000
# Flags on which the generic numbers and some hosts disagree: generic -> this host's.
_DIFFERENT = tuple(
    pair for pair in (
        (0o40000, os.O_DIRECT), (0o200000, os.O_DIRECTORY), (0o400000, os.O_NOFOLLOW), (0o100000, 0),
    ) if pair[0] != pair[1]
)
F_DUPFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 0, 3, 4, 1030
# fcntl(2): commands whose argument is a number, and those whose argument points to something.
_NUMBERS = frozenset((1, 2, 8, 9, 10, 11, 1024, 1025, 1026, 1027, 1028, 1031, 1032, 1033, 1034))
_POINTERS = frozenset((5, 6, 7, 15, 16, 17, 36, 37, 38, 1035, 1036, 1037, 1038))
_HOW = struct.Struct("<QQQ")    # struct open_how: flags, mode, resolve
_PAGE = 4096
RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH = 1, 2, 4, 8
RESOLVE_IN_ROOT, RESOLVE_CACHED = 16, 32


def host_flags(flags: int) -> int:
    """open(2) flags of a guest in the host's numbers."""
    for generic, ours in _DIFFERENT:
        if flags & generic:
            flags = flags & ~generic | ours
    return flags


def guest_flags(flags: int) -> int:
    """open(2) flags of the host in a guest's numbers."""
    for generic, ours in _DIFFERENT:
        if ours and flags & ours:
            flags = flags & ~ours | generic
    return flags


def openat(process: Process, dirfd: int, pathname: bytes, flags: int, mode: int) -> int:
    """open(2)."""
    own = procfs.opened(process, dirfd, pathname, flags)
    if own is not None:
        return own
    host, dir_fd = process.locate(dirfd, pathname, follow=not flags & O_NOFOLLOW)
    where = passing.AT_FDCWD if dir_fd is None else dir_fd
    fd = kernel.call(process, "openat", where, host, host_flags(flags), mode & 0o7777)
    if fd >= 0:
        process.descriptors.add(fd)
    return fd


def openat2(process: Process, dirfd: int, pathname: bytes, how: int, size: int) -> int:
    """openat2(2)."""
    if size < _HOW.size:
        return -EINVAL
    if size > _PAGE or any(process.memory.read(how + _HOW.size, size - _HOW.size)):
        return -E2BIG
    flags, mode, resolve = _HOW.unpack(process.memory.read(how, _HOW.size))
    if flags >> 32 or resolve & ~0x3F or mode & ~0o7777 or (mode and not flags & (O_CREAT | O_TMPFILE)):
        return -EINVAL
    if not resolve:
        return openat(process, dirfd, pathname, flags, mode)
    if resolve & (RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH) == 0:
        return -38  # ENOSYS: where a root is meant, or a cache, the caller knows how to do it by hand
    if pathname.startswith(b"/") and resolve & RESOLVE_BENEATH:
        return -18  # EXDEV
    host, dir_fd = process.locate(dirfd, pathname, follow=False)
    wish = _HOW.pack(host_flags(flags), mode, resolve)
    where = passing.AT_FDCWD if dir_fd is None else dir_fd
    fd = kernel.call(process, "openat2", where, host, wish, len(wish))
    if fd >= 0:
        process.descriptors.add(fd)
    return fd


def fcntl(process: Process, fd: int, cmd: int, arg: int) -> int:
    """fcntl(2)."""
    if cmd in (F_DUPFD, F_DUPFD_CLOEXEC):
        new = kernel.call(process, "fcntl", fd, cmd, arg)
        if new >= 0:
            process.descriptors.copy_of(fd, new)
        return new
    if cmd == F_GETFL:
        flags = kernel.call(process, "fcntl", fd, cmd)
        return flags if flags < 0 else guest_flags(flags)
    if cmd == F_SETFL:
        return kernel.call(process, "fcntl", fd, cmd, host_flags(arg & 0xFFFFFFFF))
    if cmd in _POINTERS:
        return kernel.call(process, "fcntl", fd, cmd, passing.address(process, arg))
    if cmd in _NUMBERS:
        return kernel.call(process, "fcntl", fd, cmd, arg)
    os.get_inheritable(fd)
    return -EINVAL
