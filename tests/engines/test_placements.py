"""Every instruction in every kind of place, on edge and random operands and addresses: stencils do what the reference does.

Registers, floating-point registers, flags, memory, pc, count and the exit are compared; an access that faults leaves all as it was.
"""

from __future__ import annotations

import random

import pytest

from engines.conftest import Pairs
from engines.placements import States, forms, placements
from engines.side_by_side import BEST, LEVELS, SideBySide
from xenos.semantics.instruction import Form

CHAPTERS = forms()
NEAREST_AWAY, RESERVED_MODE = 4, 5


def check(pair: SideBySide, form: Form, every: int, states: int) -> None:
    """One of `every` placements, each in so many states; those of an access are half of them wild."""
    r = random.Random(form.name)
    made = States(form, r)
    more = 2 if made.access is not None else 1
    for number, registers in enumerate(placements(form, r)):
        if number % every:
            continue
        word, fields = made.word(registers)
        name = f"{form.name} {registers}"
        pair.check_all([made.block(word, fields, r.randrange(4), wild=turn % 2 > 0) for turn in range(states * more)], name)


def of_chapter(chapter: str, pair: SideBySide, every: int, states: int) -> None:
    for form in CHAPTERS[chapter]:
        check(pair, form, every, states)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_placement(pair: SideBySide, chapter: str) -> None:
    of_chapter(chapter, pair, 1, 2)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_immediates(pair: SideBySide, chapter: str) -> None:
    """All of a shift amount, the edges of others, in three placements."""
    for form in CHAPTERS[chapter]:
        if len(form.immediates) != 1 or form.control is not None:
            continue
        r = random.Random(form.name)
        made = States(form, r)
        field = made.pattern.fields[form.immediates[0]]
        low = min(shift for _, _, shift in field.pieces)
        top = 1 << field.width - (field.kind == "signed")
        values = range(top) if field.width <= 6 and field.kind == "unsigned" else [
            v << low for v in (0, 1, 2, 52, 53, 54, 127, 128, 255, 256, (top >> low) - 1, top >> low + 1)]
        if field.kind == "signed":
            values = [*values, *(-v for v in values), -top]
        for value in values:
            if not (-top if field.kind == "signed" else 0) <= value < top or not field.allows(value & (1 << field.width) - 1):
                continue
            for registers in r.sample(list(placements(form, r)), 2):
                word, fields = made.word(registers, value)
                pair.check_all([made.block(word, fields, wild=False)], f"{form.name} {registers} {value}")


@pytest.mark.parametrize("mode", [NEAREST_AWAY, RESERVED_MODE])
def test_rounding_modes_that_the_host_lacks(pair: SideBySide, mode: int) -> None:
    for group in CHAPTERS.values():
        for form in group:
            r = random.Random(form.name)
            made = States(form, r)
            if made.dynamic or "rm" in form.statics:
                word, fields = made.word(r.choice(list(placements(form, r))))
                pair.check_all([made.block(word, fields, mode) for _ in range(2)], form.name)


@pytest.mark.parametrize("level", LEVELS[:-1])
def test_sample_at_lower_levels(pairs: Pairs, level: int) -> None:
    """Operations differ by level in floating point and bit counting; places do not."""
    for chapter in CHAPTERS:
        of_chapter(chapter, pairs.at(level), 11, 2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("level", LEVELS)
def test_all_at_every_level(pairs: Pairs, level: int, chapter: str) -> None:
    of_chapter(chapter, pairs.at(level), 1, 40)


def test_there_is_a_level() -> None:
    assert BEST in LEVELS
