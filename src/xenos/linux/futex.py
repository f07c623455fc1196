"""Futexes and the bookkeeping of threads, for a process that has one."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EAGAIN, EINVAL, ENOSYS, ETIMEDOUT, ESRCH = 11, 22, 38, 110, 3
FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP = 0, 1, 3, 4, 5
FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET = 6, 7, 9, 10
FUTEX_CLOCK_REALTIME = 256
_COMMAND = 127
BILLION = 10**9


def set_tid_address(process: Process, tidptr: int) -> int:
    """set_tid_address(2)."""
    process.clear_child_tid = tidptr
    return os.getpid()


def set_robust_list(process: Process, head: int, length: int) -> int:
    """set_robust_list(2): nobody else could wait for what we die with."""
    if length != 24:
        return -EINVAL
    process.robust_list = head
    return 0


def get_robust_list(process: Process, pid: int, head: int, length: int) -> int:
    """get_robust_list(2)."""
    if pid not in (0, os.getpid()):
        return -ESRCH
    process.memory.store(head, 8, process.robust_list)
    process.memory.store(length, 8, 24)
    return 0


def futex(process: Process, uaddr: int, op: int, val: int, timeout: int, uaddr2: int, val3: int) -> int:
    """futex(2): with one thread a wait can only end by its timeout, and a wake finds nobody."""
    command = op & _COMMAND
    if uaddr & 3:
        return -EINVAL
    value = process.memory.load(uaddr, 4)
    if command in (FUTEX_WAKE, FUTEX_WAKE_BITSET, FUTEX_REQUEUE, FUTEX_WAKE_OP):
        return 0
    if command == FUTEX_CMP_REQUEUE:
        return 0 if value == val3 else -EAGAIN
    if command not in (FUTEX_WAIT, FUTEX_WAIT_BITSET):
        return -ENOSYS
    if value != val:
        return -EAGAIN
    if not timeout:
        _wait_for_ever(process, uaddr, val)
        return 0
    from xenos.linux.time import read_time

    wanted = read_time(process, timeout)
    if command == FUTEX_WAIT_BITSET:  # an absolute time
        clock = time.CLOCK_REALTIME if op & FUTEX_CLOCK_REALTIME else time.CLOCK_MONOTONIC
        wanted -= time.clock_gettime_ns(clock)
    end = time.monotonic_ns() + wanted
    while (left := end - time.monotonic_ns()) > 0:
        if process.memory.load(uaddr, 4) != val:  # another process, through shared memory
            return 0
        time.sleep(min(left, _LOOK) / BILLION)
    return -ETIMEDOUT


_LOOK = 2_000_000  # ns between two looks at a word that another process may change


def _wait_for_ever(process: Process, uaddr: int, val: int) -> None:
    while process.memory.load(uaddr, 4) == val:
        time.sleep(_LOOK / BILLION)


def membarrier(process: Process, cmd: int, flags: int, cpu_id: int) -> int:
    """membarrier(2): nothing to query, nothing supported."""
    return 0 if cmd == 0 else -EINVAL
