"""How x86-64 is made exact: order, floating-point operations, flags and rounding (Intel SDM vol. 1, ch. 11; vol. 2).

The host's sticky flags are the guest's while guest code runs. SSE agrees with IEEE 754 and with tininess after rounding; what
is mended here: NaNs are made canonical, conversions out of range and whatever the host rounds differently go the slow way.
"""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.hosts.floats import INFINITY, STRICT, TOWARD_ZERO, IeeeFloats
from xenos.engines.llvm.emit import FLOATS, UNLIKELY, Emit, Slow
from xenos.engines.llvm.lines import Lines
from xenos.semantics.values import Value

_TWO_32_LESS_1 = {32: 0x4F7F_FFFF, 64: 0x41EF_FFFF_FFE0_0000}   # largest float <= 2**32 - 1
_TWO_63 = {32: 0x5F00_0000, 64: 0x43E0_0000_0000_0000}
_HALF = {32: 0x3F00_0000, 64: 0x3FE0_0000_0000_0000}
_ALL_INTEGRAL = {32: 0x4B00_0000, 64: 0x4330_0000_0000_0000}    # 2**23, 2**52: from here on no number has a fraction
_INTEGRAL = {0: "roundeven", 1: "trunc", 2: "floor", 3: "ceil"}
NEAREST_AWAY, _DYNAMIC = 4, 7

# MXCSR: flags IE 0, DE 1, ZE 2, OE 3, UE 4, PE 5; masks 7-12; rounding 13-14. Ours: NX 0, UF 1, OF 2, DZ 3, NV 4.
ALL_MASKED = 0x1F80
_MODES = 0b10_01_11_00      # our rounding modes 0-3 there, two bits each
_LOW_FLAGS = sum(((i & 1) << 4 | (i & 4) << 1) << 8 * i for i in range(8))
_HIGH_FLAGS = sum(((i & 1) << 2 | i & 2 | i >> 2) << 8 * i for i in range(8))


