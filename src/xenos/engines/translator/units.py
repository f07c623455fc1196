"""Units: a block, the blocks that follow on branches not taken, cold parts and stubs behind them; linked both ways.

All code of a unit, and all that is noted of it, is there before the first jump can reach it.
"""

from __future__ import annotations

from xenos.engines.code.segment import (
    BASE,
    BLOCK_AT,
    BLOCK_PC,
    BLOCK_ROW,
    BLOCKS,
    BLOCKS_ROOM,
    BLOCKS_USED,
    CAPACITY,
    LINK,
    LINKS_ROOM,
    LINKS_USED,
    LOW,
    POLL,
    SLOW,
    STUB_NOTE,
    UNIT_BLOCK,
    UNIT_END,
    UNIT_ROW,
    UNIT_START,
    UNITS,
    UNITS_ROOM,
    UNITS_USED,
    USED,
    VIEW,
)
from xenos.engines.hosts.jumps import aim, pad
from xenos.engines.native.words import ask, i64, publish, u16, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.blocks import block, prefix, way
from xenos.engines.translator.links import add_link, connect, enter, find, flush
from xenos.engines.translator.place import copy, special


def translate(desk: int, pc: int, limit: int) -> int:
    """Translate what is at `pc`, up to `limit`: FINE, FULL if the segment has no room for it, MORE if its lists have none.

    LOST if nothing can be read there any more: the file that is mapped may have become shorter.
    """
    memory = i64[desk + at.MEMORY]
    if i64[desk + at.MOVE]:
        limit = fetch(desk, pc, limit)
        if limit == 0:
            return at.LOST
    done = make(desk, pc, limit)
    i64[desk + at.MEMORY] = memory
    return done


def fetch(desk: int, pc: int, limit: int) -> int:
    """Copy what a unit at `pc` may be made of, and have it read from there; gives how far that goes, 0 if nowhere."""
    move, to, source = i64[desk + at.MOVE], desk + at.FETCHED, i64[desk + at.MEMORY] + pc
    size = limit - pc
    if size > at.FETCHED_MOST:
        size = at.FETCHED_MOST
    if ask(move, to, source, size):
        here = at.PAGE - (pc & at.PAGE - 1)     # the next page may be what is missing
        i64[desk + at.GONE] = pc
        if here >= size or ask(move, to, source, here):
            return 0
        limit = pc + here
        book = i64[desk + at.BOOK]
        if here == 2 and u16[to] & i64[book + at.SHORT_MASK] == i64[book + at.SHORT_VALUE]:
            i64[desk + at.GONE] = limit
            return 0
    i64[desk + at.MEMORY] = to - pc
    return limit


def make(desk: int, pc: int, limit: int) -> int:
    """Translate what has been fetched."""
    segment = i64[desk + at.SEGMENT]
    if i64[segment + USED] + i64[i64[desk + at.BOOK] + at.ROOM] > i64[segment + CAPACITY]:
        return at.FULL
    if i64[segment + BLOCKS_USED] + 3 * at.MOST > i64[segment + BLOCKS_ROOM]:
        return at.MORE
    if i64[segment + LINKS_USED] + 6 * at.MOST > i64[segment + LINKS_ROOM]:
        return at.MORE
    if i64[segment + UNITS_USED] >= i64[segment + UNITS_ROOM]:
        return at.MORE
    i64[desk + at.ENTERED] = i64[desk + at.TAILS] = i64[desk + at.EXITS] = 0
    i64[desk + at.BLOCKS] = i64[desk + at.COLDS] = i64[desk + at.LENGTH] = 0
    first = pc
    total = 0
    while add_block(desk, pc, limit) == at.BRANCH:
        pc = i64[desk + at.AFTER]
        total += i64[desk + at.DONE]
        if i64[desk + at.SINGLE] or total >= at.MOST or pc >= limit or find(desk, pc) >= 0 or own(desk, pc) >= 0:
            leave(desk, LINK, pc)
            break
    add_cold(desk)
    add_stubs(desk)
    note(desk, first, i64[desk + at.SEEN])
    return at.FINE


def code(desk: int) -> int:
    """Where the unit at hand is written."""
    segment = i64[desk + at.SEGMENT]
    return i64[segment + VIEW] + i64[segment + USED]


