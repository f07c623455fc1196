"""Forgetting code: entries in the table of blocks are marked, jumps go to their stubs again; and the table is kept in order.

An entry that is marked stays in the way of others until the table is swept: threads may be looking through it. One that finds
its address there reads the code beside it, and then the address once more (runtime/text.py), so that entries may be used anew.
"""

from __future__ import annotations

from xenos.engines.code.segment import (
    BASE,
    BLOCK_AT,
    BLOCK_PC,
    BLOCK_ROW,
    BLOCKS,
    COPY,
    DOUBTFUL,
    LOW,
    NEXT,
    UNIT_BLOCK,
    UNIT_END,
    UNIT_ROW,
    UNIT_START,
    UNITS,
    UNITS_USED,
)
from xenos.engines.code.table import FREE, GONE, MARKED, NAME, STAMP
from xenos.engines.native.words import ask, i64, publish, u8, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.links import blocks_behind, find, seat, steer


def give_up(desk: int, row: int, stamp: int, word: int) -> int:
    """Mark the entry of the block that a row tells of, and leave a word there; 1 if it was this block that the table knew."""
    segment, table, mask = i64[desk + at.SEGMENT], i64[desk + at.TABLE], i64[desk + at.TABLE_MASK]
    pc = i64[row + BLOCK_PC] + i64[segment + LOW]
    entry = seat(pc, i64[i64[desk + at.BOOK] + at.SPACING]) & mask
    while i64[table + entry] != pc:
        if i64[table + entry] == FREE:
            return 0
        entry = entry + 16 & mask
    if i64[table + entry + 8] != i64[segment + BASE] + i64[row + BLOCK_AT]:
        return 0
    i64[table + entry] = pc + GONE + MARKED + (stamp << STAMP)
    publish()
    i64[table + entry + 8] = word
    return 1


def evict(desk: int, number: int, stamp: int, source: int) -> int:
    """Let nothing lead to a unit any more but itself and others of its segment; gives how many of its blocks the table knew.

    Who is in that segment leaves it at the next poll, and cannot come back. The table remembers what was at `source`, from which
    the unit was made, where a block began.
    """
    segment = i64[desk + at.SEGMENT]
    unit = i64[segment + UNITS] + UNIT_ROW * number
    if i64[unit + UNIT_START] < 0:
        return 0
    known = 0
    for block in range(i64[unit + UNIT_BLOCK], blocks_behind(segment, number)):
        row = i64[segment + BLOCKS] + BLOCK_ROW * block
        word = i64[source + i64[row + BLOCK_PC] - i64[unit + UNIT_START]]
        if give_up(desk, row, stamp, word):
            known += 1
            steer_others(desk, segment, i64[row + BLOCK_PC] + i64[segment + LOW])
    return known


def evict_some(desk: int, first: int, behind: int, stamp: int, sources: int, places: int) -> int:
    """Let nothing lead to these units from outside their segment; gives how many of their blocks the table knew."""
    known = 0
    for number in range(first, behind):
        known += evict(desk, number, stamp, sources + (u32[places + 4 * number] & ~DOUBTFUL))
    return known


def steer_others(desk: int, segment: int, pc: int) -> None:
    """Let all jumps to `pc` from segments that one is linked with go to their stubs."""
    other = i64[segment + NEXT]
    while other != segment:
        steer(desk, other, pc, -1)
        other = i64[other + NEXT]


def forget(desk: int, number: int) -> int:
    """Let nothing lead to a unit any more, not even from its segment: what it was made from is no longer there.

    It may have been evicted before: then nothing from elsewhere leads to it, but what others of its segment made from code that is
    still there may.
    """
    segment = i64[desk + at.SEGMENT]
    unit = i64[segment + UNITS] + UNIT_ROW * number
    if i64[unit + UNIT_START] < 0:
        return 0
    i64[unit + UNIT_START] = ~i64[unit + UNIT_START]
    for block in range(i64[unit + UNIT_BLOCK], blocks_behind(segment, number)):
        row = i64[segment + BLOCKS] + BLOCK_ROW * block
        pc = (i64[row + BLOCK_PC] & ~COPY) + i64[segment + LOW]
        if give_up(desk, row, 0, 0):
            steer_others(desk, segment, pc)
        steer(desk, segment, pc, find(desk, pc))
    return 1


