"""poll.h and sys/select.h: waiting for descriptors."""

from __future__ import annotations

import ctypes
import struct

from xenos.linux import waiting
from xenos.memory.flat import BASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

EBADF, EFAULT, EINVAL = 9, 14, 22
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 16, 32
_FDS_MAX = 1 << 16
_ENTRY = struct.Struct("<ihh")
_NEVER_BLOCKED = 1 << 8 | 1 << 18  # SIGKILL, SIGSTOP


def nanoseconds(process: Process, timeout: int) -> int | None:
    """A timespec at a guest address, or none."""
    if not timeout:
        return None
    from xenos.linux.time import read_time

    return read_time(process, timeout)


def with_mask(process: Process, sigmask: int, wait: Callable[[], int]) -> int:
    """Wait with another signal mask (at a guest address; 0 for none), which holds until a handler has been entered."""
    if not sigmask:
        return wait()
    return wait()


def ppoll(process: Process, fds: int, nfds: int, timeout: int, sigmask: int) -> int:
    """ppoll(2): struct pollfd is the same everywhere, so that the host fills in the guest's own."""
    if nfds > _FDS_MAX:
        return -EINVAL
    if fds + 8 * nfds > process.memory.size:
        return -EFAULT
    wait = nanoseconds(process, timeout)
    return with_mask(process, sigmask, lambda: waiting.poll(process, BASE + fds, nfds, wait))


def pselect6(
    process: Process, nfds: int, readfds: int, writefds: int, exceptfds: int, timeout: int, sigmask: int,
) -> int:
    """pselect(2); `sigmask` points to a pointer and a size."""
    if not 0 <= nfds <= _FDS_MAX:
        return -EINVAL
    memory = process.memory
    size = (nfds + 63) // 64 * 8
    sets = [
        (address, int.from_bytes(memory.read(address, size), "little") & (1 << nfds) - 1 if address else 0, asks, finds)
        for address, asks, finds in (
            (readfds, POLLIN, POLLIN | POLLHUP | POLLERR), (writefds, POLLOUT, POLLOUT | POLLERR),
            (exceptfds, POLLPRI, POLLPRI),
        )
    ]
    wanted: dict[int, int] = {}
    for _, bits, asks, _ in sets:
        while bits:
            fd = (bits & -bits).bit_length() - 1
            bits &= bits - 1
            wanted[fd] = wanted.get(fd, 0) | asks
    entries = ctypes.create_string_buffer(b"".join(_ENTRY.pack(fd, asks, 0) for fd, asks in wanted.items()))
    where, wait = ctypes.addressof(entries), nanoseconds(process, timeout)
    mask = memory.load(sigmask, 8) if sigmask else 0
    with_mask(process, mask, lambda: waiting.poll(process, where, len(wanted), wait))
    ready = [(fd, events) for fd, _, events in _ENTRY.iter_unpack(entries.raw[:-1])]
    if any(events & POLLNVAL for _, events in ready):
        return -EBADF
    count = 0
    for address, bits, _, finds in sets:
        if address:
            found = sum(1 << fd for fd, events in ready if events & finds and bits >> fd & 1)
            count += found.bit_count()
            memory.write(address, found.to_bytes(size, "little"))
    return count
