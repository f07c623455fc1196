"""System calls that generated code makes of the host's kernel without Python, in the small part of Python that is compiled.

`answer` is given the state pointer, the guest's number of the call, and the address of its six arguments, behind which there is
room. What it may do stands in a table in memory, whose address is in the state block:

    0      host address of `answer`              24     host address of the vDSO's clock_gettime, or 0
    8      host address of `call` (the bridge)   32     end of the guest addresses that are passed on
    16     host address of `move` (the bridge)   40     1 if the host's struct epoll_event has no padding
    48     offset of the call's number in the state block
    56     and of the stack pointer                 64     host's number of rt_sigprocmask
    72     host address of a count of the changes to what is mapped
    80     how many ranges have been put behind the table so far
    88     the guest's handler of SIGSEGV, or 0; its flags; its mask; what handlers return to; and the count of changes then
    128    host address of a number: how many pages of the guest's are read-only on the host although it may write there
    136    for each number, 0 or: the host's number of it, pointers among its arguments as bits from 16 on, whether the first
           is a descriptor as bit 24, and from bit 32 on what else is to be done
    behind the ranges whose memory may be given up (madvise(2)) as long as nothing changes what is mapped: {start, end, count}
    then what is in the frame of a signal handler: its size, where the mask and the stack_t are; registers as {place, offset in
           the state block, bytes}, up to one of 0 bytes; parts of 32-bit words as {place, shift, mask, offset}, up to a mask of 0;
           and what a handler finds in registers, as {1 the frame's address, 2 the address to return to or 3 the signal's number;
           offset in the state block; what is added}, up to a 0
"""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.native.words import ask, i32, i64, observe, u32
from xenos.memory.flat import BASE

CALL, MOVE, CLOCK, END, PACKED, NUMBER, POINTER, SIGNAL_MASK, CHANGES, NEXT, ACTION, WATCHED, ENTRIES = (
    8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 128, 136)
NUMBERS = 512
RANGES = ENTRIES + 8 * NUMBERS
RANGES_MAX = 16
FRAME = RANGES + 24 * RANGES_MAX
SIZE = FRAME + 1024
DESCRIPTOR = 1 << 24
PLAIN, FUTEX, TIME, VECTOR, UNNAMED, EVENTS, MASKS, REFUSED, ROBUST, ADVICE, UNMASKED = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
RETURN, END_THREAD = 16, 17     # from these on: generated code leaves, and `drive` or `lives` sees to it
DESCRIPTORS_END = 900       # Xenos's own lie from here on
PYTHONS = -8192             # no result of a call: it is not for us
FAULT, INVALID, INTERRUPTED, RESTART = -14, -22, -4, -512
OF_FRAME, OF_RETURN, OF_NUMBER = 1, 2, 3
PLACES, PLACE, PAGES, PAGE = 64, 32, 16, 24     # what the engine knows of faults, see trapped.py
POKE = 16                   # SIGSTKFLT, which no kernel sends: wakes a thread of ours from a call
RAISED = 1 << 7 - 1 | 1 << 11 - 1       # by generated code: BUS and SEGV
NEVER_HELD = RAISED | 1 << POKE - 1     # never blocked in the host
NEVER_BLOCKED = 1 << 9 - 1 | 1 << 19 - 1               # SIGKILL, SIGSTOP
_ROBUST_HEAD = 24           # sizeof(struct robust_list_head)
_DONTNEED = 4               # MADV_DONTNEED
_WORDS = 48                 # of the six arguments; room behind them begins here
ROOM = 1024
FRAME_MAX = 4096            # bytes of a signal's frame that is read and written here; behind it in a room:
_SIG_SETMASK = 2
_CALL, _SET = FRAME_MAX, FRAME_MAX + 64     # arguments of a call, and a set of signals
_BUFFERS_MAX = 8
_EVENTS_MAX = 16
_FUTEX_NUMBERED = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 12     # commands whose fourth argument is a number


