"""Regions: code that was compiled elsewhere is taken into a segment as one unit, its ways out linked like any unit's."""

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
    LINKS_ROOM,
    LINKS_USED,
    LOW,
    REGION_COUNT,
    REGION_PLACES,
    REGION_ROW,
    REGION_UNIT,
    REGIONS,
    REGIONS_ROOM,
    REGIONS_USED,
    ROWS,
    SLOW,
    UNIT_BLOCK,
    UNIT_ROW,
    UNIT_START,
    UNITS,
    UNITS_ROOM,
    UNITS_USED,
    USED,
)
from xenos.engines.hosts.jumps import aim, pad
from xenos.engines.native.words import i64
from xenos.engines.translator import layout as at
from xenos.engines.translator.forgetting import give_up
from xenos.engines.translator.links import blocks_behind, connect, enter, unit_is_region
from xenos.engines.translator.place import copy
from xenos.engines.translator.units import add_exit, add_stubs, code, leave, note

ALIGN = 64      # of a region: its constants may be as large as the host's widest vectors, which are loaded from multiples of that


def adopt(desk: int, pc: int, end: int, source: int) -> int:
    """Take in a region, which is entered at `pc`: FINE, FULL if the segment has no room for it, MORE if its lists have none.

    At `source` stand numbers of 64 bits: the lowest address that it was made from, bytes, ways out, places that may fault; of
    each way out its site, why, guest address; what `segment.place_of_fault` says of each place, in the region (or `place_of_code`
    of so many, where their number is negative); then the code.
    """
    segment = i64[desk + at.SEGMENT]
    first, size, ways, count = i64[source], i64[source + 8], i64[source + 16], i64[source + 24]
    places = count
    moved = (1 << 32) + 1
    if count < 0:       # they say nothing of where it is gone on
        places = -count
        moved = 1 << 32
    if i64[segment + USED] + ALIGN + size + 8 * places + 128 * (ways + 1) > i64[segment + CAPACITY] or ways > at.EXITS_MOST:
        return at.FULL
    if ways > ROWS:         # lists that are empty grow to no more
        return at.FULL
    if i64[segment + BLOCKS_USED] >= i64[segment + BLOCKS_ROOM] or i64[segment + UNITS_USED] >= i64[segment + UNITS_ROOM]:
        return at.MORE
    if i64[segment + LINKS_USED] + ways > i64[segment + LINKS_ROOM] or i64[segment + REGIONS_USED] >= i64[segment + REGIONS_ROOM]:
        return at.MORE
    i64[segment + USED] = i64[segment + USED] + ALIGN - 1 & -ALIGN
    i64[desk + at.ENTERED] = i64[desk + at.EXITS] = 0
    i64[desk + at.BLOCK_LIST + at.START] = pc
    i64[desk + at.BLOCK_LIST + at.CODE_AT] = i64[desk + at.BLOCK_LIST + at.COPY] = 0
    i64[desk + at.BLOCK_LIST + at.READ_TO] = end
    i64[desk + at.BLOCKS] = 1
    row = source + 32
    body = row + 24 * ways + 8 * places
    # Where registers are not what a region wants, stencils go on, if there are some that are not forgotten before it is.
    besides = other(segment, -1, pc - i64[segment + LOW]) if i64[desk + at.FOLLOW] else -1
    copy(code(desk), body, size)
    i64[desk + at.LENGTH] = size + 7 & -8
    for _ in range(ways):
        site, why, goal = i64[row], i64[row + 8], i64[row + 16]
        if why == SLOW and goal == pc and besides >= 0:
            aim(code(desk), site, besides - i64[segment + USED])
        elif pad(desk + at.SCRATCH, i64[segment + USED] + site):
            # It cannot be written in one piece where it lies: it goes to one that can.
            aim(code(desk), site, i64[desk + at.LENGTH])
            leave(desk, why, goal)
        else:
            add_exit(desk, site, why, goal, 0)
        row += 24
    add_stubs(desk)
    i64[desk + at.LENGTH] = i64[desk + at.LENGTH] + 7 & -8
    listed = i64[desk + at.LENGTH]
    for number in range(places):
        i64[code(desk) + listed + 8 * number] = i64[row + 8 * number] + i64[segment + USED] * moved
    i64[desk + at.LENGTH] += 8 * places
    region = i64[segment + REGIONS] + REGION_ROW * i64[segment + REGIONS_USED]
    i64[region + REGION_UNIT] = i64[segment + UNITS_USED]
    i64[region + REGION_PLACES] = i64[segment + USED] + listed
    i64[region + REGION_COUNT] = count
    i64[segment + REGIONS_USED] += 1
    note(desk, first)
    return at.FINE


def turn(desk: int, number: int, on: int) -> int:
    """Let all that goes to the header of a region, which is unit `number`, go to it; or, not `on`, to what else is there of its
    segment: 0 if there is nothing, or if the region is forgotten. It is to be what the table knows."""
    segment = i64[desk + at.SEGMENT]
    unit = i64[segment + UNITS] + UNIT_ROW * number
    if i64[unit + UNIT_START] < 0:
        return 0
    row = i64[segment + BLOCKS] + BLOCK_ROW * i64[unit + UNIT_BLOCK]
    pc, offset = i64[row + BLOCK_PC] + i64[segment + LOW], i64[row + BLOCK_AT]
    if not on:
        offset = other(segment, number, i64[row + BLOCK_PC])
        if offset < 0:
            if give_up(desk, row, 0, 0):
                connect(desk, pc, -1)
            return 0
    enter(desk, pc, i64[segment + BASE] + offset)
    connect(desk, pc, offset)
    return 1


def other(segment: int, region: int, pc: int) -> int:
    """Where the block at `pc` lies that is not of a region, the unit of that number, or of none at all if that is less than 0: the
    latest region, or else the latest block; -1 if there is none."""
    found = block_at = -1
    for number in range(i64[segment + UNITS_USED]):
        unit = i64[segment + UNITS] + UNIT_ROW * number
        if number == region or i64[unit + UNIT_START] < 0:
            continue
        for block in range(i64[unit + UNIT_BLOCK], blocks_behind(segment, number)):
            row = i64[segment + BLOCKS] + BLOCK_ROW * block
            if i64[row + BLOCK_PC] == pc:
                if not unit_is_region(segment, number):
                    block_at = i64[row + BLOCK_AT]
                elif region >= 0:
                    found = i64[row + BLOCK_AT]
    return found if found >= 0 else block_at
