"""poll.h and sys/select.h: waiting for descriptors. Signal masks are left as they are."""

from __future__ import annotations

import select as host
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 16, 32
_MILLION = 10**6
_FDS_MAX = 1 << 16
_SELECT_MAX = 1 << 16


def milliseconds(process: Process, timeout: int) -> int | None:
    """A timespec, or none, in milliseconds for poll(2), rounded up."""
    if not timeout:
        return None
    from xenos.linux.time import read_time

    return min(-(-read_time(process, timeout) // _MILLION), (1 << 31) - 1)


def ppoll(process: Process, fds: int, nfds: int, timeout: int, sigmask: int) -> int:
    """ppoll(2)."""
    if nfds > _FDS_MAX:
        return -EINVAL
    entries = list(struct.iter_unpack("<ihh", process.memory.read(fds, 8 * nfds))) if nfds else []
    wait = milliseconds(process, timeout)
    wanted: dict[int, int] = {}
    for fd, events, _ in entries:
        if fd >= 0:
            wanted[fd] = wanted.get(fd, 0) | events & 0xFFFF
    ready = dict(_poll(wanted, wait))
    out = bytearray()
    count = 0
    for fd, events, _ in entries:
        found = ready.get(fd, 0) & (events & 0xFFFF | POLLERR | POLLHUP | POLLNVAL) if fd >= 0 else 0
        count += found != 0
        out += struct.pack("<ihH", fd, events, found)
    if out:
        process.memory.write(fds, out)
    return count


def _poll(wanted: dict[int, int], wait: int | None) -> list[tuple[int, int]]:
    poll = host.poll()
    for fd, events in wanted.items():
        poll.register(fd, events)
    return poll.poll(wait)


def pselect6(process: Process, nfds: int, readfds: int, writefds: int, exceptfds: int, timeout: int) -> int:
    """pselect(2)."""
    if not 0 <= nfds <= _SELECT_MAX:
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
    ready = _poll(wanted, milliseconds(process, timeout))
    if any(events & POLLNVAL for _, events in ready):
        return -9  # EBADF
    count = 0
    for address, bits, _, finds in sets:
        if address:
            found = sum(1 << fd for fd, events in ready if events & finds and bits >> fd & 1)
            count += found.bit_count()
            memory.write(address, found.to_bytes(size, "little"))
    return count
