"""Code that may change is given up, shelf by shelf: what is left is linked as it should be, what is needed again comes again."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from random import Random

import pytest

from engines.side_by_side import BEST, SideBySide
from engines.test_links import SIZE, START, assembled, check, program, translate
from xenos.cpu.exits import Breakpoint
from xenos.engines.code.arena import Room
from xenos.engines.code.pauses import Pauses
from xenos.engines.code.table import FREE, GONE, MARKED, STAMP, STAMPS, Table
from xenos.engines.stencil import generations as shelves
from xenos.engines.stencil.generations import OLD, Generations
from xenos.engines.translator import forgetting
from xenos.errors import HostError

KIB = 1 << 10


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[SideBySide]:
    """Engines whose shelves are small."""
    monkeypatch.setattr(shelves, "YOUNG_LEAST", 384 * KIB)
    for name in ("YOUNG_MOST", "OLD_LEAST", "OLD_MOST"):
        monkeypatch.setattr(shelves, name, 768 * KIB)
    monkeypatch.setattr(shelves, "_SHELVES", 6)
    monkeypatch.setattr(shelves, "_OLD_SHELF", 256 * KIB)
    pair = SideBySide(BEST)
    yield pair
    pair.close()


def begin(pair: SideBySide, random: Random) -> list[int]:
    """A program in memory that may change; the addresses of its instructions, in any order."""
    code = program(random)
    pair.memory.write(START, code)
    pair.cpu.pc = START
    pair.stencil.run(pair.cpu, pair.memory, 1)
    starts = list(range(START, START + SIZE, 2))
    random.shuffle(starts)
    return starts


def shelf_of(generations: Generations, code: int) -> shelves.Shelf:
    return next(shelf for shelf in generations.shelves if 0 <= code - shelf.base < shelf.used)


@pytest.mark.parametrize("seed", range(3))
def test_jumps_lead_from_shelf_to_shelf_and_to_none_that_is_gone(pair: SideBySide, seed: int) -> None:
    engine, random = pair.stencil, Random(seed)
    starts = begin(pair, random)
    generations = engine.generations
    across = 0
    for _ in range(8):
        translate(pair, random.sample(starts, 4000))
        pair.memory.write(random.choice(starts) & -4, assembled(f"addi a1, a1, {random.randrange(1, 99)}"))
        engine.invalidate(0, 1 << 64)
        if not generations._leaving:
            across += check(engine)
        else:       # jumps within a shelf that is on its way out stay
            leaving = {shelf.address for shelf in generations._leaving}
            engine.segments, kept = [s for s in engine.segments if s.address not in leaving], engine.segments
            across += check(engine)
            engine.segments = kept
    assert across > 20_000 and generations.collections > 5 and generations.back > 0
    assert any(shelf.age == OLD for shelf in generations.shelves)
    assert generations._bytes(False) <= 1024 * KIB and generations._bytes(True) <= 1024 * KIB


def test_what_is_changed_while_its_shelf_leaves_is_reached_by_none_that_stays_there(pair: SideBySide) -> None:
    """One unit is taken out, then its code changes: another on the same shelf, still there, jumps to it."""
    engine, cpu, first, later = pair.stencil, pair.cpu, START, START + 64
    pair.memory.write(first, assembled("addi a1, a1, 1") + assembled("ebreak"))
    pair.memory.write(later, assembled("jal zero, -64") + assembled("ebreak"))

    def run(pc: int) -> int:
        cpu.pc = pc
        cpu.write("x", 11, 0)
        assert isinstance(engine.run(cpu, pair.memory, 1000), Breakpoint)
        return cpu.read("x", 11)

    assert run(first) == 1 and run(later) == 1
    shelf = shelf_of(engine.generations, engine.table.find(later))
    assert engine.table.find(first) and engine.translator.evict(0, 1, 4, shelf, engine.table) == 1
    assert not engine.table.find(first) and engine.table.find(later)
    assert run(later) == 1, "who is there stays there"
    pair.memory.write(first, assembled("addi a1, a1, 2"))
    engine.invalidate(first, first + 4)
    assert run(later) == 2
    assert run(first) == 2


def test_what_comes_back_is_old_and_what_is_written_anew_is_young(pair: SideBySide) -> None:
    engine, random = pair.stencil, Random(5)
    starts = begin(pair, random)
    generations = engine.generations
    first = starts[:40]
    translate(pair, first)
    for part in range(40, len(starts), 100):
        translate(pair, starts[part:part + 100])
        if generations.collections == 3:     # it is not remembered for ever
            break
    gone = [pc for pc in first if not engine.table.find(pc)]
    assert len(gone) > 20
    changed = gone[0]
    pair.memory.write(changed, bytes(byte ^ 0x20 for byte in pair.memory.read(changed, 2)))
    translate(pair, gone)
    ages = {pc: shelf_of(generations, engine.table.find(pc)).age for pc in gone if abs(pc - changed) > 8}
    assert set(ages.values()) == {OLD}
    assert shelf_of(generations, engine.table.find(changed)).age == 0


def test_room_is_found_again(pair: SideBySide) -> None:
    """Much more than there is room for: what was given up is used anew, as no CPU is in it."""
    engine, random = pair.stencil, Random(7)
    starts = begin(pair, random)
    most = 0
    for _ in range(3):
        random.shuffle(starts)
        translate(pair, starts)
        most = max(most, engine.generations._room.used - engine.generations._room.start)
    assert engine.generations.collected > 3 << 20 and most < 5 << 19
    assert engine._limbo.segments == []
    engine.flush()
    assert engine.segments == [] and not any(engine.table.find(pc) for pc in starts)
    translate(pair, starts[:100])
    check(engine)


def test_room_in_pieces_is_made_whole(pair: SideBySide) -> None:
    engine = pair.stencil
    starts = begin(pair, Random(9))
    translate(pair, starts[:3000])
    room, shelves_before = engine.generations._room, len(engine.generations.shelves)
    assert shelves_before > 2
    held = room.allocate(room.start + room.size - room.used)        # all but what is in use
    translate(pair, starts)
    assert engine.generations.collections > 3 and len(engine.generations.shelves) <= shelves_before and held


def test_a_cpu_inside_keeps_it_from_being_used_anew(pair: SideBySide) -> None:
    engine, random = pair.stencil, Random(8)
    starts = begin(pair, random)
    limbo = engine._limbo
    translate(pair, starts[:10])
    other = type(pair.cpu)(pair.cpu.layout)
    limbo.running[other.address] = other
    limbo.enter(other)
    seen = {shelf.start for shelf in engine.generations.shelves}
    translate(pair, starts)
    assert engine.generations.collections > 2
    assert {shelf.start for shelf in limbo.segments} >= seen
    assert not {shelf.start for shelf in engine.generations.shelves} & {shelf.start for shelf in limbo.segments}
    assert len(engine.all_segments()) == len(engine.generations.shelves) + len(limbo.segments)
    limbo.enter(other)      # it has been out
    assert limbo.segments == []
    limbo.running.pop(other.address)


def test_a_room_gives_out_what_it_got_back() -> None:
    room = Room(8192, 40960)
    parts = [room.allocate(4096) for _ in range(10)]
    assert parts == list(range(8192, 8192 + 40960, 4096))
    with pytest.raises(HostError, match="full"):
        room.allocate(1)
    for part in (parts[3], parts[5], parts[4]):
        room.free(part, 4096)
    assert room.allocate(3 * 4096) == parts[3]


class Marked:
    """A table, changed by the native code's functions in plain Python, and what should be in it."""

    def __init__(self) -> None:
        self.table = Table(2, 256)
        self.known: set[int] = set()
        self.marks: dict[int, int] = {}
        self.swept: set[int] = set()    # whose marks may be gone

    def sweep(self, now: int, entries: int) -> None:
        self.table.sweep(now, self._sweep, entries)

    def _sweep(self, *arguments: int) -> int:
        self.swept |= {pc for pc, stamp in self.marks.items() if stamp < arguments[-1]}
        return forgetting.sweep(*arguments)

    def enter(self, pc: int) -> None:
        table = self.table
        table.reserve(1, forgetting.move, self._sweep)
        words, mask = table.words, table.mask >> 4
        at = forgetting.seat(pc, 3) >> 4 & mask
        while words[2 * at] not in (FREE, pc) and words[2 * at] & MARKED - 1 != pc + GONE:
            at = at + 1 & mask
        table.count += words[2 * at] == FREE
        words[2 * at], words[2 * at + 1] = pc, pc + 7
        self.known.add(pc)
        self.marks.pop(pc, None)
        self.swept.discard(pc)

    def give_up(self, pc: int, stamp: int) -> None:
        words = self.table.words
        at = next(at for at in range(0, len(words), 2) if words[at] == pc)
        words[at], words[at + 1] = pc + GONE + MARKED + (stamp << STAMP), pc ^ 99
        self.known.remove(pc)
        self.marks[pc] = stamp

    def check(self) -> None:
        assert all(self.table.find(pc) == pc + 7 for pc in self.known)
        for pc, stamp in self.marks.items():
            assert not self.table.find(pc)
            assert self.table.given_up(pc, pc ^ 99) in ((stamp, 0) if pc in self.swept else (stamp,))
            assert not self.table.given_up(pc, pc ^ 98)
        assert sum(word != FREE for word in self.table.words[::2]) == self.table.count


