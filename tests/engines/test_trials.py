"""Regions are kept if they make their program faster, and given up if they make it slower."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from engines.side_by_side import Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.cpu.exits import Breakpoint, Budget
from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.trials import Trials
from xenos.tuning.levels import FASTER, FEW, LEAST
from xenos.tuning.tiers import Tiers
from xenos.tuning.trial import Trial, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

HOT, OTHER, HEADER = 0x1000, 0x2000, 0x1010


def tried(trial: Trial, r: Random, *, without: float, within: float, share: float = 1.0, busy: bool = False, looks: int = 100,
          noise: float = 0.05, load: Callable[[int], float] = lambda look: 1.0) -> Verdict | None:
    """A trial of a region in which the CPU is for that share of all looks, with paces as they are without it and within."""
    for number in range(looks):
        pace = without * load(number) * r.uniform(1 - noise, 1 + noise)
        assert trial.look(HOT if r.random() < share else OTHER, pace, busy) is None
    trial.begin(HEADER, {HEADER, HOT})
    for number in range(looks, looks + 2000):
        inside = r.random() < share
        place = OTHER if not inside else HOT if trial.off else HEADER
        pace = (without if trial.off or not inside else within) * load(number) * r.uniform(1 - noise, 1 + noise)
        verdict = trial.look(place, pace, busy)
        if verdict is not None:
            assert not trial.running and not trial.off
            return verdict
    return None


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_a_verdict(seed: int, busy: bool) -> None:
    r = Random(seed)
    better = tried(Trial(), r, without=1.0, within=0.5, busy=busy)
    assert better is not None and not better.slower and 1.8 < better.faster < 2.2 and better.headers == {HEADER}
    worse = tried(Trial(), r, without=1.0, within=1.1, busy=busy)
    assert worse is not None and worse.slower and 0.8 < worse.faster < 1


def test_a_share_that_is_faster() -> None:
    """What is in the region is twice as fast, whatever share of the time that is."""
    for seed, share in enumerate((0.95, 0.9, 0.8, 0.6, 0.5)):
        verdict = tried(Trial(), Random(seed), without=1.0, within=0.5, share=share)
        assert verdict is not None and verdict.sure and not verdict.slower and 1.5 < verdict.faster < 3


@pytest.mark.parametrize("seed", range(20))
def test_a_machine_that_becomes_slow(seed: int) -> None:
    """Others begin to work as the region is taken in, and stop and begin again: it is as fast as it is all the same."""
    r = Random(seed)
    better = tried(Trial(), r, without=1.0, within=0.7, load=lambda look: 1.9 if look >= 100 else 1.0)
    assert better is not None and not better.slower and 1.3 < better.faster < 1.6
    ends = r.randrange(100, 300)
    better = tried(Trial(), r, without=1.0, within=0.7, load=lambda look: 1.9 if 100 <= look < ends else 1.0)
    assert better is not None and not better.slower
    worse = tried(Trial(), r, without=1.0, within=1.2, load=lambda look: 1.9 if look < 110 else 1.0)
    assert worse is not None and (worse.slower or worse.ratio < 0.9)   # a machine that becomes fast may hide it


@pytest.mark.parametrize("share", [0, 0.01, 0.02, 0.05, 0.1])
def test_a_program_that_goes_on_to_other_things(share: float) -> None:
    """How much faster a region is that hardly runs is not known: nothing is learned from chance."""
    told = {tried(Trial(), Random(seed), without=1.0, within=0.6, share=share, noise=0.3) for seed in range(20)}
    learned = [verdict.faster for verdict in told if verdict is not None and verdict.faster]
    assert all(1 <= faster < 4 for faster in learned), learned


@pytest.mark.parametrize("seed", range(20))
def test_no_difference(seed: int) -> None:
    """What is not slower for sure goes where it is no faster either; half of what makes no difference looks so."""
    verdict = tried(Trial(), Random(seed), without=1.0, within=1.0, noise=0.6)
    assert verdict is not None and not verdict.slower and verdict.vain == (verdict.ratio >= 1)
    gains = tried(Trial(), Random(seed), without=1.0, within=0.7, noise=0.6)
    assert gains is not None and not gains.vain


def test_what_was_hardly_at_work_is_not_in_vain() -> None:
    """Nobody knows what it would gain."""
    verdict = tried(Trial(), Random(4), without=1.0, within=1.0, share=0.1)
    assert verdict is not None and not verdict.sure and not verdict.vain


def test_nothing_is_known_of_before() -> None:
    verdict = tried(Trial(), Random(7), without=1.0, within=1.2, looks=0)
    assert verdict is not None and verdict.slower


def test_one_trial_is_compared_with_the_end_of_the_last() -> None:
    trial, r = Trial(), Random(3)
    assert tried(trial, r, without=1.0, within=0.5) is not None
    trial.begin(HEADER + 64, {HEADER})
    verdict = None
    while verdict is None:
        verdict = trial.look(HEADER + 64, (0.5 if trial.off else 0.6) * r.uniform(0.95, 1.05), False)
    assert verdict.slower and verdict.headers == {HEADER + 64}


def test_what_comes_meanwhile_is_tried_afterwards() -> None:
    trial, verdict = Trial(), None
    trial.begin(HEADER, {HEADER})
    while not trial.off:
        assert trial.look(HEADER, 1.0, False) is None
    trial.begin(HEADER + 64, {HEADER + 64})
    assert set(trial.headers) == {HEADER}
    while verdict is None:
        verdict = trial.look(HEADER, 1.0 if trial.off else 1.1, False)
    assert verdict.slower and verdict.headers == {HEADER} and set(trial.headers) == {HEADER + 64} and not trial.off


def test_what_comes_meanwhile_of_the_same_code_is_tried_with_it() -> None:
    """Where one is out of the way, the other would do its work."""
    trial, verdict = Trial(), None
    trial.begin(HEADER, {HEADER, HOT})
    while not trial.off:
        assert trial.look(HEADER, 1.0, False) is None
    trial.begin(HOT, {HEADER, HOT})
    assert set(trial.headers) == {HEADER, HOT} and trial.off
    while verdict is None:
        verdict = trial.look(HEADER, 1.0 if trial.off else 1.1, False)
    assert verdict.slower and verdict.headers == {HEADER, HOT} and not trial.running


def test_the_policy_learns() -> None:
    tiers = Tiers(1)
    tiers.ran, few = 100.0, tiers.levels[FEW]
    assert few.faster == FASTER[FEW]
    seconds = next(n / 1000 for n in range(10_000) if tiers.worthwhile(n / 1000, True))
    for _ in range(30):
        few.proved(0.9)
    assert few.faster == LEAST[FEW] and not tiers.worthwhile(2 * seconds, True) and tiers.worthwhile(20 * seconds, True)
    for _ in range(30):
        few.proved(3.0)
    assert tiers.worthwhile(0.9 * seconds, True)


COUNTING = ("addi a0, a0, 1", "addi a1, a1, 3", "bne a0, zero, -8", "c.ebreak")


def hot(pair: SideBySide) -> tuple[RegionEngine, int, set[int]]:
    """A loop of some thousand rounds, under way: its engine, where it begins, and where there are regions of it."""
    engine = pair.stencil
    assert isinstance(engine, RegionEngine)
    block = Block(tuple(map(ASSEMBLER.assemble, COUNTING)), registers({10: -5000}))
    address = pair.place(block)
    pair.begin(block, address)
    assert engine.run(pair.cpu, pair.memory, 900) == Budget()
    headers = {pc for pc in range(address, address + 12, 4) if engine.compiled_at(pc)}
    assert headers
    return engine, address, headers


@pytest.mark.parametrize(("ratio", "sure", "told"), [(1.1, True, "10 % slower"), (1.003, False, "no faster")])
def test_what_gains_nothing_is_given_up(forced: SideBySide, ratio: float, sure: bool, told: str) -> None:
    """The program goes on where it was, and what stands there from now on are stencils."""
    engine, address, headers = hot(forced)
    trials = Trials(engine)
    for header in headers:
        trials.hold(header)
    trials.judged(Verdict(headers, headers, 0.9, ratio, sure))
    assert not any(map(engine.compiled_at, headers))
    assert all(told in engine.standing(pc) for pc in headers)
    assert engine.run(forced.cpu, forced.memory, 1 << 40) == Breakpoint()
    assert forced.cpu.pc == address + 12
    assert (forced.cpu.read("x", 10), forced.cpu.read("x", 11)) == (0, 15000)


@pytest.mark.parametrize(("ratio", "new", "again"), [(0.95, True, True), (0.6, True, False), (0.95, False, False)])
def test_a_small_gain_is_looked_at_once_more(forced: SideBySide, ratio: float, new: bool, again: bool) -> None:
    """In the next run, in which all code is there from the first; what that says is the last word."""
    engine, _, headers = hot(forced)
    trials = Trials(engine)
    for header in headers:
        if new:
            trials.made(header, headers, FEW)
        trials.hold(header)
    trials._trial = Trial()
    trials.judged(Verdict(headers, headers, 1.1, ratio))
    assert all(map(engine.compiled_at, headers))
    assert trials.open == ({header: (headers, FEW, [], 0) for header in headers} if again else {})
    assert not any(map(trials.undecided, headers))
    trials.forget()
    assert not trials.open


def turned(engine: RegionEngine, headers: set[int], off: bool) -> None:
    """The regions are out of the way from now on, or no longer."""
    engine.trials._trial.headers = {header: set() for header in headers}
    for header in headers if off and not engine.trials._out else ():
        engine.trials.hold(header)
    engine.trials._trial.off = off
    engine.trials.turn(off)


def test_by_turns(forced: SideBySide) -> None:
    """Regions are as they were after they were out of the way, and the program is right all the time."""
    engine, address, headers = hot(forced)
    places = {pc: engine.table.find(pc) for pc in headers}
    for off in (True, True, False) * 4:
        turned(engine, headers, off)
        assert all(engine.compiled_at(pc) is not off for pc in headers)
        assert off or {pc: engine.table.find(pc) for pc in headers} == places
        assert engine.run(forced.cpu, forced.memory, 900) == Budget()
    assert engine.run(forced.cpu, forced.memory, 1 << 40) == Breakpoint()
    assert forced.cpu.pc == address + 12
    assert (forced.cpu.read("x", 10), forced.cpu.read("x", 11)) == (0, 15000)


def test_a_program_that_ends_meanwhile(forced: SideBySide) -> None:
    """What is kept of its code leads to the regions: in the next run nobody would let them run again."""
    engine, _, headers = hot(forced)
    turned(engine, headers, True)
    for segment in {segment for segment, _ in engine.trials._out.values()}:
        engine._save(segment)
    assert all(map(engine.compiled_at, headers))
    turned(engine, headers, False)


def test_another_program_meanwhile(forced: SideBySide) -> None:
    """What was on trial is nothing of its, whatever is at those addresses."""
    engine, _, headers = hot(forced)
    turned(engine, headers, True)
    engine._attach(forced.memory)
    assert not engine.trials.off and not engine.trials.running


def test_code_that_changes_meanwhile(forced: SideBySide) -> None:
    """A region of what is no longer there does not come back."""
    engine, address, headers = hot(forced)
    turned(engine, headers, True)
    for offset, text in enumerate(("addi a0, a0, 2", "addi a1, a1, 5")):
        forced.memory.write(address + 4 * offset, ASSEMBLER.assemble(text).to_bytes(4, "little"))
    engine.invalidate(address, address + 8)
    engine._share = 0.0         # type: ignore[attr-defined]     # else it would be made anew at once
    turned(engine, headers, False)
    assert not any(map(engine.compiled_at, headers - {address + 8}))
    cpu, begun = forced.cpu, forced.cpu.count
    expected, place = [cpu.read("x", 10), cpu.read("x", 11), 0], (cpu.pc - address) // 4
    assert engine.run(cpu, forced.memory, 30) == Budget()
    for number in range(cpu.count - begun):
        expected[(place + number) % 3] += (2, 5, 0)[(place + number) % 3]
    assert [cpu.read("x", 10), cpu.read("x", 11)] == [value % (1 << 64) for value in expected[:2]]