def answer(state: int, number: int, words: int) -> int:
    """The call's result or -errno; `PYTHONS` if nothing was done, or the kernel met with memory that we watch; `RESTART` if it
    is to be made again, behind the handler of a signal that came first, or because it was nothing to the guest that ended it."""
    table = i64[state + at.CALLS]
    if number < 0 or number >= NUMBERS:
        return PYTHONS
    known = i64[table + ENTRIES + (number << 3)]
    if known >> 32 == PLAIN:
        result = plain(state, table, known, words)      # the calls that are to cost nearly nothing
    else:
        result = made(state, table, known, words)
    if result == INTERRUPTED:
        # The host blocks not all of the signals that the guest does, see NEVER_HELD.
        if i64[state + at.MASK] >> i32[state + at.SIGNAL] - 1 & 1 if i32[state + at.WAKE] else i32[state + at.WAKE + 4]:
            return RESTART
    if result == FAULT and i64[i64[table + WATCHED]]:
        return PYTHONS
    return result


def plain(state: int, table: int, known: int, words: int) -> int:
    """One that is only asked of the host's kernel; `PYTHONS` also where there is none."""
    if known == 0 or known & DESCRIPTOR and u32[words] >= DESCRIPTORS_END:
        return PYTHONS
    pointers = known >> 16 & 63
    if pointers and point(words, pointers, i64[table + END]) == 0:
        return PYTHONS
    i64[state + at.IN_KERNEL] = 1
    result = ask(i64[table + CALL], state, known & 0xFFFF, words)
    i64[state + at.IN_KERNEL] = 0
    return result


def point(words: int, pointers: int, end: int) -> int:
    """Make host addresses of those arguments whose bits are set; 0 if one is for Python to look at."""
    while pointers:
        if pointers & 1:
            address = i64[words]
            if address < 0 or address >= end:
                return 0
            if address:
                i64[words] = address + BASE
        pointers >>= 1
        words += 8
    return 1


def made(state: int, table: int, known: int, words: int) -> int:
    """One with something else to be done; `PYTHONS` if nothing was."""
    kind = known >> 32
    if kind == REFUSED:
        return 0 - (known & 0xFFFF)
    if kind >= RETURN:
        return PYTHONS
    if known & DESCRIPTOR and u32[words] >= DESCRIPTORS_END:
        return PYTHONS
    pointers = known >> 16 & 63
    if kind == FUTEX and 1 << (i64[words + 8] & 127 & 15) & _FUTEX_NUMBERED == 0:
        pointers |= 8
    if point(words, pointers, i64[table + END]) == 0:
        return PYTHONS
    if kind == TIME:
        return time(table, words)
    if kind == VECTOR:
        if gather(table, words, i64[table + END]) == 0:
            return PYTHONS
    if kind == UNNAMED and i64[words + 32] or kind == UNMASKED and i64[words + 24]:
        return PYTHONS
    if kind == EVENTS:
        return events(state, table, known & 0xFFFF, words)
    if kind == MASKS:
        return masks(state, table, known & 0xFFFF, words)
    if kind == ROBUST:
        if i64[words + 8] != _ROBUST_HEAD:
            return INVALID
        i64[state + at.ROBUST] = i64[words]
        return 0
    if kind == ADVICE and (i32[words + 16] != _DONTNEED or may_give_up(table, i64[words], i64[words + 8]) == 0):
        return PYTHONS
    i64[state + at.IN_KERNEL] = 1
    result = ask(i64[table + CALL], state, known & 0xFFFF, words)
    i64[state + at.IN_KERNEL] = 0
    return result


def time(table: int, words: int) -> int:
    """clock_gettime(2) by the host's vDSO, which must not be given a guest's pointer: it faults where the kernel does not."""
    if i64[table + CLOCK] == 0 or i64[words + 8] == 0:
        return PYTHONS
    if i32[words] < 0 or ask(i64[table + CLOCK], i32[words], words + _WORDS, 0) & 0xFFFF_FFFF:
        return PYTHONS
    return ask(i64[table + MOVE], i64[words + 8], words + _WORDS, 16)


