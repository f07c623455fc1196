"""sys/stat.h: what is known of a file, in the layout of asm-generic."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL, ENOENT = 22, 2
AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH = 0x100, 0x800, 0x1000
BILLION = 10**9
# struct stat of asm-generic/stat.h
_STAT = struct.Struct("<QQIIIIQQqiiqqQqQqQII")


def _pack(status: os.stat_result) -> bytes:
    accessed, modified = divmod(status.st_atime_ns, BILLION), divmod(status.st_mtime_ns, BILLION)
    times = (*accessed, *modified, *divmod(status.st_ctime_ns, BILLION))
    return _STAT.pack(
        status.st_dev, status.st_ino, status.st_mode, status.st_nlink, status.st_uid, status.st_gid, status.st_rdev, 0,
        status.st_size, status.st_blksize, 0, status.st_blocks, *times, 0, 0,
    )


def look(process: Process, dirfd: int, pathname: bytes, flags: int) -> os.stat_result:
    """The status of what (dirfd, pathname, flags) names, as the *at calls understand them; OSError."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH):
        raise OSError(EINVAL, "unknown flags")
    if not pathname:
        if not flags & AT_EMPTY_PATH:
            raise OSError(ENOENT, "no path")
        if dirfd == -100:
            return os.stat(b"." if process.cwd_fd is None else process.cwd_fd)
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
