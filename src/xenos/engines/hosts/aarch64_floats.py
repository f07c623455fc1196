"""How AArch64 is made exact: order, floating-point operations, flags and rounding (Arm ARM, A1.5, FPCR, FPSR).

The host's sticky flags are the guest's while guest code runs, and default-NaN mode makes every NaN canonical. What is
mended here: tininess is found before rounding, where the guest finds it after; conversions out of range go slow.
"""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.hosts.floats import STRICT, TOWARD_ZERO, IeeeFloats
from xenos.engines.llvm.emit import FLOATS, UNLIKELY, Emit, Slow
from xenos.engines.llvm.lines import Lines
from xenos.semantics.values import Value

_SMALLEST_NORMAL = {32: 0x0080_0000, 64: 0x0010_0000_0000_0000}
# Bits of the first magnitude that may not convert, by width of float and integer, signed or not: 2**31, 2**63; where
# rounding could reach it, a little less.
_LIMITS = {(32, 32, True): 0x4F00_0000, (32, 64, True): 0x5F00_0000, (64, 32, True): 0x41DF_FFFF_FFC0_0000,
           (64, 64, True): 0x43E0_0000_0000_0000, (32, 32, False): 0x4F80_0000, (32, 64, False): 0x5F80_0000,
           (64, 32, False): 0x41EF_FFFF_FFE0_0000, (64, 64, False): 0x43F0_0000_0000_0000}

# LLVM's names of rounding to integral values, by mode: FRINTN, Z, M, P, A.
_INTEGRAL = {0: "roundeven", 1: "trunc", 2: "floor", 3: "ceil", 4: "round"}

# FPSR: IOC 0, DZC 1, OFC 2, UFC 3, IXC 4. Ours: NX 0, UF 1, OF 2, DZ 3, NV 4.
_UNDERFLOW = 1 << 3
_DEFAULT_NAN = 1 << 25