def may_give_up(table: int, start: int, length: int) -> int:
    """Whether a range (of host addresses) is inside of one that Python has given up before, and all is mapped as it was."""
    start -= BASE
    count = i64[i64[table + CHANGES]]
    for number in range(RANGES_MAX):
        entry = table + RANGES + number * 24
        if i64[entry + 16] == count:
            observe()
            low = i64[entry]
            high = i64[entry + 8]
            observe()
            if i64[entry + 16] == count and start >= low and length > 0 and length <= high - start and start & 4095 == 0:
                return 1
    return 0


def gather(table: int, words: int, end: int) -> int:
    """Make host addresses of an array of struct iovec; 0 if that cannot be done here."""
    count = i64[words + 16]
    copy = words + _WORDS
    if count < 1 or count > _BUFFERS_MAX or ask(i64[table + MOVE], copy, i64[words + 8], count << 4):
        return 0
    for number in range(count):
        where = copy + (number << 4)
        address = i64[where]
        if address < 0 or address >= end:
            return 0
        if address:
            i64[where] = address + BASE
    i64[words + 8] = copy
    return 1


def events(state: int, table: int, number: int, words: int) -> int:
    """epoll_pwait(2) without a mask: the events go to the guest with the padding that its struct has."""
    target = i64[words + 8]
    most = i32[words + 16]
    if most <= 0 or i64[words + 32] or target == 0:
        return PYTHONS
    given = words + _WORDS
    i64[words + 8] = given
    i64[words + 16] = most if most < _EVENTS_MAX else _EVENTS_MAX
    i64[state + at.IN_KERNEL] = 1
    found = ask(i64[table + CALL], state, number, words)
    i64[state + at.IN_KERNEL] = 0
    if found <= 0:
        return found
    size = 12 if i64[table + PACKED] else 16
    padded = given + (_EVENTS_MAX << 4)
    for one in range(found):
        i64[padded + (one << 4)] = i32[given + one * size]
        i64[padded + (one << 4) + 8] = i64[given + one * size + size - 8]
    return FAULT if ask(i64[table + MOVE], target, padded, found << 4) else found


def masks(state: int, table: int, number: int, words: int) -> int:
    """rt_sigprocmask(2), as linux/signal.py has it, where no signal is noted or kept."""
    if i64[words + 24] != 8 or i64[state + at.WAKE] or i64[state + at.MORE]:
        return PYTHONS
    before = i64[state + at.MASK]
    after = before
    room = words + _WORDS
    if i64[words + 8]:
        if ask(i64[table + MOVE], room, i64[words + 8], 8):
            return FAULT
        how = i32[words]
        if how == 0:
            after = before | i64[room]
        elif how == 1:
            after = before & ~i64[room]
        elif how == 2:
            after = i64[room]
        else:
            return INVALID
    after &= ~NEVER_BLOCKED
    i64[room + 8] = before
    if i64[words + 16] and ask(i64[table + MOVE], i64[words + 16], room + 8, 8):
        return FAULT
    if after == before:
        return 0
    i64[room] = after & ~NEVER_HELD
    i64[words] = 2
    i64[words + 8] = room
    i64[words + 16] = 0
    i64[state + at.MASK] = after
    result = ask(i64[table + CALL], state, number, words)
    if result:
        i64[state + at.MASK] = before       # a signal came first: again, behind its handler
    return result


def block(state: int, table: int, room: int, mask: int) -> int:
    """Block these signals and no others; not 0 if one that was noted comes first, and nothing has changed."""
    mask &= ~NEVER_BLOCKED
    before = i64[state + at.MASK]
    if mask & ~NEVER_HELD == before & ~NEVER_HELD:
        i64[state + at.MASK] = mask     # the same to the host
        return 0
    words = room + _CALL
    i64[room + _SET] = mask & ~NEVER_HELD
    i64[words] = _SIG_SETMASK
    i64[words + 8] = room + _SET
    i64[words + 16] = 0
    i64[words + 24] = 8
    i64[state + at.MASK] = mask
    result = ask(i64[table + CALL], state, i64[table + SIGNAL_MASK], words)
    if result:
        i64[state + at.MASK] = before
    return result
