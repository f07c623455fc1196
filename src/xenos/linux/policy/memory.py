"""How much memory a guest has taken: what was writable once and may hold data still, counted against a limit."""

from __future__ import annotations

import os
import stat
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.dispatch import Call
    from xenos.linux.process import Process
    from xenos.memory.regions import Region

ENOMEM = 12
PAGE, WRITE = 4096, 2
MAP_TYPE, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_GROWSDOWN = 15, 2, 0x10, 0x20, 0x100
MREMAP_DONTUNMAP = 4
_GIVING_BACK = frozenset((4, 9))    # MADV_DONTNEED, MADV_REMOVE


class Ledger:
    """Which addresses may hold data of the guest's own, and how many bytes that is. Reservations without access do not."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self._starts: list[int] = []
        self._ends: list[int] = []

    def begin(self, process: Process) -> None:
        """Count a program that was put in place."""
        self.total = 0
        self._starts, self._ends = [], []
        for region in process.memory.regions:
            if region.prot & WRITE and _is_own(region):
                self.add(region.start, region.end)

    def within(self, start: int, end: int) -> int:
        """Bytes of [start, end) that are counted already."""
        at = max(bisect_right(self._starts, start) - 1, 0)
        found = 0
        while at < len(self._starts) and self._starts[at] < end:
            found += max(0, min(self._ends[at], end) - max(self._starts[at], start))
            at += 1
        return found

    def add(self, start: int, end: int) -> None:
        """Count [start, end)."""
        self.remove(start, end)
        at = bisect_right(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)
        self.total += end - start
        for left in (at, at - 1):   # join neighbours, so that a heap that grows stays one entry
            if left >= 0 and left + 1 < len(self._starts) and self._ends[left] == self._starts[left + 1]:
                self._ends[left] = self._ends.pop(left + 1)
                del self._starts[left + 1]

    def remove(self, start: int, end: int) -> None:
        """Count [start, end) no longer."""
        at = max(bisect_right(self._starts, start) - 1, 0)
        while at < len(self._starts) and self._starts[at] < end:
            low, high = self._starts[at], self._ends[at]
            if high <= start:
                at += 1
                continue
            self.total -= min(high, end) - max(low, start)
            pieces = [(a, b) for a, b in ((low, min(high, start)), (max(low, end), high)) if a < b]
            self._starts[at : at + 1] = [piece[0] for piece in pieces]
            self._ends[at : at + 1] = [piece[1] for piece in pieces]
            at += len(pieces)

    def full(self, more: int) -> bool:
        """Whether there is no room for so many bytes more."""
        return self.total + more > self.limit

    # The calls. Each is made by `call` once there is room for what it asks.

    def mmap(self, process: Process, call: Call, raw: list[int]) -> int | None:
        """mmap(2)."""
        raw = list(raw)
        raw[3] &= ~MAP_GROWSDOWN    # it would grow by faults, uncounted
        start, length, flags = raw[0], _pages(raw[1]), raw[3]
        own = flags & MAP_ANONYMOUS or flags & MAP_TYPE == MAP_PRIVATE or _is_device(raw[4])
        counts = raw[2] & WRITE and own
        replaced = self.within(start, start + length) if flags & MAP_FIXED else 0
        if counts and self.full(length - replaced):
            return -ENOMEM
        result = call(process, raw)
        if result is not None and result >= 0:
            (self.add if counts else self.remove)(result, result + length)
        return result

    def munmap(self, process: Process, call: Call, raw: list[int]) -> int | None:
        """munmap(2)."""
        result = call(process, raw)
        if result == 0:
            self.remove(raw[0], raw[0] + _pages(raw[1]))
        return result

    def mprotect(self, process: Process, call: Call, raw: list[int]) -> int | None:
        """mprotect(2), pkey_mprotect(2)."""
        start, end = raw[0], raw[0] + _pages(raw[1])
        spans: list[tuple[int, int]] = []
        if raw[2] & WRITE and end <= process.memory.size:
            between = process.memory.regions.between(start, end)
            spans = [(max(part.start, start), min(part.end, end)) for part in between if _is_own(part)]
            if self.full(sum(high - low - self.within(low, high) for low, high in spans)):
                return -ENOMEM
        result = call(process, raw)
        if result == 0:
            for low, high in spans:
                self.add(low, high)
        return result

    def mremap(self, process: Process, call: Call, raw: list[int]) -> int | None:
        """mremap(2)."""
        start, old, new, flags = raw[0], _pages(raw[1]), _pages(raw[2]), raw[3]
        counted = self.within(start, start + old)
        more = new if flags & MREMAP_DONTUNMAP else max(new - old, 0)
        if counted and self.full(more):
            return -ENOMEM
        result = call(process, raw)
        if result is not None and result >= 0:
            if not flags & MREMAP_DONTUNMAP:
                self.remove(start, start + old)
            (self.add if counted else self.remove)(result, result + new)
        return result

    def madvise(self, process: Process, call: Call, raw: list[int]) -> int | None:
        """madvise(2): what was given back and cannot be written holds nothing."""
        result = call(process, raw)
        if result == 0 and raw[2] & 0xFFFFFFFF in _GIVING_BACK:
            start, end = raw[0], raw[0] + _pages(raw[1])
            for region in process.memory.regions.between(start, end):
                if not region.prot & WRITE:
                    self.remove(max(region.start, start), min(region.end, end))
        return result

    def brk(self, process: Process, call: Call, raw: list[int]) -> int | None:
        """brk(2): the heap's end stays where it is when there is no room."""
        old = _pages(process.break_end)
        if raw[0] > old and self.full(_pages(raw[0]) - old):
            return process.break_end
        result = call(process, raw)
        new = _pages(process.break_end)
        if new > old:
            self.add(old, new)
        elif new < old:
            self.remove(new, old)
        return result


def _pages(length: int) -> int:
    return (length + PAGE - 1) & -PAGE


def _is_own(region: Region) -> bool:
    """Whether memory is the guest's: not a file's that it shares. /dev/zero is no such file."""
    return region.file is None or not region.shared or region.file.startswith("/dev/")


def _is_device(fd: int) -> bool:
    """Whether a mapping is of /dev/zero, or something like it."""
    try:
        return stat.S_ISCHR(os.fstat((fd & 0xFFFFFFFF ^ 0x80000000) - 0x80000000).st_mode)
    except OSError:
        return False
