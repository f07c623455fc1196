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
    COPY,
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
from xenos.engines.native.words import i64, publish, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.blocks import block, prefix, way
from xenos.engines.translator.links import add_link, connect, enter, find, flush
from xenos.engines.translator.onward import fetch, follows, goes_on, own
from xenos.engines.translator.place import copy, special

FOLLOWED = -1       # instead of a kind of form: the unit goes on where the block's jump goes, and the jump is left out
NOWHERE = -1        # instead of a guest address: where such a jump goes


def translate(desk: int, pc: int, limit: int) -> int:
    """Translate what is at `pc`, up to `limit`: FINE, FULL if the segment has no room for it, MORE if its lists have none.

    LOST if nothing can be read there any more: the file that is mapped may have become shorter.
    """
    i64[desk + at.GUEST] = i64[desk + at.MEMORY]
    i64[desk + at.WINDOW] = at.FETCHED
    i64[desk + at.UNTIL] = limit
    if i64[desk + at.MOVE]:
        i64[desk + at.UNTIL] = fetch(desk, pc, limit, at.FETCHED)
        if i64[desk + at.UNTIL] == 0:
            return at.LOST
    done = make(desk, pc)
    i64[desk + at.MEMORY] = i64[desk + at.GUEST]
    return done


def make(desk: int, pc: int) -> int:
    """Translate what has been fetched."""
    segment = i64[desk + at.SEGMENT]
    if i64[segment + USED] + i64[i64[desk + at.BOOK] + at.ROOM] > i64[segment + CAPACITY]:
        return at.FULL
    if i64[segment + BLOCKS_USED] + 3 * at.MOST > i64[segment + BLOCKS_ROOM]:
        return at.MORE
    if i64[segment + LINKS_USED] + 6 * at.MOST > i64[segment + LINKS_ROOM]:
        return at.MORE
    if i64[segment + UNITS_USED] + 3 * at.MOST > i64[segment + UNITS_ROOM]:
        return at.MORE
    i64[desk + at.ENTERED] = i64[desk + at.TAILS] = i64[desk + at.EXITS] = 0
    i64[desk + at.BLOCKS] = i64[desk + at.COLDS] = i64[desk + at.LENGTH] = i64[desk + at.COPYING] = 0
    first, total = pc, 0
    while True:
        kind = add_block(desk, pc, total)
        total += i64[desk + at.DONE]
        if kind == at.BRANCH:
            pc = i64[desk + at.AFTER]
            if total >= at.MOST or pc >= i64[desk + at.UNTIL] or not goes_on(desk, pc, i64[desk + at.UNTIL]):
                leave(desk, LINK, pc)
                break
        elif kind == FOLLOWED:
            pc = i64[desk + at.TARGET]
        else:
            break
    add_cold(desk)
    add_stubs(desk)
    note(desk, first)
    return at.FINE


def code(desk: int) -> int:
    """Where the unit at hand is written."""
    segment = i64[desk + at.SEGMENT]
    return i64[segment + VIEW] + i64[segment + USED]


def add_block(desk: int, pc: int, total: int) -> int:
    """Add the block at `pc`, behind `total` instructions; gives the kind of form that ends it, or FOLLOWED."""
    first = i64[desk + at.TAILS]
    copied = i64[desk + at.COPYING] or own(desk, pc) >= 0 or find(desk, pc) >= 0
    kind = block(desk, pc, i64[desk + at.UNTIL])
    if kind == at.JUMP and follows(desk, pc, total):
        kind = FOLLOWED
        i64[desk + at.WHOLE] -= jump_size(desk)
        i64[desk + at.TAIL_LIST + at.TAIL * (i64[desk + at.TAILS] - 1) + at.GOES] = NOWHERE
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
    i64[row + at.COPY] = copied
    i64[row + at.START] = pc
    i64[row + at.CODE_AT] = begin
    i64[row + at.BEHIND] = i64[desk + at.AFTER]
    i64[row + at.READ_TO] = i64[desk + at.SEEN]
    i64[desk + at.BLOCKS] += 1
    return kind


def jump_size(desk: int) -> int:
    """Bytes of a jump, which is all of this stencil."""
    book = i64[desk + at.BOOK]
    return u32[book + i64[book + at.GOTO] + at.SPLIT]


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
            elif i64[tail + at.GOES] != NOWHERE:
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


def note(desk: int, first: int) -> None:
    """Enter the unit in the segment's lists, with a row for each stretch of guest code, of which the first begins at `first`; then
    let jumps go to its blocks."""
    segment = i64[desk + at.SEGMENT]
    start, low = i64[segment + USED], i64[segment + LOW]
    i64[segment + USED] = start + i64[desk + at.LENGTH] + 15 & -16     # loops are entered where a line of the decoder begins
    unit, behind = 0, -1
    for number in range(i64[desk + at.BLOCKS]):
        row = desk + at.BLOCK_LIST + at.BLOCK * number
        pc = i64[row + at.START]
        if pc != behind:
            unit = i64[segment + UNITS] + UNIT_ROW * i64[segment + UNITS_USED]
            i64[unit + UNIT_START] = (pc if number else first) - low
            i64[unit + UNIT_BLOCK] = i64[segment + BLOCKS_USED]
            i64[segment + UNITS_USED] += 1
        i64[unit + UNIT_END] = i64[row + at.READ_TO] - low
        behind = i64[row + at.BEHIND]
        kept = i64[segment + BLOCKS] + BLOCK_ROW * i64[segment + BLOCKS_USED]
        i64[kept + BLOCK_PC] = pc - low | (COPY if i64[row + at.COPY] else 0)
        i64[kept + BLOCK_AT] = start + i64[row + at.CODE_AT]
        i64[segment + BLOCKS_USED] += 1
    flush(desk, start, i64[segment + USED])
    publish()
    for number in range(i64[desk + at.BLOCKS]):
        row = desk + at.BLOCK_LIST + at.BLOCK * number
        if not i64[row + at.COPY]:
            connect(desk, i64[row + at.START], start + i64[row + at.CODE_AT])
            enter(desk, i64[row + at.START], i64[segment + BASE] + start + i64[row + at.CODE_AT])
