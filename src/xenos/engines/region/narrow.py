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

    _halves: dict[str, str]     # i64 value -> the i32 that it is an extension of
    _extended: dict[str, str]   # i32 value -> its extension by the sign
    _wide: dict[str, tuple[str, bool]]      # narrow value that was loaded -> the i64 that it is the end of, whether by its sign
    _wanted: set[str]           # values that operations take as they are

    def value(self, op: Value) -> str:
        value = super().value(op)
        self._wanted.add(value)
        return value

    def _write(self, op: Value) -> None:
        self.binding.write(self, op, self._values[op.args[0].number])   # type: ignore[arg-type]

    def _part(self, value: str, wide: str, signed: bool, width: int) -> str:
        """A narrow value that was loaded is the end of an i64."""
        self._wide[value] = wide, signed
        if width == _HALF:
            self._halves[wide] = value
            if signed:
                self._extended[value] = wide
        return value

    def _zext(self, op: Value) -> str:
        wide, signed = self._wide.get(self.value(op.args[0]), ("", True))
        return super()._zext(op) if signed or op.width != _WORD else wide

    def _sext(self, op: Value) -> str:
        value = self.value(op.args[0])
        wide, signed = self._wide.get(value, ("", False))
        if signed and op.width == _WORD:
            return wide
        if (op.width, op.args[0].width, op.lanes) != (_WORD, _HALF, 1):
            return super()._sext(op)
        if value not in self._extended:
            self._extend(value, super()._sext(op))
        return self._extended[value]

    def _extend(self, half: str, wide: str) -> None:
        self._extended[half] = wide
        self._halves[wide] = half

    def _extract(self, op: Value) -> str:
        half = self._halves.get(self._values[op.args[0].number]) if op.width == _HALF and not op.attr("low") else None
        return half or super()._extract(op)

    def _add(self, op: Value) -> str:
        """A copy is no other value."""
        first, second = (self._values[arg.number] for arg in op.args)
        if "0" in (first, second) and op.lanes == 1:
            return first if second == "0" else second
        return self.line(f"add {kind(op)} {self.value(op.args[0])}, {self.value(op.args[1])}")

    def _and(self, op: Value) -> str:
        return self._bitwise(op) or self.line(f"{DIRECT[op.op]} {kind(op)} {self.value(op.args[0])}, {self.value(op.args[1])}")

    _or = _xor = _and

    def _not(self, op: Value) -> str:
        return self._bitwise(op, "-1") or super()._not(op)

    def _bitwise(self, op: Value, *more: str) -> str:
        """Of two such values it is one, too; nothing of others."""
        if op.width != _WORD or op.lanes > 1:
            return ""
        halves = [self._half(value) for value in (*(self._values[arg.number] for arg in op.args), *more)]
        if not all(halves):
            return ""
        half = self.line(f"{DIRECT.get(op.op, 'xor')} i32 {', '.join(halves)}")
        self._extend(half, self.line(f"sext i32 {half} to i64"))
        return self._extended[half]

    def _half(self, value: str) -> str:
        """The lower half, if it says all; else nothing."""
        if value.startswith("%"):
            half = self._halves.get(value, "")
            return half if self._extended.get(half) == value else ""
        number = (int(value) + (1 << 63)) % (1 << 64) - (1 << 63)
        return str(number) if -1 << 31 <= number < 1 << 31 else ""
