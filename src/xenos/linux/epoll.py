"""sys/epoll.h. The host does the waiting; only the padding of its events may differ from the guest's."""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux import kernel, passing
from xenos.linux.passing import EFAULT, EINVAL
from xenos.linux.poll import mask_at, masked
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN = 1, 2, 1
_GUEST = struct.Struct("<IxxxxQ")
_EVENTS_MAX = 1 << 14
_SET = 8
_host: struct.Struct | None = None


def _host_event() -> struct.Struct:
    """The host's struct epoll_event: one of them leaves the padding out. Found by asking its kernel."""
    global _host
    if _host is None:
        packed, magic = struct.Struct("<IQ"), 0x1122334455667788
        ready, epoll = os.eventfd(1), kernel.plain("epoll_create1", os.O_CLOEXEC)
        try:
            if epoll < 0:
                raise OSError(-epoll, os.strerror(-epoll))
            kernel.plain("epoll_ctl", epoll, EPOLL_CTL_ADD, ready, packed.pack(EPOLLIN, magic) + bytes(8))
            data = ctypes.create_string_buffer(16)
            kernel.plain("epoll_pwait", epoll, data, 1, 0, 0, _SET)
            _host = packed if packed.unpack_from(data.raw)[1] == magic else _GUEST
        finally:
            os.close(ready)
            if epoll >= 0:
                os.close(epoll)
    return _host


def epoll_ctl(process: Process, epfd: int, op: int, fd: int, event: int) -> int:
    """epoll_ctl(2)."""
    data = bytes(16)
    if op != EPOLL_CTL_DEL:
        data = _host_event().pack(*_GUEST.unpack(process.memory.read(event, _GUEST.size)))
    return kernel.call(process, "epoll_ctl", epfd, op, fd, data)


def _wait(process: Process, events: int, maxevents: int, mask: bytes | None, name: str, epfd: int, limit: int) -> int:
    if maxevents <= 0:
        return -EINVAL
    form = _host_event()
    if form is _GUEST:
        where = kernel.pointer(process, events, _GUEST.size * min(maxevents, _EVENTS_MAX))
        return masked(
            process, mask, lambda host: kernel.call(process, name, epfd, where, maxevents, limit, host, _SET),
        )
    maxevents = min(maxevents, _EVENTS_MAX)
    data = ctypes.create_string_buffer(form.size * maxevents)
    result = masked(process, mask, lambda host: kernel.call(process, name, epfd, data, maxevents, limit, host, _SET))
    if result > 0:
        found = data.raw[: form.size * result]
        try:
            process.memory.write(events, b"".join(_GUEST.pack(*event) for event in form.iter_unpack(found)))
        except MemoryFault:
            return -EFAULT
    return result


def epoll_pwait(
    process: Process, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int, sigsetsize: int,
) -> int:
    """epoll_pwait(2)."""
    return _wait(process, events, maxevents, mask_at(process, sigmask, sigsetsize), "epoll_pwait", epfd, timeout)


def epoll_pwait2(
    process: Process, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int, sigsetsize: int,
) -> int:
    """epoll_pwait2(2)."""
    limit = passing.address(process, timeout)
    return _wait(process, events, maxevents, mask_at(process, sigmask, sigsetsize), "epoll_pwait2", epfd, limit)
