"""Every operation of the table on edge values, scalar and in lanes: native code against the table's definition, flags and all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest

from engines.side_by_side import BEST, LEVELS
from engines.synthetic import DATA, MASK, Synthetic
from isa.instruction_cases import FORMATS
from oracles.floating_instructions import edges, random_operand
from xenos.semantics.operations import TABLE, lanewise, mask
from xenos.semantics.values import Value

KINDS = [(8, 1), (16, 1), (32, 1), (64, 1), (8, 8), (16, 4), (32, 2)]
FLOATS = (16, 32, 64)
DYNAMIC = 7
MODES = range(5)
ROUNDING = {"fadd", "fsub", "fmul", "fdiv", "fsqrt", "fma", "fconvert", "fround", "float_to_int", "int_to_float"}
# What these do depends on more than their operands: instructions that use them are tested in the other files.
ELSEWHERE = {"field", "pc", "next", "read", "write", "get_flags", "set_flags", "get_rounding", "set_rounding", "counter", "load",
             "store", "amo", "reserve", "store_conditional", "zero_block", "fence", "sync_code", "branch", "jump", "trap",
             "syscall"}
PAIRS, TRIPLES = 120, 160


def declare(made: Synthetic) -> None:
    """All instructions."""
    for name, row in TABLE.items():
        if row.effect == "pure" and row.shape in ("same", "test"):
            for width, lanes in KINDS:
                result = 1 if row.shape == "test" else width
                made.add(f"{name}_{width}x{lanes}", [(width, lanes)] * row.arity,
                         lambda m, a, op=name, w=result: Value(m, op, w, tuple(a), a[0].lanes))
        elif row.effect == "fp" and row.shape in ("same", "test") and name != "fround":
            for width, mode in product(FLOATS, modes(name)):
                made.add(f"{name}_{width}_rm{mode}", [(width, 1)] * row.arity,
                         lambda m, a, op=name, rm=mode: m.fp(op, *a, rounding=rm))
    for width, lanes in KINDS:
        made.add(f"select_{width}x{lanes}", [(1, 1), (width, lanes), (width, lanes)],
                 lambda m, a: Value(m, "select", a[1].width, tuple(a), a[1].lanes))
        made.add(f"select_lanes_{width}x{lanes}", [(width, lanes)] * 2,
                 lambda m, a: Value(m, "select", a[0].width, (a[0].apply("slt", a[1]), *a), a[0].lanes))
        for op in ("zext", "sext"):
            if width * lanes <= 32:
                made.add(f"{op}_{width}x{lanes}", [(width, lanes)],
                         lambda m, a, op=op: Value(m, op, 2 * a[0].width, (a[0],), a[0].lanes))
        made.add(f"extract_{width}x{lanes}", [(width, lanes)], lambda m, a: a[0].extract(3, a[0].width - 5))
        if width * lanes <= 32:
            made.add(f"concat_{width}x{lanes}", [(width, lanes)] * 2, lambda m, a: a[0].concat(a[1]))
    for index in (0, 1, 3):
        made.add(f"lane_{index}", [(16, 4)], lambda m, a, i=index: a[0].lane(i))
        made.add(f"with_lane_{index}", [(16, 4), (16, 1)], lambda m, a, i=index: a[0].with_lane(i, a[1]))
    made.add("splat_8", [(8, 1)], lambda m, a: a[0].splat(8))
    made.add("const_64", [(64, 1)], lambda m, a: m.const(0x8123_4567_89AB_CDEF, 64))
    for narrow, wide in ((16, 32), (16, 64), (32, 64)):
        made.add(f"box_{narrow}_{wide}", [(narrow, 1)], lambda m, a, w=wide: a[0].box(w))
        made.add(f"unbox_{narrow}_{wide}", [(wide, 1)], lambda m, a, w=narrow: a[0].unbox(w))
    for width in FLOATS:
        made.add(f"fclassify_{width}", [(width, 1)], lambda m, a: Value(m, "fclassify", 64, tuple(a)))
        for mode in (*MODES, DYNAMIC):
            for exact in (False, True):
                made.add(f"fround_{width}_{exact}_rm{mode}", [(width, 1)],
                         lambda m, a, rm=mode, e=exact: m.fp("fround", *a, rounding=rm, exact=e))
            for other in (w for w in FLOATS if w != width):
                made.add(f"fconvert_{width}_{other}_rm{mode}", [(width, 1)],
                         lambda m, a, rm=mode, w=other: m.fp("fconvert", *a, width=w, rounding=rm))
            for size, signed in product((32, 64), (False, True)):
                made.add(f"float_to_int_{width}_{size}_{signed}_rm{mode}", [(width, 1)],
                         lambda m, a, rm=mode, w=size, s=signed: m.fp("float_to_int", *a, width=w, rounding=rm, signed=s))
                made.add(f"int_to_float_{size}_{width}_{signed}_rm{mode}", [(size, 1)],
                         lambda m, a, rm=mode, w=width, s=signed: m.fp("int_to_float", *a, width=w, rounding=rm, signed=s))
    made.add("float_to_int_modular_64_32", [(64, 1)], lambda m, a: m.fp("float_to_int_modular", *a, width=32))
    made.add("fadd_lanes", [(32, 2)] * 2, lambda m, a: Value(m, "fadd", 32, tuple(a), 2, rounding=DYNAMIC))
    made.add("feq_lanes", [(32, 2)] * 2, lambda m, a: Value(m, "feq", 1, tuple(a), 2, rounding=0))
    for width in (32, 64):
        made.add(f"compare_exchange_{width}", [(64, 1), (width, 1), (width, 1)],
                 lambda m, a: m.memory.compare_exchange(a[0], a[1], a[2]))


def modes(name: str) -> tuple[int, ...]:
    """The rounding modes that an operation comes in."""
    return (*MODES, DYNAMIC) if name in ROUNDING else (0,)


@pytest.fixture(scope="module", params=[
    *(f"{level}" for level in LEVELS), f"{BEST} regions",
    *(pytest.param(f"{level} regions", marks=pytest.mark.exhaustive) for level in LEVELS if level != BEST)])
def synthetic(request: pytest.FixtureRequest) -> Iterator[Synthetic]:
    with pytest.MonkeyPatch.context() as patch:
        made = Synthetic()
        declare(made)
        level, _, regions = request.param.partition(" ")
        made.build(int(level), patch, regions=bool(regions))
        yield made
        made.close()


def integers(width: int) -> list[int]:
    """Numbers at the edges of a width, and shift amounts about it."""
    top = 1 << width - 1
    found = [0, 1, 2, width - 1, width, width + 1, top - 1, top, top + 1, mask(width) - 1, mask(width), 0x0123_4567_89AB_CDEF]
    return [value & mask(width) for value in found]


def operands(value: Value, r: random.Random) -> list[int]:
    """One choice of arguments for an operation."""
    floats = TABLE[value.op].effect == "fp" and value.op != "int_to_float" or value.op in ("unbox", "box", "fclassify")
    made = []
    for arg in value.args:
        whole = 0
        for lane in range(arg.lanes):
            if floats and arg.width in FORMATS:
                fmt = FORMATS[arg.width]
                one = r.choice(edges(fmt)) if r.random() < 0.6 else random_operand(fmt, r)
                if value.op == "unbox" and r.random() < 0.6:
                    one |= mask(arg.width) ^ mask(value.width)
            else:
                one = r.choice(integers(arg.width)) if r.random() < 0.7 else r.getrandbits(arg.width)
            whole |= one << lane * arg.width
        made.append(whole)
    return made


def names_of(op: str, made: Synthetic) -> list[str]:
    return [name for name in made.words if made.form(name) and made.tested[name].op == op]


@pytest.mark.parametrize("op", sorted(set(TABLE) - ELSEWHERE - {"compare_exchange"}))
def test_operation(synthetic: Synthetic, op: str) -> None:
    names = names_of(op, synthetic)
    assert names, f"no instruction tests {op}"
    for name in names:
        value = synthetic.tested[name]
        define, floating = lanewise(value), TABLE[op].effect == "fp"
        r = random.Random(name)
        dynamic = floating and value.attr("rounding") == DYNAMIC
        for mode in MODES if dynamic else (r.randrange(4),):
            for _ in range(PAIRS if not dynamic else PAIRS // 3):
                given = operands(value, r)
                if op == "select" and value.args[0].op == "slt":
                    given[0] = int(TABLE["slt"].define(value.args[0], *given[1:])) if value.lanes == 1 else 0  # type: ignore[misc]
                    want = _chosen(value, given[1:])
                    put = given[1:]
                else:
                    put = given
                    want = define(value, *((mode if dynamic else value.attr("rounding"),) if floating else ()), *given)
                flags = 0
                if floating:
                    want, flags = want
                have = synthetic.run(name, [v | 0xA5A5 << 64 & MASK for v in put], mode)
                assert have == (want, flags), f"{name} {[hex(v) for v in put]} mode {mode}: {have[0]:#x} {have[1]:#x}, " \
                                              f"should be {want:#x} {flags:#x}"


def _chosen(value: Value, given: list[int]) -> int:
    """Lane by lane, the smaller of two numbers with a sign."""
    small = TABLE["smin"].define
    assert small is not None
    width = value.width
    return sum(small(value, *(g >> i * width & mask(width) for g in given)) << i * width for i in range(value.lanes))


@pytest.mark.parametrize("width", [32, 64])
def test_compare_exchange(synthetic: Synthetic, width: int) -> None:
    for old, expected, new in product((0, 1, mask(width)), repeat=3):
        synthetic.memory.store(DATA, 8, old | 0x77 << width & MASK)
        assert synthetic.run(f"compare_exchange_{width}", [DATA, expected, new]) == (old, 0)
        assert synthetic.memory.load(DATA, 8) == ((new if old == expected else old) | 0x77 << width & MASK)


def test_all_operations_are_tested_somewhere() -> None:
    assert set(TABLE) >= ELSEWHERE


def test_common_operations_have_code_of_their_own(synthetic: Synthetic) -> None:
    """Scalar integers always; floating point except in modes the host lacks, half precision, and fused ones before v3."""
    for name in synthetic.slow:
        value = synthetic.tested[name]
        about = (value.width, *(a.width for a in value.args))
        excused = 16 in about or value.lanes > 1 or "rm4" in name or value.op in (
            "fma", "fround", "float_to_int_modular", "clmul", "clmulh", "float_to_int", "unbox", "box")
        assert excused, (name, synthetic.slow[name])