class AArch64Floats(IeeeFloats):
    """The entries of an AArch64 host."""

    def __init__(self, level: int) -> None:
        self.level = level

    def address(self, emit: Lines, value: str) -> str:
        """The host ignores an address's top byte ("top byte ignore", D8.8): folded into the next, it makes a fault again.

        Sums that wrap around come out right; bits 48-55 are zero in all addresses that there can be memory at.
        """
        top = emit.line(f"and i64 {value}, {-(1 << 56)}")
        return emit.line(f"or i64 {value}, {emit.line(f'lshr i64 {top}, 8')}")

    # Memory order: accesses overtake one another in all ways.

    def after_load(self, emit: Lines, order: str) -> None:
        """What follows an acquiring load stays behind it."""
        if "acquire" in order:
            emit.do("fence acquire")

    def before_store(self, emit: Lines, order: str) -> None:
        """What came before a releasing store stays before it."""
        if "release" in order:
            emit.do("fence release")

    def fence(self, emit: Lines, before: str, after: str) -> None:
        """Only loads before: DMB ISHLD; else DMB ISH."""
        emit.do("fence seq_cst" if "w" in before else "fence acquire")

    # Polynomials.

    def clmul(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """PMULL, low half."""
        return self._carryless(emit, op, a, b, 0)

    def clmulh(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """PMULL, high half."""
        return self._carryless(emit, op, a, b, 1)

    def _carryless(self, emit: Emit, op: Value, a: str, b: str, lane: int) -> str:
        if self.level < 2 or op.lanes > 1 or op.width != 64:
            raise Slow("carry-less multiplication")
        product = emit.call("<16 x i8>", "llvm.aarch64.neon.pmull64", f"i64 {a}", f"i64 {b}")
        both = emit.line(f"bitcast <16 x i8> {product} to <2 x i64>")
        return emit.line(f"extractelement <2 x i64> {both}, i64 {lane}")

    # The shape of most operations: float in, float out.

    def _arithmetic(self, emit: Emit, op: Value, name: str, *args: str, tiny: bool = False) -> str:
        self.rounding(emit, op)
        type_ = FLOATS[op.width] if op.width in FLOATS else ""
        floats = [self.number(emit, a, text) for a, text in zip(op.args, args, strict=True)]
        got = emit.call(type_, f"llvm.experimental.constrained.{name}.f{op.width}", *(f"{type_} {f}" for f in floats),
                        metadata=STRICT)
        bits = emit.line(f"bitcast {type_} {got} to i{op.width}")
        if tiny:
            self._underflow(emit, op.width, bits)
        return bits

    def _underflow(self, emit: Emit, width: int, bits: str) -> None:
        """Settle underflow where the result is no larger than the smallest normal number; else there was none.

        The host's flag is kept clear, so that here it speaks of this operation. A smaller result was tiny after
        rounding too: our flag is set. The smallest normal one may not have been: the reference engine knows.
        """
        t = f"i{width}"
        magnitude = emit.line(f"and {t} {bits}, {(1 << (width - 1)) - 1}")
        small = emit.line(f"icmp ule {t} {magnitude}, {_SMALLEST_NORMAL[width]}")
        n = emit.name()[2:]
        emit.do(f"br i1 {small}, label %small{n}, label %fine{n}, {UNLIKELY}")
        emit.label(f"small{n}")
        status = emit.call("i64", "llvm.aarch64.get.fpsr")
        raised = emit.line(f"icmp ne i64 {emit.line(f'and i64 {status}, {_UNDERFLOW}')}, 0")
        emit.do(f"br i1 {raised}, label %under{n}, label %fine{n}, {UNLIKELY}")
        emit.label(f"under{n}")
        emit.call("void", "llvm.aarch64.set.fpsr", f"i64 {emit.line(f'and i64 {status}, {~_UNDERFLOW}')}")
        emit.slow_unless(emit.line(f"icmp ne {t} {magnitude}, {_SMALLEST_NORMAL[width]}"))
        emit.store_state(at.FLAGS, emit.line(f"or i64 {emit.load_state(at.FLAGS)}, 2"))
        emit.do(f"br label %fine{n}")
        emit.label(f"fine{n}")

    def fadd(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """FADD: a tiny sum is exact."""
        return self._arithmetic(emit, op, "fadd", a, b)

    def fsub(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """FSUB."""
        return self._arithmetic(emit, op, "fsub", a, b)

    def fmul(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """FMUL."""
        return self._arithmetic(emit, op, "fmul", a, b, tiny=True)

    def fdiv(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """FDIV."""
        return self._arithmetic(emit, op, "fdiv", a, b, tiny=True)

    def fsqrt(self, emit: Emit, op: Value, a: str) -> str:
        """FSQRT: never tiny."""
        return self._arithmetic(emit, op, "sqrt", a)

    def fma(self, emit: Emit, op: Value, a: str, b: str, c: str) -> str:
        """FMADD: invalid also for infinity x 0 + quiet NaN (FPMulAdd in the Arm ARM's shared pseudocode)."""
        return self._arithmetic(emit, op, "fma", a, b, c, tiny=True)

    # Minimum, maximum, comparison.

    def _extreme(self, emit: Emit, op: Value, name: str, a: str, b: str) -> str:
        """Unordered goes the slow way."""
        unordered = self.compare(emit, op, "uno", a, b)
        emit.slow_unless(emit.line(f"xor i1 {unordered}, true"))
        type_ = FLOATS[op.width]
        fa, fb = (self.number(emit, x, text) for x, text in zip(op.args, (a, b), strict=True))
        got = emit.call(type_, f"llvm.experimental.constrained.{name}.f{op.width}", f"{type_} {fa}", f"{type_} {fb}",
                        metadata=("fpexcept.strict",))
        return emit.line(f"bitcast {type_} {got} to i{op.width}")

    def fmin_number(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """FMINNM: -0 is less than +0."""
        return self._extreme(emit, op, "minnum", a, b)

    def fmax_number(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """FMAXNM."""
        return self._extreme(emit, op, "maxnum", a, b)

    fmin = fmin_number
    fmax = fmax_number

    def fround(self, emit: Emit, op: Value, a: str) -> str:
        """FRINT in its varieties; only FRINTX, in the dynamic mode, raises inexact."""
        value, type_, static = self.number(emit, op.args[0], a), FLOATS[op.width], _INTEGRAL.get(op.attr("rounding"))
        metadata: tuple[str, ...] = STRICT
        if op.attr("exact"):
            self.rounding(emit, op)
            name = "rint"
        elif static is not None:
            name, metadata = static, STRICT[1:]
        else:
            name = "nearbyint"
        got = emit.call(type_, f"llvm.experimental.constrained.{name}.f{op.width}", f"{type_} {value}", metadata=metadata)
        return emit.line(f"bitcast {type_} {got} to i{op.width}")

    # Conversion.

    def fconvert(self, emit: Emit, op: Value, a: str) -> str:
        """FCVT: exact to double, rounded to single."""
        if op.width not in (32, 64):
            raise Slow("half precision")
        value = self.number(emit, op.args[0], a)
        if op.width == 64:
            got = emit.call("double", "llvm.experimental.constrained.fpext.f64.f32", f"float {value}",
                            metadata=("fpexcept.strict",))
            return emit.line(f"bitcast double {got} to i64")
        self.rounding(emit, op)
        got = emit.call("float", "llvm.experimental.constrained.fptrunc.f32.f64", f"double {value}", metadata=STRICT)
        bits = emit.line(f"bitcast float {got} to i32")
        self._underflow(emit, 32, bits)
        return bits

    def float_to_int(self, emit: Emit, op: Value, a: str) -> str:
        """FCVTZS and kin where the number surely fits. Rounded otherwise, FRINTX goes before."""
        source, signed = op.args[0], op.attr("signed")
        value, type_ = self.number(emit, source, a), FLOATS[source.width]
        truncate = op.attr("rounding") == TOWARD_ZERO
        if not truncate:
            self.rounding(emit, op)
        magnitude = emit.line(f"and i{source.width} {a}, {(1 << (source.width - 1)) - 1}") if signed else a
        emit.slow_unless(emit.line(f"icmp ult i{source.width} {magnitude}, {_LIMITS[source.width, op.width, signed]}"))
        if not truncate:
            value = emit.call(type_, f"llvm.experimental.constrained.rint.f{source.width}", f"{type_} {value}",
                              metadata=STRICT)
        return emit.call(f"i{op.width}", f"llvm.experimental.constrained.fpto{'s' if signed else 'u'}i.i{op.width}."
                         f"f{source.width}", f"{type_} {value}", metadata=("fpexcept.strict",))

    def int_to_float(self, emit: Emit, op: Value, a: str) -> str:
        """SCVTF, UCVTF."""
        source = op.args[0].width
        if op.width not in (32, 64):
            raise Slow("half precision")
        if not (source == 32 and op.width == 64):
            self.rounding(emit, op)
        type_ = FLOATS[op.width]
        name = f"{'s' if op.attr('signed') else 'u'}itofp"
        got = emit.call(type_, f"llvm.experimental.constrained.{name}.f{op.width}.i{source}", f"i{source} {a}",
                        metadata=STRICT)
        return emit.line(f"bitcast {type_} {got} to i{op.width}")

    def box(self, emit: Emit, op: Value, value: str) -> str:
        """Ones above."""
        wide = emit.line(f"zext i{op.args[0].width} {value} to i{op.width}")
        return emit.line(f"or i{op.width} {wide}, {-(1 << op.args[0].width)}")

    # The environment.

    def raised(self, emit: Emit) -> str:
        """The host's sticky flags, in our numbering: the other way round."""
        status = emit.call("i64", "llvm.aarch64.get.fpsr")
        turned = emit.call("i64", "llvm.bitreverse.i64", f"i64 {status}")
        return emit.line(f"lshr i64 {turned}, 59")

    def set_flags(self, emit: Emit, op: Value, value: str) -> None:
        """Ours take the value, the host's are cleared."""
        emit.store_state(at.FLAGS, emit.line(f"and i64 {value}, 31"))
        emit.call("void", "llvm.aarch64.set.fpsr", "i64 0")

    def set_rounding(self, emit: Emit, op: Value, value: str) -> None:
        """Modes 0-3 (nearest, zero, down, up) are 0 3 2 1 on the host; others go the slow way."""
        mode = emit.line(f"and i64 {value}, 7")
        emit.slow_unless(emit.line(f"icmp ult i64 {mode}, 4"))
        emit.store_state(at.ROUNDING, mode)
        shift = emit.line(f"shl i64 {mode}, 1")
        code = emit.line(f"and i64 {emit.line(f'lshr i64 {0b01_10_11_00}, {shift}')}, 3")
        control = emit.line(f"shl i64 {code}, 22")
        emit.call("void", "llvm.aarch64.set.fpcr", f"i64 {emit.line(f'or i64 {control}, {_DEFAULT_NAN}')}")
