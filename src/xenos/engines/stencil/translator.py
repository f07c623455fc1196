"""The translator: guest instructions to host code, natively, by copying stencils and filling them in (engines/translator)."""

from __future__ import annotations

import ctypes

from xenos.cpu.exits import Fault
from xenos.engines.native.image import load
from xenos.engines.translator import layout as at
from xenos.memory import host
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from xenos.engines.code.arena import Arena
    from xenos.engines.code.segment import Segment
    from xenos.engines.code.table import Table
    from xenos.engines.native.image import Made

_BLOCKS = 3 * at.MOST     # of a unit, at most
_NO_ADDRESS = 1 << 62
# The functions that are called from here, and how many arguments they take.
_FUNCTIONS = {"translate": 3, "locate": 4, "enter_all": 4, "move": 5, "adopt": 4, "turn": 3, "forget_in": 5,
              "forget": 2, "evict_some": 6, "sweep": 5}


class Translator:
    """Native code, loaded into an arena, with the book that `read` gives. `memory` is where the guest's address 0 lies.

    `soft_rounding` sends everything that rounds to the reference engine; `single` stops after one block, which is not linked
    and has no poll: the engine looks after each.
    """

    def __init__(self, arena: Arena, image: Made, read: Callable[[], bytes], memory: int, single: bool = False) -> None:
        self.part, functions = load(image, arena)
        (self._translate, self._locate, self._enter_all, self._move, self._adopt, self._turn, self._forget_in,
         self._forget, self._evict, self._sweep) = (functions[name] for name in _FUNCTIONS)
        self._read = read
        self._book: ctypes.Array[ctypes.c_char] | None = None     # most runs find everything in the cache
        # Most of it is for what is large and seldom: of fresh pages those that nobody comes to cost nothing.
        self._address = host.mmap(0, at.DESK, host.READ | host.WRITE, host.PRIVATE | host.ANONYMOUS)
        self._desk = (ctypes.c_char * at.DESK).from_address(self._address)
        self._words = memoryview(self._desk).cast("B").cast("q")
        flush: Any = arena.flush
        for word, value in ((at.MEMORY, memory), (at.SINGLE, int(single)),
                            (at.FLUSH, ctypes.cast(flush, ctypes.c_void_p).value or 0 if flush is not None else 0)):
            self._words[word >> 3] = value
        self._memory = memory
        self.soft_rounding = False
        self.follows = 1        # whether units go on where jumps go: also where calls go, or at.BUT_CALLS

    def __del__(self) -> None:
        if hasattr(self, "_desk"):
            host.munmap(self._address, at.DESK)

    def _open(self) -> None:
        """Have the book at hand."""
        if self._book is None:
            self._book = ctypes.create_string_buffer(self._read())
            self._words[at.BOOK >> 3] = ctypes.addressof(self._book)

    def _begin(self, segment: Segment, table: Table) -> None:
        self._open()
        words = self._words
        words[at.SEGMENT >> 3] = segment.address
        words[at.ENTERED >> 3] = 0      # also of what ends before it has counted anything
        words[at.TABLE >> 3] = table.address
        words[at.TABLE_MASK >> 3] = table.mask
        words[at.SOFT >> 3] = self.soft_rounding
        # What was translated at once is forgotten at once, with its mapping; other code piece by piece, as the guest changes it.
        words[at.FOLLOW >> 3] = self.follows if segment.high > 0 and not words[at.SINGLE >> 3] else 0

    def copy_by(self, move: int) -> None:
        """Copy the guest's bytes before they are looked at, by the function at `move`, which survives that they are not there."""
        self._words[at.MOVE >> 3] = move

    def source(self, first: int, end: int) -> bytes:
        """What the unit that was translated last was made of: the bytes of the guest in that range, as they were then."""
        if not self._words[at.MOVE >> 3]:
            return ctypes.string_at(self._memory + first, end - first)
        return bytes(memoryview(self._desk)[at.FETCHED:at.FETCHED + end - first])

    def translate(self, pc: int, limit: int, segment: Segment, table: Table) -> bool:
        """Translate what is at `pc`, up to `limit`, into a segment, and enter its blocks in the table; False if that is full.

        MemoryFault if there is nothing to be read although there should be.
        """
        table.reserve(_BLOCKS, self._move, self._sweep)
        self._begin(segment, table)
        while True:
            done = self._translate(self._address, pc, limit)
            if done == at.MORE:
                segment.grow()
                continue
            if done == at.LOST:
                raise MemoryFault(self._words[at.GONE >> 3], Fault.EXECUTE, Fault.BEHIND_FILE)
            table.count += self._words[at.ENTERED >> 3]
            return done == at.FINE

    def adopt(self, pc: int, end: int, region: bytes, segment: Segment, table: Table) -> bool:
        """Take a region (translator/regions.py), entered at `pc`, into a segment; False if that is full."""
        table.reserve(1, self._move, self._sweep)
        self._begin(segment, table)
        kept = ctypes.create_string_buffer(region, len(region) + 8)
        while True:
            done = self._adopt(self._address, pc, end, ctypes.addressof(kept))
            if done == at.MORE:
                segment.grow()
                continue
            table.count += self._words[at.ENTERED >> 3]
            return done == at.FINE

    def turn(self, number: int, on: bool, segment: Segment, table: Table) -> None:
        """Let what goes to the header of a region go to this unit, unless it is forgotten; or, not `on`, to what else is there."""
        table.reserve(1, self._move, self._sweep)
        self._begin(segment, table)
        self._turn(self._address, number, on)
        table.count += self._words[at.ENTERED >> 3]

    def locate(self, pc: int, limit: int, offset: int, first: int = 0, source: bytes = b"") -> tuple[int, int, bool] | None:
        """Which instruction of the block at `pc` the code at `offset` from its start belongs to. Give the bytes at `first` that
        it was translated from if they may be others now.

        Gives (address of the instruction, instructions of the block that were counted but not done, whether it reads and writes
        in one step).
        """
        self._open()
        old = ctypes.create_string_buffer(source)
        if source:
            self._words[at.MEMORY >> 3] = ctypes.addressof(old) - first
        number = self._locate(self._address, pc, limit, offset)
        self._words[at.MEMORY >> 3] = self._memory
        if number < 0:
            return None
        words = self._words
        return (words[at.PLACES + at.PLACE * number >> 3], words[at.DONE >> 3] - number,
                bool(words[at.FLAGS >> 3] & at.HELD))

    def fill(self, segment: Segment, table: Table) -> None:
        """Enter all blocks of a segment that came from the cache in the table, which has none of them."""
        table.reserve(segment.blocks, self._move, self._sweep)
        self._enter_all(segment.address, table.address, table.mask, table.spacing)
        table.count += segment.blocks

    def body(self, source: bytes) -> bytes:
        """The hot code, but for what counts, of the block that these bytes of the guest make at address 0; for people."""
        self.locate(0, len(source), 0, 0, source)
        return bytes(memoryview(self._desk)[at.HOT:at.HOT + self._words[at.WHOLE >> 3]])

    def forget_in(self, start: int, end: int, segment: Segment, table: Table, *, whatever: bool) -> int:
        """Forget the units of a range of guest addresses whose bytes are others now, or `whatever` they are; gives how many."""
        self._begin(segment, table)
        end = min(end, _NO_ADDRESS)
        if whatever:
            return self._forget_in(self._address, start, end, 0, 0)
        return self._forget_in(self._address, start, end, *segment.sources.addresses())

    def forget(self, number: int, segment: Segment, table: Table) -> None:
        """Let nothing lead to this unit any more."""
        self._begin(segment, table)
        self._forget(self._address, number)

    def evict(self, first: int, behind: int, stamp: int, segment: Segment, table: Table) -> int:
        """Let nothing outside the segment lead to the units with these numbers any more, which stay what they are; how many blocks
        could be reached. The `stamp` is noted in the table."""
        self._begin(segment, table)
        return self._evict(self._address, first, behind, stamp, *segment.sources.addresses())

    def sweep(self, table: Table, stamp: int) -> None:
        """Use the room anew, in a part of the table, of what was given up before that stamp."""
        table.sweep(stamp, self._sweep)


def image(level: int, machine: str = "") -> Made:
    """The translator's native code for a host. Needs llvmlite."""
    from xenos.engines import hosts
    from xenos.engines.llvm.compiler import Compiler
    from xenos.engines.native.image import make
    from xenos.engines.translator import (
        blocks,
        choose,
        decode,
        forgetting,
        links,
        onward,
        operands,
        place,
        regions,
        spares,
        units,
    )

    modules: list[ModuleType] = [hosts.host_jumps(machine), decode, operands, spares, choose, place, blocks, links, onward, units,
                                 regions, forgetting]
    target = hosts.host(machine)
    cpu, features = target.CPUS[level]
    compiler = Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)
    return make(compiler, modules, _FUNCTIONS, hosts.host_runtime(machine).settle)
