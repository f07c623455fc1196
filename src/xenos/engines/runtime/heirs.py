"""What a guest's heir does, in the small part of Python that is compiled: see linux/heir.py, which makes it.

It is a process of its own in the guest's memory, and touches nothing there until all threads of the guest have ended. Its *record*:

    0      host's numbers of setsid, prctl, pidfd_open, close_range, ppoll and futex
    48     the guest's process id             72     end of guest addresses
    56     host address of `raw`              80     host address of the bridge's data, with the table of threads
    64     host address of `move`             88     its name; behind that is room
"""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.native.words import ask, i64, u32
from xenos.engines.runtime import bridge
from xenos.memory.flat import BASE

_SETSID, _PRCTL, _PIDFD_OPEN, _CLOSE_RANGE, _PPOLL, _FUTEX = 0, 8, 16, 24, 32, 40
_PID, _RAW, _MOVE, _END, _DATA, _NAME, _ROOM = 48, 56, 64, 72, 80, 88, 104
_PR_SET_NAME, _POLLIN, _WAKE = 15, 1, 1
_ESRCH, _EINTR = -3, -4
_LAST = 0xFFFF_FFFF         # of all descriptors
_HEAD, _LIST_MAX = 24, 2048     # bytes of struct robust_list_head; ROBUST_LIST_LIMIT
_TID, _OWNER_DIED, _WAITERS = 0x3FFF_FFFF, 0x4000_0000, 0x8000_0000
_NOBODY = -1                # in the table of threads: an entry that is free


def inherit(record: int) -> int:
    """From its first instruction to its end."""
    raw = i64[record + _RAW]
    ask(raw, i64[record + _SETSID], 0, 0, 0, 0)     # no terminal and no process group reaches it
    ask(raw, i64[record + _PRCTL], _PR_SET_NAME, record + _NAME, 0, 0)
    guest = ask(raw, i64[record + _PIDFD_OPEN], i64[record + _PID], 0, 0, 0)
    if guest >= 0:
        if guest:
            ask(raw, i64[record + _CLOSE_RANGE], 0, guest - 1, 0, 0)
        if ask(raw, i64[record + _CLOSE_RANGE], guest + 1, _LAST, 0, 0) < 0:
            return 0        # it must not hold what the guest closes
        i64[record + _ROOM] = guest | _POLLIN << 32
        found = _EINTR
        while found == _EINTR:
            found = ask(raw, i64[record + _PPOLL], record + _ROOM, 1, 0, 0)
        if found < 0:
            return 0
    elif guest != _ESRCH:
        return 0
    entry = i64[record + _DATA] + bridge.TABLE
    while i64[entry]:
        if i64[entry] != _NOBODY:
            settle(record, i64[entry], i64[i64[entry + 8] + at.ROBUST])
        entry += 16
    return 0


def settle(record: int, tid: int, head: int) -> int:
    """What exit_robust_list in the kernel's futex code does for a thread."""
    if head == 0 or fetch(record, head, _HEAD) == 0:
        return 0
    entry = i64[record + _ROOM]
    offset = i64[record + _ROOM + 8]
    pending = i64[record + _ROOM + 16]
    for _ in range(_LIST_MAX):
        if entry & ~1 == head:
            break
        following = 0
        if fetch(record, entry & ~1, 8):
            following = i64[record + _ROOM]
        if entry & ~1 != pending & ~1:
            release(record, tid, (entry & ~1) + offset, entry & 1)
        if following == 0:
            return 0
        entry = following
    if pending:
        release(record, tid, (pending & ~1) + offset, pending & 1)
    return 0


def release(record: int, tid: int, address: int, inherits: int) -> int:
    """Mark a futex that the thread holds, and wake one who waits for it; the kernel wakes those whose priority it `inherits`."""
    if address & 3 or fetch(record, address, 4) == 0:
        return 0
    word = u32[record + _ROOM]
    if word & _TID != tid:
        return 0
    u32[address + BASE] = word & _WAITERS | _OWNER_DIED
    if inherits == 0:   # always: one may have begun to wait, and said so in the word, since we read it
        ask(i64[record + _RAW], i64[record + _FUTEX], address + BASE, _WAKE, 1, 0)
    return 0


def fetch(record: int, address: int, size: int) -> int:
    """Read guest memory into the room; 0 where there is none."""
    if address < 0 or address >= i64[record + _END]:
        return 0
    return ask(i64[record + _MOVE], record + _ROOM, address + BASE, size) == 0
