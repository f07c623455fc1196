"""The text of one function in the making: lines of LLVM IR, fresh names, the state block, and the way out to the slow path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.semantics.values import Value

if TYPE_CHECKING:
    from xenos.engines.llvm.emit import Binding, Floats

LIKELY = "!prof !1"
UNLIKELY = "!prof !2"
METADATA = '!1 = !{!"branch_weights", i32 100000, i32 1}\n!2 = !{!"branch_weights", i32 1, i32 100000}\n'


class Slow(Exception):
    """This operation has no exact code on this host: the whole instruction is left to the reference engine."""


def kind(value: Value) -> str:
    """The IR type of a value."""
    return f"<{value.lanes} x i{value.width}>" if value.lanes > 1 else f"i{value.width}"


FLOATS = {16: "half", 32: "float", 64: "double"}
class Lines:
    """`lines` is the IR; `declares` the intrinsics used; `slow` is the label that leaves. `lazy`: NaNs are made canonical later;
    `quiet`: comparisons are of numbers that raise no flag that would be kept."""

    lazy = quiet = False

    def __init__(self, binding: Binding, host: Floats) -> None:
        self.binding = binding
        self.host = host
        self.lines: list[str] = []
        self.declares: set[str] = set()
        self.uses_slow = False
        self.block = "entry"
        self._values: dict[int, str] = {}
        self._fresh = 0

    def value(self, op: Value) -> str:
        """The IR value of an operation emitted before, or of a constant."""
        return self._values[op.number]

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
