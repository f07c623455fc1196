"""Random programs with loops, calls, recursion, jump tables, changing code: the region engine, forced on, beside the reference.

It is run in slices of some length; after each, the reference engine is asked what there is after exactly as many instructions.
"""

from __future__ import annotations

from random import Random

import pytest

from engines.side_by_side import AREAS, READ, WRITE, Block, Outcome, SideBySide, differences, registers
from engines.wild_programs import AWAY, AWAY_SIZE, Program, WildPrograms
from xenos.cpu.exits import Budget

LONGEST = 5000      # instructions of a run: the reference engine is slow
MOST_SLICES = 400


def begin(pair: SideBySide, program: Program, block: Block, address: int) -> None:
    pair.others = {AWAY: program.away, address: program.code}
    pair.begin(block, address)
    for engine in (pair.stencil, pair.reference):
        engine.invalidate(address, address + len(program.code))


def outcome(pair: SideBySide, left: object, block: Block) -> tuple[Outcome, bytes]:
    return pair.outcome(left, block), bytes(pair.memory.view[AWAY:AWAY + AWAY_SIZE])  # type: ignore[arg-type]


def check(pair: SideBySide, seed: int | str, *, faults: bool = False) -> int:
    """Run the program of that seed; gives how many instructions were compared."""
    r = Random(f"slices {seed}")
    address = r.choice(AREAS)
    program = WildPrograms(seed, faults=faults).program(address)
    block = Block((), registers(program.x, program.f), rounding=program.rounding)
    if pair.memory.regions.at(AWAY) is None:
        pair.memory.map(AWAY, AWAY_SIZE, READ | WRITE)
    pair.stencil.flush()
    begin(pair, program, block, address)
    slices = r.choice((range(1, 20), range(1, 300), range(LONGEST, LONGEST + 1), range(1 << 22, 1 + (1 << 22))))
    seen = []
    for _ in range(MOST_SLICES):
        seen.append(outcome(pair, pair.stencil.run(pair.cpu, pair.memory, r.choice(slices)), block))
        if not isinstance(seen[-1][0].left, Budget) or seen[-1][0].count >= LONGEST:
            break
    begin(pair, program, block, address)
    done = 0
    for number, (have, away) in enumerate(seen):
        more = have.count - done + (not isinstance(have.left, Budget))
        want, want_away = outcome(pair, pair.reference.run(pair.cpu, pair.memory, more), block)
        assert have == want, f"seed {seed}, slice {number}: {differences(have, want)}"
        assert away == want_away, f"seed {seed}, slice {number}: the stack differs"
        done = have.count
    assert done or faults, f"seed {seed}: nothing was done"
    return done


@pytest.mark.parametrize("seed", range(14))
def test_programs(forced: SideBySide, seed: int) -> None:
    check(forced, seed)


@pytest.mark.parametrize("seed", range(10))
def test_programs_that_fault(forced: SideBySide, seed: int) -> None:
    check(forced, f"faults {seed}", faults=True)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(2000))
def test_many_programs(forced: SideBySide, seed: int) -> None:
    check(forced, f"many {seed}", faults=seed % 4 == 3)
