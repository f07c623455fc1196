"""Which loops are hot: samples of where the guest is, which cost it nothing."""

from __future__ import annotations

from engines.both import ON_BOTH
from engines.side_by_side import Block as OneBlock
from engines.side_by_side import SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu.exits import Budget
from xenos.engines.region.eager import EagerEngine
from xenos.engines.runtime.native import SOON

pytestmark = ON_BOTH
# A loop of 30 million rounds and one of 10 million, three instructions each, for ever.
PROGRAM = ("lui a0, 0x1c9c", "addi a2, a2, 1", "addi a0, a0, -1", "bne a0, zero, -8",
           "lui a0, 0x989", "addi a3, a3, 1", "addi a0, a0, -1", "bne a0, zero, -8", "jal zero, -32")


def test_samples_find_hot_loops(pair: SideBySide) -> None:
    program = OneBlock(tuple(map(ASSEMBLER.assemble, PROGRAM)), registers())
    address = pair.place(program)
    pair.begin(program, address)
    if isinstance(pair.stencil, EagerEngine):
        pair.stencil.tiers.interval = 1 << 24       # it looks into loops that long to see what is in them, too
    for _ in range(80):
        assert pair.stencil.run(pair.cpu, pair.memory, 16 * SOON) == Budget()
    heat = pair.stencil.heat
    if pair.forced:     # regions begin anywhere, and those on trial are not always come to
        assert set(heat) <= set(range(address, address + 36, 4))
        first = sum(heat.get(pc, 0) for pc in range(address, address + 16, 4))
    else:
        assert set(heat) <= {address + 4, address + 20, address} and sum(heat.values()) == 80
        first = heat[address + 4]
    assert 0.68 < first / sum(heat.values()) < 0.82


def test_short_runs_are_not_disturbed(pair: SideBySide) -> None:
    program = OneBlock(tuple(map(ASSEMBLER.assemble, PROGRAM)), registers())
    pair.begin(program, pair.place(program))
    pair.stencil.heat.clear()
    for _ in range(5):
        before = pair.cpu.count
        assert pair.stencil.run(pair.cpu, pair.memory, 1000) == Budget()
        assert 1000 <= pair.cpu.count - before < 1070
    assert not pair.stencil.heat
