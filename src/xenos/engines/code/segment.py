"""A segment: the translated code of one stretch of guest memory, with all that is needed to link, unlink and keep it.

A segment's code refers to itself by relative jumps, to the runtime through the state block, and to its own constants: it can be
moved, and written to disk as it is. What is known of the code are three lists of flat rows that the translator writes: blocks,
the links (jumps that want to go to a guest address), and units (what was translated at once). Addresses in them are relative to
`low`. Before each stub stands a note: why generated code is left there, and for which guest address. A unit may also be a
region: the fourth list says so, and where its accesses stand, and where code goes on when they fail.

Segments that lie in one room are linked with each other: places in their lists are relative to where that begins, and `NEXT` leads
from one to the next, in a ring. A segment that is to be kept stands alone.
"""

from __future__ import annotations

import ctypes
from _bisect import bisect_left, bisect_right  # the C part: `bisect` is one more file to be found at each start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.arena import Arena, Room

# Why a stub was left: the target of a jump is not translated yet; the reference engine must do one instruction; the limit was
# reached; the guest hits a breakpoint, an illegal word, or wants its new code seen; as SLOW, and PC says which instruction.
LINK, SLOW, POLL, BREAKPOINT, ILLEGAL, SYNC, HERE = range(7)
STUB_NOTE = 8       # bytes: the reason in the lowest of them

# The segment as the translator sees it: numbers of 64 bits. Of each list: its address, rows that are used, rows there is room
# for. Links that go to the same address, or to one that looks alike, hang in a chain.
VIEW, BASE, CAPACITY, USED, LOW = 0, 8, 16, 24, 32
BLOCKS, BLOCKS_USED, BLOCKS_ROOM = 40, 48, 56
LINKS, LINKS_USED, LINKS_ROOM = 64, 72, 80
UNITS, UNITS_USED, UNITS_ROOM = 88, 96, 104
REGIONS, REGIONS_USED, REGIONS_ROOM = 112, 120, 128
CHAINS, CHAINS_MASK, CHAINED = 136, 144, 152
NEXT, REACH = 160, 168      # the segment that it is linked with, or itself; the size of what they lie in
_RECORD = 176

BLOCK_PC, BLOCK_AT, BLOCK_ROW = 0, 8, 16
COPY = 1 << 62      # in a block's address: there is other code for it, which jumps and the table of blocks go to
LINK_PC, LINK_SITE, LINK_STUB, LINK_NEXT, LINK_ROW = 0, 8, 12, 16, 24
UNIT_START, UNIT_END, UNIT_BLOCK, UNIT_ROW = 0, 8, 16, 24
# A region's list has a number for each access, in their order: offset in the segment, where it is gone on, see `place_of_fault`.
# Where the count is negative, accesses have no way out: then it only says which is of which guest address (`place_of_code`).
REGION_UNIT, REGION_PLACES, REGION_COUNT, REGION_ROW = 0, 8, 16, 24
_LISTS = ((BLOCKS, BLOCK_ROW), (LINKS, LINK_ROW), (UNITS, UNIT_ROW), (REGIONS, REGION_ROW))

ROWS = 1024         # that each has room for at least, once it has some
HEAD = 8 * (1 + len(_LISTS))
_CHEAP = 4096           # units: a segment of that size is written in the time that translating a few units anew would take
DOUBTFUL = 1 << 31      # of the place where a source is noted: it may be gone from memory
_WORD, _PLACE = 8, 4    # bytes
LARGEST = 1 << 27       # bytes of a segment: no more than jumps reach on any host


def place_of_fault(access: int, way: int, both: int) -> int:
    """What is kept of an access that may fail: two offsets, and whether it reads and writes in one step."""
    return access << 32 | both << 31 | way


def place_of_code(offset: int, pc: int) -> int:
    """What is kept of an access without a way out: its offset, and its guest address, from the lowest that the region is of."""
    return offset << 32 | pc


