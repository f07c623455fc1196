"""Pages of guest code: workers are given what a region may be made of, and it is taken in if that has not changed meanwhile."""

from __future__ import annotations

from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.segment import Segment
    from xenos.memory.flat import FlatMemory

SIZE = 4096


def reach(memory: FlatMemory, header: int, segment: Segment | None) -> tuple[int, int]:
    """The guest addresses that a region may be made from: those of the header's mapping."""
    if segment is not None:
        return segment.low, segment.high
    region = memory.regions.at(header)
    return (region.start, region.end) if region is not None else (header, header)


def page(memory: FlatMemory, number: int) -> bytes | None:
    """What is on a page, all of which may be executed; None if that is not so."""
    start = number * SIZE
    try:
        return memory.read(start, SIZE) if memory.fetch_limit(start) >= start + SIZE else None
    except MemoryFault:
        return None


def between(memory: FlatMemory, low: int, high: int, held: dict[int, bytes | None]) -> bytes:
    """The code in a range, as `held` has its pages: the guest may be writing there already, and tells afterwards."""
    parts = []
    for number in range(low // SIZE, (high - 1) // SIZE + 1):
        start = number * SIZE
        body = held.get(number) or page(memory, number) or bytes(SIZE)
        parts.append(body[max(low - start, 0):high - start])
    return b"".join(parts)
