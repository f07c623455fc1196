"""Where a unit goes on behind a block: with what follows a branch that is not taken, or where a jump goes, in place of the jump.

Guest code is read from a copy of it, for a mapped file may become shorter meanwhile. There are two windows for such copies: the
one that the block at hand came from, and one to look where its jump goes.
"""

from __future__ import annotations

from xenos.engines.code.segment import LOW
from xenos.engines.native.words import ask, i64, u16, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.blocks import form_at, length_at
from xenos.engines.translator.links import find, is_region
from xenos.engines.translator.place import evaluate


def fetch(desk: int, pc: int, limit: int, window: int) -> int:
    """Copy what a unit at `pc` may be made of to a window, and have it read from there; gives how far that goes, 0 if nowhere."""
    move, to, source = i64[desk + at.MOVE], desk + window, i64[desk + at.GUEST] + pc
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


def own(desk: int, pc: int) -> int:
    """Where the block at `pc` lies in the unit at hand; -1 if it is none of its."""
    for number in range(i64[desk + at.BLOCKS]):
        row = desk + at.BLOCK_LIST + at.BLOCK * number
        if i64[row + at.START] == pc and not i64[row + at.COPY]:
            return i64[row + at.CODE_AT]
    return -1


def goes_on(desk: int, pc: int, limit: int) -> int:
    """Whether the unit is to go on at `pc`: where there is no code yet, or where it soon ends and is no region."""
    if i64[desk + at.SINGLE]:
        return 0
    known = find(desk, pc)
    if not i64[desk + at.COPYING] and own(desk, pc) < 0 and known < 0:
        return 1
    if known >= 0 and is_region(i64[desk + at.SEGMENT], known):
        return 0        # it is entered by jumps
    return i64[desk + at.FOLLOW] and ends_soon(desk, pc, limit)


def ends_soon(desk: int, pc: int, limit: int) -> int:
    """Whether few instructions lead from `pc` to a jump to an address in a register, or back into the unit. They are worth a copy:
    the jump to them is saved, and the host foresees better where each copy of such a jump goes than where one goes for all."""
    book = i64[desk + at.BOOK]
    for _ in range(at.COPIED):
        if pc + 4 > limit:
            return 0
        form = form_at(desk, pc)
        if form == 0:
            return 0
        kind = u32[form + at.FORM_KIND]
        after = pc + length_at(desk, pc)
        if kind == at.INDIRECT:
            return 1
        if kind == at.BRANCH:
            goal = evaluate(desk, form, book + u32[form + at.FORM_GOAL], pc, after)
            if goal < pc and own(desk, goal) >= 0:
                return 1
        elif kind != at.PLAIN:
            return 0
        pc = after
    return 0


def follows(desk: int, pc: int, total: int) -> int:
    """Whether the unit is to go on at the target of the jump that ends the block at hand, of `pc`, behind `total` instructions,
    instead of jumping there. If so, it is that code which is read from now on."""
    target, limit = i64[desk + at.TARGET], i64[desk + at.UNTIL]
    if not i64[desk + at.FOLLOW] or target == pc or target < i64[i64[desk + at.SEGMENT] + LOW] or target >= limit:
        return 0
    if total + i64[desk + at.DONE] >= at.MOST:
        return 0
    memory, window = i64[desk + at.MEMORY], i64[desk + at.WINDOW]
    if i64[desk + at.MOVE]:
        window = at.FETCHED + (at.FETCHED_ROOM if window == at.FETCHED else 0)
        limit = fetch(desk, target, limit, window)
    if limit and leads_on(desk, target, limit):
        i64[desk + at.UNTIL] = limit
        i64[desk + at.WINDOW] = window
        return 1
    i64[desk + at.MEMORY] = memory
    return 0


def leads_on(desk: int, target: int, limit: int) -> int:
    """Whether the jump that ends the block at hand is one to follow, by what it leads to."""
    form = i64[desk + at.LINES + at.LINE * (i64[desk + at.DONE] - 1) + at.LINE_FORM]
    result = u32[form + at.FORM_RESULT]
    if result == at.NONE or i64[desk + at.LETTER + 8 * result] == at.N:
        return goes_on(desk, target, limit)
    # What is called is called from elsewhere, too: its own code begins a unit.
    if i64[desk + at.FOLLOW] == at.BUT_CALLS or not ends_soon(desk, target, limit):
        return 0
    i64[desk + at.COPYING] = 1
    return 1
