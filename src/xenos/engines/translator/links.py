"""Jumps between blocks: the table that says where a block is, and for each guest address the jumps that want to go there."""

from __future__ import annotations

from xenos.engines.code.segment import (
    BASE,
    BLOCK_AT,
    BLOCK_PC,
    BLOCK_ROW,
    BLOCKS,
    BLOCKS_USED,
    CHAINED,
    CHAINS,
    CHAINS_MASK,
    COPY,
    LINK_NEXT,
    LINK_PC,
    LINK_ROW,
    LINK_SITE,
    LINK_STUB,
    LINKS,
    LINKS_USED,
    LOW,
    NEXT,
    REACH,
    REGION_ROW,
    REGION_UNIT,
    REGIONS,
    REGIONS_USED,
    UNIT_BLOCK,
    UNIT_ROW,
    UNIT_START,
    UNITS,
    UNITS_USED,
    VIEW,
)
from xenos.engines.code.table import FREE, GONE, GROUP, NAME, SPREAD
from xenos.engines.hosts.jumps import aim
from xenos.engines.native.words import call, i64, publish, u32
from xenos.engines.translator import layout as at


def seat(pc: int, spacing: int) -> int:
    """The place in the table that an address would like to have, to be masked."""
    return pc + (pc >> GROUP) * SPREAD << spacing


def find(desk: int, pc: int) -> int:
    """Where the block at a guest address lies in the segment, or in one that it is linked with; -1 if it is not there."""
    segment, table, mask = i64[desk + at.SEGMENT], i64[desk + at.TABLE], i64[desk + at.TABLE_MASK]
    entry = seat(pc, i64[i64[desk + at.BOOK] + at.SPACING]) & mask
    while True:
        tag = i64[table + entry]
        if tag == pc:
            offset = i64[table + entry + 8] - i64[segment + BASE]
            return offset if offset >= 0 and offset < i64[segment + REACH] else -1
        if tag == FREE:
            return -1
        entry = entry + 16 & mask
    return -1


def enter(desk: int, pc: int, code: int) -> None:
    """Let the table of blocks say where the one at `pc` is. There is room for it: the caller has seen to that."""
    table, mask = i64[desk + at.TABLE], i64[desk + at.TABLE_MASK]
    entry = seat(pc, i64[i64[desk + at.BOOK] + at.SPACING]) & mask
    while i64[table + entry] != FREE and i64[table + entry] & NAME != pc and i64[table + entry] & NAME != pc + GONE:
        entry = entry + 16 & mask
    if i64[table + entry] == FREE:
        i64[desk + at.ENTERED] += 1
    i64[table + entry + 8] = code
    publish()
    i64[table + entry] = pc


def enter_all(segment: int, table: int, mask: int, spacing: int) -> None:
    """Enter all blocks of a segment in the table, which has room for them; of two at one address the later, but a region rather
    than what is none, and none of what was forgotten."""
    for unit in range(i64[segment + UNITS_USED]):
        if i64[i64[segment + UNITS] + UNIT_ROW * unit + UNIT_START] < 0:
            continue
        for number in range(i64[i64[segment + UNITS] + UNIT_ROW * unit + UNIT_BLOCK], blocks_behind(segment, unit)):
            row = i64[segment + BLOCKS] + BLOCK_ROW * number
            if i64[row + BLOCK_PC] & COPY:
                continue
            pc = i64[row + BLOCK_PC] + i64[segment + LOW]
            entry = seat(pc, spacing) & mask
            while i64[table + entry] != FREE and i64[table + entry] & NAME != pc and i64[table + entry] & NAME != pc + GONE:
                entry = entry + 16 & mask
            if i64[table + entry] == pc and is_region(segment, i64[table + entry + 8] - i64[segment + BASE]):
                if not unit_is_region(segment, unit):
                    continue
            i64[table + entry + 8] = i64[segment + BASE] + i64[row + BLOCK_AT]
            publish()
            i64[table + entry] = pc


def blocks_behind(segment: int, number: int) -> int:
    """The number of the first block that is not of a unit, nor of an earlier one."""
    if number + 1 == i64[segment + UNITS_USED]:
        return i64[segment + BLOCKS_USED]
    return i64[i64[segment + UNITS] + UNIT_ROW * (number + 1) + UNIT_BLOCK]


def is_region(segment: int, offset: int) -> int:
    """Whether a region is entered at that place in the segment."""
    for number in range(i64[segment + REGIONS_USED]):
        unit = i64[i64[segment + REGIONS] + REGION_ROW * number + REGION_UNIT]
        block = i64[i64[segment + UNITS] + UNIT_ROW * unit + UNIT_BLOCK]
        if i64[i64[segment + BLOCKS] + BLOCK_ROW * block + BLOCK_AT] == offset:
            return 1
    return 0


def unit_is_region(segment: int, number: int) -> int:
    """Whether a unit is a region."""
    for region in range(i64[segment + REGIONS_USED]):
        if i64[i64[segment + REGIONS] + REGION_ROW * region + REGION_UNIT] == number:
            return 1
    return 0


def chain(segment: int, pc: int) -> int:
    """Where the list of jumps begins that want to go to `pc`, among others."""
    return i64[segment + CHAINS] + 4 * (pc >> 1 & i64[segment + CHAINS_MASK])


def index(segment: int) -> None:
    """Hang the links that came from the cache, or were there before the lists were made, into their lists."""
    for number in range(i64[segment + CHAINED], i64[segment + LINKS_USED]):
        link = i64[segment + LINKS] + LINK_ROW * number
        head = chain(segment, i64[link + LINK_PC])
        u32[link + LINK_NEXT] = u32[head]
        u32[head] = number + 1
    i64[segment + CHAINED] = i64[segment + LINKS_USED]


def add_link(segment: int, pc: int, site: int, stub: int) -> None:
    """Note a jump that wants to go to `pc`, an address relative to the segment's; `stub` is where it goes while it cannot."""
    number = i64[segment + LINKS_USED]
    link = i64[segment + LINKS] + LINK_ROW * number
    i64[link + LINK_PC] = pc
    u32[link + LINK_SITE] = site
    u32[link + LINK_STUB] = stub
    i64[segment + LINKS_USED] = number + 1
    index(segment)


def connect(desk: int, pc: int, offset: int) -> None:
    """Let all jumps to `pc` go to `offset` in the segment; each to its stub if that is negative. They may be running."""
    first = segment = i64[desk + at.SEGMENT]
    steer(desk, segment, pc, offset)
    while i64[segment + NEXT] != first:
        segment = i64[segment + NEXT]
        steer(desk, segment, pc, offset)


def steer(desk: int, segment: int, pc: int, offset: int) -> None:
    """Let the jumps to `pc` of one segment go to `offset`."""
    index(segment)
    pc -= i64[segment + LOW]
    number = u32[chain(segment, pc)]
    while number:
        link = i64[segment + LINKS] + LINK_ROW * (number - 1)
        if i64[link + LINK_PC] == pc:
            site = u32[link + LINK_SITE]
            aim(i64[segment + VIEW], site, offset if offset >= 0 else u32[link + LINK_STUB])
            flush(desk, site, site + 4)
        number = u32[link + LINK_NEXT]


def flush(desk: int, start: int, end: int) -> None:
    """Code in that part of the segment was written: hosts with an instruction cache of its own are told."""
    if i64[desk + at.FLUSH]:
        base = i64[i64[desk + at.SEGMENT] + BASE]
        call(i64[desk + at.FLUSH], base + start, base + end)
