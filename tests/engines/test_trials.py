"""Regions are kept if they make their program faster, and given up if they make it slower."""

from __future__ import annotations

from random import Random

import pytest

from engines.side_by_side import Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu.exits import Breakpoint, Budget
from xenos.engines.region.engine import RegionEngine
from xenos.tuning.tiers import FASTER, LEAST, Tiers
from xenos.tuning.trial import Trial, Verdict

HOT, OTHER, HEADER = 0x1000, 0x2000, 0x1010


def tried(trial: Trial, r: Random, *, before: float, after: float, share: float = 1.0, busy: bool = False) -> Verdict | None:
    """A trial of a region in which the CPU is for that share of all looks; `before` and `after` are paces."""
    for _ in range(100):
        assert trial.look(HOT if r.random() < share else OTHER, before * r.uniform(0.95, 1.05), busy) is None
    trial.begin(HEADER, {HEADER, HOT})
    for _ in range(100):
        verdict = trial.look(HEADER if r.random() < share else OTHER, after * r.uniform(0.95, 1.05), busy)
        if verdict is not None or not trial.running:
            return verdict
    return None


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_a_verdict(seed: int, busy: bool) -> None:
    r = Random(seed)
    better = tried(Trial(), r, before=1.0, after=0.5, busy=busy)
    assert better is not None and not better.slower and 1.8 < better.faster < 2.2 and better.headers == {HEADER}
    worse = tried(Trial(), r, before=1.0, after=1.1, busy=busy)
    assert worse is not None and worse.slower and 0.8 < worse.faster < 1


def test_a_share_that_is_faster() -> None:
    """Nine tenths of the time become half of that: what is in the region is twice as fast."""
    verdict = tried(Trial(), Random(1), before=1.0, after=0.55, share=0.9)
    assert verdict is not None and not verdict.slower and 1.7 < verdict.faster < 2.5


def test_no_verdict_on_something_else() -> None:
    assert tried(Trial(), Random(2), before=1.0, after=3.0, share=0.5) is None
    trial = Trial()
    trial.begin(HEADER, {HEADER})       # nothing is known of before
    assert not any(trial.look(HEADER, 1.0, False) for _ in range(2000)) and not trial.running


def test_one_trial_is_compared_with_the_end_of_the_last() -> None:
    trial, r = Trial(), Random(3)
    assert tried(trial, r, before=1.0, after=0.5) is not None
    trial.begin(HEADER + 64, {HEADER})
    verdict = None
    while verdict is None:
        verdict = trial.look(HEADER + 64, 0.6, False)
    assert verdict.slower and verdict.headers == {HEADER + 64}


def test_the_policy_learns() -> None:
    tiers = Tiers(1)
    tiers.ran = 100.0
    assert tiers.faster == FASTER
    seconds = next(n / 1000 for n in range(10_000) if tiers.worthwhile(n / 1000, True))
    for _ in range(30):
        tiers.proved(0.9)
    assert tiers.faster == LEAST and not tiers.worthwhile(2 * seconds, True) and tiers.worthwhile(20 * seconds, True)
    for _ in range(30):
        tiers.proved(3.0)
    assert tiers.worthwhile(0.9 * seconds, True)


def test_what_is_slower_is_given_up(forced: SideBySide) -> None:
    """The program goes on where it was, and what stands there from now on are stencils."""
    pair, engine = forced, forced.stencil
    assert isinstance(engine, RegionEngine)
    lines = ("addi a0, a0, 1", "addi a1, a1, 3", "bne a0, zero, -8", "c.ebreak")
    block = Block(tuple(map(ASSEMBLER.assemble, lines)), registers({10: -5000}))
    address = pair.place(block)
    pair.begin(block, address)
    assert engine.run(pair.cpu, pair.memory, 900) == Budget()
    headers = [pc for pc in (address, address + 4) if engine.compiled_at(pc)]
    assert headers
    RegionEngine._judged(engine, Verdict(set(headers), set(headers), 0.9, 1.1))
    assert not any(map(engine.compiled_at, headers))
    assert all("slower" in engine.standing(pc) for pc in headers)
    assert engine.run(pair.cpu, pair.memory, 1 << 40) == Breakpoint()
    assert pair.cpu.pc == address + 12
    assert (pair.cpu.read("x", 10), pair.cpu.read("x", 11)) == (0, 15000)
