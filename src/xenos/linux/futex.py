"""linux/futex.h and the bookkeeping of threads: futexes are the host's own, at the host addresses of the guest's words."""

from __future__ import annotations

import struct

from xenos.linux import kernel
from xenos.memory.flat import BASE, MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process
    from xenos.linux.thread import Thread

EINVAL, ESRCH, EFAULT = 22, 3, 14
# Operations whose fourth argument is a time: WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2. To others it is a number or,
# as to WAKE, nothing at all: callers leave in it what was there.
_TIMED = (0, 6, 9, 11, 13)
# And those that look at a second word: REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_REQUEUE_PI, CMP_REQUEUE_PI.
_OF_TWO = (3, 4, 5, 11, 12)
_COMMAND = 127
_FUTEX_WAKE = 1
_HEAD = struct.Struct("<QqQ")   # struct robust_list_head: list, futex_offset, list_op_pending
_LIST_MAX = 2048
_TID, _OWNER_DIED, _WAITERS = 0x3FFF_FFFF, 0x4000_0000, 0x8000_0000
_WAITER = struct.Struct("<QQII")   # struct futex_waitv: val, uaddr, flags, reserved


def set_tid_address(process: Process, tidptr: int) -> int:
    """set_tid_address(2)."""
    process.thread.clear_child_tid = tidptr
    return process.thread.tid


def set_robust_list(process: Process, head: int, length: int) -> int:
    """set_robust_list(2). The host's kernel cannot walk it, for its pointers are the guest's: `let_go` or an heir does."""
    if length != _HEAD.size:
        return -EINVAL
    process.thread.robust_list = head
    return 0


def get_robust_list(process: Process, pid: int, head: int, length: int) -> int:
    """get_robust_list(2)."""
    for thread in process.threads:
        if pid == thread.tid or (pid == 0 and thread is process.thread):
            process.memory.store(head, 8, thread.robust_list)
            process.memory.store(length, 8, _HEAD.size)
            return 0
    return -ESRCH


def futex(process: Process, uaddr: int, op: int, val: int, timeout: int, uaddr2: int, val3: int) -> int:
    """futex(2)."""
    at, command = kernel.pointer, op & _COMMAND
    fourth = at(process, timeout, 16) if command in _TIMED else timeout
    second = at(process, uaddr2, 4) if command in _OF_TWO else 0
    return kernel.call(process, "futex", at(process, uaddr, 4), op, val, fourth, second, val3)


def futex_waitv(process: Process, waiters: int, nr_futexes: int, flags: int, timeout: int, clockid: int) -> int:
    """futex_waitv(2)."""
    if not 0 < nr_futexes <= 128:
        return -EINVAL
    made = b""
    for value, address, bits, reserved in _WAITER.iter_unpack(process.memory.read(waiters, _WAITER.size * nr_futexes)):
        made += _WAITER.pack(value, kernel.pointer(process, address, 4), bits, reserved)
    return kernel.call(process, "futex_waitv", made, nr_futexes, flags, kernel.pointer(process, timeout, 16), clockid)


def membarrier(process: Process, cmd: int, flags: int, cpu_id: int) -> int:
    """membarrier(2): that of the host, whose threads the guest's are."""
    return kernel.plain("membarrier", cmd, flags, cpu_id)


def let_go(process: Process, thread: Thread) -> None:
    """A thread ends: the futexes on its robust list that it holds are marked, and who waits is woken.

    As exit_robust_list in the kernel's futex code does.
    """
    memory = process.memory
    head, thread.robust_list = thread.robust_list, 0
    try:
        entry, offset, pending = _HEAD.unpack(memory.read(head, _HEAD.size))
        for _ in range(_LIST_MAX):
            if entry & ~1 == head:
                break
            following = memory.load(entry & ~1, 8)
            if entry != pending:
                _die_holding(process, thread, (entry & ~1) + offset)
            entry = following
        if pending:
            _die_holding(process, thread, (pending & ~1) + offset)
    except MemoryFault:
        pass


def _die_holding(process: Process, thread: Thread, address: int) -> None:
    address &= (1 << 64) - 1
    word = process.memory.load(address, 4)
    if address & 3 or word & _TID != thread.tid:
        return
    process.memory.store(address, 4, word & _WAITERS | _OWNER_DIED)
    # Always: one may have begun to wait, and said so in the word, since we read it.
    kernel.plain("futex", BASE + address, _FUTEX_WAKE, 1, 0, 0, 0)
