"""Operations to LLVM IR: the effect list of one instruction becomes the body of a function.

What a value is bound to (a register argument, a home in the state block, an immediate) is the caller's affair: it hands over a
`Binding`. Where the host cannot do an operation exactly, the emitted code leaves through `slow`, and the reference engine does
that one instruction.
"""

from __future__ import annotations

from typing import Protocol

from xenos.cpu import layout as at
from xenos.semantics.values import Value

LIKELY = "!prof !1"
UNLIKELY = "!prof !2"
METADATA = '!1 = !{!"branch_weights", i32 100000, i32 1}\n!2 = !{!"branch_weights", i32 1, i32 100000}\n'


class Slow(Exception):
    """This operation has no exact code on this host: the whole instruction is left to the reference engine."""


class Binding(Protocol):
    """Where an instruction's operands live."""

    def read(self, emit: Emit, op: Value) -> str:
        """IR value, an integer of the register's width."""

    def write(self, emit: Emit, op: Value, value: str) -> None:
        """Take note of a register's new value."""

    def immediate(self, emit: Emit, op: Value) -> str:
        """IR value of a `field`, `pc` or `next`, or of an expression over them."""

    def address(self, emit: Emit, op: Value) -> str:
        """IR pointer to the host memory behind a guest address."""


def kind(value: Value) -> str:
    """The IR type of a value."""
    return f"<{value.lanes} x i{value.width}>" if value.lanes > 1 else f"i{value.width}"


FLOATS = {16: "half", 32: "float", 64: "double"}
_DIRECT = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}
_TESTS = {"eq": "eq", "ne": "ne", "ult": "ult", "ule": "ule", "slt": "slt", "sle": "sle"}
_PAIRS = {"smin": "smin", "smax": "smax", "umin": "umin", "umax": "umax"}
_INTRINSICS = {"popcount": "ctpop", "reverse_bytes": "bswap", "reverse_bits": "bitreverse"}


