"""Operands of a stencil while it is compiled: pins are arguments, homes and immediates are holes."""

from __future__ import annotations

from xenos.engines.llvm.emit import Emit, immediate_only
from xenos.engines.llvm.lines import Lines
from xenos.semantics.instruction import Form
from xenos.semantics.operations import TABLE, mask
from xenos.semantics.values import Value

INT32 = (-(1 << 31), (1 << 31) - 1)
ANY = (-1, -1)                      # LLVM's full range: any 64-bit value
HOME = (0, 1 << 14)                 # offsets of registers in the state block


class Hole:
    """A value known when the stencil is placed: `source` is a Python expression over the fields `f`, `pc` and `next`."""

    __slots__ = ("range", "source", "symbol")

    def __init__(self, symbol: str, source: str, range_: tuple[int, int]) -> None:
        self.symbol = symbol
        self.source = source
        self.range = range_

    def declare(self, number: int) -> str:
        """Its IR declaration, with the metadata of that number."""
        high = self.range[1] if self.range == ANY else self.range[1] + 1
        return (f"@{self.symbol} = external hidden global i8, !absolute_symbol !{number}\n"
                f"!{number} = !{{i64 {self.range[0]}, i64 {high}}}\n")


class StencilBinding:
    """One form in one shape. `probe` replaces the value immediates by a constant, `wide` makes room for addresses above 2 GiB."""

    def __init__(self, form: Form, shape: str, slots: dict[str, str], base: int, wide: bool,
                 probe: dict[str, int] | None = None, homes: tuple[int, ...] = ()) -> None:
        self.base = base
        self.homes = homes      # offsets that stand for homes, on hosts whose loads have no room for a symbol
        self.wide = wide
        self.probe = probe or {}
        self.holes: dict[str, Hole] = {}
        self.written: dict[str, str] = {}       # argument name -> IR value
        self.stores: list[tuple[str, str]] = []   # hole of a home, IR value
        self._form = form
        self._where: dict[str, str] = {}
        names = list(form.registers)
        result = next((n for n, (_, use) in form.registers.items() if "w" in use), None)
        for i, (name, letter) in enumerate(zip(names, shape, strict=True)):
            if letter == "D":
                self._where[name] = self._where.get(result or "", slots[result or ""])
            elif letter == "S":
                self._where[name] = self._where[names[i - 1]]
            else:
                self._where[name] = slots[name] if letter == "P" else letter
        self._home_of = {n: names[i - 1] if shape[i] == "S" and i else n for i, n in enumerate(names)}
        if "S" in shape:
            self._where.update({names[i]: self._where[names[i - 1]] for i, s in enumerate(shape) if s == "S"})

    def _hole(self, source: str, range_: tuple[int, int]) -> str:
        for hole in self.holes.values():
            if hole.source == source and hole.range == range_:
                return hole.symbol
        symbol = f"hole{len(self.holes)}_{abs(range_[0])}_{range_[1] & mask(40)}"
        self.holes[symbol] = Hole(symbol, source, range_)
        return symbol

    def read(self, emit: Emit, op: Value) -> str:
        """A pin's argument, a load from the home, or zero."""
        name = op.attr("field")
        where = self._where[name]
        if where == "Z":
            return "0"
        if where == "M":
            home = self._home(emit, self._home_of[name])
            return emit.line(f"load{' volatile' if self.homes else ''} i{op.width}, ptr {home}")
        return emit.line(f"bitcast double {where} to i64") if where.startswith("%f") else where

    def _home(self, emit: Emit, name: str) -> str:
        if self.homes:
            known = [h.symbol for h in self.holes.values() if h.source == f"home {name}"]
            number = int(known[0][4:]) if known else sum(h.source.startswith("home ") for h in self.holes.values())
            self.holes[f"home{number}"] = Hole(f"home{number}", f"home {name}", HOME)
            return emit.line(f"getelementptr i8, ptr %st, i64 {self.homes[number]}")
        symbol = self._hole(f"home {name}", HOME)
        return emit.line(f"getelementptr i8, ptr %st, i64 ptrtoint (ptr @{symbol} to i64)")

    def write(self, emit: Emit, op: Value, value: str) -> None:
        """Held back to the end of the instruction."""
        name = op.attr("field")
        where = self._where[name]
        if where == "N":
            return
        if where == "M":
            self.stores.append((name, value))
        else:
            self.written[where] = emit.line(f"bitcast i64 {value} to double") if where.startswith("%f") else value

    def flush(self, emit: Emit) -> None:
        """Store what belongs in homes."""
        for name, value in self.stores:
            emit.do(f"store{' volatile' if self.homes else ''} i64 {value}, ptr {self._home(emit, name)}")

    def immediate(self, emit: Emit, op: Value) -> str:
        """A hole for the whole expression; its range tells LLVM how it may be encoded."""
        if op.op == "field" and op.attr("name") in self.probe:
            return str(self.probe[op.attr("name")])
        if self.probe and immediate_only(op):
            known = _evaluate(op, self.probe)
            if known is not None:
                return str(known)
        symbol = self._hole(source(op), self._range(op))
        whole = f"ptrtoint (ptr @{symbol} to i64)"
        return whole if op.width == 64 else emit.line(f"trunc i64 {whole} to i{op.width}")

    def _range(self, op: Value) -> tuple[int, int]:
        if uses_pc(op):
            return ANY if self.wide else (0, (1 << 31) - 1)
        if op.op == "field":
            width = self._form.instruction.pattern.fields[op.attr("name")].width
            return (-(1 << (width - 1)), (1 << (width - 1)) - 1) if op.attr("signed") else (0, (1 << width) - 1)
        if op.width == 64:
            return ANY if _shifts(op) else INT32
        return 0, mask(op.width)

    def following(self) -> str:
        """The address of the next instruction."""
        return f"ptrtoint (ptr @{self._hole('next', ANY if self.wide else (0, (1 << 31) - 1))} to i64)"

    def address(self, emit: Lines, op: Value) -> str:
        """Guest base and offset in one hole, so that they fold into the host's addressing."""
        if immediate_only(op):
            return f"@{self._hole(f'{self.base} + {source(op)}', INT32)}"
        if op.op == "add":
            for constant, other in (op.args, op.args[::-1]):
                if immediate_only(constant):
                    symbol = self._hole(f"{self.base} + {source(constant)}", INT32)
                    return emit.line(f"getelementptr i8, ptr @{symbol}, i64 {emit.host.address(emit, emit.value(other))}")
        index = emit.host.address(emit, emit.value(op))
        return emit.line(f"getelementptr i8, ptr inttoptr (i64 {self.base} to ptr), i64 {index}")


