"""Operands of an instruction in a region: registers are variables that LLVM makes values of, immediates are constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.engines.llvm.emit import immediate_only
from xenos.engines.region.numbers import boxed, canonical, straight, tolerant
from xenos.semantics.block import evaluate

if TYPE_CHECKING:
    from xenos.cpu.layout import Layout
    from xenos.engines.llvm.emit import Emit
    from xenos.engines.llvm.lines import Lines
    from xenos.semantics.decoder import Decoded
    from xenos.semantics.instruction import Form
    from xenos.semantics.values import Value


class RegionBinding:
    """One instruction at a time. A register is known by its offset in the state block; `held` has the values of those that
    were read or written in the block at hand, `dirty` says which of them the variables do not have yet."""

    def __init__(self, layout: Layout, base: int) -> None:
        self._layout = layout
        self._base = base
        self.pc = 0
        self.decoded: Decoded | None = None
        self.held: dict[int, str] = {}
        self.dirty: set[int] = set()
        self.used: dict[int, bool] = {}     # every register of the region -> whether it mostly holds floating-point numbers
        self.computed: dict[int, int] = {}  # those that hold computed numbers, and their widths (numbers.py)
        self._pending: list[tuple[int, str]] = []
        self._clean: set[str] = set()       # values that are canonical, whatever was computed

    def begin(self, pc: int, decoded: Decoded) -> None:
        """Take up the instruction at an address."""
        self.pc, self.decoded = pc, decoded
        self._pending = []

    def register(self, op: Value) -> int:
        """The offset of the register that is read or written, or -1 for the one that stays zero."""
        assert self.decoded is not None
        field = op.attr("field")
        number = self.decoded.operands[field] if isinstance(field, str) else int(field)
        file = self._layout.files[op.attr("file")]
        if number == file.zero:
            return -1
        offset = self._layout.offset(file.name, number)
        self.used[offset] = file.floating
        return offset

    def read(self, emit: Emit, op: Value) -> str:
        """The register's value, loaded from its variable once in a block."""
        offset = self.register(op)
        if offset < 0:
            return "0"
        assert self.decoded is not None
        width = self.computed.get(offset, 0)
        if offset not in self.held:
            self.held[offset] = self.load(emit, offset, width)
        if width and self.held[offset] not in self._clean and op.number not in tolerant(self.decoded.form, width):
            self.held[offset] = canonical(emit, self.held[offset], width)
            self._clean.add(self.held[offset])
        return self.held[offset]

    def load(self, emit: Lines, offset: int, width: int) -> str:
        """What a register's variable holds; `width` is that of the computed number in it, if it is one."""
        if width == 32:
            return boxed(emit, emit.line(f"bitcast float {emit.line(f'load float, ptr %s{offset}')} to i32"))
        if self.used[offset]:
            return emit.line(f"bitcast double {emit.line(f'load double, ptr %r{offset}')} to i64")
        return emit.line(f"load i64, ptr %r{offset}")

    def store(self, emit: Lines, offset: int, value: str, width: int) -> None:
        """Let a register's variable have a value. One for single numbers is apart, so that they need not be taken out of boxes."""
        if width == 32:
            low = emit.line(f"trunc i64 {value} to i32")
            emit.do(f"store float {emit.line(f'bitcast i32 {low} to float')}, ptr %s{offset}")
        elif self.used[offset]:
            emit.do(f"store double {emit.line(f'bitcast i64 {value} to double')}, ptr %r{offset}")
        else:
            emit.do(f"store i64 {value}, ptr %r{offset}")

    def write(self, emit: Emit, op: Value, value: str) -> None:
        """Held back to the end of the instruction: until then it may leave, with nothing changed."""
        offset = self.register(op)
        if offset >= 0:
            self._pending.append((offset, value))

    def finish(self, width: int, settled: bool = False) -> None:
        """The instruction is done: its results count. `width` is that of the number that it computed, if it did, and `settled`
        whether that is canonical."""
        for offset, value in self._pending:
            self.held[offset] = value
            self.dirty.add(offset)
            self.computed.pop(offset, None)
            if width and self.used[offset]:
                self.computed[offset] = width
                if settled:
                    self._clean.add(value)

    def flush(self, emit: Lines) -> None:
        """Let the variables have what the block at hand computed."""
        for offset in sorted(self.dirty):
            self.store(emit, offset, self.held[offset], self.computed.get(offset, 0))

    def clear(self, computed: dict[int, int]) -> None:
        """A new block begins, with computed numbers in some registers."""
        self.held.clear()
        self.dirty.clear()
        self._clean.clear()
        self.computed = {offset: width for offset, width in computed.items() if width}

    def computed_at(self, op: Value, decoded: Decoded) -> int:
        """The width of the computed number in a register that an instruction reads; 0 if there is none."""
        before, self.decoded = self.decoded, decoded
        offset = self.register(op)
        self.decoded = before
        return self.computed.get(offset, 0)

    def copy(self, emit: Lines, to: int, source: int) -> None:
        """A register gets what another one holds, a computed number as it is."""
        width = self.computed.get(source, 0)
        if source not in self.held:
            self.held[source] = self.load(emit, source, width)
        self._pending = [(to, self.held[source])]
        self.used[to] = True
        self.finish(width)

    def immediate(self, emit: Emit, op: Value) -> str:
        """The number."""
        return str(self._number(op))

    def _number(self, op: Value) -> int:
        assert self.decoded is not None
        return evaluate(op, self.decoded, self.pc)

    def parts(self, emit: Lines, op: Value) -> tuple[str, int]:
        """A guest address as a value and a constant, guest base included: hosts fold the constant into the access."""
        offset, index = 0, op
        if immediate_only(op):
            return str(self._number(op)), self._base
        if op.op == "add":
            for constant, other in (op.args, op.args[::-1]):
                if immediate_only(constant) or constant.op == "const":
                    offset, index = self._number(constant), other
                    break
        return emit.host.address(emit, emit.value(index)), self._base + offset - (offset >> 63 << 64)

    def address(self, emit: Lines, op: Value) -> str:
        """A pointer to the host memory behind a guest address."""
        index, constant = self.parts(emit, op)
        return emit.line(f"getelementptr i8, ptr inttoptr (i64 {constant} to ptr), i64 {index}")

    def overwrites(self, address: Value) -> bool:
        """Whether the register that holds an address is written by the same instruction: the address is of no use afterwards."""
        assert self.decoded is not None
        base = next((op for op in (address, *address.args) if op.op == "read"), None)
        return base is not None and any(op.op == "write" and self.register(op) == self.register(base)
                                        for op in self.decoded.form.effects)

    def floating(self, op: Value) -> bool:
        """Whether an operation reads or writes a register that mostly holds floating-point numbers."""
        return op.op in ("read", "write") and self._layout.files[op.attr("file")].floating

    def straight(self, form: Form) -> bool:
        """Whether all numbers that a form computes go into registers that may hold them as they come."""
        return straight(form, self.floating)
