"""time.h and sys/timex.h: times that need more than the host's kernel, and setting the clock, which is not for guests."""

from __future__ import annotations

import struct

from xenos.linux import kernel, passing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EINVAL = 1, 22
_CLOCK_REALTIME = 0
_CLOCK_MASK, _CLOCK_OF_FILE = 7, 3      # of negative ones: include/linux/posix-timers.h, CPUCLOCK_CLOCK_MASK with the thread's bit
BILLION = 10**9
_PAIR = struct.Struct("<qq")
_ELAPSED = 1 << 40  # seconds; longer sleeps are as good as endless


def read_time(process: Process, address: int) -> int:
    """A `struct timespec` in nanoseconds; OSError (EINVAL) if it is none."""
    seconds, nanoseconds = _PAIR.unpack(process.memory.read(address, 16))
    if seconds < 0 or not 0 <= nanoseconds < BILLION:
        raise OSError(EINVAL, "not a time")
    return int(min(seconds, _ELAPSED)) * BILLION + int(nanoseconds)


def clock_settime(process: Process, clockid: int, tp: int) -> int:
    """clock_settime(2): there is one clock that could be set, by others."""
    if clockid < 0 and clockid & _CLOCK_MASK != _CLOCK_OF_FILE:
        return kernel.plain("clock_settime", clockid, kernel.pointer(process, tp, 16))     # of a process: never, but why depends
    if clockid > _CLOCK_REALTIME:
        return -EINVAL
    read_time(process, tp)
    return -EPERM


def adjtimex(process: Process, buf: int) -> int:
    """adjtimex(2), to look at the clock."""
    if process.memory.load(buf, 4):
        return -EPERM
    return kernel.call(process, "adjtimex", passing.address(process, buf))


def clock_adjtime(process: Process, clockid: int, buf: int) -> int:
    """clock_adjtime(2), likewise."""
    if process.memory.load(buf, 4):
        return -EPERM
    return kernel.call(process, "clock_adjtime", clockid, passing.address(process, buf))
