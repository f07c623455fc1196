"""sys/resource.h: limits, use and priority."""

from __future__ import annotations

import os
import resource as host
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
RLIMIT_STACK, RLIMIT_AS, RLIMIT_DATA = 3, 9, 2
_MASK = (1 << 64) - 1
# A guest that limits its own address space or data would take the memory from Xenos: these are only remembered.
_KEPT_HERE = frozenset((RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK))


def _limits(process: Process, resource: int) -> tuple[int, int]:
    own = process.limits.get(resource)
    if own is not None:
        return own
    soft, hard = host.getrlimit(resource)
    if resource == RLIMIT_STACK:
        from xenos.linux.loader import STACK_SIZE

        soft = STACK_SIZE
    return soft & _MASK, hard & _MASK


def _set(process: Process, pid: int, resource: int, address: int) -> None:
    soft, hard = struct.unpack("<QQ", process.memory.read(address, 16))
    if soft > hard:
        raise OSError(EINVAL, "limit above its maximum")
    if resource in _KEPT_HERE:
        process.limits[resource] = soft, hard
        return
    signed = tuple(-1 if value == _MASK else value for value in (soft, hard))
    host.prlimit(pid, resource, (signed[0], signed[1]))


def getrlimit(process: Process, resource: int, rlim: int) -> int:
    """getrlimit(2)."""
    process.memory.write(rlim, struct.pack("<QQ", *_limits(process, resource)))
    return 0


def setrlimit(process: Process, resource: int, rlim: int) -> int:
    """setrlimit(2)."""
    _set(process, 0, resource, rlim)
    return 0


def prlimit(process: Process, pid: int, resource: int, new_limit: int, old_limit: int) -> int:
    """prlimit(2)."""
    if pid in (0, os.getpid()):
        old = _limits(process, resource)
    else:
        soft, hard = host.prlimit(pid, resource)
        old = soft & _MASK, hard & _MASK
    if new_limit:
        _set(process, pid, resource, new_limit)
    if old_limit:
        process.memory.write(old_limit, struct.pack("<QQ", *old))
    return 0


def pack_usage(use: host.struct_rusage) -> bytes:
    """A `struct rusage`."""
    times = (*divmod(round(use.ru_utime * 10**6), 10**6), *divmod(round(use.ru_stime * 10**6), 10**6))
    return struct.pack(
        "<18q", *times, use.ru_maxrss, use.ru_ixrss, use.ru_idrss, use.ru_isrss, use.ru_minflt, use.ru_majflt,
        use.ru_nswap, use.ru_inblock, use.ru_oublock, use.ru_msgsnd, use.ru_msgrcv, use.ru_nsignals,
        use.ru_nvcsw, use.ru_nivcsw,
    )


def getrusage(process: Process, who: int, usage: int) -> int:
    """getrusage(2)."""
    process.memory.write(usage, pack_usage(host.getrusage(who)))
    return 0


def getpriority(process: Process, which: int, who: int) -> int:
    """getpriority(2) as the kernel answers it: 20 less the nice value."""
    return 20 - os.getpriority(which, who)


def setpriority(process: Process, which: int, who: int, prio: int) -> int:
    """setpriority(2)."""
    os.setpriority(which, who, prio)
    return 0
