"""Translated code of memory that the guest writes, by age: the new makes room for the newer, what is needed again becomes old.

Code is put on *shelves*, segments that jumps connect in both directions. When the young ones hold too much, the one that was begun
first is given up: some blocks at a time are taken out of the table and unlinked, while guests go on; then it goes to limbo, until
no guest can be in it. Nobody looks what is still needed. That is translated again when it is reached, which costs little, and the
table remembers that it was there: having come back often enough, it is put on the old shelves, which are given up in the same
way, later. How much is young, and how often is enough, follow from how much comes back.
"""

from __future__ import annotations

from time import perf_counter_ns

from xenos.engines.code.arena import Room
from xenos.engines.code.segment import LARGEST, Segment
from xenos.engines.code.table import STAMPS
from xenos.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.arena import Arena
    from xenos.engines.code.limbo import Limbo
    from xenos.engines.code.table import Table
    from xenos.engines.stencil.translator import Translator
    from xenos.memory.flat import FlatMemory

MIB = 1 << 20
OLD = 3                         # age of what is not young; stamps in the table keep it in their two lowest bits
YOUNG_LEAST, YOUNG_MOST = 4 * MIB, 32 * MIB
OLD_LEAST, OLD_MOST = 16 * MIB, 64 * MIB
_SHELVES = 8                    # that the young code is on
_OLD_SHELF = 4 * MIB
_SLICE = 8                      # units that are taken out at once, for each that is made: some ten microseconds
_REMEMBERED = 8                # collections for which it is known what was given up
_MUCH, _LITTLE = 0.25, 0.05     # shares of what was given up that came back
_LONG = 2.0                     # seconds: what was not needed for so long may go


class Shelf(Segment):
    """A segment for code of an age: how often it came back, or OLD."""

    def __init__(self, arena: Arena, size: int, room: Room, age: int) -> None:
        super().__init__(arena, size, 0, 0, b"", None, room)
        self.age = age
        self.taken = 0      # units that are taken out of the table


class Returns:
    """Of code of some age: how many blocks were given up lately, and how many came back."""

    def __init__(self) -> None:
        self.gone = self.back = 0

    @property
    def share(self) -> float:
        """What came back of what was given up."""
        return self.back / max(1, self.gone)

    def judged(self) -> None:
        """Begin to count anew."""
        self.gone = self.back = 0