class Segment:
    """Room of `capacity` bytes at `start` in the arena for guest code in [`low`, `high`); `key` names it in the cache.

    Offsets that are given and taken here are from its own `start`, wherever in a `room` that is.
    """

    def __init__(self, arena: Arena, capacity: int, low: int, high: int, constants: bytes, key: bytes | None,
                 room: Room | None = None) -> None:
        self.arena = arena
        self.capacity = capacity
        self.low = low
        self.high = high
        self.key = key
        self.leaving = False    # nothing is to be entered any more
        self.exact = True       # regions in it keep all registers where an access fails
        self.room = room or arena
        self.start = self.room.allocate(capacity)
        self.base = arena.base + self.start
        self.view = arena.view[self.start:self.start + capacity]
        self.origin = room.start + arena.base if room else self.base     # what places in the lists are relative to
        self._skip = self.base - self.origin
        self._memory = (ctypes.c_int64 * (_RECORD // 8))()
        self.address = ctypes.addressof(self._memory)      # what the translator is given
        self._words = memoryview(self._memory).cast("B").cast("q")
        self._rows: dict[int, ctypes.Array[ctypes.c_char]] = {}
        self._passed: list[ctypes.Array[ctypes.c_char]] = []
        for word, value in ((VIEW, ctypes.addressof(ctypes.c_char.from_buffer(self.view)) - self._skip),
                            (BASE, self.origin), (CAPACITY, self._skip + capacity), (LOW, low),
                            (NEXT, self.address), (REACH, room.size if room else capacity)):
            self._words[word >> 3] = value
        self.clear(constants)

    def clear(self, constants: bytes) -> None:
        """Begin anew with nothing but the constants."""
        self.view[:len(constants)] = constants
        self._words[USED >> 3] = self._skip + ((len(constants) + 15) & ~15)
        self.kept = self.kept_regions = 0      # units that the cache on disk has too, and regions among them
        self.stale = False      # it may have regions that were given up
        self.inherited = 0      # units that a forked child has from its parent: the parent's to keep
        self.sources = Sources()    # of units of code that may be written: what they were translated from
        for word, _ in _LISTS:
            self._words[word + 8 >> 3] = 0
        self.grow()

    @property
    def used(self) -> int:
        """Bytes that hold something."""
        return self._words[USED >> 3] - self._skip

    def give_back(self) -> None:
        """Nobody runs this code any more, and nobody will: its room is for others."""
        if self.room is self.arena:
            self.arena.release(self.start, self.used)
        self.room.free(self.start, self.capacity)

    def follow(self, other: Segment) -> None:
        """Be linked with another segment of the room, and with those that it is linked with."""
        self._words[NEXT >> 3] = other._words[NEXT >> 3]
        other._words[NEXT >> 3] = self.address

    def leave(self, before: Segment) -> None:
        """Be linked with no other any more; `before` is the one that leads here."""
        before._words[NEXT >> 3] = self._words[NEXT >> 3]
        self._words[NEXT >> 3] = self.address

    @property
    def next(self) -> int:
        """The `address` of the segment that this one leads to."""
        return self._words[NEXT >> 3]

    @property
    def blocks(self) -> int:
        """Blocks that were translated."""
        return self._words[BLOCKS_USED >> 3]

    def grow(self) -> None:
        """Make room for twice as many rows as there are, and for `ROWS` at least."""
        for word, row in _LISTS:
            used = self._words[word + 8 >> 3]
            self._make(word, row, max(ROWS, 2 * used))
        links = self._words[LINKS_ROOM >> 3]
        chains = 1 << (links - 1).bit_length()
        self._rows[CHAINS] = (ctypes.c_char * (4 * chains))()
        self._words[CHAINS >> 3] = ctypes.addressof(self._rows[CHAINS])
        self._words[CHAINS_MASK >> 3] = chains - 1
        self._words[CHAINED >> 3] = 0

    def _make(self, word: int, row: int, room: int) -> None:
        """Put a list where there is room for so many rows."""
        used = self._words[word + 8 >> 3] * row
        old = self._rows.get(word)
        if word == REGIONS and old is not None and used:
            self._passed.append(old)    # a handler of faults may be reading there
        new = self._rows[word] = (ctypes.c_char * (room * row))()
        if old is not None and used:
            ctypes.memmove(new, old, used)
        self._words[word >> 3] = ctypes.addressof(new)
        self._words[word + 16 >> 3] = room

    def _list(self, word: int) -> memoryview:
        """The used rows of a list, as numbers of 64 bits."""
        row = dict(_LISTS)[word]
        return memoryview(self._rows[word]).cast("B")[:self._words[word + 8 >> 3] * row].cast("q")

    def stub(self, offset: int) -> tuple[int, int]:
        """(why, pc) of the stub at an offset."""
        note = int.from_bytes(self.view[offset - STUB_NOTE:offset], "little", signed=True)
        return note & 255, (note >> 8) + self.low

    def block(self, offset: int) -> tuple[int, int, int]:
        """(guest address, offset, number of the unit) of the block that the code at an offset belongs to."""
        rows, units = self._list(BLOCKS), self._list(UNITS)
        number = bisect_right(rows[1::2], offset + self._skip) - 1  # they lie in the order in which they were made, units too
        return (rows[2 * number] & ~COPY) + self.low, rows[2 * number + 1] - self._skip, bisect_right(units[2::3], number) - 1

    # Units.

    @property
    def total(self) -> int:
        """Units that were translated, by this process and by those that it has the cache from."""
        return self._words[UNITS_USED >> 3]

    @property
    def fresh(self) -> int:
        """Units that this process has translated since the cache on disk was read or written."""
        return self.total - max(self.kept, self.inherited)

    @property
    def worthwhile(self) -> bool:
        """Whether the cache on disk lacks so much that it is to be written: some part of the whole, or a region; or has one that is
        to go."""
        return (self.fresh * (64 if self.kept > _CHEAP else _CHEAP + 1) > self.kept or self.regions > self.kept_regions
                or self.stale)

    def saved(self) -> None:
        """The cache on disk has all of it now."""
        self.kept, self.kept_regions, self.stale = self.total, self.regions, False

    def inherit(self) -> None:
        """In a forked child: what is there is the parent's to keep."""
        self.inherited, self.kept_regions, self.stale = self.total, self.regions, False

    def unit(self, number: int) -> tuple[int, int]:
        """The guest code that a unit was translated from: its first address and the one behind it."""
        first, behind = self._list(UNITS)[3 * number:3 * number + 2]
        return (first if first >= 0 else ~first) + self.low, behind + self.low     # ~: it is forgotten

    def keep(self, number: int, source: bytes, doubtful: bool = False) -> None:
        """Note what a unit was translated from, and some bytes more; one that is made later follows later.

        It is `doubtful` whether that can be read again: it lies in a file, which may be cut short.
        """
        self.sources.add(number, source, doubtful)

    def source(self, number: int) -> bytes:
        """What a unit was translated from; empty if that was not noted."""
        first, behind = self.unit(number)
        return self.sources.get(number, behind - first)

    def region(self, number: int) -> int | None:
        """If a unit is a region, its number among those."""
        rows = self._list(REGIONS)
        at = bisect_left(rows[::3], number)
        return at if at < len(rows) // 3 and rows[3 * at] == number else None

    def code_size(self, number: int) -> int:
        """Bytes of code of a unit, with its ways out and lists."""
        blocks, units = self._list(BLOCKS)[1::2], self._list(UNITS)
        behind = blocks[units[3 * number + 5]] if number + 1 < self.total else self._words[USED >> 3]
        return behind - blocks[units[3 * number + 2]]

    def lives(self, number: int) -> bool:
        """Whether a unit is not forgotten."""
        return self._list(UNITS)[3 * number] >= 0

    def regions_by_header(self) -> dict[int, list[int]]:
        """The units of all regions that are not forgotten, by the guest address where they begin, as they were made."""
        blocks, units, found = self._list(BLOCKS), self._list(UNITS), dict[int, list[int]]()
        for number in self._list(REGIONS)[::3]:
            if self.lives(number):
                found.setdefault((blocks[2 * units[3 * number + 2]] & ~COPY) + self.low, []).append(number)
        return found

    @property
    def wild(self) -> bool:
        """Whether there are regions that keep nothing for accesses that fail."""
        return any(count < 0 for count in self._list(REGIONS)[2::3])

    def is_wild(self, number: int) -> bool:
        """Whether a region is one of these."""
        return self._list(REGIONS)[3 * number + 2] < 0

    def told(self, number: int, offset: int) -> int | None:
        """The guest address of the access at an offset in such a region, if that is known."""
        unit, listed, count = self._list(REGIONS)[3 * number:3 * number + 3]
        listed -= self._skip
        rows = self.view[listed:listed - 8 * count].cast("q")
        at = bisect_left(rows, offset + self._skip << 32)
        found = rows[at] if at < -count else 0
        return (found & 0xFFFF_FFFF) + self.unit(unit)[0] if found >> 32 == offset + self._skip else None

    @property
    def regions(self) -> int:
        """How many of the units are regions."""
        return self._words[REGIONS_USED >> 3]

    def guest_addresses(self, offset: int = 0) -> list[int]:
        """Of all blocks, or of that which the code at an offset belongs to and those that were made later."""
        rows = self._list(BLOCKS)
        first = bisect_right(rows[1::2], offset + self._skip) - 1 if offset else 0
        return [pc + self.low for pc in rows[2 * first::2] if not pc & COPY]

    # Keeping.

    def pack(self) -> list[bytes | memoryview]:
        """The segment as parts to be written: sizes, lists, code."""
        lists = [self._list(word) for word, _ in _LISTS]
        sizes = [self.used, *(self._words[word + 8 >> 3] for word, _ in _LISTS)]
        return [b"".join(size.to_bytes(8, "little") for size in sizes), *lists, self.view[:self.used]]

    @staticmethod
    def units_in(head: bytes) -> int:
        """How many units a packed segment holds, from its first `HEAD` bytes."""
        return int.from_bytes(head[24:32], "little") if len(head) == HEAD else 0

    def restore(self, body: memoryview) -> bool:
        """Take up what `pack` gave; False, and nothing changed, if it does not fit."""
        if len(body) < HEAD:
            return False
        used, *sizes = body[:HEAD].cast("B").cast("Q")
        at = HEAD + sum(row * size for (_, row), size in zip(_LISTS, sizes, strict=True))
        if used > self.capacity or len(body) - at != used:
            return False
        self.view[:used] = body[at:]
        at = HEAD
        for (word, row), size in zip(_LISTS, sizes, strict=True):
            self._words[word + 8 >> 3] = 0
            self._make(word, row, size)         # no more than that: chains are made when the first row is added
            memoryview(self._rows[word]).cast("B")[:row * size] = body[at:at + row * size]
            self._words[word + 8 >> 3] = size
            at += row * size
        self._words[USED >> 3] = used
        if self.arena.flush is not None:    # there may have been other code in this room
            self.arena.flush(self.base, self.base + used)
        self.saved()
        return True


class Sources:
    """Bytes that units were translated from, one behind the other; native code reads them."""

    def __init__(self) -> None:
        self._text = bytearray(_WORD)
        # Numbers of 32 bits, and one of no unit at the end. (`array` imports `collections`, 2 ms of each start.)
        self._places = bytearray(_PLACE)

    def add(self, number: int, source: bytes, doubtful: bool) -> None:
        """Note that of a unit behind those that were noted."""
        place = len(self._text) - _WORD | (DOUBTFUL if doubtful else 0)
        self._places[-_PLACE:] = place.to_bytes(_PLACE, "little") * (number + 2 - len(self._places) // _PLACE) + bytes(_PLACE)
        self._text[-_WORD:] = source + bytes(_WORD)      # words are read that begin in it

    def get(self, number: int, size: int) -> bytes:
        """What was noted of a unit."""
        at = _PLACE * number
        if at >= len(self._places) - _PLACE:
            return b""
        place = int.from_bytes(self._places[at:at + _PLACE], "little") & ~DOUBTFUL
        return bytes(self._text[place:place + size])

    def addresses(self) -> tuple[int, int]:
        """Of all these bytes, and of the offsets in them where those of each unit begin; until the next `add`."""
        return (ctypes.addressof(ctypes.c_char.from_buffer(self._text)),
                ctypes.addressof(ctypes.c_char.from_buffer(self._places)))
