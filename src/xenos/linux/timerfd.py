"""sys/timerfd.h."""

from __future__ import annotations

import ctypes

from xenos.linux import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

TFD_CLOEXEC = 0o2000000
_SPEC = 32  # sizeof(struct itimerspec)


def timerfd_create(process: Process, clockid: int, flags: int) -> int:
    """timerfd_create(2)."""
    return process.opened(libc.call("timerfd_create", clockid, flags | TFD_CLOEXEC), flags & TFD_CLOEXEC != 0)


def timerfd_settime(process: Process, fd: int, flags: int, new_value: int, old_value: int) -> int:
    """timerfd_settime(2)."""
    new = process.memory.read(new_value, _SPEC)
    old = ctypes.create_string_buffer(_SPEC)
    libc.call("timerfd_settime", fd, flags, new, ctypes.addressof(old))
    if old_value:
        process.memory.write(old_value, old.raw)
    return 0


def timerfd_gettime(process: Process, fd: int, curr_value: int) -> int:
    """timerfd_gettime(2)."""
    data = ctypes.create_string_buffer(_SPEC)
    libc.call("timerfd_gettime", fd, ctypes.addressof(data))
    process.memory.write(curr_value, data.raw)
    return 0
