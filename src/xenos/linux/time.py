"""time.h, sys/time.h and sys/times.h."""

from __future__ import annotations

import os
import struct
import time as host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EINTR, EINVAL = 1, 4, 22
BILLION = 10**9
TIMER_ABSTIME = 1
_PAIR = struct.Struct("<qq")
_ELAPSED = 1 << 40  # seconds; longer sleeps are as good as endless


def read_time(process: Process, address: int) -> int:
    """A `struct timespec` in nanoseconds; OSError (EINVAL) if it is none."""
    seconds, nanoseconds = _PAIR.unpack(process.memory.read(address, 16))
    if seconds < 0 or not 0 <= nanoseconds < BILLION:
        raise OSError(EINVAL, "not a time")
    return int(min(seconds, _ELAPSED)) * BILLION + int(nanoseconds)


def clock_gettime(process: Process, clockid: int, tp: int) -> int:
    """clock_gettime(2)."""
    process.memory.write(tp, _PAIR.pack(*divmod(host.clock_gettime_ns(clockid), BILLION)))
    return 0


def clock_getres(process: Process, clockid: int, res: int) -> int:
    """clock_getres(2)."""
    resolution = round(host.clock_getres(clockid) * BILLION)
    if res:
        process.memory.write(res, _PAIR.pack(*divmod(resolution, BILLION)))
    return 0


def clock_settime(process: Process, clockid: int, tp: int) -> int:
    """clock_settime(2) is not for guests."""
    return -EPERM


def nanosleep(process: Process, duration: int, rem: int) -> int:
    """nanosleep(2)."""
    return _sleep(process, read_time(process, duration), rem)


def clock_nanosleep(process: Process, clockid: int, flags: int, request: int, remain: int) -> int:
    """clock_nanosleep(2)."""
    wanted = read_time(process, request)
    if flags & TIMER_ABSTIME:
        wanted -= host.clock_gettime_ns(clockid)
    else:
        host.clock_getres(clockid)  # EINVAL for a clock that is none
    return _sleep(process, wanted, 0 if flags & TIMER_ABSTIME else remain)


def _sleep(process: Process, nanoseconds: int, rem: int) -> int:
    from xenos.linux import waiting

    left = waiting.sleep(process, max(0, nanoseconds))
    if left and rem:
        process.memory.write(rem, _PAIR.pack(*divmod(left, BILLION)))
    return -EINTR if left else 0


def gettimeofday(process: Process, tv: int, tz: int) -> int:
    """gettimeofday(2)."""
    if tv:
        process.memory.write(tv, _PAIR.pack(*divmod(host.time_ns() // 1000, 10**6)))
    if tz:
        process.memory.write(tz, bytes(8))
    return 0


def times(process: Process, buf: int) -> int:
    """times(2), in ticks of 1/100 s."""
    spent = os.times()
    if buf:
        ticks = (spent.user, spent.system, spent.children_user, spent.children_system)
        process.memory.write(buf, struct.pack("<4q", *(int(value * 100) for value in ticks)))
    return int(host.monotonic() * 100)


def _timeval(seconds: float) -> tuple[int, int]:
    return divmod(round(seconds * 10**6), 10**6)


def _timers(values: tuple[float, float]) -> bytes:
    value, interval = values
    return struct.pack("<4q", *_timeval(interval), *_timeval(value))
