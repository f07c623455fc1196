"""Every floating-point arithmetic instruction as a word, beside what `xenos.semantics.floating` says that it gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from oracles.cases import Case
from xenos.semantics import floating as fp
from xenos.semantics.floating import DOUBLE, HALF, SINGLE, Format

ALL_ONES = (1 << 64) - 1
DYNAMIC = 7
DESTINATION, SOURCES = 13, (10, 11, 12)          # the same numbers in x and f

Outcome = tuple[int, int]


@dataclass(frozen=True)
class Instruction:
    """`word` lacks the rounding mode if `rounds`. `define` takes the operands and the rounding mode.

    `sources` and `result` are formats, or widths of integers.
    """

    name: str
    word: int
    rounds: bool
    sources: tuple[Format | int, ...]
    result: Format | int
    define: Callable[..., Outcome]


def _op(funct5: int, code: int, rs2: int, rm: int) -> int:
    return funct5 << 27 | code << 25 | rs2 << 20 | SOURCES[0] << 15 | rm << 12 | DESTINATION << 7 | 0x53


def _fused(opcode: int, code: int) -> int:
    return SOURCES[2] << 27 | code << 25 | SOURCES[1] << 20 | SOURCES[0] << 15 | DESTINATION << 7 | opcode


def _negated(bits: int, fmt: Format) -> int:
    return bits ^ fmt.sign


def _instructions(letter: str, fmt: Format, code: int) -> Iterator[Instruction]:
    two, three, rs2 = (fmt, fmt), (fmt, fmt, fmt), SOURCES[1]
    for name, funct5, operation in (("fadd", 0, fp.add), ("fsub", 1, fp.sub), ("fmul", 2, fp.mul), ("fdiv", 3, fp.div)):
        yield Instruction(f"{name}.{letter}", _op(funct5, code, rs2, 0), True, two, fmt,
                          lambda a, b, rm, operation=operation: operation(a, b, fmt, rm))
    yield Instruction(f"fsqrt.{letter}", _op(11, code, 0, 0), True, (fmt,), fmt, lambda a, rm: fp.sqrt(a, fmt, rm))
    for name, opcode, minus_product, minus_addend in (
            ("fmadd", 0x43, False, False), ("fmsub", 0x47, False, True), ("fnmsub", 0x4b, True, False),
            ("fnmadd", 0x4f, True, True)):
        yield Instruction(f"{name}.{letter}", _fused(opcode, code), True, three, fmt,
                          lambda a, b, c, rm, p=minus_product, m=minus_addend: fp.fma(
                              _negated(a, fmt) if p else a, b, _negated(c, fmt) if m else c, fmt, rm))
    for name, funct5, rm, pair in (
            ("fmin", 5, 0, fp.minimum_number), ("fmax", 5, 1, fp.maximum_number), ("fminm", 5, 2, fp.minimum),
            ("fmaxm", 5, 3, fp.maximum)):
        yield Instruction(f"{name}.{letter}", _op(funct5, code, rs2, rm), False, two, fmt,
                          lambda a, b, rm, pair=pair: pair(a, b, fmt))
    for name, rm, compare in (("feq", 2, fp.eq_quiet), ("flt", 1, fp.lt_signaling), ("fle", 0, fp.le_signaling),
                              ("fltq", 5, fp.lt_quiet), ("fleq", 4, fp.le_quiet)):
        yield Instruction(f"{name}.{letter}", _op(20, code, rs2, rm), False, two, 64,
                          lambda a, b, rm, compare=compare: compare(a, b, fmt))
    yield Instruction(f"fclass.{letter}", _op(28, code, 0, 1), False, (fmt,), 64,
                      lambda a, rm: (fp.classify(a, fmt), 0))
    for name, rs2_field, width, signed in (("w", 0, 32, True), ("wu", 1, 32, False), ("l", 2, 64, True),
                                           ("lu", 3, 64, False)):
        yield Instruction(f"fcvt.{name}.{letter}", _op(24, code, rs2_field, 0), True, (fmt,), width,
                          lambda a, rm, width=width, signed=signed: fp.to_int(a, fmt, width, signed, rm))
        yield Instruction(f"fcvt.{letter}.{name}", _op(26, code, rs2_field, 0), True, (width,), fmt,
                          lambda a, rm, width=width, signed=signed: fp.from_int(a, width, signed, fmt, rm))
    for name, rs2_field, exact in (("fround", 4, False), ("froundnx", 5, True)):
        yield Instruction(f"{name}.{letter}", _op(8, code, rs2_field, 0), True, (fmt,), fmt,
                          lambda a, rm, exact=exact: fp.round_to_integral(a, fmt, rm, exact))


_FORMATS = {"s": (SINGLE, 0), "d": (DOUBLE, 1), "h": (HALF, 2)}


def instructions() -> dict[str, Instruction]:
    """All of them by name."""
    found = [i for letter, (fmt, code) in _FORMATS.items() for i in _instructions(letter, fmt, code)]
    for to, (target, code) in _FORMATS.items():
        for letter, (source, source_code) in _FORMATS.items():
            if source is not target:
                found.append(Instruction(
                    f"fcvt.{to}.{letter}", _op(8, code, source_code, 0), True, (source,), target,
                    lambda a, rm, source=source, target=target: fp.convert(a, source, target, rm)))
    found.append(Instruction("fcvtmod.w.d", _op(24, 1, 8, 1), False, (DOUBLE,), 32,
                             lambda a, rm: fp.to_int_modular(a, DOUBLE, 32)))
    return {i.name: i for i in found}


def case(instruction: Instruction, operands: tuple[int, ...], rm: int, static: bool) -> Case:
    """That instruction with those operands, rounding as its own field says or as fcsr says."""
    word = instruction.word | ((rm if static else DYNAMIC) << 12 if instruction.rounds else 0)
    x, f = {}, {}
    for number, kind, bits in zip(SOURCES, instruction.sources, operands, strict=False):
        if isinstance(kind, Format):
            f[number] = bits | ALL_ONES << kind.width & ALL_ONES
        else:
            x[number] = bits
    return Case([word], x, f, fcsr=0 if static else rm << 5)


def expected(instruction: Instruction, operands: tuple[int, ...], rm: int) -> Outcome:
    """The destination register of 64 bits, and the flags."""
    bits, flags = instruction.define(*operands, rm)
    if isinstance(instruction.result, Format):
        return bits | ALL_ONES << instruction.result.width & ALL_ONES, flags
    if instruction.result == 32 and bits >> 31:
        bits |= ALL_ONES << 32 & ALL_ONES
    return bits, flags


def edges(kind: Format | int) -> list[int]:
    """Operands at which something changes."""
    if isinstance(kind, int):
        top = 1 << (kind - 1)
        return [0, 1, 2, 3, top - 1, top, top + 1, 2 * top - 1, 2 * top - 2, (1 << 24) + 1, (1 << 24) + 3, top >> 1,
                2047, 2049, 65519, 65520, 0xAAAA_AAAB, (top - 1) ^ 0x3f, 2 * top - 65520]
    p, one = kind.fraction_bits, (kind.infinity >> 1) & kind.infinity
    ulp, unit = 1, kind.hidden
    magnitudes = [
        0, 1, 2, 3, unit - 1, unit, unit + 1, unit >> 1, one - unit, one - ulp, one, one + ulp,
        one + (unit >> 1), one + unit, one + unit + (unit >> 1), one + p * unit, one + p * unit + 1,
        kind.infinity - 1, kind.infinity - unit, kind.infinity, kind.infinity | 1, kind.canonical_nan,
        kind.canonical_nan | 1, one - unit // 2 - unit]
    return [m | s for m in magnitudes for s in (0, kind.sign)]


def random_operand(kind: Format | int, r: random.Random, near: int | None = None) -> int:
    """An operand with long runs of equal bits; `near` in exponent to another of its format, that they may meet."""
    width = kind if isinstance(kind, int) else kind.width
    bits = r.getrandbits(width)
    shape = r.randrange(4)
    if shape == 0:
        bits &= ALL_ONES << r.randrange(width)
    elif shape == 1:
        bits |= (1 << r.randrange(width)) - 1
    if isinstance(kind, int):
        return (bits >> r.randrange(kind)) * r.choice((1, -1)) & (1 << kind) - 1
    exponent = r.getrandbits(kind.exponent_bits)
    centre = (1 << (kind.exponent_bits - 1)) - 1
    choice = r.randrange(4)
    if near is not None and choice == 0:
        exponent = ((near & kind.infinity) >> kind.fraction_bits) + r.randrange(-2, 3)
    elif choice == 1:
        exponent = centre + r.randrange(-3, kind.fraction_bits + 12)
    elif near is not None and choice == 2:
        # such that the product is near the smallest normal number
        exponent = centre - ((near & kind.infinity) >> kind.fraction_bits) + r.randrange(-2, 3)
    exponent %= 1 << kind.exponent_bits
    return bits & ~kind.infinity & (1 << width) - 1 | exponent << kind.fraction_bits
