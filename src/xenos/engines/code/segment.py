"""A segment: the translated code of one stretch of guest memory, with all that is needed to link, unlink and keep it.

A segment's code refers to itself by relative jumps, to the runtime through the state block, and to its own constants: it can be
moved, and written to disk as it is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.arena import Arena

# Why a stub was left: the target of a jump is not translated yet; the reference engine must do one instruction; the limit was
# reached; the guest hits a breakpoint, an illegal word, or wants its new code seen.
LINK, SLOW, POLL, BREAKPOINT, ILLEGAL, SYNC = range(6)

# The tables that are kept with the code, and the type of their entries. Guest addresses are relative to the segment's `low`.
_TABLES = (("block_pc", "I"), ("block_at", "I"), ("stub_at", "I"), ("stub_why", "B"), ("stub_pc", "q"),
           ("site", "I"), ("site_pc", "q"), ("site_stub", "I"), ("unit_start", "I"), ("unit_end", "I"))

HEAD = 8 * (1 + len(_TABLES))


class Segment:
    """Room of `capacity` bytes at `start` in the arena for guest code in [`low`, `high`); `key` names it in the cache.

    `blocks` maps a guest pc to its offset, `stubs` a stub's offset to (why, pc), `pending` a pc to the 32-bit relative jumps that
    await it, `incoming` a pc to those that already go there, both as (site, stub that the jump goes to while unlinked). `units`
    are the stretches of guest code that were translated, `new` the blocks not yet in the table. After `restore` these hold only
    what has come since; the rest stays in flat `tables`, sorted by pc, until `open` is called: running needs none of it.
    """

    LARGEST = 1 << 28   # no more room than jumps reach
    plain = True        # jumps are 32-bit relative to their end, and may be written directly

    def __init__(self, arena: Arena, capacity: int, low: int, high: int, constants: bytes, key: bytes | None) -> None:
        self.arena = arena
        self.capacity = capacity
        self.low = low
        self.high = high
        self.key = key
        self.start = arena.allocate(capacity)
        self.base = arena.base + self.start
        self.view = arena.view[self.start:self.start + capacity]
        self.clear(constants)

    def clear(self, constants: bytes) -> None:
        """Begin anew with nothing but the constants."""
        self.view[:len(constants)] = constants
        self.used = (len(constants) + 15) & ~15
        self.kept = 0           # units that the cache on disk has too
        self.inherited = 0      # units that a forked child has from its parent: the parent's to keep
        self.tables: dict[str, array[int]] | None = None
        self._empty()

    def _empty(self) -> None:
        self.blocks: dict[int, int] = {}
        self.stubs: dict[int, tuple[int, int]] = {}
        self.pending: dict[int, list[tuple[int, int]]] = {}
        self.incoming: dict[int, list[tuple[int, int]]] = {}
        self.units: list[tuple[int, int]] = []
        self.new: list[tuple[int, int]] = []

    def append(self, code: bytes) -> int:
        """Put code behind what is there; gives its offset, or -1 if there is no room."""
        start = self.used
        end = start + len(code)
        if end > self.capacity:
            return -1
        self.view[start:end] = code
        self.used = end
        return start

    def patch(self, site: int, target: int) -> None:
        """Let the 32-bit relative jump at `site` go to `target`, both offsets in the segment."""
        self.view[site:site + 4] = (target - site - 4 & 0xFFFF_FFFF).to_bytes(4, "little")

    def publish(self) -> None:
        """What was written is going to be run: hosts with an instruction cache of its own are told."""

    def stub(self, offset: int) -> tuple[int, int]:
        """(why, pc) of the stub at an offset; KeyError if there is none."""
        found = self.stubs.get(offset)
        if found is None:
            if self.tables is None:
                raise KeyError(offset)
            ats = self.tables["stub_at"]
            at = bisect_right(ats, offset) - 1
            if at < 0 or ats[at] != offset:
                raise KeyError(offset)
            found = self.stubs[offset] = self.tables["stub_why"][at], self.tables["stub_pc"][at] + self.low
        return found

    def find(self, pc: int) -> int | None:
        """The offset of the block at a guest address, if it is translated."""
        at = self.blocks.get(pc)
        if at is None and self.tables is not None:
            pcs = self.tables["block_pc"]
            index = bisect_left(pcs, pc - self.low)
            if index < len(pcs) and pcs[index] == pc - self.low:
                at = self.tables["block_at"][index]
        return at

    def take(self, pc: int) -> list[tuple[int, int]]:
        """The jumps that have waited for the block at `pc`, which is there now: (site, stub)."""
        waiting = self.pending.pop(pc, [])
        if waiting:
            self.incoming.setdefault(pc, []).extend(waiting)
        if self.tables is not None:
            tables = self.tables
            low, high = (cut(tables["site_pc"], pc - self.low) for cut in (bisect_left, bisect_right))
            waiting = waiting + list(zip(tables["site"][low:high], tables["site_stub"][low:high], strict=True))
        return waiting

    @property
    def total(self) -> int:
        """Units that were translated, by this process and by those that it has the cache from."""
        return len(self.units) + (self.kept if self.tables is not None else 0)

    @property
    def fresh(self) -> int:
        """Units that this process has translated since the cache on disk was read or written."""
        return self.total - max(self.kept, self.inherited)

    def forget(self, first: int, end: int) -> list[int]:
        """Unlink the unit that was translated from [`first`, `end`): jumps to it go to their stubs again; gives its blocks.

        Its room is not used again before the whole segment is cleared: another jump into it may be under way.
        """
        self.open()
        self.units.remove((first, end))
        gone = [pc for pc in self.blocks if first <= pc < end or pc == first]
        for pc in gone:
            del self.blocks[pc]
            links = self.incoming.pop(pc, [])
            for site, stub in links:
                self.patch(site, stub)
            if links:
                self.pending.setdefault(pc, []).extend(links)
        return gone

    def covers(self, start: int, end: int) -> bool:
        """Whether guest code in that range was translated here."""
        if self.tables is not None:
            return start < self.high and self.low < end
        return any(low < end and start < high for low, high in self.units)

    # Keeping.

    def pack(self) -> list[bytes | memoryview]:
        """The segment as parts to be written: sizes, tables, code."""
        self.open()
        low = self.low
        links = sorted((pc, site, stub) for book in (self.incoming, self.pending) for pc, items in book.items()
                       for site, stub in items)
        blocks = sorted(self.blocks.items())
        stubs = sorted(self.stubs.items())
        columns: dict[str, list[int]] = {
            "block_pc": [pc - low for pc, _ in blocks], "block_at": [at for _, at in blocks],
            "stub_at": [at for at, _ in stubs], "stub_why": [why for _, (why, _) in stubs],
            "stub_pc": [pc - low for _, (_, pc) in stubs],
            "site": [site for _, site, _ in links], "site_pc": [pc - low for pc, _, _ in links],
            "site_stub": [stub for _, _, stub in links],
            "unit_start": [start - low for start, _ in self.units], "unit_end": [end - low for _, end in self.units]}
        tables = [array(kind, columns[name]) for name, kind in _TABLES]
        sizes = array("Q", [self.used, *(len(table) for table in tables)])
        return [sizes.tobytes(), *(table.tobytes() for table in tables), self.view[:self.used]]

    @staticmethod
    def units_in(head: bytes) -> int:
        """How many units a packed segment holds, from its first `HEAD` bytes."""
        return int.from_bytes(head[HEAD - 16:HEAD - 8], "little") if len(head) == HEAD else 0

    def restore(self, body: memoryview) -> bool:
        """Take up what `pack` gave; False, and nothing changed, if it does not fit."""
        sizes = array("Q", body[:8 * (1 + len(_TABLES))].tobytes())
        at = 8 * len(sizes)
        tables = {}
        for (name, kind), count in zip(_TABLES, sizes[1:], strict=True):
            table = array(kind)
            size = count * table.itemsize
            table.frombytes(body[at:at + size])
            tables[name] = table
            at += size
        used = sizes[0]
        if used > self.capacity or len(body) - at != used:
            return False
        self.view[:used] = body[at:]
        self.used = used
        self.kept = len(tables["unit_start"])
        self.tables = tables
        return True

    def open(self) -> None:
        """Make the dictionaries that translating more code needs."""
        if self.tables is None:
            return
        tables, self.tables = self.tables, None
        low = self.low
        self.blocks.update({pc + low: at for pc, at in zip(tables["block_pc"], tables["block_at"], strict=True)})
        self.stubs.update({at: (why, pc + low) for at, why, pc in zip(
            tables["stub_at"], tables["stub_why"], tables["stub_pc"], strict=True)})
        self.units[:0] = [(start + low, end + low) for start, end in zip(
            tables["unit_start"], tables["unit_end"], strict=True)]
        for site, pc, stub in zip(tables["site"], tables["site_pc"], tables["site_stub"], strict=True):
            book = self.incoming if pc + low in self.blocks else self.pending
            book.setdefault(pc + low, []).append((site, stub))
