"""Generated code run on and on without Python, in the small part of Python that is compiled.

`follow` enters generated code and looks at why that left. It calls the handler of a fault that it knows (trapped.py), takes a
thread back from a handler (rt_sigreturn(2)) by what the guest's form says of a frame, and goes on; for anything else it
returns, and Python sees to it.
"""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.native.words import ask, call, i64, u32
from xenos.engines.runtime import direct
from xenos.engines.runtime.direct import block
from xenos.engines.runtime.trapped import trap
from xenos.memory.flat import BASE

ROOM = direct.FRAME_MAX + 256   # bytes that callers have for us
MISSED, FAULTED, CALLED = 1, 2, 4   # exit codes, see runtime/text.py
_HOST_ROUNDING = 3      # modes up to this one are the host's, too
_SS_ONSTACK, _SS_DISABLE = 1, 2
_NOTHING_RESERVED = -1


def follow(state: int, code: int, room: int) -> int:
    """Run from `code` on; returns where generated code has left for something that is Python's."""
    enter = i64[state + at.ENTER]
    while 1:
        call(enter, state, code)
        why = i64[state + at.EXIT_CODE]
        if why == CALLED:
            if kind_called(state) != direct.RETURN or restore(state, room) == 0:
                return 0
            if i64[state + at.ROUNDING] > _HOST_ROUNDING:
                i64[state + at.EXIT_CODE] = MISSED      # the host lacks that mode: the engine sees to it
                return 0
        elif why != FAULTED or trap(state, room) == 0:
            return 0
        code = i64[state + at.LOOKUP]
    return 0


def kind_called(state: int) -> int:
    """What the table of calls says of the one that generated code left for; 0 if nothing."""
    table = i64[state + at.CALLS]
    if table == 0:
        return 0
    number = i64[state + i64[table + direct.NUMBER]]
    if number < 0 or number >= direct.NUMBERS:
        return 0
    return i64[table + direct.ENTRIES + (number << 3)] >> 32


def restore(state: int, room: int) -> int:
    """rt_sigreturn(2) as linux/delivery.py has it, where no signal is noted or kept; 0 if that cannot be done here."""
    table = i64[state + at.CALLS]
    size = i64[table + direct.FRAME]
    frame = i64[state + i64[table + direct.POINTER]]
    if size == 0 or i64[state + at.WAKE] or i64[state + at.MORE] or frame < 0 or frame >= i64[table + direct.END]:
        return 0
    if ask(i64[table + direct.MOVE], room, frame + BASE, size):
        return 0
    if block(state, table, room, i64[room + i64[table + direct.FRAME + 8]]):
        return 0
    stack = room + i64[table + direct.FRAME + 16]
    if u32[stack + 8] & _SS_DISABLE:
        i64[state + at.STACK] = 0
        i64[state + at.STACK + 8] = _SS_DISABLE
        i64[state + at.STACK + 16] = 0
    else:
        i64[state + at.STACK] = i64[stack]
        i64[state + at.STACK + 8] = u32[stack + 8] & ~_SS_ONSTACK
        i64[state + at.STACK + 16] = i64[stack + 16]
    step = table + direct.FRAME + 24
    while i64[step + 16]:
        for offset in range(i64[step + 16] >> 3):
            i64[state + i64[step + 8] + (offset << 3)] = i64[room + i64[step] + (offset << 3)]
        step += 24
    step += 24
    while i64[step + 16]:
        i64[state + i64[step + 24]] = u32[room + i64[step]] >> i64[step + 8] & i64[step + 16]
        step += 32
    i64[state + at.RESERVED_ADDRESS] = _NOTHING_RESERVED
    return 1
