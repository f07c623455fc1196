"""The second level behind the jump cache: guest pc -> host code, an open-addressed table that generated code reads too.

Entries are two 64-bit words {pc, code}. A free entry has the tag 1, a deleted one 3: neither is ever an instruction's address.
"""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FREE, DELETED = 1, 3


class Table:
    """`address` and `mask` are what the runtime's lookup needs; the table doubles when it is half full."""

    def __init__(self, alignment: int, entries: int = 1 << 16) -> None:
        self.count = 0      # of entries that are not free: deleted ones, too
        self._old: list[object] = []
        self._shift = alignment.bit_length() - 2   # neighbouring instructions take neighbouring entries
        self.spacing = 3 - self._shift             # what shifts an address to its entry of 16 bytes
        self._make(entries)

    def _make(self, entries: int) -> None:
        self._memory = (ctypes.c_uint64 * (2 * entries))()
        self.address = ctypes.addressof(self._memory)
        self.words = memoryview(self._memory).cast("B").cast("Q")
        self.words.cast("B")[:] = FREE.to_bytes(8, "little").ljust(16, b"\0") * entries
        self.mask = (entries - 1) << 4

    def find(self, pc: int) -> int:
        """Host address of the code, or 0."""
        words, mask = self.words, self.mask >> 3
        at = pc >> self._shift & mask
        while True:
            tag = words[at]
            if tag == pc:
                return words[at + 1]
            if tag == FREE:
                return 0
            at = at + 2 & mask

    def reserve(self, entries: int, move: Callable[[int, int, int, int, int], int]) -> None:
        """Make room for so many more: `move(table, mask, new table, its mask, spacing)` enters all in the new one, and counts them.

        The caller publishes `address` and `mask` again. Other threads may look into the old table for some time.
        """
        while self.count + entries << 5 > self.mask:
            old, mask = self.address, self.mask
            self._old.append(self._memory)
            self._make((mask >> 4) + 1 << 1)
            self.count = move(old, mask, self.address, self.mask, self.spacing)

    def remove(self, pc: int) -> None:
        """Forget one entry."""
        words, mask = self.words, self.mask >> 3
        at = pc >> self._shift & mask
        while words[at] != FREE:
            if words[at] == pc:
                words[at] = DELETED
                return
            at = at + 2 & mask
