"""fcntl.h: opening files, and what can be asked of an open one."""

from __future__ import annotations

import os
import struct

from xenos.linux import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EBADF, EINVAL, ESPIPE = 9, 22, 29
O_CREAT, O_CLOEXEC, O_NOFOLLOW, O_PATH = 0o100, 0o2000000, 0o400000, 0o10000000
# Flags on which the generic numbers and some hosts disagree: generic -> this host's.
_DIFFERENT = tuple(
    pair for pair in (
        (0o40000, os.O_DIRECT), (0o200000, os.O_DIRECTORY), (0o400000, os.O_NOFOLLOW), (0o100000, 0),
    ) if pair[0] != pair[1]
)
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW = 0, 1, 2, 3, 4, 5, 6, 7
F_SETOWN, F_GETOWN, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 8, 9, 36, 37, 38
F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS = 1030, 1032, 1031, 1033, 1034
_PLAIN = frozenset((
    F_SETOWN, F_GETOWN, F_GETPIPE_SZ, F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
    10, 11, 1024, 1025, 1026, 1035, 1036,  # F_SETSIG, F_GETSIG, leases, notifications, write hints
))
_LOCKS = frozenset((F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW))
_FLOCK = 32  # sizeof(struct flock)


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
    return flags | 0o100000  # O_LARGEFILE: a 64-bit kernel sets it always


def openat(process: Process, dirfd: int, pathname: bytes, flags: int, mode: int) -> int:
    """open(2)."""
    close_on_exec = flags & O_CLOEXEC != 0
    if pathname.startswith(b"/proc/"):
        data = procfs.content(process, pathname)
        if data is not None:
            return process.opened(procfs.open_content(data, pathname), close_on_exec)
    host, dir_fd = process.locate(dirfd, pathname, follow=not flags & O_NOFOLLOW)
    return process.opened(os.open(host, host_flags(flags), mode & 0o7777, dir_fd=dir_fd), close_on_exec)


def openat2(process: Process, dirfd: int, pathname: bytes, how: int, size: int) -> int:
    """openat2(2), without RESOLVE_ restrictions."""
    if size < 24:
        return -EINVAL
    flags, mode, resolve = struct.unpack("<QQQ", process.memory.read(how, 24))
    if resolve:
        return -38  # ENOSYS: the caller then does it by hand
    return openat(process, dirfd, pathname, flags, mode)


def fcntl(process: Process, fd: int, cmd: int, arg: int) -> int:
    """fcntl(2)."""
    import fcntl as host

    if cmd in (F_DUPFD, F_DUPFD_CLOEXEC):
        new = host.fcntl(fd, F_DUPFD_CLOEXEC, arg & 0xFFFFFFFF)
        return process.opened(new, cmd == F_DUPFD_CLOEXEC)
    if cmd == F_GETFD:
        known = process.descriptors.get(fd)
        return host.fcntl(fd, F_GETFD) if known is None else int(known)
    if cmd == F_SETFD:
        host.fcntl(fd, F_GETFD)
        process.descriptors[fd] = bool(arg & 1)
        return 0
    if cmd == F_GETFL:
        return guest_flags(host.fcntl(fd, F_GETFL))
    if cmd == F_SETFL:
        return host.fcntl(fd, F_SETFL, host_flags(arg & 0xFFFFFFFF))
    if cmd in _LOCKS:
        lock = host.fcntl(fd, cmd, process.memory.read(arg, _FLOCK))
        if cmd in (F_GETLK, F_OFD_GETLK):
            process.memory.write(arg, lock)
        return 0
    if cmd in _PLAIN:
        return host.fcntl(fd, cmd, arg if arg < 1 << 31 else arg - (1 << 64) if arg >> 63 else EINVAL)
    return -EINVAL


def fallocate(process: Process, fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(2)."""
    if mode == 0:
        os.posix_fallocate(fd, offset, length)
        return 0
    from xenos.linux import libc

    return libc.call("fallocate", fd, mode, offset, length)


def posix_fadvise(process: Process, fd: int, offset: int, length: int, advice: int) -> int:
    """posix_fadvise(2)."""
    os.posix_fadvise(fd, offset, length, advice)
    return 0


def readahead(process: Process, fd: int, offset: int, count: int) -> int:
    """readahead(2): a hint."""
    os.fstat(fd)
    return 0


def sync_file_range(process: Process, fd: int, offset: int, length: int, flags: int) -> int:
    """sync_file_range(2)."""
    os.fdatasync(fd)
    return 0


def splice(process: Process, fd_in: int, off_in: int, fd_out: int, off_out: int, length: int, flags: int) -> int:
    """splice(2) is left out: callers copy by read and write instead."""
    return -EINVAL
