"""The life of a guest's thread that Python made and then leaves alone, in the small part of Python that is compiled.

Such a thread of the host knows nothing of Python until it needs it: it waits until it is told to go, runs generated code, and ends
(_exit(2)) as linux/thread.py would have it, where nothing out of the ordinary is due. For all else it calls Python, which
leads it to its end. What it works on is its *record*:

    0      state pointer                      32     address of its entry in the bridge's table of threads
    8      host code to begin with, or 0      40     C function to call: with the record and 0 where Python is to go on, with the
    16     1 from when it may go                     record and 1 where it has ended and somebody may wait for that
    24     1 when it has ended, and the       48     address of the bridge's data
           record is not looked at again      56     signals that are blocked from the start
"""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.native.words import ask, call, i32, i64, observe, publish
from xenos.engines.runtime import bridge, direct, drive
from xenos.engines.runtime.drive import follow, kind_called
from xenos.memory.flat import BASE

_FUTEX_WAIT, _FUTEX_WAKE, _PRIVATE, _SIG_SETMASK = 0, 1, 128, 2
_ROBUST_HEAD = 24       # bytes of struct robust_list_head
_MASK = direct.FRAME_MAX + 64


def live(record: int, room: int) -> int:
    """From its first instruction to its end."""
    data = i64[record + bridge.DATA]
    raw = i64[data + bridge.RAW]
    while i32[record + bridge.GO] == 0:
        ask(raw, i64[data + bridge.FUTEX], record + bridge.GO, _FUTEX_WAIT + _PRIVATE, 0, 0)
    observe()
    ask(raw, i64[data + bridge.SIGNAL_MASK], _SIG_SETMASK, record + bridge.BLOCKED, 0, 8)
    if i64[record + bridge.CODE]:
        follow(i64[record + bridge.STATE], i64[record + bridge.CODE], room)
        if end(record, data, room):
            return 0
    call(i64[record + bridge.TELL], record, 0)
    return 0


def end(record: int, data: int, room: int) -> int:
    """_exit(2), if generated code left for that; 0 if Python is to see to it."""
    state = i64[record + bridge.STATE]
    if i64[state + at.EXIT_CODE] != drive.CALLED or kind_called(state) != direct.END_THREAD or i64[data + bridge.QUIET] == 0:
        return 0
    table = i64[state + at.CALLS]
    clear = i64[state + at.CLEAR_TID]
    if clear < 0 or clear >= i64[table + direct.END] or holds(state, table, room):
        return 0
    raw = i64[data + bridge.RAW]
    i64[room + _MASK] = ~direct.RAISED      # a poke, too: later there may be no handler for it any more
    ask(raw, i64[data + bridge.SIGNAL_MASK], _SIG_SETMASK, room + _MASK, 0, 8)
    i64[i64[record + bridge.ENTRY]] = -1
    if i64[state + at.WAKE] or i64[state + at.MORE]:
        return 0        # a signal that may be another thread's to see
    i64[room] = 0
    if clear:
        if ask(i64[table + direct.MOVE], clear + BASE, room, 4) == 0:
            ask(raw, i64[data + bridge.FUTEX], clear + BASE, _FUTEX_WAKE, 1, 0)
        elif i64[i64[table + direct.WATCHED]]:
            return 0    # that may be for our sake
    tell = i64[record + bridge.TELL]
    i64[state + at.IN_KERNEL] = 1       # it is in no generated code, and will not be
    publish()
    i64[record + bridge.DONE] = 1
    i64[data + bridge.ENDED] = 1
    if i64[data + bridge.QUIET] == 0:
        call(tell, record, 1)
    return 1


def holds(state: int, table: int, room: int) -> int:
    """Whether the thread may hold a robust futex."""
    head = i64[state + at.ROBUST]
    if head == 0:
        return 0
    if head < 0 or head >= i64[table + direct.END] or ask(i64[table + direct.MOVE], room, head + BASE, _ROBUST_HEAD):
        return 1
    return i64[room] != head or i64[room + 16] != 0
