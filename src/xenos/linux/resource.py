"""sys/resource.h: limits."""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux import descriptors, kernel, passing
from xenos.linux.descriptors import RLIMIT_NOFILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from resource import struct_rusage

    from xenos.linux.process import Process

EPERM, EINVAL = 1, 22
RLIMIT_DATA, RLIMIT_STACK, RLIMIT_AS = 2, 3, 9
_LAST = 16
_FEW = 1024     # with fewer descriptors, what may be needed later is imported at once
_INFINITY = (1 << 64) - 1
# A guest that limits its own address space or data would take the memory from Xenos: `mman` holds it to these.
_KEPT_HERE = frozenset((RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK))


def limits(process: Process, resource: int) -> tuple[int, int]:
    """The soft and the hard limit of this guest; OSError (EINVAL) for a resource that is none."""
    own = process.limits.get(resource)
    if own is not None:
        return own
    words = ctypes.create_string_buffer(16)     # Python's own module for it is one more to load, for most programs ask
    result = kernel.plain("prlimit64", 0, resource, 0, words)
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    soft, hard = struct.unpack("<QQ", words)
    if resource == RLIMIT_NOFILE:
        soft = descriptors.seen(soft, hard)
    if resource == RLIMIT_STACK:
        from xenos.linux.loader import STACK_SIZE

        soft = STACK_SIZE
    return soft, hard


def getrlimit(process: Process, resource: int, rlim: int) -> int:
    """getrlimit(2)."""
    return prlimit(process, 0, resource, 0, rlim)


def setrlimit(process: Process, resource: int, rlim: int) -> int:
    """setrlimit(2)."""
    process.memory.read(rlim, 16)
    return prlimit(process, 0, resource, rlim, 0)


def prlimit(process: Process, pid: int, resource: int, new_limit: int, old_limit: int) -> int:
    """prlimit(2)."""
    if resource >= _LAST:
        return -EINVAL
    if pid not in (0, os.getpid()) or resource not in _KEPT_HERE:
        new, old = passing.address(process, new_limit), passing.address(process, old_limit)
        if resource == RLIMIT_NOFILE and pid in (0, os.getpid()):
            return _descriptors(process, new_limit, old_limit)
        return kernel.call(process, "prlimit64", pid, resource, new, old)
    soft, hard = limits(process, resource)
    if new_limit:
        wish = struct.unpack("<QQ", process.memory.read(new_limit, 16))
        if wish[0] > wish[1]:
            return -EINVAL
        if wish[1] > hard and os.geteuid():
            return -EPERM
        process.limits[resource] = wish
    if old_limit:
        process.memory.write(old_limit, struct.pack("<QQ", soft, hard))
    return 0


def _descriptors(process: Process, new_limit: int, old_limit: int) -> int:
    """RLIMIT_NOFILE, which Xenos needs some of itself."""
    wish = None
    if new_limit:
        soft, hard = struct.unpack("<QQ", process.memory.read(new_limit, 16))
        wish = descriptors.within(soft, hard), hard
        if hard < _FEW:
            from xenos.linux import preload

            preload.everything(process)
    soft, hard = descriptors.limits(wish)
    if old_limit:
        process.memory.write(old_limit, struct.pack("<QQ", descriptors.seen(soft, hard), hard))
    return 0


def pack_usage(use: struct_rusage) -> bytes:
    """A `struct rusage`."""
    times = (*divmod(round(use.ru_utime * 10**6), 10**6), *divmod(round(use.ru_stime * 10**6), 10**6))
    return struct.pack(
        "<18q", *times, use.ru_maxrss, use.ru_ixrss, use.ru_idrss, use.ru_isrss, use.ru_minflt, use.ru_majflt,
        use.ru_nswap, use.ru_inblock, use.ru_oublock, use.ru_msgsnd, use.ru_msgrcv, use.ru_nsignals,
        use.ru_nvcsw, use.ru_nivcsw,
    )
