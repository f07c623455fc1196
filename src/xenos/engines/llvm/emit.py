"""Operations to LLVM IR: the effect list of one instruction becomes the body of a function.

What a value is bound to (a register argument, a home in the state block, an immediate) is the caller's affair: it hands over a
`Binding`. Where the host cannot do an operation exactly, the emitted code leaves through `slow`, and the reference engine does
that one instruction.
"""

from __future__ import annotations

from typing import Protocol

from xenos.engines.llvm.accesses import Accesses
from xenos.engines.llvm.integers import DIRECT, INTRINSICS, PAIRS, TESTS, Integers
from xenos.engines.llvm.lines import FLOATS, LIKELY, METADATA, UNLIKELY, Lines, Slow, kind
from xenos.semantics.values import Value

__all__ = ["FLOATS", "LIKELY", "METADATA", "UNLIKELY", "Binding", "Emit", "Floats", "Slow", "immediate_only", "kind"]


class Binding(Protocol):
    """Where an instruction's operands live."""

    def read(self, emit: Emit, op: Value) -> str:
        """IR value, an integer of the register's width."""

    def write(self, emit: Emit, op: Value, value: str) -> None:
        """Take note of a register's new value."""

    def immediate(self, emit: Emit, op: Value) -> str:
        """IR value of a `field`, `pc` or `next`, or of an expression over them."""

    def address(self, emit: Lines, op: Value) -> str:
        """IR pointer to the host memory behind a guest address."""


_PLANS: dict[object, list[tuple[Value, str | None]]] = {}   # by class and first operation


class Emit(Integers, Accesses):
    """Emits one instruction."""

    def __init__(self, effects: list[Value], binding: Binding, host: Floats) -> None:
        super().__init__(binding, host)
        self.effects = effects
        self.end: tuple[Value, tuple[str, ...]] | None = None

    def run(self) -> None:
        """Emit every operation; `end` keeps the one that ends the instruction, with its arguments."""
        for op, handler in self._plan():
            if handler is None:
                done = self.binding.immediate(self, op)
            else:
                done = getattr(self, handler)(op)
            if done is not None:
                self._values[op.number] = done

    def _plan(self) -> list[tuple[Value, str | None]]:
        """Operations in the order in which they are emitted, and by which method each is; None if it is an immediate. A list of
        operations is emitted over and over where a region has the same instruction again."""
        key = (type(self), self.effects[0]) if self.effects else None
        plan = _PLANS.get(key)
        if plan is None:
            # Setting the rounding mode may leave for the slow path: flags are set after that.
            ordered = sorted(self.effects, key=lambda op: op.op == "set_flags")
            plan = _PLANS[key] = [
                (op, None if op.op in ("field", "pc", "next") or self._constant(op) else
                 "_" + op.op if hasattr(self, "_" + op.op) else "_other") for op in ordered]
        return plan

    def _other(self, op: Value) -> str | None:
        """What has no method of its own."""
        args = [self.value(a) for a in op.args]
        if op.op in DIRECT:
            return self.line(f"{DIRECT[op.op]} {kind(op)} {args[0]}, {args[1]}")
        if op.op in TESTS:
            return self.line(f"icmp {TESTS[op.op]} {kind(op.args[0])} {args[0]}, {args[1]}")
        if op.op == "reverse_bytes" and op.width == 8:
            return args[0]
        if op.op in INTRINSICS:
            suffix = f"v{op.lanes}i{op.width}" if op.lanes > 1 else f"i{op.width}"
            return self.call(kind(op), f"llvm.{INTRINSICS[op.op]}.{suffix}", f"{kind(op)} {args[0]}")
        if op.op in PAIRS:
            suffix = f"v{op.lanes}i{op.width}" if op.lanes > 1 else f"i{op.width}"
            return self.call(kind(op), f"llvm.{PAIRS[op.op]}.{suffix}", *(f"{kind(op)} {a}" for a in args))
        if op.op in ("rotl", "rotr"):
            self._by_lanes(op)
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

    level: int
    shifts_lanes: bool
    own_nans: bool

    def address(self, emit: Lines, value: str) -> str:
        """A guest address as the host is to use it."""

    def after_load(self, emit: Lines, order: str) -> None:
        """Order a load before what follows."""

    def before_store(self, emit: Lines, order: str) -> None:
        """Order a store behind what came before."""

    def after_store(self, emit: Lines, order: str) -> None:
        """Order a store before what follows."""

    def fence(self, emit: Lines, before: str, after: str) -> None:
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