def add_block(desk: int, pc: int, limit: int) -> int:
    """Add the block at `pc`; gives the kind of form that ends it."""
    first = i64[desk + at.TAILS]
    kind = block(desk, pc, limit)
    out = code(desk)
    begin = i64[desk + at.LENGTH]
    poll = prefix(desk, out + begin)
    if poll >= 0:
        add_exit(desk, begin + poll, POLL, pc, 0)
    body = i64[desk + at.BODY]
    shift = begin + i64[desk + at.PREFIX]
    copy(out + shift, desk + at.HOT, body)
    end = shift + body
    if kind == at.BRANCH or kind == at.JUMP:
        tail = desk + at.TAIL_LIST + at.TAIL * (i64[desk + at.TAILS] - 1)
        site = end + i64[tail + at.AT] - body + way(i64[tail + at.OF])
        end += pad(out + end, i64[i64[desk + at.SEGMENT] + USED] + site)
    copy(out + end, desk + at.HOT + body, i64[desk + at.WHOLE] - body)
    for number in range(first, i64[desk + at.TAILS]):
        tail = desk + at.TAIL_LIST + at.TAIL * number
        i64[tail + at.AT] += shift if i64[tail + at.AT] < body else end - body
        i64[tail + at.BEFORE] = i64[desk + at.DONE] - i64[tail + at.BEFORE]
    i64[desk + at.LENGTH] = end + i64[desk + at.WHOLE] - body
    if kind == at.LEAVES_CODE:
        leave(desk, i64[desk + at.WHY], i64[desk + at.AFTER])
    row = desk + at.BLOCK_LIST + at.BLOCK * i64[desk + at.BLOCKS]
    i64[row] = pc
    i64[row + 8] = begin
    i64[desk + at.BLOCKS] += 1
    return kind


def leave(desk: int, why: int, pc: int) -> None:
    """Add a jump to `pc`, or out of generated code."""
    book = i64[desk + at.BOOK]
    goto = book + i64[book + at.GOTO]
    out, size = code(desk), i64[desk + at.LENGTH]
    size += pad(out + size, i64[i64[desk + at.SEGMENT] + USED] + size + way(goto))
    add_exit(desk, size + way(goto), why, pc, 0)
    i64[desk + at.LENGTH] = size + special(book, out + size, goto, 0)


def add_exit(desk: int, site: int, why: int, pc: int, back: int) -> None:
    """Note a jump out of the unit, where `back` instructions have been counted that are not done."""
    row = desk + at.EXIT_LIST + at.EXIT * i64[desk + at.EXITS]
    i64[row + at.SITE] = site
    i64[row + at.REASON] = why
    i64[row + at.GOAL] = pc
    i64[row + at.BACK] = back
    i64[desk + at.EXITS] += 1


def own(desk: int, pc: int) -> int:
    """Where the block at `pc` lies in the unit at hand; -1 if it is none of its."""
    for number in range(i64[desk + at.BLOCKS]):
        row = desk + at.BLOCK_LIST + at.BLOCK * number
        if i64[row] == pc:
            return i64[row + 8]
    return -1


def spot(tail: int, offset: int) -> int:
    """Where an offset of a stencil lies in the unit: in its hot part, or in the cold one."""
    split = u32[i64[tail + at.OF] + at.SPLIT]
    return i64[tail + at.AT] + offset if offset < split else i64[tail + at.REST] + offset - split


def add_cold(desk: int) -> None:
    """Put cold parts behind the hot code, and settle what refers from one part to another, to constants, or leaves."""
    out, cold = code(desk), i64[desk + at.LENGTH]
    copy(out + cold, desk + at.COLD, i64[desk + at.COLDS])
    i64[desk + at.LENGTH] = cold + i64[desk + at.COLDS]
    for number in range(i64[desk + at.TAILS]):
        tail = desk + at.TAIL_LIST + at.TAIL * number
        i64[tail + at.REST] += cold
        stencil = i64[tail + at.OF]
        split = u32[stencil + at.SPLIT]
        row = stencil + at.STENCIL + 8 * u32[stencil + at.RENAMES] + at.HOLE * u32[stencil + at.HOLES]
        for _ in range(u32[stencil + at.NEAR]):
            aim(out, spot(tail, u32[row]), u32[row + 4] - i64[i64[desk + at.SEGMENT] + USED])
            row += at.WHERE
        for _ in range(u32[stencil + at.WAYS]):
            if u32[row + 4] == at.SLOW_WAY:
                add_exit(desk, spot(tail, u32[row]), SLOW, i64[tail + at.PLACED], i64[tail + at.BEFORE])
            else:
                add_exit(desk, spot(tail, u32[row]), LINK, i64[tail + at.GOES], 0)
            row += at.WHERE
        for _ in range(u32[stencil + at.CROSSINGS]):
            goal = u32[row + 4]
            back = u32[row] >= split and goal <= split
            aim(out, spot(tail, u32[row]), i64[tail + at.AT] + goal if back else spot(tail, goal))
            row += at.WHERE


