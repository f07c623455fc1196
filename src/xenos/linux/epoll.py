"""sys/epoll.h. The host does the waiting; only the padding of its events may differ from the guest's."""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux import libc, waiting
from xenos.linux.poll import nanoseconds, with_mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN = 0o2000000, 1, 2, 1
_GUEST = struct.Struct("<IxxxxQ")
_EVENTS_MAX = 1 << 14
_host: struct.Struct | None = None


def _host_event() -> struct.Struct:
    """The host's struct epoll_event: one of them leaves the padding out. Found by asking its kernel."""
    global _host
    if _host is None:
        packed, magic = struct.Struct("<IQ"), 0x1122334455667788
        ready, epoll = os.eventfd(1), libc.call("epoll_create1", EPOLL_CLOEXEC)
        try:
            libc.call("epoll_ctl", epoll, EPOLL_CTL_ADD, ready, packed.pack(EPOLLIN, magic) + bytes(8))
            data = ctypes.create_string_buffer(16)
            libc.call("epoll_wait", epoll, ctypes.addressof(data), 1, 0)
            _host = packed if packed.unpack_from(data.raw)[1] == magic else _GUEST
        finally:
            os.close(ready)
            os.close(epoll)
    return _host


def epoll_create1(process: Process, flags: int) -> int:
    """epoll_create1(2)."""
    if flags & ~EPOLL_CLOEXEC:
        return -EINVAL
    return process.opened(libc.call("epoll_create1", EPOLL_CLOEXEC), flags != 0)


def epoll_ctl(process: Process, epfd: int, op: int, fd: int, event: int) -> int:
    """epoll_ctl(2)."""
    data = bytes(16)
    if op != EPOLL_CTL_DEL:
        data = _host_event().pack(*_GUEST.unpack(process.memory.read(event, _GUEST.size)))
    return libc.call("epoll_ctl", epfd, op, fd, data)


def _wait(process: Process, epfd: int, events: int, maxevents: int, wait: int | None, sigmask: int) -> int:
    """An epoll descriptor is readable when it has events: so the waiting is that of poll."""
    if not 0 < maxevents:
        return -EINVAL
    maxevents = min(maxevents, _EVENTS_MAX)
    form = _host_event()
    data = ctypes.create_string_buffer(form.size * maxevents)
    entry = ctypes.create_string_buffer(struct.pack("<ihh", epfd, EPOLLIN, 0))
    count = libc.call("epoll_wait", epfd, ctypes.addressof(data), maxevents, 0)
    while not count and wait != 0:
        with_mask(process, sigmask, lambda: waiting.poll(process, ctypes.addressof(entry), 1, wait))
        count = libc.call("epoll_wait", epfd, ctypes.addressof(data), maxevents, 0)
        if wait is not None:
            break
    found = data.raw[: form.size * count]
    process.memory.write(events, b"".join(_GUEST.pack(*event) for event in form.iter_unpack(found)))
    return count


def epoll_pwait(process: Process, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int) -> int:
    """epoll_pwait(2)."""
    return _wait(process, epfd, events, maxevents, None if timeout < 0 else timeout * 10**6, sigmask)


def epoll_pwait2(process: Process, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int) -> int:
    """epoll_pwait2(2)."""
    return _wait(process, epfd, events, maxevents, nanoseconds(process, timeout), sigmask)
