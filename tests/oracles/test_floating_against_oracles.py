"""The definitions of floating point against qemu-riscv64 and Unicorn: every instruction, results and flags."""

from __future__ import annotations

import random
from itertools import product

import pytest

from oracles import Case, Result, missing, missing_unicorn, run_words, run_words_unicorn
from oracles.floating_instructions import DESTINATION, Instruction, case, edges, expected, instructions, random_operand
from xenos.semantics.floating import SINGLE, Format
from xenos.semantics.floating_format import is_signaling

ALL = instructions()
ZFA = ("fminm", "fmaxm", "fltq", "fleq", "fround", "froundnx", "fcvtmod")
NEW = [name for name in ALL if name.split(".")[0] in ZFA]
HALF_WIDTH = [name for name in ALL if ".h" in name and name not in NEW]
OLD = [name for name in ALL if name not in NEW and name not in HALF_WIDTH]
CASES = 2000
BOX = 0xFFFF_FFFF_0000_0000

Question = tuple[tuple[int, ...], int, bool]


def is_ordinary(bits: int, fmt: Format | int) -> bool:
    """Whether it is not one of zero, infinity and NaN, which have rules of their own where three operands meet."""
    return isinstance(fmt, Format) and 0 < bits & fmt.magnitude < fmt.infinity


def questions(instruction: Instruction, count: int) -> list[Question]:
    """Operands, rounding mode, and whether the instruction says the mode: a sample of edge values, then random ones."""
    r = random.Random(instruction.name)
    modes = range(5) if instruction.rounds else (0,)
    edge = list(product(*map(edges, instruction.sources)))
    if len(edge) * len(modes) > count:
        sample = r.sample(edge, min(len(edge), count // 2))
        sample += [e for e in edge if len(e) == 3 and not any(map(is_ordinary, e, instruction.sources))]
        asked = [(operands, r.choice(modes), False) for operands in sample]
    else:
        asked = [(operands, rm, False) for operands in edge for rm in modes]
    while len(asked) < count:
        operands: list[int] = []
        for kind in instruction.sources:
            operands.append(random_operand(kind, r, operands[-1] if operands else None))
        asked.append((tuple(operands), r.choice(modes), False))
    static = [(operands, rm, True) for operands, rm, _ in asked[::12]] if instruction.rounds else []
    # Equal words side by side: an oracle translates the code only when it changes.
    return asked + sorted(static, key=lambda question: question[1])


def check(instruction: Instruction, asked: list[Question], results: list[Result]) -> None:
    for (operands, rm, static), result in zip(asked, results, strict=True):
        register = (result.f if isinstance(instruction.result, Format) else result.x)[DESTINATION]
        bits, flags = expected(instruction, operands, rm)
        assert (register, result.fcsr & 31, result.signal) == (bits, flags, 0), (
            f"{instruction.name} {[hex(o) for o in operands]} rm={rm} static={static}: "
            f"the oracle gives {register:#x} flags {result.fcsr & 31}, we {bits:#x} flags {flags}")


def ask(name: str, count: int) -> tuple[Instruction, list[Question], list[Case]]:
    instruction = ALL[name]
    asked = questions(instruction, count)
    return instruction, asked, [case(instruction, *question) for question in asked]


@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("name", OLD + HALF_WIDTH)
def test_qemu_agrees(name: str) -> None:
    instruction, asked, cases = ask(name, CASES)
    check(instruction, asked, run_words(cases))


@pytest.mark.skipif(bool(missing(10)), reason=missing(10))
@pytest.mark.parametrize("name", NEW)
def test_new_qemu_agrees(name: str) -> None:
    instruction, asked, cases = ask(name, CASES)
    check(instruction, asked, run_words(cases, least_version=10))


@pytest.mark.skipif(bool(missing_unicorn()), reason=missing_unicorn())
@pytest.mark.parametrize("name", OLD)
def test_unicorn_agrees(name: str) -> None:
    instruction, asked, cases = ask(name, 200)
    known = [unicorn_is_wrong(instruction, question[0]) for question in asked]
    kept = [i for i in range(len(asked)) if not known[i]]
    results = run_words_unicorn([cases[i] for i in kept])
    if instruction.result is SINGLE:
        for result in results:
            result.f = tuple(bits | BOX for bits in result.f)
    check(instruction, [asked[i] for i in kept], results)


def unicorn_is_wrong(instruction: Instruction, operands: tuple[int, ...]) -> bool:
    """Whether this is one of the faults that `unicorn_engine` lists."""
    if instruction.name.startswith(("fmin", "fmax")):
        return any(isinstance(kind, Format) and is_signaling(bits, kind)
                   for bits, kind in zip(operands, instruction.sources, strict=True))
    fmt = instruction.sources[0]
    if len(operands) == 3 and isinstance(fmt, Format):
        a, b, c = (bits & fmt.magnitude for bits in operands)
        return {a, b} == {0, fmt.infinity} and c > fmt.infinity
    return False