@pytest.mark.parametrize("seed", range(4))
def test_a_table_is_swept_and_what_is_in_it_stays_to_be_found(seed: int) -> None:
    random = Random(seed)
    marked = Marked()
    for step in range(2000):
        # Few places, so that there are crowds, some of them at the end of the table and around it.
        pc = random.choice((random.randrange(700), random.randrange(1 << 46), 511 - random.randrange(30))) & -2
        if pc not in marked.known:
            marked.enter(pc)
        if len(marked.known) > 50:
            marked.give_up(random.choice(sorted(marked.known)), step // 10 + 1)
        if step % 7 == 0:
            marked.sweep(max(0, step // 10 - 5), random.randrange(1, 90))
        if step % 20 == 0:
            marked.check()
    marked.sweep(STAMPS, 256)
    marked.sweep(STAMPS, 256)
    marked.check()
    assert len(marked.swept) > 100 and len(marked.table.words) // 2 <= 512, "marks are what makes it grow"


def test_bytes_are_compared() -> None:
    one, other = (ctypes.create_string_buffer(b"0123456789abcdefX", 17) for _ in range(2))
    for size in range(18):
        assert forgetting.same(ctypes.addressof(one), ctypes.addressof(other), size)
    other[16] = b"Y"
    assert forgetting.same(ctypes.addressof(one), ctypes.addressof(other), 16)
    assert not forgetting.same(ctypes.addressof(one), ctypes.addressof(other), 17)


def test_pauses_know_what_few_are_longer_than() -> None:
    pauses = Pauses()
    for number in range(1, 201):
        pauses.note(number * 5_000)
    assert pauses.count == 200 and pauses.longest == 1e-3
    assert 0.98e-3 <= pauses.most(0.99) <= 1e-3 and 0.5e-3 <= pauses.most(0.5) <= 0.52e-3
    pauses.note(50_000_000)
    assert pauses.longest == 0.05 and pauses.most(1) == 0.05 and pauses.most(0.99) <= 1e-3
    assert Pauses().most(0.99) == 0
