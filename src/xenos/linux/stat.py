"""sys/stat.h and sys/statfs.h: what is known of a file, and changing it."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL, ENOENT = 22, 2
AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH = 0x100, 0x1000
UTIME_NOW, UTIME_OMIT = 0x3FFFFFFF, 0x3FFFFFFE
BILLION = 10**9
# struct stat of asm-generic/stat.h
_STAT = struct.Struct("<QQIIIIQQqiiqqQqQqQII")
_STATX_BASIC = 0x7FF


def _pack(status: os.stat_result) -> bytes:
    accessed, modified = divmod(status.st_atime_ns, BILLION), divmod(status.st_mtime_ns, BILLION)
    times = (*accessed, *modified, *divmod(status.st_ctime_ns, BILLION))
    return _STAT.pack(
        status.st_dev, status.st_ino, status.st_mode, status.st_nlink, status.st_uid, status.st_gid, status.st_rdev, 0,
        status.st_size, status.st_blksize, 0, status.st_blocks, *times, 0, 0,
    )


def look(process: Process, dirfd: int, pathname: bytes, flags: int) -> os.stat_result:
    """The status of what (dirfd, pathname, flags) names, as the *at calls understand them; OSError."""
    if not pathname:
        if not flags & AT_EMPTY_PATH:
            raise OSError(ENOENT, "no path")
        if dirfd == -100:
            return os.stat(b".", dir_fd=process.cwd_fd)
        return os.fstat(dirfd)
    follow = not flags & AT_SYMLINK_NOFOLLOW
    host, dir_fd = process.locate(dirfd, pathname, follow=follow)
    return os.stat(host, dir_fd=dir_fd, follow_symlinks=follow)


def fstat(process: Process, fd: int, statbuf: int) -> int:
    """fstat(2)."""
    process.memory.write(statbuf, _pack(os.fstat(fd)))
    return 0


def fstatat(process: Process, dirfd: int, pathname: bytes, statbuf: int, flags: int) -> int:
    """fstatat(2)."""
    process.memory.write(statbuf, _pack(look(process, dirfd, pathname, flags)))
    return 0


def statx(process: Process, dirfd: int, pathname: bytes, flags: int, mask: int, statxbuf: int) -> int:
    """statx(2), with the basic fields."""
    status = look(process, dirfd, pathname, flags)
    data = struct.pack(
        "<IIQIIIHxxQQQQ", _STATX_BASIC, status.st_blksize, 0, status.st_nlink, status.st_uid, status.st_gid,
        status.st_mode, status.st_ino, status.st_size, status.st_blocks, 0,
    )
    for stamp in (status.st_atime_ns, 0, status.st_ctime_ns, status.st_mtime_ns):
        data += struct.pack("<qIi", *divmod(stamp, BILLION), 0)
    for device in (status.st_rdev, status.st_dev):
        data += struct.pack("<II", os.major(device), os.minor(device))
    process.memory.write(statxbuf, data.ljust(256, b"\0"))
    return 0


def mkdirat(process: Process, dirfd: int, pathname: bytes, mode: int) -> int:
    """mkdirat(2)."""
    host, dir_fd = process.locate(dirfd, pathname, follow=False)
    os.mkdir(host, mode & 0o7777, dir_fd=dir_fd)
    return 0


def mknodat(process: Process, dirfd: int, pathname: bytes, mode: int, dev: int) -> int:
    """mknodat(2)."""
    host, dir_fd = process.locate(dirfd, pathname, follow=False)
    os.mknod(host, mode, dev, dir_fd=dir_fd)
    return 0


def fchmod(process: Process, fd: int, mode: int) -> int:
    """fchmod(2)."""
    os.fchmod(fd, mode & 0o7777)
    return 0


def fchmodat(process: Process, dirfd: int, pathname: bytes, mode: int, flags: int = 0) -> int:
    """fchmodat(2)."""
    if not pathname and flags & AT_EMPTY_PATH:
        return fchmod(process, dirfd, mode)
    if flags & AT_SYMLINK_NOFOLLOW:
        return -95  # EOPNOTSUPP, as most file systems say
    host, dir_fd = process.locate(dirfd, pathname)
    os.chmod(host, mode & 0o7777, dir_fd=dir_fd)
    return 0


def umask(process: Process, mask: int) -> int:
    """umask(2)."""
    return os.umask(mask & 0o777)


def utimensat(process: Process, dirfd: int, pathname: int, times: int, flags: int) -> int:
    """utimensat(2); without a path it is futimens(3)."""
    stamps = None
    if times:
        seconds, nanoseconds, seconds2, nanoseconds2 = struct.unpack("<qqqq", process.memory.read(times, 32))
        pairs = [(seconds, nanoseconds), (seconds2, nanoseconds2)]
        if any(n not in (UTIME_NOW, UTIME_OMIT) and not 0 <= n < BILLION for _, n in pairs):
            return -EINVAL
        stamps = pairs
    follow = not flags & AT_SYMLINK_NOFOLLOW
    path = process.memory.cstring(pathname) if pathname else b""
    if path:
        host, dir_fd = process.locate(dirfd, path, follow=follow)
    elif not pathname or flags & AT_EMPTY_PATH:
        host, dir_fd, follow = b"/proc/self/fd/%d" % dirfd, None, True
    else:
        return -ENOENT
    if stamps is None:
        os.utime(host, None, dir_fd=dir_fd, follow_symlinks=follow)
        return 0
    if all(n == UTIME_OMIT for _, n in stamps):
        return 0
    old = os.stat(host, dir_fd=dir_fd, follow_symlinks=follow)
    exact = [_stamp(pair, before) for pair, before in zip(stamps, (old.st_atime_ns, old.st_mtime_ns), strict=False)]
    os.utime(host, ns=(exact[0], exact[1]), dir_fd=dir_fd, follow_symlinks=follow)
    return 0


def _stamp(pair: tuple[int, int], before: int) -> int:
    import time

    seconds, nanoseconds = pair
    if nanoseconds == UTIME_OMIT:
        return before
    return time.time_ns() if nanoseconds == UTIME_NOW else seconds * BILLION + nanoseconds
