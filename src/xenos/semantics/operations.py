"""The operation table: every operation that an instruction's meaning may use, each with one exact Python definition.

A definition takes the operation's node (for its width and attributes) and its arguments as unsigned integers, and
returns an unsigned integer. Over lanes it is applied lane by lane. Operations without a definition act on the state of
the machine; the reference engine plays those. Floating-point definitions return (bits, flags) and live in `floating`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xenos.semantics import floating as fp

if TYPE_CHECKING:
    from xenos.semantics.values import Value

Definition = Callable[..., Any]


class Operation:
    """One row of the table.

    `shape` says how widths relate, checked by the law: `same` (arguments and result agree), `test` (arguments agree,
    the result is one bit), `free` (the operation's own rule, in `law`). `effect` is `pure`, `fp` (raises sticky flags),
    `state`, `memory` (may fault) or `control` (ends the instruction).
    """

    __slots__ = ("arity", "define", "effect", "name", "shape")

    def __init__(self, name: str, arity: int, shape: str, effect: str, define: Definition | None) -> None:
        self.name = name
        self.arity = arity
        self.shape = shape
        self.effect = effect
        self.define = define


TABLE: dict[str, Operation] = {}


def _operation(name: str, arity: int, shape: str, effect: str, define: Definition | None = None) -> None:
    assert name not in TABLE, name
    TABLE[name] = Operation(name, arity, shape, effect, define)


def mask(width: int) -> int:
    """The largest unsigned number of so many bits."""
    return (1 << width) - 1


def to_signed(value: int, width: int) -> int:
    """The two's-complement reading of an unsigned number."""
    return value - (1 << width) if value >> (width - 1) else value


def lanewise(op: Value) -> Definition:
    """The definition of a pure or floating-point operation as it applies to this one: lane by lane if it has lanes."""
    define = TABLE[op.op].define
    assert define is not None, op
    if op.op in ("splat", "lane", "with_lane") or all(value.lanes == 1 for value in (op, *op.args)):
        return define
    is_fp = TABLE[op.op].effect == "fp"

    def each(n: Value, *args: int) -> Any:
        bits = flags = 0
        first, words = (args[:1], args[1:]) if is_fp else ((), args)
        for i in range(n.lanes):
            # An operand of one lane, like the condition of a choice, goes for all.
            lanes = [w >> i * arg.width & mask(arg.width) if arg.lanes > 1 else w
                     for w, arg in zip(words, n.args, strict=True)]
            result = define(n, *first, *lanes)
            if is_fp:
                result, raised = result
                flags |= raised
            bits |= result << i * n.width
        return (bits, flags) if is_fp else bits

    return each


def _divide(a: int, b: int) -> int:
    """Quotient rounded toward zero."""
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def _signed_divide(n: Value, a: int, b: int) -> int:
    return _divide(to_signed(a, n.width), to_signed(b, n.width)) & mask(n.width) if b else mask(n.width)


def _signed_remainder(n: Value, a: int, b: int) -> int:
    x, y = to_signed(a, n.width), to_signed(b, n.width)
    return (x - y * _divide(x, y)) & mask(n.width) if b else a


def _carryless(a: int, b: int) -> int:
    product = 0
    while b:
        low = b & -b
        product ^= a * low
        b ^= low
    return product


def _rotate_left(n: Value, a: int, b: int) -> int:
    return (a << b | a >> (n.width - b)) & mask(n.width)


def _reverse_bits(n: Value, a: int) -> int:
    return int(f"{a:0{n.width}b}"[::-1], 2)


def _reverse_bytes(n: Value, a: int) -> int:
    return int.from_bytes(a.to_bytes(n.width // 8, "little"), "big")


# Arithmetic. Division by zero gives all ones and leaves the dividend as remainder; the one signed overflow wraps.
_operation("add", 2, "same", "pure", lambda n, a, b: (a + b) & mask(n.width))
_operation("sub", 2, "same", "pure", lambda n, a, b: (a - b) & mask(n.width))
_operation("mul", 2, "same", "pure", lambda n, a, b: (a * b) & mask(n.width))
_operation("mulhu", 2, "same", "pure", lambda n, a, b: (a * b) >> n.width)
_operation("mulhs", 2, "same", "pure",
           lambda n, a, b: ((to_signed(a, n.width) * to_signed(b, n.width)) >> n.width) & mask(n.width))
_operation("mulhsu", 2, "same", "pure", lambda n, a, b: ((to_signed(a, n.width) * b) >> n.width) & mask(n.width))
_operation("udiv", 2, "same", "pure", lambda n, a, b: a // b if b else mask(n.width))
_operation("urem", 2, "same", "pure", lambda n, a, b: a % b if b else a)
_operation("sdiv", 2, "same", "pure", _signed_divide)
_operation("srem", 2, "same", "pure", _signed_remainder)
_operation("smin", 2, "same", "pure", lambda n, a, b: min(a, b, key=lambda v: to_signed(v, n.width)))
_operation("smax", 2, "same", "pure", lambda n, a, b: max(a, b, key=lambda v: to_signed(v, n.width)))
_operation("umin", 2, "same", "pure", lambda n, a, b: min(a, b))
_operation("umax", 2, "same", "pure", lambda n, a, b: max(a, b))
_operation("clmul", 2, "same", "pure", lambda n, a, b: _carryless(a, b) & mask(n.width))
_operation("clmulh", 2, "same", "pure", lambda n, a, b: _carryless(a, b) >> n.width)

# Logic and shifts. A shift by the width or more gives 0, or the sign; a rotation goes by its amount modulo the width.
_operation("and", 2, "same", "pure", lambda n, a, b: a & b)
_operation("or", 2, "same", "pure", lambda n, a, b: a | b)
_operation("xor", 2, "same", "pure", lambda n, a, b: a ^ b)
_operation("not", 1, "same", "pure", lambda n, a: a ^ mask(n.width))
_operation("shl", 2, "same", "pure", lambda n, a, b: (a << b) & mask(n.width) if b < n.width else 0)
_operation("lshr", 2, "same", "pure", lambda n, a, b: a >> b if b < n.width else 0)
_operation("ashr", 2, "same", "pure", lambda n, a, b: (to_signed(a, n.width) >> min(b, n.width)) & mask(n.width))
_operation("rotl", 2, "same", "pure", lambda n, a, b: _rotate_left(n, a, b % n.width))
_operation("rotr", 2, "same", "pure", lambda n, a, b: _rotate_left(n, a, -b % n.width))

# Comparison and choice.
_operation("eq", 2, "test", "pure", lambda n, a, b: int(a == b))
_operation("ne", 2, "test", "pure", lambda n, a, b: int(a != b))
_operation("ult", 2, "test", "pure", lambda n, a, b: int(a < b))
_operation("ule", 2, "test", "pure", lambda n, a, b: int(a <= b))
_operation("slt", 2, "test", "pure",
           lambda n, a, b: int(to_signed(a, n.args[0].width) < to_signed(b, n.args[0].width)))
_operation("sle", 2, "test", "pure",
           lambda n, a, b: int(to_signed(a, n.args[0].width) <= to_signed(b, n.args[0].width)))
_operation("select", 3, "free", "pure", lambda n, c, a, b: a if c else b)

# Width. `extract` takes `width` bits from bit `low` on; `concat` puts its first argument on top.
_operation("zext", 1, "free", "pure", lambda n, a: a)
_operation("sext", 1, "free", "pure", lambda n, a: to_signed(a, n.args[0].width) & mask(n.width))
_operation("extract", 1, "free", "pure", lambda n, a: (a >> n.attr("low")) & mask(n.width))
_operation("concat", 2, "free", "pure", lambda n, a, b: (a << n.args[1].width) | b)

# Bits. Counting zeros of 0 gives the width.
_operation("clz", 1, "same", "pure", lambda n, a: n.width - a.bit_length())
_operation("ctz", 1, "same", "pure", lambda n, a: (a & -a).bit_length() - 1 if a else n.width)
_operation("popcount", 1, "same", "pure", lambda n, a: a.bit_count())
_operation("reverse_bytes", 1, "same", "pure", _reverse_bytes)
_operation("reverse_bits", 1, "same", "pure", _reverse_bits)

# Lanes: a vector is its lanes side by side, lane 0 lowest.
_operation("splat", 1, "free", "pure", lambda n, a: sum(a << (i * n.width) for i in range(n.lanes)))
_operation("lane", 1, "free", "pure", lambda n, a: (a >> (n.attr("index") * n.width)) & mask(n.width))
_operation("with_lane", 2, "free", "pure",
           lambda n, v, a: v & ~(mask(n.width) << (n.attr("index") * n.width)) | a << (n.attr("index") * n.width))

# Floating point: attribute `rounding` (0-4, see `floating`; 7 for the dynamic mode of the machine; 0 where nothing is
# rounded). Operations with the effect `fp` return (bits, flags), NaNs canonical.
_F = {16: fp.HALF, 32: fp.SINGLE, 64: fp.DOUBLE}


def _unbox(n: Value, a: int) -> int:
    above = mask(n.args[0].width - n.width)
    return a & mask(n.width) if a >> n.width == above else _F[n.width].canonical_nan


_operation("fadd", 2, "same", "fp", lambda n, rm, a, b: fp.add(a, b, _F[n.width], rm))
_operation("fsub", 2, "same", "fp", lambda n, rm, a, b: fp.sub(a, b, _F[n.width], rm))
_operation("fmul", 2, "same", "fp", lambda n, rm, a, b: fp.mul(a, b, _F[n.width], rm))
_operation("fdiv", 2, "same", "fp", lambda n, rm, a, b: fp.div(a, b, _F[n.width], rm))
_operation("fsqrt", 1, "same", "fp", lambda n, rm, a: fp.sqrt(a, _F[n.width], rm))
_operation("fma", 3, "same", "fp", lambda n, rm, a, b, c: fp.fma(a, b, c, _F[n.width], rm))
_operation("fmin_number", 2, "same", "fp", lambda n, rm, a, b: fp.minimum_number(a, b, _F[n.width]))
_operation("fmax_number", 2, "same", "fp", lambda n, rm, a, b: fp.maximum_number(a, b, _F[n.width]))
_operation("fmin", 2, "same", "fp", lambda n, rm, a, b: fp.minimum(a, b, _F[n.width]))
_operation("fmax", 2, "same", "fp", lambda n, rm, a, b: fp.maximum(a, b, _F[n.width]))
_operation("feq", 2, "test", "fp", lambda n, rm, a, b: fp.eq_quiet(a, b, _F[n.args[0].width]))
_operation("flt", 2, "test", "fp", lambda n, rm, a, b: fp.lt_signaling(a, b, _F[n.args[0].width]))
_operation("fle", 2, "test", "fp", lambda n, rm, a, b: fp.le_signaling(a, b, _F[n.args[0].width]))
_operation("flt_quiet", 2, "test", "fp", lambda n, rm, a, b: fp.lt_quiet(a, b, _F[n.args[0].width]))
_operation("fle_quiet", 2, "test", "fp", lambda n, rm, a, b: fp.le_quiet(a, b, _F[n.args[0].width]))
_operation("fconvert", 1, "free", "fp", lambda n, rm, a: fp.convert(a, _F[n.args[0].width], _F[n.width], rm))
_operation("fround", 1, "same", "fp", lambda n, rm, a: fp.round_to_integral(a, _F[n.width], rm, n.attr("exact")))
_operation("float_to_int", 1, "free", "fp",
           lambda n, rm, a: fp.to_int(a, _F[n.args[0].width], n.width, n.attr("signed"), rm))
_operation("float_to_int_modular", 1, "free", "fp",
           lambda n, rm, a: fp.to_int_modular(a, _F[n.args[0].width], n.width))
_operation("int_to_float", 1, "free", "fp",
           lambda n, rm, a: fp.from_int(a, n.args[0].width, n.attr("signed"), _F[n.width], rm))
# A narrower number lives in a wider register with all ones above it (`box`); all else there reads as NaN (`unbox`).
_operation("box", 1, "free", "pure", lambda n, a: a | mask(n.width) ^ mask(n.args[0].width))
_operation("unbox", 1, "free", "pure", lambda n, a: _unbox(n, a))
_operation("fclassify", 1, "free", "pure", lambda n, a: fp.classify(a, _F[n.args[0].width]))

# Leaves. `field` is an immediate of the encoding; `next` the address behind the instruction.
_operation("const", 0, "free", "pure", lambda n: n.attr("value"))
_operation("field", 0, "free", "state")
_operation("pc", 0, "free", "state")
_operation("next", 0, "free", "state")
_operation("read", 0, "free", "state")
_operation("write", 1, "free", "state")

# Floating-point environment and counters: `cycle` and `instret` are instructions executed, `time` is in units of 100
# ns.
_operation("get_flags", 0, "free", "state")
_operation("set_flags", 1, "free", "state")
_operation("get_rounding", 0, "free", "state")
_operation("set_rounding", 1, "free", "state")
_operation("counter", 0, "free", "state")

# Memory. What is read and written in one step, or reserved, must be aligned to its size, or faults. Attribute `order`:
# "" (plain), "acquire", "release", "acquire release". `amo` has `kind`, a name of this table or "swap".
_operation("load", 1, "free", "memory")
_operation("store", 2, "free", "memory")
_operation("amo", 2, "free", "memory")
_operation("compare_exchange", 3, "free", "memory")
_operation("reserve", 1, "free", "memory")
_operation("store_conditional", 2, "free", "memory")
_operation("zero_block", 1, "free", "memory")
_operation("fence", 0, "free", "state")
_operation("sync_code", 0, "free", "control")

# Where to go next. Without one of these, on to `next`.
_operation("branch", 2, "free", "control")
_operation("jump", 1, "free", "control")
_operation("trap", 0, "free", "control")
_operation("syscall", 0, "free", "control")
