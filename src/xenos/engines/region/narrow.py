"""Values of which the lower half says all: that is worked with, so that LLVM sees the 32-bit operations of the guest's program.

Where a guest keeps 32-bit numbers in its registers extended by their sign, a region's ways out want all of these at full width: of
the `or` of two extended values that one of them wants, LLVM makes no rotation any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.engines.llvm.integers import DIRECT, Integers
from xenos.engines.llvm.lines import kind

if TYPE_CHECKING:
    from xenos.semantics.values import Value

_WORD = 64
_HALF = 32


class Narrow(Integers):
    """Remembers of which i32 an i64 is the extension by its sign, for all instructions of a block."""

    _halves: dict[str, str]     # i64 value -> the i32 that it is the extension of
    _extended: dict[str, str]   # and the other way round

    def _sext(self, op: Value) -> str:
        if (op.width, op.args[0].width, op.lanes) != (_WORD, _HALF, 1):
            return super()._sext(op)
        half = self.value(op.args[0])
        if half not in self._extended:
            self._extend(half, super()._sext(op))
        return self._extended[half]

    def _extend(self, half: str, wide: str) -> None:
        self._extended[half] = wide
        self._halves[wide] = half

    def _extract(self, op: Value) -> str:
        half = self._halves.get(self.value(op.args[0])) if op.width == _HALF and not op.attr("low") else None
        return half or super()._extract(op)

    def _add(self, op: Value) -> str:
        """A copy is no other value."""
        first, second = (self.value(arg) for arg in op.args)
        if "0" in (first, second) and op.lanes == 1:
            return first if second == "0" else second
        return self.line(f"add {kind(op)} {first}, {second}")

    def _and(self, op: Value) -> str:
        return self._bitwise(op, *(self.value(arg) for arg in op.args))

    _or = _xor = _and

    def _not(self, op: Value) -> str:
        return super()._not(op) if op.lanes > 1 else self._bitwise(op, self.value(op.args[0]), "-1")

    def _bitwise(self, op: Value, first: str, second: str) -> str:
        """Of two such values it is one, too."""
        name = DIRECT.get(op.op, "xor")
        halves = [self._half(first), self._half(second)] if op.width == _WORD and op.lanes == 1 else [""]
        if not all(halves):
            return self.line(f"{name} {kind(op)} {first}, {second}")
        half = self.line(f"{name} i32 {halves[0]}, {halves[1]}")
        self._extend(half, self.line(f"sext i32 {half} to i64"))
        return self._extended[half]

    def _half(self, value: str) -> str:
        """The lower half, if it says all; else nothing."""
        if value.startswith("%"):
            return self._halves.get(value, "")
        number = (int(value) + (1 << 63)) % (1 << 64) - (1 << 63)
        return str(number) if -1 << 31 <= number < 1 << 31 else ""
