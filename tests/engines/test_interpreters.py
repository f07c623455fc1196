"""Jumps that choose what is done next: behind each operation, what comes most often behind that is looked for first."""

from __future__ import annotations

import pytest

from engines.side_by_side import Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu.exits import Budget
from xenos.engines.hosts import host, host_floats
from xenos.engines.region.burst import Burst
from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.graph import Graph
from xenos.engines.region.profile import Profile
from xenos.engines.region.text import RegionText
from xenos.engines.stencil.pins import homes
from xenos.isa import find_guest
from xenos.memory.flat import BASE
from xenos.semantics.block import Indirect

# Operations one after the other, each of which says which is next; the jump stands behind them, its goals in x20 and on.
COUNT, SIZE = 6, 12
JUMP = COUNT * SIZE


def lines(order: tuple[int, ...]) -> list[str]:
    """Operation i is followed by `order[i]`."""
    found = []
    for number, following in enumerate(order):
        found += ["addi a1, a1, 3", f"addi a0, x{20 + following}, 0", f"jal zero, {JUMP - number * SIZE - 8}"]
    return [*found, "jalr zero, 0(a0)"]


ORDER = 3, 5, 4, 2, 0, 1        # 0 3 2 4 0, and 1 5 1


def test_what_comes_behind_what_is_seen(forced: SideBySide) -> None:
    assert isinstance(forced.stencil, RegionEngine)
    block = Block(tuple(map(ASSEMBLER.assemble, lines((3, 0, 1, 2, 0, 0)))), registers({}),
                  targets={20 + number: SIZE * number for number in range(COUNT)})
    address = forced.place(block)
    forced.begin(block, address)
    assert forced.stencil.run(forced.cpu, forced.memory, 100) == Budget()
    burst = Burst(forced.stencil)
    assert burst.follow(forced.cpu) is None
    seen = {(before - address, goal - address) for here, before, goal, _ in burst.after() if here == address + JUMP}
    assert seen == {(SIZE * one, SIZE * other) for one, other in ((0, 3), (3, 2), (2, 1), (1, 0))}
    assert sum(times for *_, times in burst.after()) > 100
    burst.restart()
    assert not burst.after() and not burst.steps()


def profile(order: tuple[int, ...]) -> Profile:
    """As if operations had been seen in that order, 0 most often of all."""
    made = Profile()
    for number, following in enumerate(order):
        made.add(JUMP, SIZE * number, 100 if not number else 20)
        made.add(SIZE * number + 8, JUMP, 100 if not number else 20)
        made.add_after(JUMP, SIZE * number, SIZE * following, 15)
        made.add_after(JUMP, SIZE * number, 0, 5)
    return made


def graph(seen: Profile) -> Graph:
    words = {4 * at: ASSEMBLER.assemble(one) for at, one in enumerate(lines(ORDER))}
    return Graph(find_guest("riscv64").instructions(), lambda pc: (words[pc], 4) if pc in words else None, 0, seen)


def test_it_is_compared_first() -> None:
    nodes = graph(profile(ORDER)).nodes
    jumps = 0
    for node in nodes.values():
        if not isinstance(node.terminal, Indirect) or node.place == (JUMP, (), 0):
            continue
        before = next(one.pc for one in nodes.values() if node.place in one.goes)
        assert node.goes[0][0] == SIZE * ORDER[before // SIZE]
        assert len(node.goes) == COUNT
        jumps += 1
    assert jumps == COUNT - 1       # and the first one is the most frequent operation's


def test_what_was_not_seen_comes_in_the_order_of_all() -> None:
    """Nothing is known of what comes behind what: as often as it comes at all."""
    seen = Profile()
    for number in range(COUNT):
        seen.add(JUMP, SIZE * number, 10 + number)
    for node in graph(seen).nodes.values():
        if isinstance(node.terminal, Indirect):
            assert [goal[0] // SIZE for goal in node.goes] == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_llvm_is_told_how_often(machine: str) -> None:
    guest, target = find_guest("riscv64"), host(machine)
    pins = {offset: pin for pin, offset in homes(guest, target).items()}
    text = RegionText(graph(profile(ORDER)), guest.layout, pins, target, host_floats(1, machine), BASE, guest.alignment).write()
    copies = [part for part in text.split("\nb")[1:] if "icmp eq i64 " in part]
    assert len(copies) == COUNT
    assert sum('!{!"branch_weights", i32 242, i32 95}' in part for part in copies) == COUNT - 1     # 15.1 of 21, in 16ths