class Generations:
    """All such shelves, which are in an engine's list of `segments`, too. Sizes are in bytes of host code."""

    def __init__(self, arena: Arena, constants: bytes, limbo: Limbo, segments: list[Segment], translator: Translator,
                 table: Table) -> None:
        self._arena = arena
        self._limbo = limbo
        self._translator = translator
        self._table = table
        self._segments = segments
        self._room = Room(arena.allocate(LARGEST), LARGEST)
        at = self._room.allocate(len(constants))
        arena.view[at:at + len(constants)] = constants
        self.constants = at, len(constants)
        self.shelves: list[Shelf] = []
        self._open: dict[int, Shelf] = {}
        self._leaving: list[Shelf] = []
        self._filled_at = perf_counter_ns()
        self._stamp = 1                     # number of the collection under way
        self._young, self._old = Returns(), Returns()
        self.young_limit, self.old_limit = 2 * YOUNG_LEAST, OLD_LEAST
        self.promotion = 1                  # how often code has to come back to be old
        self.collections = self.collected = self.given_up = self.back = self.promoted = 0

    def statistics(self) -> dict[str, float]:
        """What was done so far: collections, bytes collected, blocks given up, those translated again, those of them that are old
        now; what is in use, in bytes; what was learned: how much may be young, how often code has to come back to be old."""
        return {"collections": self.collections, "collected": self.collected, "given_up": self.given_up, "back": self.back,
                "promoted": self.promoted, "young": self._bytes(False), "old": self._bytes(True),
                "young_limit": self.young_limit, "old_limit": self.old_limit, "promotion": self.promotion}

    def _bytes(self, old: bool) -> int:
        return sum(shelf.used for shelf in self.shelves if (shelf.age == OLD) is old)

    # Putting code onto shelves.

    def translate(self, memory: FlatMemory, pc: int, limit: int) -> bool:
        """Translate what is at `pc`, up to `limit`; False if there is no room until other CPUs have left code that was given up."""
        self.collect()
        stamp = 0
        if self.collections:
            stamp = self._table.given_up(pc, int.from_bytes(memory.read(pc, min(8, limit - pc)), "little"))
        age = stamp & 3
        if age >= self.promotion:
            age = OLD
        while True:
            shelf = self._open.get(age) or self._begin(age)
            if shelf is None:
                return False
            blocks = shelf.blocks
            if self._translator.translate(pc, limit, shelf, self._table):
                break
            del self._open[age]
        if stamp:
            made = shelf.blocks - blocks
            (self._old if stamp & 3 == OLD else self._young).back += made
            self.back += made
            self.promoted += made if age == OLD and stamp & 3 != OLD else 0
        self._keep(shelf, memory, limit)
        return True

    def _keep(self, shelf: Shelf, memory: FlatMemory, limit: int) -> None:
        """Note what the last unit was made from, and have that watched, where the guest may write it without a word."""
        number = shelf.total - 1
        first, end = shelf.unit(number)
        region = memory.regions.at(first)
        source = self._translator.source(first, min(end + 8, limit))
        shelf.keep(number, source, region is None or not region.solid)
        if memory.watching().guard(first, end):
            self.forget(first, end, whatever=False)     # it may have been written before it was watched

    def adopt(self, memory: FlatMemory, pc: int, first: int, end: int, region: bytes, source: bytes) -> bool:
        """Take a region, entered at `pc` and made from [`first`, `end`), which was `source`, onto an old shelf; False if there is
        no room now. The caller has seen to it that what it was made from is watched."""
        doubtful = not all(region.solid for region in memory.regions.between(first, end))
        for _ in range(2):
            shelf = self._open.get(OLD) or self._begin(OLD)
            if shelf is None:
                break
            if self._translator.adopt(pc, end, region, shelf, self._table):
                shelf.keep(shelf.total - 1, source, doubtful)
                return True
            del self._open[OLD]
        return False

    def _begin(self, age: int) -> Shelf | None:
        """Begin a shelf, and decide whether an older one is to go."""
        self._adapt()
        old = age == OLD
        size = _OLD_SHELF if old else self.young_limit // _SHELVES
        staying = [shelf for shelf in self.shelves if (shelf.age == OLD) is old and shelf not in self._leaving]
        limit = self.old_limit if old else self.young_limit
        while staying and sum(shelf.capacity for shelf in staying) + size > limit:
            self._let_go(staying.pop(0))
        try:
            shelf = Shelf(self._arena, size, self._room, age)
        except HostError:
            if not self._leaving and not self._limbo.segments:
                self._let_go(self.shelves[0])       # there is room, but in pieces
            while self._leaving:
                self.collect()
            self._limbo.reclaim()
            return None
        if self.shelves:
            shelf.follow(self.shelves[-1])
        self.shelves.append(shelf)
        self._segments.append(shelf)
        self._open[age] = shelf
        return shelf

    def _let_go(self, shelf: Shelf) -> None:
        """This shelf is to be given up; nothing more is put onto it."""
        self._leaving.append(shelf)
        shelf.leaving = True
        self._open = {age: one for age, one in self._open.items() if one is not shelf}

    def _adapt(self) -> None:
        """Learn from what came back since the last shelf was begun."""
        now = perf_counter_ns()
        seconds, self._filled_at = (now - self._filled_at) / 1e9, now
        if self._young.gone:
            if self._young.share > _MUCH:
                self.young_limit = min(2 * self.young_limit, YOUNG_MOST)
                self.promotion = max(1, self.promotion - 1)
            elif self._young.share < _LITTLE and seconds * _SHELVES > _LONG:
                self.young_limit = max(self.young_limit // 2, YOUNG_LEAST)
            self._young.judged()
        if self._old.gone:
            if self._old.share > _MUCH:
                self.old_limit = min(2 * self.old_limit, OLD_MOST)
            elif self._old.share < _LITTLE:
                self.promotion = min(self.promotion + 1, OLD)
            self._old.judged()

    # Giving it up.

    def collect(self) -> None:
        """Go on giving up the shelf that is to go, if there is one: as much as nobody minds to wait for."""
        if not self._leaving:
            return
        begun = perf_counter_ns()
        shelf = self._leaving[0]
        behind = min(shelf.taken + _SLICE, shelf.total)
        survived = min(shelf.age + 1, OLD)
        known = self._translator.evict(shelf.taken, behind, 4 * self._stamp + survived, shelf, self._table)
        (self._old if shelf.age == OLD else self._young).gone += known
        self.given_up += known
        shelf.taken = behind
        if behind == shelf.total:
            self._leaving.pop(0)
            self._unlink(shelf)
            self.collections += 1
            self.collected += shelf.used
            self._stamp += 1
            if 4 * self._stamp >= STAMPS:
                self._stamp = 1     # those that are remembered from before seem to be of this time for a while
            self._limbo.take(shelf)
        self._translator.sweep(self._table, 4 * max(0, self._stamp - _REMEMBERED))
        self._limbo.pauses.note(perf_counter_ns() - begun)

    def _unlink(self, shelf: Shelf) -> None:
        for before in self.shelves:
            if before.next == shelf.address:
                shelf.leave(before)
                break
        self.shelves.remove(shelf)
        self._segments.remove(shelf)

    def forget(self, start: int, end: int, *, whatever: bool) -> bool:
        """Forget the units from guest code in a range that has changed, or `whatever` it is now; whether there were any."""
        forgotten = 0
        for shelf in self.shelves:
            forgotten += self._translator.forget_in(start, end, shelf, self._table, whatever=whatever)
        if forgotten:
            self._limbo.stop()
        return forgotten > 0

    def clear(self) -> None:
        """Give up everything at once; the table leads to none of it any more."""
        for shelf in self.shelves[:]:
            self._unlink(shelf)
            self._limbo.take(shelf)
        self._open.clear()
        self._leaving.clear()