class X86Floats(IeeeFloats):
    """The entries of an x86-64 host with or without fused multiply-add (v3) and SSE4.1 (v2)."""

    own_nans = True

    def __init__(self, level: int) -> None:
        self.level = level
        self.shifts_lanes = level >= 3   # before, LLVM takes powers of two from floating-point exponents

    # Memory order: stores are kept in order, loads too; only a store before a load needs a fence.

    def after_load(self, emit: Lines, order: str) -> None:
        """Loads are not overtaken by what follows."""

    def before_store(self, emit: Lines, order: str) -> None:
        """Stores overtake nothing."""

    def fence(self, emit: Lines, before: str, after: str) -> None:
        """Only writes before reads can pass each other."""
        emit.do("fence seq_cst" if "w" in before and "r" in after else "fence acq_rel")

    # Carry-less products: LLVM's own expansion is hundreds of instructions and needs the stack.

    def clmul(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """pclmulqdq, low half."""
        return self._carryless(emit, op, a, b, 0)

    def clmulh(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """pclmulqdq, what lies above the operands' width."""
        return self._carryless(emit, op, a, b, op.width)

    def _carryless(self, emit: Emit, op: Value, a: str, b: str, low: int) -> str:
        if self.level < 2 or op.width > 64 or op.lanes > 1:
            raise Slow("carry-less product")
        vectors = []
        for text in (a, b):
            wide = text if op.width == 64 else emit.line(f"zext i{op.width} {text} to i64")
            vectors.append(emit.line(f"insertelement <2 x i64> zeroinitializer, i64 {wide}, i64 0"))
        both = emit.call("<2 x i64>", "llvm.x86.pclmulqdq", *(f"<2 x i64> {v}" for v in vectors), "i8 0")
        half = emit.line(f"extractelement <2 x i64> {both}, i64 {low // 64}")
        if low % 64:
            half = emit.line(f"lshr i64 {half}, {low}")
        return half if op.width == 64 else emit.line(f"trunc i64 {half} to i{op.width}")

    # The shape of most operations: float in, float out, NaNs canonical.

    def _is_nan(self, emit: Emit, type_: str, value: str) -> str:
        suffix = "f32" if type_ == "float" else "f64"
        return emit.call("i1", f"llvm.experimental.constrained.fcmp.{suffix}", f"{type_} {value}", f"{type_} {value}",
                         metadata=("uno", "fpexcept.strict"))

    def _canonical(self, emit: Emit, type_: str) -> str:
        return emit.load_state(at.CANONICAL_NAN32 if type_ == "float" else at.CANONICAL_NAN64, type_)

    def _result(self, emit: Emit, type_: str, value: str) -> str:
        """The bits of a result, canonical if NaN."""
        if emit.lazy:
            return emit.line(f"bitcast {type_} {value} to i{32 if type_ == 'float' else 64}")
        n, before = emit.name()[2:], emit.block
        nan = self._is_nan(emit, type_, value)
        emit.do(f"br i1 {nan}, label %nan{n}, label %fine{n}, {UNLIKELY}")
        emit.label(f"nan{n}")
        canonical = self._canonical(emit, type_)
        emit.do(f"br label %fine{n}")
        emit.label(f"fine{n}")
        whole = emit.line(f"phi {type_} [ {value}, %{before} ], [ {canonical}, %nan{n} ]")
        width = 32 if type_ == "float" else 64
        return emit.line(f"bitcast {type_} {whole} to i{width}")

    def _rounded(self, emit: Emit, op: Value, type_: str, name: str, *args: str) -> str:
        """The host's operation, rounded as the encoding says: for modes 0-3 the control word is another meanwhile."""
        wanted = op.attr("rounding")
        if wanted == _DYNAMIC:
            return emit.call(type_, name, *args, metadata=STRICT)
        if wanted > 3:
            raise Slow("rounding that the host lacks")
        before = self._control_word(emit)
        cleared = emit.line(f"and i32 {before}, {~(3 << 13)}")
        self._set_control_word(emit, emit.line(f"or i32 {cleared}, {(_MODES >> 2 * wanted & 3) << 13}"))
        got = emit.call(type_, name, *args, metadata=STRICT)
        mode = emit.line(f"and i32 {before}, {3 << 13}")
        raised = emit.line(f"and i32 {self._control_word(emit)}, {~(3 << 13)}")
        self._set_control_word(emit, emit.line(f"or i32 {raised}, {mode}"))
        return got

    @staticmethod
    def _control_word(emit: Emit) -> str:
        where = emit.state(at.SCRATCH)
        emit.call("void", "llvm.x86.sse.stmxcsr", f"ptr {where}")
        return emit.line(f"load i32, ptr {where}")

    @staticmethod
    def _set_control_word(emit: Emit, word: str) -> None:
        where = emit.state(at.SCRATCH)
        emit.do(f"store i32 {word}, ptr {where}")
        emit.call("void", "llvm.x86.sse.ldmxcsr", f"ptr {where}")

    def _arithmetic(self, emit: Emit, op: Value, name: str, *args: str) -> str:
        type_ = FLOATS[op.width]
        floats = [self.number(emit, a, text) for a, text in zip(op.args, args, strict=True)]
        suffix = "f32" if op.width == 32 else "f64"
        got = self._rounded(emit, op, type_, f"llvm.experimental.constrained.{name}.{suffix}", *(f"{type_} {f}" for f in floats))
        return self._result(emit, type_, got)

    def fadd(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """addss, addsd."""
        return self._arithmetic(emit, op, "fadd", a, b)

    def fsub(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """subss, subsd."""
        return self._arithmetic(emit, op, "fsub", a, b)

    def fmul(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """mulss, mulsd."""
        return self._arithmetic(emit, op, "fmul", a, b)

    def fdiv(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """divss, divsd."""
        return self._arithmetic(emit, op, "fdiv", a, b)

    def fsqrt(self, emit: Emit, op: Value, a: str) -> str:
        """sqrtss, sqrtsd."""
        return self._arithmetic(emit, op, "sqrt", a)

    def fma(self, emit: Emit, op: Value, a: str, b: str, c: str) -> str:
        """vfmadd. It raises no invalid for infinity x 0 + quiet NaN, where IEEE 754 leaves the choice and guests may not."""
        if self.level < 3:
            raise Slow("fused multiply-add")
        width, type_ = op.width, FLOATS[op.width]
        fa, fb, fc = (self.number(emit, x, text) for x, text in zip(op.args, (a, b, c), strict=True))
        suffix = "f32" if width == 32 else "f64"
        got = self._rounded(emit, op, type_, f"llvm.experimental.constrained.fma.{suffix}", f"{type_} {fa}", f"{type_} {fb}",
                            f"{type_} {fc}")
        n, before = emit.name()[2:], emit.block
        emit.do(f"br i1 {self._is_nan(emit, type_, got)}, label %nan{n}, label %fine{n}, {UNLIKELY}")
        emit.label(f"nan{n}")
        infinite = [self._is_infinite(emit, width, x) for x in (a, b)]
        either = emit.line(f"or i1 {infinite[0]}, {infinite[1]}")
        certain = emit.line(f"xor i1 {either}, true")
        emit.slow_unless(certain)
        canonical, last = self._canonical(emit, type_), emit.block
        emit.do(f"br label %fine{n}")
        emit.label(f"fine{n}")
        whole = emit.line(f"phi {type_} [ {got}, %{before} ], [ {canonical}, %{last} ]")
        return emit.line(f"bitcast {type_} {whole} to i{width}")

    @staticmethod
    def _is_infinite(emit: Emit, width: int, bits: str) -> str:
        magnitude = emit.line(f"and i{width} {bits}, {(1 << (width - 1)) - 1}")
        return emit.line(f"icmp eq i{width} {magnitude}, {INFINITY[width]}")

    # Minimum, maximum, comparison.

    def _extreme(self, emit: Emit, op: Value, a: str, b: str, largest: bool) -> str:
        """Unordered goes the slow way; equal operands differ at most in the sign of zero, which bit logic settles."""
        t = f"i{op.width}"
        unordered = self.compare(emit, op, "uno", a, b)
        emit.slow_unless(emit.line(f"xor i1 {unordered}, true"))
        less = self.compare(emit, op, "olt", a, b)
        equal = self.compare(emit, op, "oeq", a, b)
        same = emit.line(f"{'and' if largest else 'or'} {t} {a}, {b}")
        first, second = (b, a) if largest else (a, b)
        chosen = emit.line(f"select i1 {less}, {t} {first}, {t} {second}")
        return emit.line(f"select i1 {equal}, {t} {same}, {t} {chosen}")

    def fmin_number(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """The smaller."""
        return self._extreme(emit, op, a, b, largest=False)

    def fmax_number(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """The larger."""
        return self._extreme(emit, op, a, b, largest=True)

    fmin = fmin_number
    fmax = fmax_number

    # Conversion.

    def fconvert(self, emit: Emit, op: Value, a: str) -> str:
        """cvtss2sd is exact, cvtsd2ss rounds."""
        source = op.args[0]
        if op.width not in (32, 64):
            raise Slow("half precision")
        value = self.number(emit, source, a)
        if op.width == 64:
            got = emit.call("double", "llvm.experimental.constrained.fpext.f64.f32", f"float {value}",
                            metadata=("fpexcept.strict",))
            return self._result(emit, "double", got)
        got = self._rounded(emit, op, "float", "llvm.experimental.constrained.fptrunc.f32.f64", f"double {value}")
        return self._result(emit, "float", got)

    def float_to_int(self, emit: Emit, op: Value, a: str) -> str:
        """cvttsd2si and kin where the number fits; out of range they give the smallest integer, which goes the slow way."""
        source, rounding = op.args[0], op.attr("rounding")
        value = self.number(emit, source, a)
        signed, width = op.attr("signed"), op.width
        given = value
        truncate = rounding != _DYNAMIC
        if rounding not in (TOWARD_ZERO, _DYNAMIC):
            if self.level >= 2:
                value = self._integral(emit, source.width, value, rounding)
            else:
                self.rounding(emit, op)
                truncate = False
        if not signed:
            limit = (_TWO_32_LESS_1 if width == 32 else _TWO_63)[source.width]
            emit.slow_unless(emit.line(f"icmp ult i{source.width} {a}, {limit}"))
        result = "i32" if signed and width == 32 else "i64"
        name = f"llvm.x86.{'sse' if source.width == 32 else 'sse2'}.cvt{'t' if truncate else ''}" \
               f"{'ss' if source.width == 32 else 'sd'}2si{'64' if result == 'i64' else ''}"
        lanes, type_ = (4, "float") if source.width == 32 else (2, "double")
        vector = emit.line(f"insertelement <{lanes} x {type_}> zeroinitializer, {type_} {value}, i64 0")
        got = emit.call(result, name, f"<{lanes} x {type_}> {vector}")
        if signed:
            emit.slow_unless(emit.line(f"icmp ne {result} {got}, {-(1 << (width - 1))}"))
        else:
            # LLVM knows nothing of the flags that this raises, and would leave it out where nobody wants the number.
            emit.do(f'call void asm sideeffect "", "r"({result} {got})')
        if value != given:
            self._note_inexact(emit, source.width, given)
        if signed:
            return got
        return got if width == 64 else emit.line(f"trunc i64 {got} to i32")

    def fround(self, emit: Emit, op: Value, a: str) -> str:
        """roundss, roundsd (SSE4.1); `exact` is to raise inexact where it is not."""
        if self.level < 2:
            raise Slow("rounding to integral values")
        width, rounding, exact = op.width, op.attr("rounding"), op.attr("exact")
        value = self.number(emit, op.args[0], a)
        if rounding == NEAREST_AWAY:
            magnitude = emit.line(f"and i{width} {a}, {(1 << (width - 1)) - 1}")
            emit.slow_unless(emit.line(f"icmp ult i{width} {magnitude}, {_ALL_INTEGRAL[width]}"))
        rounded = self._integral(emit, width, value, rounding)
        if exact:
            self._note_inexact(emit, width, value)
        bits = self._result(emit, FLOATS[width], rounded)
        if rounding != NEAREST_AWAY:
            return bits
        return emit.line(f"or i{width} {bits}, {emit.line(f'and i{width} {a}, {1 << (width - 1)}')}")

    def _integral(self, emit: Emit, width: int, value: str, rounding: int) -> str:
        """The number as an integral one; of all flags this raises at most invalid, for what is no number."""
        type_ = FLOATS[width]
        if rounding == _DYNAMIC:
            return emit.call(type_, f"llvm.experimental.constrained.nearbyint.f{width}", f"{type_} {value}", metadata=STRICT)
        if rounding != NEAREST_AWAY:
            return emit.call(type_, f"llvm.experimental.constrained.{_INTEGRAL[rounding]}.f{width}", f"{type_} {value}",
                             metadata=("fpexcept.strict",))
        # The host lacks this one: what was cut off is exact, and so is adding one where that is half or more.
        cut = self._integral(emit, width, value, TOWARD_ZERO)
        rest = emit.call(type_, f"llvm.experimental.constrained.fsub.f{width}", f"{type_} {value}", f"{type_} {cut}",
                         metadata=STRICT)
        size = emit.line(f"and i{width} {emit.line(f'bitcast {type_} {rest} to i{width}')}, {(1 << (width - 1)) - 1}")
        more = emit.line(f"icmp uge i{width} {size}, {_HALF[width]}")
        one = emit.line(f"select i1 {more}, i{width} {_HALF[width] + (1 << (23 if width == 32 else 52))}, i{width} 0")
        sign = emit.line(f"and i{width} {emit.line(f'bitcast {type_} {value} to i{width}')}, {1 << (width - 1)}")
        step = emit.line(f"bitcast i{width} {emit.line(f'or i{width} {one}, {sign}')} to {type_}")
        return emit.call(type_, f"llvm.experimental.constrained.fadd.f{width}", f"{type_} {cut}", f"{type_} {step}",
                         metadata=STRICT)

    @staticmethod
    def _note_inexact(emit: Emit, width: int, value: str) -> None:
        """Raise inexact unless the number is integral: rounding it once more, in whichever mode, does just that."""
        type_ = FLOATS[width]
        emit.call(type_, f"llvm.experimental.constrained.rint.f{width}", f"{type_} {value}", metadata=STRICT)

    def int_to_float(self, emit: Emit, op: Value, a: str) -> str:
        """cvtsi2sd; unsigned numbers of 64 bits only below 2**63."""
        source = op.args[0].width
        if op.width not in (32, 64):
            raise Slow("half precision")
        exact = source == 32 and op.width == 64
        if not op.attr("signed"):
            if source == 64:
                emit.slow_unless(emit.line(f"icmp sge i64 {a}, 0"))
            else:
                a, source = emit.line(f"zext i32 {a} to i64"), 64
        type_ = FLOATS[op.width]
        name, number = f"llvm.experimental.constrained.sitofp.f{op.width}.i{source}", f"i{source} {a}"
        got = emit.call(type_, name, number, metadata=STRICT) if exact else self._rounded(emit, op, type_, name, number)
        return emit.line(f"bitcast {type_} {got} to i{op.width}")

    def box(self, emit: Emit, op: Value, value: str) -> str:
        """Ones above: the canonical NaN is at hand boxed, its lower lane is replaced."""
        if op.args[0].width != 32:
            wide = emit.line(f"zext i{op.args[0].width} {value} to i{op.width}")
            return emit.line(f"or i{op.width} {wide}, {-(1 << op.args[0].width)}")
        ones = emit.load_state(at.CANONICAL_NAN32, "<2 x float>")
        low = emit.line(f"bitcast i32 {value} to float")
        both = emit.line(f"insertelement <2 x float> {ones}, float {low}, i64 0")
        return emit.line(f"bitcast <2 x float> {both} to i64")

    # The environment.

    def raised(self, emit: Emit) -> str:
        """The host's sticky flags, in our numbering."""
        word = self._control_word(emit)
        wide = emit.line(f"zext i32 {word} to i64")
        # Two tables of eight bytes, in constants: IE DE ZE are NV - DZ in reverse, OE UE PE are OF UF NX.
        halves = []
        for shift, table in ((0, _LOW_FLAGS), (3, _HIGH_FLAGS)):
            index = emit.line(f"and i64 {emit.line(f'lshr i64 {wide}, {shift}')}, 7")
            halves.append(emit.line(f"lshr i64 {table}, {emit.line(f'shl i64 {index}, 3')}"))
        return emit.line(f"and i64 {emit.line(f'or i64 {halves[0]}, {halves[1]}')}, 31")

    def set_flags(self, emit: Emit, op: Value, value: str) -> None:
        """Ours take the value, the host's are cleared."""
        emit.store_state(at.FLAGS, emit.line(f"and i64 {value}, 31"))
        self._set_control_word(emit, emit.line(f"and i32 {self._control_word(emit)}, -64"))

    def set_rounding(self, emit: Emit, op: Value, value: str) -> None:
        """Modes 0-3 are the host's under other numbers (0 2 1 3 read as nearest, down, up, zero); others go the slow way."""
        mode = emit.line(f"and i64 {value}, 7")
        emit.slow_unless(emit.line(f"icmp ult i64 {mode}, 4"))
        emit.store_state(at.ROUNDING, mode)
        word = emit.line(f"and i32 {self._control_word(emit)}, {~(3 << 13)}")
        self._set_control_word(emit, emit.line(f"or i32 {word}, {self.control(emit, mode)}"))

    @staticmethod
    def control(emit: Emit, mode: str) -> str:
        """The host's rounding bits, in place, for a mode 0-3: zero is 3 there, down 1, up 2. A table in a constant."""
        shift = emit.line(f"shl i64 {mode}, 1")
        code = emit.line(f"and i64 {emit.line(f'lshr i64 {_MODES}, {shift}')}, 3")
        return emit.line(f"trunc i64 {emit.line(f'shl i64 {code}, 13')} to i32")
