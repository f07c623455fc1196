"""Accesses of a region that may fail: each knows a way out, on which all registers are what they were before the instruction.

An access is inline assembly with two ways on (LLVM's `callbr`). A row in the section `.faults` says where it stands and where its
other way begins, as the exception tables of kernels do. The handler of faults goes on there with the host's registers as they were
(runtime/ways.py): that way puts the guest's registers where they belong and leaves, as any other way out of a region does. What
it costs: values that the guest does not read again are held as long as an access may fail before they are written anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xenos.engines.hosts import host_guards
from xenos.engines.llvm.accesses import Accesses
from xenos.engines.llvm.lines import FLOATS, Slow
from xenos.engines.region.narrow import Narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenos.engines.region.binding import RegionBinding
    from xenos.semantics.values import Value

_SUM = re.compile(r"(add i64 %\w+, %\w+|shl i64 %\w+, \d+)$").match
_MAYBE = ("add i64 ", "shl i64 ")
_ROW = r"\0A.pushsection .faults,\22\22\0A.long %db-., ${%d:l}-., %d\0A.popsection"


class ExactAccesses(Narrow, Accesses):
    """Every access has a way out. `effects` are those of the instruction at hand, `slow` is the label of its way out."""

    binding: RegionBinding
    effects: list[Value]
    slow: str
    _both = False       # whether the instruction at hand reads and writes in one step
    _made: dict[str, str]       # sums and shifted values, and how they are made

    def keep_apart(self) -> None:
        """Begin a way out with what LLVM may not leave away: an edge of `callbr` must not come to where others come, too, for
        what is moved on it would be moved before each access."""
        self.do('call void asm sideeffect "", ""()')

    def _guarded(self, text: str, result: str, constraints: list[str], address: Value, width: int, *values: str,
                 plus: int = 0, destroyed: Sequence[str] = ()) -> str:
        """One access. Constraints are of the result, if there is one, and of the values."""
        guards = host_guards()
        index, constant = self.binding.parts(self, address)
        more, offset = (constant + plus, 0) if "{alone}" in text else guards.split(constant + plus, width)
        if more:
            index = self.line(f"add i64 {index}, {more}")
        parts, shift = self._parts(index, guards.SCALES) if self.binding.overwrites(address) else ([index], 0)
        where = guards.where(len(constraints), len(parts), shift)
        text = text.format(at=where, alone=f"[${len(constraints)}]").replace("\n", r"\0A")
        # The handler finds the state block in its register, as it does in stencils.
        all_constraints = [*constraints, *["r"] * len(parts), "i", f"{{{guards.STATE}}}"]
        text += "".join(_ROW % (label, len(all_constraints), self._both) for label in range(1, 2 + ("2: " in text)))
        all_constraints += ["!i", *destroyed, *guards.CLOBBERS]
        arguments = [*values, *(f"i64 {part}" for part in parts), f"i64 {offset}", "ptr %st"]
        go = f"go{self.name()[2:]}"
        call = (f'callbr {result or "void"} asm sideeffect "1: {text}", "{",".join(all_constraints)}"({", ".join(arguments)}) '
                f"to label %{go} [label %{self.slow}]")
        self.uses_slow = True
        if result:
            call = f"{(got := self.name())} = {call}"
        self.do(call)
        self.label(go)
        return got if result else ""

    def _parts(self, index: str, scales: tuple[int, ...]) -> tuple[list[str], int]:
        """A sum that the host can make with the access, the second part shifted."""
        added = self._made.get(index, "").split()
        if not scales or added[:1] != ["add"]:
            return [index], 0
        first, second = added[2].rstrip(","), added[3]
        for one, other in ((first, second), (second, first)):
            shifted = self._made.get(other, "").split()
            if shifted[:1] == ["shl"] and int(shifted[3]) in scales:
                return [one, shifted[2].rstrip(",")], int(shifted[3])
        return [first, second], 0

    def line(self, text: str) -> str:
        name = super().line(text)
        if text.startswith(_MAYBE) and _SUM(text):
            self._made[name] = text
        return name

    def _got(self, op: Value, address: Value) -> str:
        """A load: into a register of that kind to which the value goes, and with the sign that it is to have there."""
        loads = host_guards().LOADS
        users = [user for user in self.effects if any(arg is op for arg in user.args)]
        if op.width in (32, 64) and users and all(user.op == "box" or self.binding.floating(user) for user in users):
            number = self._guarded(loads[f"f{op.width}"], FLOATS[op.width], [host_guards().VECTOR], address, op.width)
            return self.line(f"bitcast {FLOATS[op.width]} {number} to i{op.width}")
        if op.width == 64:
            return self._guarded(loads["u64"], "i64", ["=r"], address, 64)
        signed = bool(users) and all(user.op == "sext" and user.width == 64 for user in users)
        got = self._guarded(loads[f"{'s' if signed else 'u'}{op.width}"], "i64", ["=r"], address, op.width)
        return self._part(self.line(f"trunc i64 {got} to i{op.width}"), got, signed, op.width)

    def _put(self, value: Value, address: Value) -> None:
        stores, width = host_guards().STORES, value.width
        source = value.args[0] if value.op == "extract" and value.attr("low") == 0 else value
        if width >= 32 and source.width == 64 and self.binding.floating(source):
            number = self.line(f"bitcast i{width} {self.value(value)} to {FLOATS[width]}")
            self._guarded(stores[f"f{width}"], "", [host_guards().VECTOR[1:]], address, width, f"{FLOATS[width]} {number}")
        else:
            self._guarded(stores[f"u{width}"], "", ["r"], address, width, f"i{width} {self.value(value)}")

    # In one step. The hardware tells a load of these to have failed, where the guest's says it was a store.

    def _exchange(self, address: Value, expected: str, new: str, width: int) -> tuple[str, str]:
        if width not in (32, 64):
            raise Slow("an exchange of that width")
        seen = self._in_one_step("exchange", address, width, expected, new)
        return seen, self.line(f"icmp eq i{width} {seen}, {expected}")

    def _in_one_step(self, kind: str, address: Value, width: int, *values: str) -> str:
        """What was there before; empty if the host has no such instruction."""
        found = host_guards().atomic(kind, width, self.host.level)
        if found is None:
            return ""
        text, constraints, destroyed = found
        return self._guarded(text, f"i{width}", constraints, address, width, *(f"i{width} {value}" for value in values),
                             destroyed=destroyed)

    def _amo(self, op: Value) -> str:
        address, given = op.args
        kind, width = op.attr("kind"), op.width
        if width < 32:
            raise Slow("an operation on part of a word")
        self._both = True
        try:
            self._aligned(address, width)
            value = self.value(given)
            done = self._in_one_step(kind, address, width, value)
            if done:
                return done
            first = self._guarded(host_guards().LOADS[f"u{width}"], f"i{width}", ["=r"], address, width)
            before, n = self.block, self.name()[2:]
            old, seen = f"%old{n}", f"%seen{n}"
            self.do(f"br label %again{n}")
            self.label(f"again{n}")
            place = len(self.lines)
            if kind in ("and", "or", "xor"):
                new = self.line(f"{kind} i{width} {old}, {value}")
            else:
                new = self.call(f"i{width}", f"llvm.{kind}.i{width}", f"i{width} {old}", f"i{width} {value}")
            found, same = self._exchange(address, old, new, width)
            self.do(f"{seen} = or i{width} {found}, 0")
            self.do(f"br i1 {same}, label %done{n}, label %again{n}")
            self.lines.insert(place, f" {old} = phi i{width} [ {first}, %{before} ], [ {seen}, %{self.block} ]")
            self.label(f"done{n}")
            return old
        finally:
            self._both = False

    def _compare_exchange(self, op: Value) -> str:
        self._both = True
        try:
            return super()._compare_exchange(op)
        finally:
            self._both = False

    def _zero_block(self, op: Value) -> None:
        # It is aligned and in one page: the first of these fails, or none.
        for offset in range(0, op.attr("size"), 8):
            self._guarded(host_guards().STORES["u64"], "", ["r"], op.args[0], 64, "i64 0", plus=offset)
