"""What is mapped where: a sorted list of regions that never overlap, cut and joined as the mapping calls demand."""

from __future__ import annotations

from _bisect import bisect_right  # the C part, see engines/code/segment.py

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Region:
    """Guest addresses `start` to `end` with one protection; `file` is a host path, `offset` where `start` lies in it.

    `file` is None for anonymous memory; `name` is what /proc/self/maps shows for it (`[stack]`, `[heap]`).
    """

    __slots__ = ("end", "file", "name", "offset", "prot", "shared", "start")

    def __init__(
        self, start: int, end: int, prot: int, file: str | None = None, offset: int = 0, shared: bool = False,
        name: str = "",
    ) -> None:
        self.start = start
        self.end = end
        self.prot = prot
        self.file = file
        self.offset = offset
        self.shared = shared
        self.name = name

    def __repr__(self) -> str:
        letters = "".join(c if self.prot & bit else "-" for c, bit in (("r", 1), ("w", 2), ("x", 4)))
        return f"Region({self.start:#x}-{self.end:#x} {letters}{'s' if self.shared else 'p'} {self.file or self.name})"

    @property
    def solid(self) -> bool:
        """Whether all of it is there. What is shared or a file's may be longer than what it maps: SIGBUS behind that."""
        return self.file is None and not self.shared

    @property
    def steady(self) -> bool:
        """Whether what is there can only change by a call that maps or protects: a private view of a file, not writable.

        What is shared, or lies in memory that has a descriptor, may be written through another mapping, as JIT compilers do.
        """
        if self.prot & 2 or self.shared or self.end - self.start >= 1 << 31:
            return False
        return bool(self.name) or self.file is not None and not self.file.startswith(("/memfd:", "/dev/shm/"))

    def part(self, start: int, end: int) -> Region:
        """The piece of this region between two addresses inside it."""
        offset = self.offset + (start - self.start) if self.file is not None else 0
        return Region(start, end, self.prot, self.file, offset, self.shared, self.name)

    def joins(self, after: Region) -> bool:
        """Whether `after` continues this region, so that both are one."""
        if self.end != after.start or self.prot != after.prot or self.file != after.file:
            return False
        if self.shared != after.shared or self.name != after.name:
            return False
        if self.file is None:
            return not self.shared  # two shared anonymous mappings are two objects
        return self.offset + (self.end - self.start) == after.offset


class Regions:
    """The sorted regions of one address space."""

    __slots__ = ("_starts", "items")

    def __init__(self) -> None:
        self.items: list[Region] = []
        self._starts: list[int] = []

    def __iter__(self) -> Iterator[Region]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Region:
        return self.items[index]

    def clear(self) -> None:
        """Forget all."""
        self.items.clear()
        self._starts.clear()

    def at(self, address: int) -> Region | None:
        """The region that contains an address."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            region = self.items[index]
            if address < region.end:
                return region
        return None

    def between(self, start: int, end: int) -> list[Region]:
        """The regions that have an address in [start, end), whole."""
        first = bisect_right(self._starts, start) - 1
        if first < 0 or self.items[first].end <= start:
            first += 1
        last = bisect_right(self._starts, end - 1)
        return self.items[first:last]

    def covered(self, start: int, end: int) -> bool:
        """Whether every address in [start, end) is mapped."""
        for region in self.between(start, end):
            if region.start > start:
                return False
            start = region.end
        return start >= end

    def remove(self, start: int, end: int) -> list[Region]:
        """Take [start, end) out; returns the pieces that were there."""
        pieces = []
        for region in self.between(start, end):
            low, high = max(start, region.start), min(end, region.end)
            pieces.append(region.part(low, high))
            keep = []
            if region.start < low:
                keep.append(region.part(region.start, low))
            if high < region.end:
                keep.append(region.part(high, region.end))
            index = bisect_right(self._starts, region.start) - 1
            self.items[index : index + 1] = keep
            self._starts[index : index + 1] = [piece.start for piece in keep]
        return pieces

    def add(self, region: Region) -> None:
        """Put a region where nothing is, joined with its neighbours where they are of one kind."""
        index = bisect_right(self._starts, region.start)
        if index < len(self.items) and region.joins(self.items[index]):
            region.end = self.items[index].end
            del self.items[index], self._starts[index]
        if index and self.items[index - 1].joins(region):
            before = self.items[index - 1]
            before.end = region.end
            return
        self.items.insert(index, region)
        self._starts.insert(index, region.start)

    def gap_below(self, length: int, low: int, high: int) -> int | None:
        """Start of the highest hole of `length` bytes in [low, high), or None."""
        index = bisect_right(self._starts, high - 1)
        while index:
            region = self.items[index - 1]
            if high - region.end >= length:
                break
            high = min(high, region.start)
            index -= 1
        return high - length if high - length >= low else None

    def gap_above(self, length: int, low: int, high: int) -> int | None:
        """Start of the lowest hole of `length` bytes in [low, high), or None."""
        index = bisect_right(self._starts, low)
        if index and self.items[index - 1].end > low:
            low = self.items[index - 1].end
        while index < len(self.items) and self.items[index].start - low < length:
            low = self.items[index].end
            index += 1
        return low if low + length <= high else None