def add_stubs(desk: int) -> None:
    """Give each exit a way out, behind a note of why and where to; and let those jump on whose target is there."""
    segment = i64[desk + at.SEGMENT]
    out, start, low = code(desk), i64[segment + USED], i64[segment + LOW]
    for number in range(i64[desk + at.EXITS]):
        row = desk + at.EXIT_LIST + at.EXIT * number
        pc, why = i64[row + at.GOAL], i64[row + at.REASON]
        stub = goal = stub_for(desk, number)
        if why == LINK and not i64[desk + at.SINGLE]:
            add_link(segment, pc - low, start + i64[row + at.SITE], start + stub)
            if own(desk, pc) >= 0:
                goal = own(desk, pc)
            elif find(desk, pc) >= 0:
                goal = find(desk, pc) - start
        aim(out, i64[row + at.SITE], goal)


def stub_for(desk: int, number: int) -> int:
    """The stub of an exit: an earlier one's that says the same, or a new one."""
    book, segment, out = i64[desk + at.BOOK], i64[desk + at.SEGMENT], code(desk)
    row = desk + at.EXIT_LIST + at.EXIT * number
    pc, why, back = i64[row + at.GOAL], i64[row + at.REASON], i64[row + at.BACK]
    for earlier in range(number):
        other = desk + at.EXIT_LIST + at.EXIT * earlier
        if i64[other + at.GOAL] == pc and i64[other + at.REASON] == why and i64[other + at.BACK] == back:
            i64[row + at.OUT] = i64[other + at.OUT]
            return i64[other + at.OUT]
    i64[out + i64[desk + at.LENGTH]] = why | pc - i64[segment + LOW] << 8
    stub = i64[row + at.OUT] = i64[desk + at.LENGTH] + STUB_NOTE
    kind = book + i64[book + (at.STUB if back else at.PLAIN_STUB)]
    i64[desk + at.LENGTH] = stub + special(book, out + stub, kind, back)
    return stub


def note(desk: int, first: int, end: int) -> None:
    """Enter the unit, from guest code in [`first`, `end`), in the segment's lists; then let jumps go to its blocks."""
    segment = i64[desk + at.SEGMENT]
    start, low = i64[segment + USED], i64[segment + LOW]
    i64[segment + USED] = start + i64[desk + at.LENGTH] + 15 & -16     # loops are entered where a line of the decoder begins
    unit = i64[segment + UNITS] + UNIT_ROW * i64[segment + UNITS_USED]
    i64[unit + UNIT_START] = first - low
    i64[unit + UNIT_END] = end - low
    i64[unit + UNIT_BLOCK] = i64[segment + BLOCKS_USED]
    i64[segment + UNITS_USED] += 1
    for number in range(i64[desk + at.BLOCKS]):
        row = desk + at.BLOCK_LIST + at.BLOCK * number
        kept = i64[segment + BLOCKS] + BLOCK_ROW * i64[segment + BLOCKS_USED]
        i64[kept + BLOCK_PC] = i64[row] - low
        i64[kept + BLOCK_AT] = start + i64[row + 8]
        i64[segment + BLOCKS_USED] += 1
    flush(desk, start, i64[segment + USED])
    publish()
    for number in range(i64[desk + at.BLOCKS]):
        row = desk + at.BLOCK_LIST + at.BLOCK * number
        connect(desk, i64[row], start + i64[row + 8])
        enter(desk, i64[row], i64[segment + BASE] + start + i64[row + 8])
