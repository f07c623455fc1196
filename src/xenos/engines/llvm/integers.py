"""Integer operations as LLVM IR: guarded where LLVM leaves undefined what the table defines."""

from __future__ import annotations

from xenos.engines.llvm.lines import Lines, Slow, kind
from xenos.semantics.values import Value

DIRECT = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}
TESTS = {"eq": "eq", "ne": "ne", "ult": "ult", "ule": "ule", "slt": "slt", "sle": "sle"}
PAIRS = {"smin": "smin", "smax": "smax", "umin": "umin", "umax": "umax"}
INTRINSICS = {"popcount": "ctpop", "reverse_bytes": "bswap", "reverse_bits": "bitreverse"}


class Integers(Lines):
    """A method for each operation that is more than one instruction of LLVM."""

    def _not(self, op: Value) -> str:
        ones = f"splat (i{op.width} -1)" if op.lanes > 1 else "-1"
        return self.line(f"xor {kind(op)} {self.value(op.args[0])}, {ones}")

    def _shift(self, op: Value, llvm: str) -> str:
        self._by_lanes(op)
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

    def _by_lanes(self, op: Value) -> None:
        """Refuse to shift each lane by an amount of its own where the host would do it in floating point, raising flags."""
        if op.lanes > 1 and not self.host.shifts_lanes:
            raise Slow("shifts of lanes")

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
