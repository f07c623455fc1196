"""Where new mappings go: the same place in every run, so that translated code kept on disk fits again.

    0x0001_0000 ...            programs linked at a fixed address, their heap behind them
    LIBRARIES ... PROGRAMS     shared libraries, in the slot that their first bytes hash to
    PROGRAMS ... HIGH          position-independent programs, likewise; their heap behind them
    HIGH ... top               all other mappings, from the top down; the stack above them

First bytes, and neither name nor age: a cache that is carried to a machine where the same files were unpacked elsewhere, or
anew, fits there too. Two files that begin alike are one behind the other.
"""

from __future__ import annotations

LIBRARIES = 0x1000_0000
PROGRAMS = 0x4000_0000
HIGH = 0x8000_0000
TOP = 1 << 38
SLOT = 0x10_0000
IDENTITY = 1024     # bytes that name a file: all headers of an ELF file, and where linkers put its build ID
_PRIME = 4093  # more than the slots there are, and no power of two: every byte counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.memory.regions import Regions


def slot(regions: Regions, identity: bytes, length: int, *, program: bool) -> int | None:
    """The address for the first mapping of the file that `identity` names; None where no slot is wide enough."""
    low, high = (PROGRAMS, HIGH - (HIGH - PROGRAMS) // 4) if program else (LIBRARIES, PROGRAMS)
    start = low + int.from_bytes(identity, "little") % _PRIME % ((high - low) // SLOT) * SLOT
    while start + length <= high:
        blocking = regions.between(start, start + length)
        if not blocking:
            return start
        start = (blocking[-1].end + SLOT - 1) // SLOT * SLOT
    return regions.gap_above(length, low, high)


def high(regions: Regions, length: int, top: int) -> int | None:
    """The address for any other mapping: the highest hole under `top`."""
    return regions.gap_below(length, HIGH, top)
