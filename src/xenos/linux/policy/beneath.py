"""Opening what lies beneath a directory, and nothing else: no link is followed, no `..` climbed, no mount jumped from."""

from __future__ import annotations

import ctypes
import errno
import os

from xenos.linux.hosts import numbers

_O_PATH = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
# struct open_how: flags, mode, resolve; openat2(2)
_RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x02, 0x04, 0x08
_How = ctypes.c_uint64 * 3
_HOW = _How(_O_PATH, 0, _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH)
_TRIES = 100
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_number = numbers().get("openat2", -1)


def open_beneath(directory: int, path: bytes) -> int:
    """An O_PATH descriptor of `path`, whose parts are plain names; a link at its end is opened itself.

    OSError ELOOP if a link lies before the end. What another process renames meanwhile makes no difference: the kernel
    gives what lies beneath `directory`, or nothing.
    """
    global _number
    for _ in range(_TRIES):
        if _number < 0:
            break
        fd: int = _syscall(_number, directory, path, ctypes.byref(_HOW), 24)
        if fd >= 0:
            return fd
        problem = ctypes.get_errno()
        if problem in (errno.ENOSYS, errno.EPERM):  # before Linux 5.6, or in a container that has not heard of it
            _number = -1
        elif problem not in (errno.EAGAIN, errno.EINTR):
            raise OSError(problem, os.strerror(problem))
    return _step_by_step(directory, path)


def by_openat2() -> bool:
    """Whether the host's kernel does it in one call."""
    root = os.open(b"/", os.O_PATH | os.O_CLOEXEC)
    os.close(open_beneath(root, b"."))
    os.close(root)
    return _number >= 0


def _step_by_step(directory: int, path: bytes) -> int:
    """The same, one name at a time."""
    here = directory
    parts = path.split(b"/")
    try:
        for part in parts[:-1]:
            step = os.open(part, _O_PATH, dir_fd=here)
            if here != directory:
                os.close(here)
            here = step
            if os.fstat(step).st_mode & 0o170000 == 0o120000:   # S_IFLNK
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return os.open(parts[-1], _O_PATH, dir_fd=here)
    finally:
        if here != directory:
            os.close(here)
