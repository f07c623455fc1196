"""Every instruction, with edge and random operands: each engine against qemu-riscv64 and Unicorn, flags bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from isa.engine_runner import EngineRunner
from isa.instruction_cases import Entry, by_chapter, cases
from oracles import Case, Result, missing, missing_unicorn, run_words, run_words_unicorn
from xenos.isa import find_guest

RISCV = find_guest("riscv64").instructions()
CHAPTERS = dict(by_chapter([*RISCV.instructions.values(), *RISCV.aliases.values()]))
COUNT = 24  # cases for each form

# A system call is not ours to make in an oracle; managing cache blocks is illegal in qemu's user mode.
NEVER = {"ecall", "cbo.inval", "cbo.clean", "cbo.flush"}

# What qemu 7.2 lacks, or has wrong: CTZW of a number whose low half is zero.
NEW_CHAPTERS = {"float_additional", "conditional", "may_be", "cache_block", "compressed_more"}
NEW = {"wrs.nto", "wrs.sto", "ctzw"}

# Unicorn is qemu of 2020: single precision is neither boxed nor checked, NaNs in FMIN.D and FMAX.D follow an older
# manual.
UNICORN_CHAPTERS = ["integer", "multiply", "atomic", "csr", "fence_i", "float_double", "compressed"]
NOT_IN_UNICORN = {"wrs.nto", "wrs.sto", "fmin.d", "fmax.d", "fcvt.s.d", "fcvt.d.s"}


def is_counter(case: Case) -> bool:
    """Whether the case reads a counter, which tells something else each time."""
    return any(word & 0x7F == 0x73 and word >> 20 >= 0xC00 and word >> 12 & 3 for word in case.words)


def chosen(entries: Sequence[Entry], never: set[str]) -> list[tuple[Entry, Case]]:
    """The cases of these instructions, each with its instruction."""
    return [(entry, case) for entry in entries if entry.name not in never | NEVER
            for case in cases(entry, COUNT) if not is_counter(case)]


def compare(asked: list[tuple[Entry, Case]], wanted: list[Result], got: list[Result]) -> None:
    """Fail with the first few differences, one for each instruction."""
    wrong: dict[str, str] = {}
    for (entry, case), want, have in zip(asked, wanted, got, strict=True):
        told = [f"{part}: {difference}" for part in ("signal", "pc", "x", "f", "fcsr", "memory")
                if (difference := describe(getattr(want, part), getattr(have, part)))]
        if told and entry.name not in wrong:
            words = " ".join(f"{word:#x}" for word in case.words)
            wrong[entry.name] = f"{entry.name} ({words}, fcsr {case.fcsr:#x}): {'; '.join(told)}"
    assert not wrong, "\n".join(list(wrong.values())[:10])


def describe(want: Any, have: Any) -> str:
    """How two parts of a result differ; empty if they do not."""
    if want == have:
        return ""
    if isinstance(want, tuple):
        pairs = enumerate(zip(want, have, strict=True))
        return ", ".join(f"[{i}] {a:#x} wanted, {b:#x} given" for i, (a, b) in pairs if a != b)
    a, b = (part.hex() if isinstance(part, bytes) else hex(part) for part in (want, have))
    return f"{a} wanted, {b} given"


@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("chapter", [name for name in CHAPTERS if name not in NEW_CHAPTERS])
def test_qemu_agrees(runner: EngineRunner, chapter: str) -> None:
    asked = chosen(CHAPTERS[chapter], NEW)[::runner.every]
    compare(asked, run_words([case for _, case in asked]), runner.run([case for _, case in asked]))


@pytest.mark.skipif(bool(missing(10)), reason=missing(10))
@pytest.mark.parametrize("chapter", [*sorted(NEW_CHAPTERS), "what older ones lack"])
def test_new_qemu_agrees(runner: EngineRunner, chapter: str) -> None:
    entries = CHAPTERS.get(chapter, [entry for group in CHAPTERS.values() for entry in group if entry.name in NEW])
    asked = chosen(entries, set())[::runner.every]
    compare(asked, run_words([case for _, case in asked], 10), runner.run([case for _, case in asked]))


@pytest.mark.skipif(bool(missing_unicorn()), reason=missing_unicorn())
@pytest.mark.parametrize("chapter", UNICORN_CHAPTERS)
def test_unicorn_agrees(runner: EngineRunner, chapter: str) -> None:
    asked = chosen(CHAPTERS[chapter], NOT_IN_UNICORN)[::runner.every]
    compare(asked, run_words_unicorn([case for _, case in asked]), runner.run([case for _, case in asked]))
