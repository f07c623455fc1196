"""sched.h: CPUs and scheduling."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
_SETS_MAX = 1 << 16


def sched_yield(process: Process) -> int:
    """sched_yield(2)."""
    os.sched_yield()
    return 0


def sched_getaffinity(process: Process, pid: int, cpusetsize: int, mask: int) -> int:
    """sched_getaffinity(2) as the kernel answers it: the number of bytes written."""
    bits = sum(1 << cpu for cpu in os.sched_getaffinity(pid))
    length = (bits.bit_length() + 63) // 64 * 8
    if cpusetsize & 7 or cpusetsize < length:
        return -EINVAL
    process.memory.write(mask, bits.to_bytes(length, "little"))
    return length


def sched_setaffinity(process: Process, pid: int, cpusetsize: int, mask: int) -> int:
    """sched_setaffinity(2)."""
    bits = int.from_bytes(process.memory.read(mask, min(cpusetsize, _SETS_MAX)), "little")
    os.sched_setaffinity(pid, [cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1])
    return 0


def sched_getscheduler(process: Process, pid: int) -> int:
    """sched_getscheduler(2)."""
    return os.sched_getscheduler(pid)


def sched_setscheduler(process: Process, pid: int, policy: int, param: int) -> int:
    """sched_setscheduler(2)."""
    os.sched_setscheduler(pid, policy, os.sched_param(process.memory.load(param, 4)))
    return 0


def sched_getparam(process: Process, pid: int, param: int) -> int:
    """sched_getparam(2)."""
    process.memory.store(param, 4, os.sched_getparam(pid).sched_priority)
    return 0


def sched_get_priority_max(process: Process, policy: int) -> int:
    """sched_get_priority_max(2)."""
    return os.sched_get_priority_max(policy)


def sched_get_priority_min(process: Process, policy: int) -> int:
    """sched_get_priority_min(2)."""
    return os.sched_get_priority_min(policy)


def getcpu(process: Process, cpu: int, node: int) -> int:
    """getcpu(2): any CPU we may use is a right answer."""
    for address, value in ((cpu, min(os.sched_getaffinity(0))), (node, 0)):
        if address:
            process.memory.store(address, 4, value)
    return 0
