"""Accesses of a region in a program that a fault would end: nobody sees its registers then, only where it was.

LLVM makes of an access what it likes, and keeps no register for the sake of one that may fail. In a section of its own it lists
where it has put each (LLVM's "PC Sections Metadata"), so that a fault can be told by its guest address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.engines.llvm.accesses import Accesses
from xenos.engines.llvm.lines import FLOATS
from xenos.engines.region.narrow import Narrow

if TYPE_CHECKING:
    from xenos.engines.region.binding import RegionBinding
    from xenos.semantics.values import Value

_KINDS = ("load volatile", "store volatile", "atomicrmw", "cmpxchg")
_FIRST = 10     # number of our metadata


class PlainAccesses(Narrow, Accesses):
    """`places` are the guest addresses of instructions that access memory, each with its number."""

    binding: RegionBinding
    effects: list[Value]
    places: dict[int, int]
    _words: list[tuple[int, str, str]]      # of 32 bits that were loaded: the next of `lines`, how they are extended, the load

    def line(self, text: str) -> str:
        return super().line(self._marked(text))

    def do(self, text: str) -> None:
        super().do(self._marked(text))

    def _marked(self, text: str) -> str:
        if not text.startswith(_KINDS) or ", align " not in text:   # a look at the state block has none
            return text
        number = self.places.setdefault(self.binding.pc, len(self.places))
        return f"{text}, !pcsections !{_FIRST + number}"

    def _got(self, op: Value, address: Value) -> str:
        """A load, into a register of that kind to which the value goes."""
        users = [user for user in self.effects if any(arg is op for arg in user.args)]
        if op.width in (32, 64) and users and all(user.op == "box" or self.binding.floating(user) for user in users):
            where = self.binding.address(self, address)
            number = self.line(f"load volatile {FLOATS[op.width]}, ptr {where}, align 1")
            return self.line(f"bitcast {FLOATS[op.width]} {number} to i{op.width}")
        # What takes a load as its operand may be taken apart again (LLVM's two-address pass), and the place is lost then.
        got = super()._got(op, address)
        for kind in ("sext", "zext") if op.width == 32 else ():
            if users and all((user.op, user.width) == (kind, 64) for user in users):
                self._words.append((len(self.lines), kind, got))
                half = self.line(f"freeze i32 {got}")
                return self._part(half, self.line(f"{kind} i32 {half} to i64"), kind == "sext", 32)
        return got if op.width < 32 else self.line(f"freeze i{op.width} {got}")

    def _put(self, value: Value, address: Value) -> None:
        source = value.args[0] if value.op == "extract" and value.attr("low") == 0 else value
        if value.width >= 32 and source.width == 64 and self.binding.floating(source):
            type_ = FLOATS[value.width]
            number = self.line(f"bitcast i{value.width} {self.value(value)} to {type_}")
            self.do(f"store volatile {type_} {number}, ptr {self.binding.address(self, address)}, align 1")
        else:
            super()._put(value, address)

    def _amo(self, op: Value) -> str:
        # Of many of these LLVM makes a loop, with a load before it that may go anywhere: it must not fail before another does.
        self.do('call void asm sideeffect "", "~{memory}"()')
        return super()._amo(op)

    def settle(self) -> None:
        """Load words at full width where that is wanted: LLVM has what is frozen extended by an instruction of its own."""
        for at, kind, got in self._words:
            half, wide = (line.split()[0] for line in self.lines[at:at + 2])
            if wide in self._wanted:
                extended = f"{wide}.{kind}"
                self.lines[at] = f' {extended} = {kind} i32 {got} to i64\n {wide} = call i64 asm "", "=r,0"(i64 {extended})'
                self.lines[at + 1] = f" {half} = trunc i64 {wide} to i32"

    def metadata(self) -> str:
        """What the marks refer to."""
        return "".join(f'!{_FIRST + n} = !{{!".places", !{{i32 {n}}}}}\n' for n in range(len(self.places)))