def forget_in(desk: int, start: int, end: int, sources: int, places: int) -> int:
    """Forget the units made from guest code in [`start`, `end`) that is no longer what it was; gives how many those are.

    At `sources` stands what it was, that of each unit at the offset told at `places`; all units go if `sources` is 0. Memory that
    may be gone is copied before it is looked at.
    """
    segment = i64[desk + at.SEGMENT]
    low, move, forgotten = i64[segment + LOW], i64[desk + at.MOVE], 0
    for number in range(i64[segment + UNITS_USED]):
        unit = i64[segment + UNITS] + UNIT_ROW * number
        first, behind = i64[unit + UNIT_START] + low, i64[unit + UNIT_END] + low
        if i64[unit + UNIT_START] < 0 or first >= end or behind <= start:
            continue
        if sources:
            place = u32[places + 4 * number]
            there, size = i64[desk + at.MEMORY] + first, behind - first
            if place & DOUBTFUL:
                if size <= at.HOT - at.SCRATCH and move and ask(move, desk + at.SCRATCH, there, size) == 0:
                    there = desk + at.SCRATCH
                else:
                    there = 0
            if there and same(there, sources + (place & ~DOUBTFUL), size):
                continue
        forgotten += forget(desk, number)
    return forgotten


def same(one: int, other: int, size: int) -> int:
    """Whether bytes there and here are equal."""
    behind = one + size
    while one + 8 <= behind:
        if i64[one] != i64[other]:
            return 0
        one += 8
        other += 8
    while one < behind:
        if u8[one] != u8[other]:
            return 0
        one += 1
        other += 1
    return 1


def move(table: int, mask: int, new: int, new_mask: int, spacing: int) -> int:
    """Enter all that a table has in a larger one; gives how many that are."""
    moved = 0
    for number in range((mask >> 4) + 1):
        pc = i64[table + 16 * number]
        if pc & GONE == 0:
            entry = seat(pc, spacing) & new_mask
            while i64[new + entry] != FREE:
                entry = entry + 16 & new_mask
            i64[new + entry] = pc
            i64[new + entry + 8] = i64[table + 16 * number + 8]
            moved += 1
    return moved


def sweep(table: int, mask: int, spacing: int, cursor: int, now: int) -> int:
    """Free entries with a mark below `now`; gives how many. At `cursor` stand two numbers: the place where to begin, later where
    it ended, and how many entries to look at.

    What is between two free entries is swept at once, around the table's end, too: an entry lies between where it would like to be
    and the next free one. Half of all are free.
    """
    entry, left, freed = i64[cursor], i64[cursor + 8], 0
    while i64[table + entry] != FREE:
        entry = entry + 16 & mask       # this may begin in the middle
    while left > 0:
        start = entry
        entry = entry + 16 & mask
        left -= 1
        while i64[table + entry] != FREE:
            entry = entry + 16 & mask
            left -= 1
        freed += tidy(table, mask, spacing, start + 16 & mask, entry, now)
    i64[cursor] = entry
    return freed


def tidy(table: int, mask: int, spacing: int, start: int, behind: int, now: int) -> int:
    """Free old marks from one entry to another, between free ones, and move the others to where they are found without them."""
    entry, freed = start, 0
    while entry != behind:
        tag = i64[table + entry]
        if tag & GONE and tag >> STAMP < now:
            i64[table + entry] = FREE
            freed += 1
        else:
            place = seat(tag & NAME & ~GONE, spacing) & mask
            while place != entry and i64[table + place] != FREE:
                place = place + 16 & mask
            if place != entry:
                i64[table + place + 8] = i64[table + entry + 8]
                publish()
                i64[table + place] = tag
                publish()
                i64[table + entry] = FREE
        entry = entry + 16 & mask
    return freed