class Emit:
    """Emits one instruction. `lines` is the IR; `declares` the intrinsics used; `slow` is the label that leaves."""

    def __init__(self, effects: list[Value], binding: Binding, host: Floats) -> None:
        self.effects = effects
        self.binding = binding
        self.host = host
        self.lines: list[str] = []
        self.declares: set[str] = set()
        self.uses_slow = False
        self.end: tuple[Value, tuple[str, ...]] | None = None
        self.block = "entry"
        self._values: dict[int, str] = {}
        self._fresh = 0

    # Small tools for the operations below and for hosts.

    def name(self) -> str:
        """A fresh SSA name."""
        self._fresh += 1
        return f"%v{self._fresh}"

    def line(self, text: str) -> str:
        """Append `%fresh = text`; gives the name."""
        name = self.name()
        self.lines.append(f" {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Append a line without a result."""
        self.lines.append(f" {text}")

    def call(self, result: str, intrinsic: str, *args: str, metadata: tuple[str, ...] = ()) -> str:
        """Call an intrinsic with typed arguments (`i64 %a`), declared on the way."""
        kinds = [a[:a.index(">") + 1] if a.startswith("<") else a.split(" ", 1)[0] for a in args]
        marks = [f'metadata !"{m}"' for m in metadata]
        self.declares.add(f"declare {result} @{intrinsic}({', '.join(kinds + ['metadata'] * len(marks))})")
        text = f"call {result} @{intrinsic}({', '.join([*args, *marks])})" + (" strictfp" if marks else "")
        if result == "void":
            self.do(text)
            return ""
        return self.line(text)

    def state(self, offset: int) -> str:
        """Pointer to a word of the state block."""
        return self.line(f"getelementptr i8, ptr %st, i64 {offset}")

    def load_state(self, offset: int, type_: str = "i64") -> str:
        """A word of the state block."""
        return self.line(f"load {type_}, ptr {self.state(offset)}")

    def store_state(self, offset: int, value: str, type_: str = "i64") -> None:
        """Set a word of the state block."""
        self.do(f"store {type_} {value}, ptr {self.state(offset)}")

    def label(self, name: str) -> None:
        """Begin a basic block."""
        self.block = name
        self.lines.append(f"{name}:")

    def slow_unless(self, condition: str) -> None:
        """Leave to the reference engine where the i1 `condition` is false; nothing may have been changed yet."""
        self.uses_slow = True
        go = f"go{self.name()[2:]}"
        self.do(f"br i1 {condition}, label %{go}, label %slow, {LIKELY}")
        self.label(go)

    # The walk.

    def run(self) -> None:
        """Emit every operation; `end` keeps the one that ends the instruction, with its arguments."""
        for op in self.effects:
            done = self._one(op)
            if done is not None:
                self._values[op.number] = done

    def value(self, op: Value) -> str:
        """The IR value of an operation emitted before, or of a constant."""
        return self._values[op.number]

    def _one(self, op: Value) -> str | None:
        handler = getattr(self, "_" + op.op, None)
        if op.op in ("field", "pc", "next") or self._constant(op):
            return self.binding.immediate(self, op)
        if handler is not None:
            return handler(op)  # type: ignore[no-any-return]
        args = [self.value(a) for a in op.args]
        if op.op in _DIRECT:
            return self.line(f"{_DIRECT[op.op]} {kind(op)} {args[0]}, {args[1]}")
        if op.op in _TESTS:
            return self.line(f"icmp {_TESTS[op.op]} {kind(op.args[0])} {args[0]}, {args[1]}")
        if op.op == "reverse_bytes" and op.width == 8:
            return args[0]
        if op.op in _INTRINSICS:
            suffix = f"v{op.lanes}i{op.width}" if op.lanes > 1 else f"i{op.width}"
            return self.call(kind(op), f"llvm.{_INTRINSICS[op.op]}.{suffix}", f"{kind(op)} {args[0]}")
        if op.op in _PAIRS:
            suffix = f"v{op.lanes}i{op.width}" if op.lanes > 1 else f"i{op.width}"
            return self.call(kind(op), f"llvm.{_PAIRS[op.op]}.{suffix}", *(f"{kind(op)} {a}" for a in args))
        if op.op in ("rotl", "rotr"):
            suffix = f"v{op.lanes}i{op.width}" if op.lanes > 1 else f"i{op.width}"
            return self.call(kind(op), f"llvm.{'fshl' if op.op == 'rotl' else 'fshr'}.{suffix}",
                             *(f"{kind(op)} {a}" for a in (args[0], args[0], args[1])))
        if op.op in ("jump", "branch", "trap", "syscall", "sync_code"):
            self.end = (op, tuple(args))
            return None
        entry = getattr(self.host, op.op, None)
        if entry is None or op.lanes > 1:
            raise Slow(op.op)
        return entry(self, op, *args)  # type: ignore[no-any-return]

    def _constant(self, op: Value) -> bool:
        """Whether the operation is an expression over immediates only; such a tree becomes one hole."""
        return immediate_only(op) and op.op != "const" and op.lanes == 1

    def _const(self, op: Value) -> str:
        return str(op.attr("value"))

    def _read(self, op: Value) -> str:
        return self.binding.read(self, op)

    def _write(self, op: Value) -> None:
        self.binding.write(self, op, self.value(op.args[0]))

    # Integers.

    def _not(self, op: Value) -> str:
        ones = f"splat (i{op.width} -1)" if op.lanes > 1 else "-1"
        return self.line(f"xor {kind(op)} {self.value(op.args[0])}, {ones}")

    def _shift(self, op: Value, llvm: str) -> str:
        value, amount = (self.value(a) for a in op.args)
        if _bounded(op.args[1], op.width):
            return self.line(f"{llvm} {kind(op)} {value}, {amount}")
        width = f"splat (i{op.width} {op.width})" if op.lanes > 1 else str(op.width)
        last = f"splat (i{op.width} {op.width - 1})" if op.lanes > 1 else str(op.width - 1)
        small = self.line(f"icmp ult {kind(op)} {amount}, {width}")
        flags = f"<{op.lanes} x i1>" if op.lanes > 1 else "i1"
        safe = self.line(f"select {flags} {small}, {kind(op)} {amount}, {kind(op)} {last}")
        shifted = self.line(f"{llvm} {kind(op)} {value}, {safe}")
        if llvm == "ashr":
            return shifted
        return self.line(f"select {flags} {small}, {kind(op)} {shifted}, {kind(op)} zeroinitializer"
                         if op.lanes > 1 else f"select i1 {small}, {kind(op)} {shifted}, {kind(op)} 0")

    def _shl(self, op: Value) -> str:
        return self._shift(op, "shl")

    def _lshr(self, op: Value) -> str:
        return self._shift(op, "lshr")

    def _ashr(self, op: Value) -> str:
        return self._shift(op, "ashr")

    def _high(self, op: Value, first: str, second: str) -> str:
        wide = f"<{op.lanes} x i{2 * op.width}>" if op.lanes > 1 else f"i{2 * op.width}"
        a, b = (self.value(x) for x in op.args)
        a = self.line(f"{first} {kind(op)} {a} to {wide}")
        b = self.line(f"{second} {kind(op)} {b} to {wide}")
        product = self.line(f"mul {wide} {a}, {b}")
        amount = f"splat (i{2 * op.width} {op.width})" if op.lanes > 1 else str(op.width)
        return self.line(f"trunc {wide} {self.line(f'lshr {wide} {product}, {amount}')} to {kind(op)}")

    def _mulhu(self, op: Value) -> str:
        return self._high(op, "zext", "zext")

    def _mulhs(self, op: Value) -> str:
        return self._high(op, "sext", "sext")

    def _mulhsu(self, op: Value) -> str:
        return self._high(op, "sext", "zext")

    def _unsigned_division(self, op: Value, llvm: str) -> str:
        a, b = (self.value(x) for x in op.args)
        t = kind(op)
        zero = self.line(f"icmp eq {t} {b}, 0")
        safe = self.line(f"select i1 {zero}, {t} 1, {t} {b}")
        result = self.line(f"{llvm} {t} {a}, {safe}")
        return self.line(f"select i1 {zero}, {t} {'-1' if llvm == 'udiv' else a}, {t} {result}")

    def _udiv(self, op: Value) -> str:
        return self._scalar(op) or self._unsigned_division(op, "udiv")

    def _urem(self, op: Value) -> str:
        return self._scalar(op) or self._unsigned_division(op, "urem")

    def _signed_division(self, op: Value, llvm: str) -> str:
        """Divisors 0 and -1 are taken out beforehand: the host traps on x/0 and on the overflow."""
        a, b = (self.value(x) for x in op.args)
        t = kind(op)
        zero = self.line(f"icmp eq {t} {b}, 0")
        minus = self.line(f"icmp eq {t} {b}, -1")
        either = self.line(f"or i1 {zero}, {minus}")
        safe = self.line(f"select i1 {either}, {t} 1, {t} {b}")
        result = self.line(f"{llvm} {t} {a}, {safe}")
        if llvm == "sdiv":
            negated = self.line(f"sub {t} 0, {a}")
            signed = self.line(f"select i1 {minus}, {t} {negated}, {t} {result}")
            return self.line(f"select i1 {zero}, {t} -1, {t} {signed}")
        return self.line(f"select i1 {zero}, {t} {a}, {t} {result}")

    def _sdiv(self, op: Value) -> str:
        return self._scalar(op) or self._signed_division(op, "sdiv")

    def _srem(self, op: Value) -> str:
        return self._scalar(op) or self._signed_division(op, "srem")

    @staticmethod
    def _scalar(op: Value) -> str:
        if op.lanes > 1:
            raise Slow(f"{op.op} of lanes")
        return ""

    def _count_zeros(self, op: Value, llvm: str) -> str:
        suffix = f"v{op.lanes}i{op.width}" if op.lanes > 1 else f"i{op.width}"
        return self.call(kind(op), f"llvm.{llvm}.{suffix}", f"{kind(op)} {self.value(op.args[0])}", "i1 false")

    def _clz(self, op: Value) -> str:
        return self._count_zeros(op, "ctlz")

    def _ctz(self, op: Value) -> str:
        return self._count_zeros(op, "cttz")

    def _select(self, op: Value) -> str:
        c, a, b = (self.value(x) for x in op.args)
        return self.line(f"select {kind(op.args[0])} {c}, {kind(op)} {a}, {kind(op)} {b}")

    def _zext(self, op: Value) -> str:
        return self.line(f"zext {kind(op.args[0])} {self.value(op.args[0])} to {kind(op)}")

    def _sext(self, op: Value) -> str:
        return self.line(f"sext {kind(op.args[0])} {self.value(op.args[0])} to {kind(op)}")

    def _extract(self, op: Value) -> str:
        source, low = self.value(op.args[0]), op.attr("low")
        t = kind(op.args[0])
        if low:
            amount = f"splat (i{op.args[0].width} {low})" if op.lanes > 1 else str(low)
            source = self.line(f"lshr {t} {source}, {amount}")
        return self.line(f"trunc {t} {source} to {kind(op)}")

    def _concat(self, op: Value) -> str:
        upper, lower = (self.line(f"zext {kind(a)} {self.value(a)} to {kind(op)}") for a in op.args)
        amount = f"splat (i{op.width} {op.args[1].width})" if op.lanes > 1 else str(op.args[1].width)
        return self.line(f"or {kind(op)} {self.line(f'shl {kind(op)} {upper}, {amount}')}, {lower}")

    # Lanes.

    def _splat(self, op: Value) -> str:
        one = self.line(f"insertelement {kind(op)} poison, i{op.width} {self.value(op.args[0])}, i64 0")
        return self.line(f"shufflevector {kind(op)} {one}, {kind(op)} poison, <{op.lanes} x i32> zeroinitializer")

    def _lane(self, op: Value) -> str:
        return self.line(f"extractelement {kind(op.args[0])} {self.value(op.args[0])}, i64 {op.attr('index')}")

    def _with_lane(self, op: Value) -> str:
        vector, lane = op.args
        return self.line(f"insertelement {kind(op)} {self.value(vector)}, i{op.width} {self.value(lane)}, "
                         f"i64 {op.attr('index')}")

    # Memory. Accesses are volatile: plain ones are hoisted out of the guest's spin loops.

    def _aligned(self, address: Value, width: int) -> None:
        """What is done in one step must be aligned; the reference engine says what happens where it is not."""
        low = self.line(f"and i64 {self.value(address)}, {width // 8 - 1}")
        self.slow_unless(self.line(f"icmp eq i64 {low}, 0"))

    def _load(self, op: Value) -> str:
        got = self.line(f"load volatile i{op.width}, ptr {self.binding.address(self, op.args[0])}, align 1")
        self.host.after_load(self, op.attr("order"))
        return got

    def _store(self, op: Value) -> None:
        self.host.before_store(self, op.attr("order"))
        value = op.args[1]
        self.do(f"store volatile i{value.width} {self.value(value)}, ptr {self.binding.address(self, op.args[0])}, "
                "align 1")
        self.host.after_store(self, op.attr("order"))

    def _amo(self, op: Value) -> str:
        name = {"swap": "xchg", "smin": "min", "smax": "max", "umin": "umin", "umax": "umax"}.get(op.attr("kind"), op.attr("kind"))
        self._aligned(op.args[0], op.width)
        where = self.binding.address(self, op.args[0])
        return self.line(f"atomicrmw volatile {name} ptr {where}, i{op.width} {self.value(op.args[1])} seq_cst, "
                         f"align {op.width // 8}")

    def _exchange(self, where: str, expected: str, new: str, width: int) -> str:
        return self.line(f"cmpxchg volatile ptr {where}, i{width} {expected}, i{width} {new} seq_cst seq_cst, "
                         f"align {width // 8}")

    def _compare_exchange(self, op: Value) -> str:
        _, expected, new = (self.value(a) for a in op.args)
        self._aligned(op.args[0], op.width)
        pair = self._exchange(self.binding.address(self, op.args[0]), expected, new, op.width)
        return self.line(f"extractvalue {{i{op.width}, i1}} {pair}, 0")

    def _reserve(self, op: Value) -> str:
        self._aligned(op.args[0], op.width)
        got = self.line(f"load volatile i{op.width}, ptr {self.binding.address(self, op.args[0])}, align 1")
        self.host.after_load(self, "acquire")
        wide = got if op.width == 64 else self.line(f"zext i{op.width} {got} to i64")
        self.store_state(at.RESERVED_ADDRESS, self.value(op.args[0]))
        self.store_state(at.RESERVED_VALUE, wide)
        return got

    def _store_conditional(self, op: Value) -> str:
        """A store by compare-and-exchange with the value that was reserved; no write, no fault, where the address differs."""
        address, value = (self.value(a) for a in op.args)
        width = op.args[1].width
        self._aligned(op.args[0], width)
        held = self.load_state(at.RESERVED_ADDRESS)
        same = self.line(f"icmp eq i64 {held}, {address}")
        n, before = self.name()[2:], self.block
        self.do(f"br i1 {same}, label %try{n}, label %lost{n}")
        self.label(f"try{n}")
        expected = self.load_state(at.RESERVED_VALUE)
        if width < 64:
            expected = self.line(f"trunc i64 {expected} to i{width}")
        pair = self._exchange(self.binding.address(self, op.args[0]), expected, value, width)
        ok = self.line(f"extractvalue {{i{width}, i1}} {pair}, 1")
        failed = self.line(f"xor i1 {ok}, true")
        self.do(f"br label %lost{n}")
        self.label(f"lost{n}")
        result = self.line(f"phi i1 [ {failed}, %try{n} ], [ true, %{before} ]")
        self.store_state(at.RESERVED_ADDRESS, "-1")
        return result

    def _zero_block(self, op: Value) -> None:
        where = self.binding.address(self, op.args[0])
        for offset in range(0, op.attr("size"), 8):
            self.do(f"store volatile i64 0, ptr {self.line(f'getelementptr i8, ptr {where}, i64 {offset}')}, align 8")

    def _fence(self, op: Value) -> None:
        self.host.fence(self, op.attr("before"), op.attr("after"))

    def _box(self, op: Value) -> str:
        return self.host.box(self, op, self.value(op.args[0]))

    def _unbox(self, op: Value) -> str:
        """A narrow float that is not boxed counts as a NaN; that is rare enough for the reference engine."""
        wide, t = self.value(op.args[0]), op.args[0].width
        upper = self.line(f"lshr i{t} {wide}, {op.width}")
        boxed = self.line(f"icmp eq i{t} {upper}, {(1 << (t - op.width)) - 1}")
        self.slow_unless(boxed)
        return self.line(f"trunc i{t} {wide} to i{op.width}")


class Floats(Protocol):
    """What a host supplies: exact floating point, order, and the floating-point environment. See `engines/hosts`."""

    def after_load(self, emit: Emit, order: str) -> None:
        """Order a load before what follows."""

    def before_store(self, emit: Emit, order: str) -> None:
        """Order a store behind what came before."""

    def after_store(self, emit: Emit, order: str) -> None:
        """Order a store before what follows."""

    def fence(self, emit: Emit, before: str, after: str) -> None:
        """A fence between kinds of accesses."""

    def box(self, emit: Emit, op: Value, value: str) -> str:
        """Ones above a narrow float."""


def immediate_only(op: Value) -> bool:
    """Whether a value depends on nothing but the encoding and the instruction's address."""
    if op.op in ("field", "pc", "next"):
        return True
    return op.op in _FOLDABLE and all(a.op == "const" or immediate_only(a) for a in op.args) and any(
        immediate_only(a) for a in op.args)


_FOLDABLE = {"add", "sub", "and", "or", "xor", "extract", "zext", "sext", "shl"}


def _bounded(amount: Value, width: int) -> bool:
    """Whether a shift amount is surely below the width."""
    if amount.op == "const":
        return bool(amount.attr("value") < width)
    if amount.op == "and":
        return any(a.op == "const" and a.attr("value") < width for a in amount.args)
    if amount.op in ("zext", "extract"):
        return amount.op == "extract" and amount.width < 63 and 1 << amount.width <= width or _bounded(
            amount.args[0], width)
    # Encoded shift amounts: the field is no wider than the width's logarithm, or the encoding would not exist.
    return amount.op == "field" and not amount.attr("signed")
