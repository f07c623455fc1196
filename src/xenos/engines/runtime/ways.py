"""Where generated code goes on when an access in it fails, for the handler of faults: in the small part of Python that is compiled.

Stencils have no such places: at each of their accesses all of the guest's registers are where they belong.
"""

from __future__ import annotations

from xenos.engines.code.segment import BASE, REGION_COUNT, REGION_PLACES, REGION_ROW, REGIONS, REGIONS_USED, USED
from xenos.engines.native.words import i64


def way(segments: int, pc: int) -> int:
    """The host address at which to go on; 0 if there is none. `segments` is a list of addresses that ends with 0."""
    while i64[segments]:
        segment = i64[segments]
        offset = pc - i64[segment + BASE]
        if offset >= 0 and offset < i64[segment + USED]:    # or before it, in the same room
            found = place(segment, offset)
            if found:
                return i64[segment + BASE] + (found & 0x7FFF_FFFF)
        segments += 8
    return 0


def place(segment: int, offset: int) -> int:
    """What is known of the access at that place in a segment's room (code/segment.py); 0 if it is in no region of that."""
    base, rows = i64[segment + BASE], i64[segment + REGIONS]
    low, high = 0, i64[segment + REGIONS_USED]
    last = high
    while low < high:       # each region's list stands behind its code
        middle = low + high >> 1
        if i64[rows + REGION_ROW * middle + REGION_PLACES] <= offset:
            low = middle + 1
        else:
            high = middle
    if low == last:
        return 0
    row = rows + REGION_ROW * low
    places = base + i64[row + REGION_PLACES]
    low, high = 0, i64[row + REGION_COUNT]
    while low < high:
        middle = low + high >> 1
        one = i64[places + (middle << 3)]
        if one >> 32 == offset:
            return one
        if one >> 32 < offset:
            low = middle + 1
        else:
            high = middle
    return 0
