"""Typed guest values: what an instruction's meaning computes with. Width is a type; `if` on a guest value refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from xenos.errors import DescriptionError
from xenos.semantics.operations import TABLE, mask

if TYPE_CHECKING:
    from xenos.semantics.trace import Trace

Operand: TypeAlias = "Value | int"


class Value:
    """The result of one operation in a trace: `width` bits per lane, `lanes` lanes.

    Comparisons and shifts right are unsigned; `signed(v)` gives the other reading. Python integers are taken as
    constants of the other operand's width.
    """

    __slots__ = ("args", "attrs", "lanes", "number", "op", "trace", "width")

    def __init__(self, trace: Trace, op: str, width: int, args: tuple[Value, ...] = (), lanes: int = 1,
                 **attrs: Any) -> None:
        self.trace = trace
        self.op = op
        self.width = width
        self.lanes = lanes
        self.args = args
        self.attrs = tuple(sorted(attrs.items()))
        self.number = trace.append(self)

    def attr(self, name: str) -> Any:
        """The attribute of that name; KeyError if the operation has none."""
        for key, value in self.attrs:
            if key == name:
                return value
        raise KeyError(name)

    def __repr__(self) -> str:
        words = [f"%{a.number}" for a in self.args] + [f"{k}={v}" for k, v in self.attrs]
        kind = f"{self.lanes}x{self.width}" if self.lanes > 1 else f"{self.width}"
        return f"%{self.number}:{kind} = {self.op} {', '.join(words)}".rstrip()

    def __bool__(self) -> bool:
        raise DescriptionError("a guest value has no truth while it is traced: use select(condition, a, b), or make "
                               "the field static if the encoding decides")

    __hash__ = object.__hash__

    # Making operations.

    def like(self, other: Operand) -> Value:
        """`other` as a value of this type; refuses another width."""
        if isinstance(other, Value):
            if (other.width, other.lanes) != (self.width, self.lanes):
                raise DescriptionError(f"{self.width} bits x {self.lanes} meets {other.width} bits x {other.lanes}: "
                                       "extend or cut one of them")
            return other
        constant = Value(self.trace, "const", self.width, value=int(other) & mask(self.width))
        return constant.splat(self.lanes) if self.lanes > 1 else constant

    def apply(self, op: str, *others: Operand, **attrs: Any) -> Value:
        """An operation of shape `same` or `test` on this value and others of its type."""
        args = (self, *(self.like(other) for other in others))
        width = 1 if TABLE[op].shape == "test" else self.width
        return Value(self.trace, op, width, args, self.lanes, **attrs)

    def __add__(self, other: Operand) -> Value:
        return self.apply("add", other)

    def __sub__(self, other: Operand) -> Value:
        return self.apply("sub", other)

    def __rsub__(self, other: int) -> Value:
        return self.like(other).apply("sub", self)

    def __neg__(self) -> Value:
        return self.like(0).apply("sub", self)

    def __mul__(self, other: Operand) -> Value:
        return self.apply("mul", other)

    def __floordiv__(self, other: Operand) -> Value:
        return self.apply("udiv", other)

    def __mod__(self, other: Operand) -> Value:
        return self.apply("urem", other)

    def __and__(self, other: Operand) -> Value:
        return self.apply("and", other)

    def __or__(self, other: Operand) -> Value:
        return self.apply("or", other)

    def __xor__(self, other: Operand) -> Value:
        return self.apply("xor", other)

    def __invert__(self) -> Value:
        return self.apply("not")

    def __lshift__(self, other: Operand) -> Value:
        return self.apply("shl", other)

    def __rshift__(self, other: Operand) -> Value:
        return self.apply("lshr", other)

    def __eq__(self, other: Operand) -> Value:  # type: ignore[override]
        return self.apply("eq", other)

    def __ne__(self, other: Operand) -> Value:  # type: ignore[override]
        return self.apply("ne", other)

    def __lt__(self, other: Operand) -> Value:
        return self.apply("ult", other)

    def __le__(self, other: Operand) -> Value:
        return self.apply("ule", other)

    def __gt__(self, other: Operand) -> Value:
        return self.like(other).apply("ult", self)

    def __ge__(self, other: Operand) -> Value:
        return self.like(other).apply("ule", self)

    # Width.

    def zext(self, width: int) -> Value:
        """The same number in `width` bits."""
        return self._resize("zext", width)

    def sext(self, width: int) -> Value:
        """The same two's-complement number in `width` bits."""
        return self._resize("sext", width)

    def _resize(self, op: str, width: int) -> Value:
        if width == self.width:
            return self
        if width < self.width:
            raise DescriptionError(f"{op} of {self.width} bits to {width}: use low({width})")
        return Value(self.trace, op, width, (self,), self.lanes)

    def low(self, width: int) -> Value:
        """The lowest `width` bits."""
        return self.extract(0, width)

    def extract(self, low: int, width: int) -> Value:
        """`width` bits from bit `low` on."""
        if low + width > self.width:
            raise DescriptionError(f"bits {low} to {low + width - 1} of a value of {self.width} bits")
        return self if width == self.width else Value(self.trace, "extract", width, (self,), self.lanes, low=low)

    def concat(self, lower: Value) -> Value:
        """This value's bits above those of `lower`."""
        return Value(self.trace, "concat", self.width + lower.width, (self, lower), self.lanes)

    def box(self, width: int) -> Value:
        """A floating-point number as it lives in a wider register: all ones above it."""
        return self if width == self.width else Value(self.trace, "box", width, (self,))

    def unbox(self, width: int) -> Value:
        """The number in the low `width` bits of a register; the canonical NaN unless all bits above are ones."""
        return self if width == self.width else Value(self.trace, "unbox", width, (self,))

    # Lanes.

    def splat(self, lanes: int) -> Value:
        """A vector with this value in each lane."""
        return Value(self.trace, "splat", self.width, (self,), lanes)

    def lane(self, index: int) -> Value:
        """One lane of a vector."""
        return Value(self.trace, "lane", self.width, (self,), index=index)

    def with_lane(self, index: int, value: Value) -> Value:
        """The vector with one lane replaced."""
        return Value(self.trace, "with_lane", self.width, (self, value), self.lanes, index=index)


class Signed:
    """A value read as two's complement: comparisons, shift right, division and remainder follow its sign."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value

    def _other(self, other: Signed | int) -> Value:
        return self.value.like(other.value if isinstance(other, Signed) else other)

    def __lt__(self, other: Signed | int) -> Value:
        return self.value.apply("slt", self._other(other))

    def __le__(self, other: Signed | int) -> Value:
        return self.value.apply("sle", self._other(other))

    def __gt__(self, other: Signed | int) -> Value:
        return self._other(other).apply("slt", self.value)

    def __ge__(self, other: Signed | int) -> Value:
        return self._other(other).apply("sle", self.value)

    def __rshift__(self, amount: Operand) -> Value:
        return self.value.apply("ashr", amount)

    def __floordiv__(self, other: Signed | int) -> Value:
        return self.value.apply("sdiv", self._other(other))

    def __mod__(self, other: Signed | int) -> Value:
        return self.value.apply("srem", self._other(other))


def signed(value: Value) -> Signed:
    """`value` read as two's complement."""
    return Signed(value)


def select(condition: Value, yes: Value, no: Value | int) -> Value:
    """`yes` where the one-bit `condition` is 1, else `no`."""
    if condition.width != 1:
        raise DescriptionError(f"select needs a condition of one bit, not {condition.width}")
    return Value(yes.trace, "select", yes.width, (condition, yes, yes.like(no)), yes.lanes)
