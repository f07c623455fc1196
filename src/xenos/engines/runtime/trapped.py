"""A fault of generated code that a guest handles (SIGSEGV), in the small part of Python that is compiled.

`trap` does what engines/stencil/faults.py and linux/delivery.py would do, where those have seen such a fault before: the same
instruction, and an access to the same page while nothing that is mapped has changed. The engine keeps what it knows for us:

    for each of 64 places in generated code    its host address, pc, instructions counted but not done, whether it reads and writes
    for each of 16 pages                       page + 1 for stores or + 2 for loads, the count of changes, si_code of a fault there
"""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.native.words import ask, i32, i64, observe, u32
from xenos.engines.runtime import direct
from xenos.engines.runtime.direct import block
from xenos.memory.flat import BASE

_SIGSEGV = 11
_BIT = 1 << _SIGSEGV - 1
_SA_ONSTACK, _SA_NODEFER, _SA_RESETHAND = 0x08000000, 0x40000000, 0x80000000
_SS_DISABLE, _SS_AUTODISARM = 2, 1 << 31


def trap(state: int, room: int) -> int:
    """Go on in the guest's handler; 0 if Python is to see to it, and nothing has changed."""
    table = i64[state + at.CALLS]
    if table == 0 or i64[state + at.KNOWN] == 0 or i64[state + at.WAKE] or i64[state + at.MORE]:
        return 0
    count = i64[i64[table + direct.CHANGES]]
    action = table + direct.ACTION
    flags = i64[action + 8]
    if i64[action] < 2 or i64[action + 32] != count or i64[state + at.MASK] & _BIT or flags & _SA_RESETHAND:
        return 0
    host = i64[state + at.HOST_PC]
    known = i64[state + at.KNOWN] + (host >> 1 & direct.PLACES - 1) * direct.PLACE
    if i64[known] != host:
        return 0
    observe()
    pc = i64[known + 8]
    executed = i64[state + at.COUNT] - i64[known + 16]
    both = i64[known + 24]
    observe()
    if i64[known] != host:
        return 0
    reason = why(state, count, both)
    if reason == 0:
        return 0
    before, counted = i64[state + at.PC], i64[state + at.COUNT]
    i64[state + at.PC] = pc
    i64[state + at.COUNT] = executed
    if enter(state, table, room, reason):
        return 1
    i64[state + at.PC] = before
    i64[state + at.COUNT] = counted
    return 0


def why(state: int, count: int, both: int) -> int:
    """The si_code of an access that failed; 0 if that takes a closer look."""
    code = i64[state + at.FAULT_CODE]
    write = i64[state + at.FAULT_WRITE]
    if code >> 32 != _SIGSEGV or code & 0xFFFF_FFFF < 1 or code & 0xFFFF_FFFF > 2:
        return 0
    if write != 1 and (write != 0 or both):
        return 0
    address = i64[state + at.FAULT_ADDRESS] - BASE
    page = i64[state + at.KNOWN] + direct.PLACES * direct.PLACE + (address >> 12 & direct.PAGES - 1) * direct.PAGE
    if address < 0 or i64[page] != (address & ~4095) + 2 - write or i64[page + 8] != count:
        return 0
    observe()
    found = i64[page + 16]
    observe()
    return found if i64[page] == (address & ~4095) + 2 - write and i64[page + 8] == count else 0


def enter(state: int, table: int, room: int, reason: int) -> int:
    """Write the frame, and go to the handler; 0 if that cannot be done here."""
    action = table + direct.ACTION
    flags = i64[action + 8]
    size = i64[table + direct.FRAME]
    pointer = i64[state + i64[table + direct.POINTER]]
    start, disabled, length = i64[state + at.STACK], i64[state + at.STACK + 8], i64[state + at.STACK + 16]
    if size == 0 or disabled & _SS_AUTODISARM:
        return 0
    if flags & _SA_ONSTACK and disabled & _SS_DISABLE == 0 and (pointer <= start or pointer > start + length):
        pointer = start + length
    frame = (pointer - size) & -16
    if frame < 0 or frame >= i64[table + direct.END]:
        return 0
    for word in range(size >> 3):
        i64[room + (word << 3)] = 0
    i32[room] = _SIGSEGV
    i32[room + 8] = reason
    i64[room + 16] = i64[state + at.FAULT_ADDRESS] - BASE
    i64[room + i64[table + direct.FRAME + 8]] = i64[state + at.MASK]
    stack = room + i64[table + direct.FRAME + 16]
    i64[stack] = start
    i32[stack + 8] = disabled
    i64[stack + 16] = length
    step = table + direct.FRAME + 24
    while i64[step + 16]:
        for offset in range(i64[step + 16] >> 3):
            i64[room + i64[step] + (offset << 3)] = i64[state + i64[step + 8] + (offset << 3)]
        step += 24
    step += 24
    while i64[step + 16]:
        i32[room + i64[step]] = u32[room + i64[step]] | (i64[state + i64[step + 24]] & i64[step + 16]) << i64[step + 8]
        step += 32
    step += 32
    if ask(i64[table + direct.MOVE], frame + BASE, room, size):
        return 0
    mask = i64[state + at.MASK] | i64[action + 16]
    if flags & _SA_NODEFER == 0:
        mask |= _BIT
    if block(state, table, room, mask):
        return 0
    while i64[step]:
        value = i64[step + 16]
        if i64[step] == direct.OF_FRAME:
            value += frame
        elif i64[step] == direct.OF_RETURN:
            value = i64[action + 24]
        else:
            value = _SIGSEGV
        i64[state + i64[step + 8]] = value
        step += 24
    i64[state + at.PC] = i64[action]
    return 1