def uses_pc(op: Value) -> bool:
    """Whether an immediate expression depends on where the instruction stands."""
    return op.op in ("pc", "next") or any(uses_pc(a) for a in op.args)


def _shifts(op: Value) -> bool:
    """Whether an immediate expression may leave the range of the immediates in it."""
    return op.op == "shl" or any(_shifts(a) for a in op.args)


def source(op: Value) -> str:
    """An immediate expression as Python, in the fields' names, `pc` and `next`."""
    if op.op == "const":
        return str(op.attr("value"))
    if op.op == "field":
        return f"f['{op.attr('name')}']"
    if op.op in ("pc", "next"):
        return op.op
    args = [source(a) for a in op.args]
    symbols = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^", "shl": "<<"}
    if op.op in symbols:
        return f"(({args[0]} {symbols[op.op]} {args[1]}) & {mask(op.width)})"
    if op.op == "extract":
        return f"({args[0]} >> {op.attr('low')} & {mask(op.width)})"
    if op.op == "zext":
        return f"({args[0]} & {mask(op.args[0].width)})"
    sign = 1 << (op.args[0].width - 1)
    return f"((({args[0]} & {mask(op.args[0].width)}) ^ {sign}) - {sign} & {mask(op.width)})"


def _evaluate(op: Value, fields: dict[str, int]) -> int | None:
    """The value of an expression over probed fields alone."""
    if op.op == "const":
        return int(op.attr("value"))
    if op.op == "field":
        return fields.get(op.attr("name"))
    args = [_evaluate(a, fields) for a in op.args]
    if not args or None in args:
        return None
    values = [a & mask(x.width) for a, x in zip(args, op.args, strict=True) if a is not None]
    define = TABLE[op.op].define
    return None if define is None else int(define(op, *values))
