"""The second level behind the jump cache: guest pc -> host code, an open-addressed table that generated code reads too.

Entries are two 64-bit words {pc, code}. A free entry has the tag 1. One whose code was given up keeps its address, with marks that
make it no instruction's: it still says that there was code, and for how long not any more (engines/translator/forgetting.py).
"""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FREE = 1
# A tag: the address, GONE and MARKED if its code was given up, and above them a stamp: which collection did it; 0: none.
GONE, MARKED, STAMP = 1, 1 << 47, 48
NAME = MARKED - 1
STAMPS = 1 << 15
# Where an address would like to be: neighbours beside each other, but groups of 2**GROUP bytes anywhere. Compilers at run time
# begin pages and chunks of memory alike, which would crowd some parts of the table.
GROUP, SPREAD = 8, 0x9E37_79B4
_AT_ONCE = 512      # entries that are swept at once: a microsecond


class Table:
    """`address` and `mask` are what the runtime's lookup needs; the table doubles when it is half full.

    It begins small: a program that runs for a moment would wait for pages that it never looks into.
    """

    def __init__(self, alignment: int, entries: int = 1 << 12) -> None:
        self.count = 0      # of entries that are not free: given up ones, too
        self._old: list[object] = []
        self._shift = alignment.bit_length() - 2   # neighbouring instructions take neighbouring entries
        self.spacing = 3 - self._shift             # what shifts an address to its entry of 16 bytes
        self._cursor = (ctypes.c_int64 * 2)()
        self._make(entries)

    def _make(self, entries: int) -> None:
        self._memory = (ctypes.c_uint64 * (2 * entries))()
        self.address = ctypes.addressof(self._memory)
        self.words = memoryview(self._memory).cast("B").cast("Q")
        self.words.cast("B")[:] = FREE.to_bytes(8, "little").ljust(16, b"\0") * entries
        self.mask = (entries - 1) << 4
        self._cursor[0] = 0

    def find(self, pc: int) -> int:
        """Host address of the code, or 0."""
        words, mask = self.words, self.mask >> 3
        at = pc + (pc >> GROUP) * SPREAD >> self._shift & mask
        while True:
            tag = words[at]
            if tag == pc:
                return words[at + 1]
            if tag == FREE:
                return 0
            at = at + 2 & mask

    def given_up(self, pc: int, word: int) -> int:
        """The stamp with which code for an address was given up that began with these 8 bytes, as long as that is known; else 0."""
        words, mask = self.words, self.mask >> 3
        at = pc + (pc >> GROUP) * SPREAD >> self._shift & mask
        while words[at] != FREE:
            if words[at] & NAME == pc + GONE:
                return words[at] >> STAMP if words[at + 1] == word else 0
            at = at + 2 & mask
        return 0

    def reserve(self, entries: int, move: Callable[[int, int, int, int, int], int],
                sweep: Callable[[int, int, int, int, int], int]) -> None:
        """Make room for so many more. If sweeping does not: `move(table, mask, new table, its mask, spacing)` enters all in the
        new one, and counts them.

        The caller publishes `address` and `mask` again. Other threads may look into the old table for some time.
        """
        if self.count + entries << 5 <= self.mask:
            return
        self._cursor[0] = 0
        self.sweep(STAMPS, sweep, self.mask >> 4)
        size = (self.mask >> 4) + 1
        while 40 * (self.count + entries) > size - 1 << 4:      # what was swept shall last for some time
            size *= 2
        if size - 1 << 4 > self.mask:
            old, mask = self.address, self.mask
            self._old.append(self._memory)
            self._make(size)
            self.count = move(old, mask, self.address, self.mask, self.spacing)

    def sweep(self, now: int, sweep: Callable[[int, int, int, int, int], int], entries: int = _AT_ONCE) -> None:
        """Free what was given up before the stamp `now`, in the next part of the table."""
        self._cursor[1] = entries
        self.count -= sweep(self.address, self.mask, self.spacing, ctypes.addressof(self._cursor), now)
