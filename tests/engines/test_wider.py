"""A region that is left by a way which is new is made anew with that in it, rather than one more beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cli.kit import EXIT, elf, write
from linux.hot_guests import empty_cache
from xenos.api.start import start
from xenos.engines.code.store import Store
from xenos.engines.hosts import host
from xenos.engines.region.burst import Burst
from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.maker import Maker
from xenos.engines.region.orders import Orders
from xenos.engines.region.pages import SIZE
from xenos.engines.region.trials import Trials
from xenos.engines.region.wider import Wider
from xenos.engines.region.worker import work
from xenos.engines.stencil import pack
from xenos.tuning.levels import ALL, FEW
from xenos.tuning.tiers import Tiers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Every 16,384 rounds it goes the other way: a burst sees one of them. It takes some seconds.
ROUNDS = 0x20000000
LINES = [f"lui s0, {ROUNDS >> 12}",
         "srli t0, s0, 14", "andi t0, t0, 1", "bne t0, zero, 20",
         "addi a2, a2, 1", "xor s1, s1, s0", "addi s2, s2, 5", "jal zero, 16",
         "addi a3, a3, 1", "add s1, s1, s0", "addi s2, s2, 3",
         "addi s0, s0, -1", "bne s0, zero, -44", "addi a0, zero, 0", *EXIT]
# Of these, as their places are in `LINES`.
AROUND, ONE, OTHER = 1, 4, 8


class Noted(Wider):
    """Knows at the end what was made, and how many regions each header had then."""

    def __init__(self, engine: RegionEngine) -> None:
        super().__init__(engine)
        self.taken: list[tuple[int, set[int]]] = []
        self.units: list[list[int]] = []

    def made(self, header: int, blocks: Iterable[int], ways: Iterable[tuple[int, int]]) -> None:
        """As ever."""
        super().made(header, blocks, ways)
        self.taken.append((header, set(blocks)))
        self.units += [segment.regions_by_header()[header] for segment in self._engine.segments if segment.high]


def run(cache: Path, program: Path) -> tuple[Noted, bool]:
    """A run that does what it must; whether the loop had a region in the end."""
    level = host().level()
    engine = RegionEngine(pack.load("riscv64", str(cache), level), level, store=Store(str(cache / "code")), jobs=1)
    engine.orders._wider = noted = Noted(engine)
    process = start("riscv64", "", engine=engine)
    try:
        process.load(str(program), [str(program)], {})
        begins = process.cpu.pc + 4 * AROUND
        outcome = process.run()
        assert outcome is not None and outcome.status == 0
        assert [process.cpu.read("x", number) for number in (12, 13, 18)] == [ROUNDS // 2, ROUNDS // 2, ROUNDS * 4]
        engine.save()       # what is out of the way is back then
        return noted, engine.compiled_at(begins)
    finally:
        engine.pool.close()
        process.memory.close()


def test_a_loop_that_goes_another_way(tmp_path: Path) -> None:
    """In the end one region has both ways, and the one that it was is gone; so it is in the next run."""
    program = write(tmp_path, elf(LINES))
    for number in range(8):     # a busy machine may be late with all that
        noted, compiled = run(cache := empty_cache(tmp_path / f"cache{number}"), program)
        if len({header for header, _ in noted.taken}) < len(noted.taken):
            break
    assert len(noted.taken) == 2 and compiled and [len(units) for units in noted.units] == [1, 1]
    (begins, first), (again, blocks) = noted.taken
    assert again == begins and blocks > first
    assert len({begins + 4 * (place - AROUND) for place in (ONE, OTHER)} & first) == 1
    assert {begins + 4 * (place - AROUND) for place in (ONE, OTHER)} <= blocks
    later, compiled = run(cache, program)
    assert compiled and not later.taken


class Seen(Burst):
    """One that saw what a test says: steps, and how often each was taken."""

    def __init__(self, steps: dict[tuple[int, int], int]) -> None:
        super().__init__(None)      # type: ignore[arg-type]
        self.last = steps
        for (here, goal), times in steps.items():
            self.places[goal] = self.places.get(goal, 0) + times
            if goal <= here:
                self._back[goal] = self._back.get(goal, 0) + times


A, B, C, D = 0x1000, 0x1020, 0x1040, 0x1060
ONE_WAY, OTHER_WAY = {(A, B): 100, (B, D): 100, (D, A): 100}, {(A, C): 100, (C, D): 100, (D, A): 100}


class Willing(Wider):
    """All that was made may be made anew, as often as it may."""

    def _may(self, root: int) -> bool:
        return root in self._made and self._times.get(root, 0) < 3


@pytest.fixture
def wider() -> Wider:
    """With a region of the one way."""
    made = Willing(None)    # type: ignore[arg-type]
    made.made(A, [A, B, D], ONE_WAY)
    return made


def test_a_new_way(wider: Wider) -> None:
    assert wider.along(A) is None and wider.find(Seen(OTHER_WAY), C) == A and wider.along(A) == C


def test_not_again_and_again(wider: Wider) -> None:
    assert [wider.find(Seen(OTHER_WAY), C) for _ in range(4)] == [A, A, A, None]


def test_what_was_known_before_was_left_out_for_a_reason(wider: Wider) -> None:
    """It would be too large, or was taken too seldom."""
    wider.made(A, [A, B, D], ONE_WAY | OTHER_WAY)
    assert wider.find(Seen(OTHER_WAY), C) is None


def test_a_way_that_is_taken_seldom(wider: Wider) -> None:
    assert wider.find(Seen(ONE_WAY | {(A, C): 40, (C, D): 40}), C) is None


def test_another_loop(wider: Wider) -> None:
    """The region is come to, but what is hot goes round by itself."""
    assert wider.find(Seen({(A, C): 10, (C, C): 400, (C, D): 10, (D, A): 10}), C) is None


def test_what_was_come_to_once(wider: Wider) -> None:
    """In a burst that repeats nothing, one way out says nothing."""
    assert wider.find(Seen({(D, A): 1, (A, C): 1, (C, 0x2000): 1}), 0x3000) is None


def test_what_a_worker_has_made_is_asked_for_no_more(wider: Wider) -> None:
    assert wider.find(Seen(OTHER_WAY), C) == A
    wider.done(A, failed=False)
    assert wider.along(A) is None and wider.find(Seen(OTHER_WAY), C) == A
    wider.done(A, failed=True)
    assert wider.along(A) is None and wider.find(Seen(OTHER_WAY), C) is None


def test_what_is_on_trial_with_all_passes() -> None:
    """It is that which is to be judged, and not another one at its place."""
    trials = Trials(None)   # type: ignore[arg-type]
    trials._trial.begin(A, {A}, ALL)
    assert trials.tries(A, ALL) and not trials.tries(A, FEW) and not trials.tries(B, ALL)
    trials._trial.begin(B, {B}, FEW)
    assert trials.tries(B, FEW)


@dataclass
class Workplace:
    """An engine as its orders see it, with regions at some headers; its one worker has an answer ready."""

    regions: set[int]
    answer: tuple[dict[str, Any], dict[str, Any]] | None = None
    installed: list[int] = field(default_factory=list)
    spent: dict[int, float] = field(default_factory=dict)
    tiers: Tiers = field(default_factory=lambda: Tiers(1))
    pool: Any = None
    trials: Any = None
    table: Any = None

    def __post_init__(self) -> None:
        self.pool = SimpleNamespace(answers=lambda: [self.answer], idle=lambda: None)
        self.trials = SimpleNamespace(under=lambda pc: False, tries=lambda pc, level: False)

    def compiled_at(self, pc: int) -> bool:
        """Whether one begins there."""
        return pc in self.regions

    def install(self, header: int, *_: object) -> bool:
        """It is taken in."""
        self.installed.append(header)
        return True


def ordered(regions: set[int], answer: dict[str, Any], refused: dict[int, str]) -> tuple[Orders, Workplace]:
    """A region was to be made anew along a way to C, and the worker has answered; some headers are refused meanwhile."""
    job = {"header": A, "speed": FEW, "along": C, "steps": [(here, goal, 1) for here, goal in OTHER_WAY]}
    place = Workplace(regions, (job, answer))
    orders = Orders(place)      # type: ignore[arg-type]
    orders._wider._along[A] = C
    orders.refused |= refused
    orders.open[A] = None, {}, 0
    orders.led[C], place.spent[C] = A, 0.5
    orders.take()
    assert not orders.open and orders._wider.along(A) is None
    return orders, place


MADE = {"body": b"", "places": [A, B, C, D], "cpu": 0.01}


def test_a_remake_is_taken_in_though_what_it_replaces_was_given_up() -> None:
    orders, place = ordered(set(), MADE, {A: "5 % slower"})
    assert place.installed == [A] and not orders.refused and place.spent[C] == 0


def test_a_remake_that_fails_changes_nothing() -> None:
    orders, place = ordered({A}, {"error": "too much", "cpu": 0.01}, {})
    assert not place.installed and not orders.refused and place.spent[C] == 0.5 and place.tiers.compiling > 0


def test_a_remake_that_fails_where_nothing_is_left() -> None:
    orders, _ = ordered(set(), {"error": "too much", "cpu": 0.01}, {})
    assert orders.refused == {A: "too much"}


def test_what_leads_to_what_is_being_compiled_waits() -> None:
    orders = Orders(Workplace(set()))   # type: ignore[arg-type]
    orders.burst = Seen(OTHER_WAY)
    assert orders._awaited(C) is None
    orders.open[A] = None, {}, 0
    assert orders._awaited(C) == A
    orders.burst = Seen({(A, C): 10, (C, C): 400, (C, D): 10, (D, A): 10})     # a loop of its own
    assert orders._awaited(C) is None


def test_what_is_other_code_now(wider: Wider) -> None:
    wider.forget(A, A + 4)
    assert wider.find(Seen(OTHER_WAY), C) is None


def test_a_worker_says_where_it_comes_to_nothing() -> None:
    """Before it compiles: the region that there is goes on."""
    code = b"\x13\x05\x15\x00" + b"\xe3\x1e\x05\xfe" + b"\x73\x00\x10\x00"     # addi a0, a0, 1; bnez a0, -4; ebreak
    number, offset = divmod(A, SIZE)
    page = bytes(offset) + code + bytes(SIZE - offset - len(code))
    job = {"job": 0, "header": A, "low": 0, "high": 1 << 47, "page": SIZE, "pages": {number: page},
           "steps": [(A, A, 50)], "after": [], "most": 400, "whole": 400, "stay": 0, "along": A + 8, "speed": 1, "exact": True}
    maker = Maker("riscv64", host().level())
    assert "too much" in work(maker, job)["error"]
    assert work(maker, job | {"along": A})["size"] > 0
