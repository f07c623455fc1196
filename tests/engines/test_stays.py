"""For how long a region would be stayed in, as a CPU was seen and as its code says: others are not worth their compiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engines.side_by_side import Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu.exits import Budget
from xenos.engines.region.burst import Burst
from xenos.engines.region.eager import EagerEngine
from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.graph import Graph
from xenos.engines.region.profile import Profile
from xenos.engines.region.trials import Trials
from xenos.isa import find_guest
from xenos.tuning.tiers import MOST, STAY, WATCH, Tiers

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = 0x10000
EVERYWHERE = 0, 1 << 64
LOOP = ("addi a0, a0, 1", "addi a1, a1, 3", "bne a0, zero, -8")
STEP = ("addi a1, a1, 3", "addi a0, a0, 1", "jal zero, 4")       # one block of a ring of many


def followed(pair: SideBySide, lines: tuple[str, ...]) -> Burst:
    """What a burst sees of them, begun at the first."""
    assert isinstance(pair.stencil, RegionEngine)
    block = Block(tuple(map(ASSEMBLER.assemble, lines)), registers({10: -(1 << 40)}))
    pair.begin(block, pair.place(block))
    assert pair.stencil.run(pair.cpu, pair.memory, 100) == Budget()
    burst = Burst(pair.stencil)
    assert burst.follow(pair.cpu) is None
    return burst


def test_a_loop_is_never_left(forced: SideBySide) -> None:
    assert followed(forced, LOOP).stay(*EVERYWHERE, MOST) == float("inf")


def test_of_a_ring_that_is_too_large_a_part_is_left_at_its_end(forced: SideBySide) -> None:
    burst = followed(forced, (*STEP * 100, "jal zero, -1200"))
    assert burst.stay(*EVERYWHERE, 2 * MOST) == float("inf")
    assert 100 < burst.stay(*EVERYWHERE, 150) < 200
    assert burst.stay(*EVERYWHERE, 1) < 8


def test_a_long_block_is_taken_as_a_whole(forced: SideBySide) -> None:
    """As it is in a region: hashes have loops of a thousand instructions without a jump, between calls of other code."""
    long = ("addi a1, a1, 3",) * 1000
    burst = followed(forced, (*long, "jal zero, 4", *STEP * 100, f"jal zero, {-4 * (len(long) + 301)}"))
    assert burst.stay(*EVERYWHERE, MOST) > 2 * STAY


def test_what_lies_in_another_mapping_is_not_of_the_region(forced: SideBySide) -> None:
    burst = followed(forced, ("addi a0, a0, 1", "jal zero, 8", "ecall", "addi a1, a1, 3", "jal zero, -16"))
    places = sorted(burst.places)
    assert burst.stay(places[0], places[-1] + 1, MOST) == float("inf")
    assert burst.stay(places[0], places[-1], MOST) < 8


@pytest.fixture
def graph() -> Callable[[dict[int, tuple[str, ...]], int, Profile], Graph]:
    """Of lines of code at some addresses."""
    instructions = find_guest("riscv64").instructions()

    def made(code: dict[int, tuple[str, ...]], header: int, profile: Profile) -> Graph:
        words = {at + 4 * i: ASSEMBLER.assemble(line) for at, lines in code.items() for i, line in enumerate(lines)}
        return Graph(instructions, lambda pc: (words[pc], 4) if pc in words else None, header, profile)

    return made


def test_what_is_called_comes_back(graph: Callable[[dict[int, tuple[str, ...]], int, Profile], Graph]) -> None:
    """However many others call it, and it goes back to: here it was called by the loop."""
    called, other = BASE + 0x100, BASE + 0x200
    code = {BASE: ("jal ra, 256", "addi a0, a0, -1", "bne a0, zero, -8", "ecall"), called: ("addi a1, a1, 3", "jalr zero, 0(ra)")}
    profile = Profile()
    for last, goal, times in ((BASE, called, 50), (called + 4, BASE + 4, 50), (called + 4, other, 5000), (BASE + 8, BASE, 50)):
        profile.add(last, goal, times)
    assert graph(code, BASE, profile).stay(2 * STAY) > STAY


def test_ways_that_were_never_taken_are_taken_seldom(
        graph: Callable[[dict[int, tuple[str, ...]], int, Profile], Graph]) -> None:
    """A loop with many of them is worth a region; one that is left half of the times is not."""
    checks = 30
    lines = tuple(line for at in range(checks) for line in (*("addi a1, a1, 3",) * 3, f"beq a1, zero, {16 * (checks - at) - 8}"))
    code = {BASE: (*lines, f"jal zero, {-16 * checks}", "ecall")}
    seen, left = Profile(), Profile()
    for at in range(checks):
        pc = BASE + 16 * at + 12
        seen.add(pc, pc + 4, 16)
        left.add(pc, pc + 4, 16)
    left.add(BASE + 12, BASE + 16 * checks + 4, 16)
    assert graph(code, BASE, seen).stay(2 * STAY) > STAY
    assert graph(code, BASE, left).stay(2 * STAY) < STAY


def test_what_is_seen_again_and_again_is_looked_at_less_often(forced: SideBySide, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while it waits for being worth a region; and more often as soon as there is something new."""
    engine = forced.stencil
    assert isinstance(engine, EagerEngine)
    monkeypatch.setattr(engine, "_share", 0.0)
    monkeypatch.setattr(engine, "tiers", Tiers(1))
    monkeypatch.setattr(engine, "trials", Trials(engine))
    engine.tiers.ran = 1e9      # looks have no share in it
    block = Block(tuple(map(ASSEMBLER.assemble, ("jal zero, 0",))), registers())
    address = forced.place(block)
    forced.begin(block, address)
    assert engine.run(forced.cpu, forced.memory, 100) == Budget()
    engine.spent.pop(address, None)
    engine._look(forced.cpu)
    first = engine.tiers.interval
    for _ in range(200):
        engine._look(forced.cpu)
    assert engine.tiers.interval >= 4 * first and address in engine.spent
    engine.spent.clear()
    engine._look(forced.cpu)
    assert engine.tiers.interval == first


def test_looks_have_a_small_share_of_the_time() -> None:
    """However much new there is to be seen, but not while something is on trial."""
    tiers = Tiers(1)
    tiers.ran, tiers.watching = 1.0, WATCH / 2
    first = tiers.interval
    for _ in range(200):
        tiers.sampled(True, False)
    assert tiers.interval == first
    tiers.watching = 2 * WATCH
    for _ in range(200):
        tiers.sampled(True, False)
    assert tiers.interval >= 4 * first
    tiers.sampled(False, True)
    assert tiers.interval == first
