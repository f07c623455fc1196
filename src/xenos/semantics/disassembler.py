"""The disassembler, derived from the syntax of each encoding: an instruction back to text."""

from __future__ import annotations

from xenos.semantics.decoder import Decoded
from xenos.semantics.instruction import InstructionSet
from xenos.semantics.operations import mask
from xenos.semantics.syntax import Entry, Slot, Syntax


class Disassembler:
    """Writes instructions as objdump does without aliases.

    `names` are register names; where one register has several, the last is taken.
    """

    def __init__(self, instructions: InstructionSet, names: dict[str, tuple[str, int]]) -> None:
        self._xlen = instructions.xlen
        self._spellings = instructions.spellings
        self._registers = {register: name for name, register in names.items()}
        self._syntaxes: dict[Entry, Syntax] = {}

    def text(self, decoded: Decoded, pc: int | None = None) -> str:
        """One line; targets of jumps are addresses if `pc` is given, else relative."""
        entry = decoded.entry
        if entry not in self._syntaxes:
            self._syntaxes[entry] = Syntax(entry)
        values = entry.pattern.decode(decoded.word)
        return "".join(part if isinstance(part, str) else self._value(part, values[part.name], pc)
                       for part in self._syntaxes[entry].parts)

    def _value(self, slot: Slot, value: int, pc: int | None) -> str:
        if slot.file:
            return self._registers[slot.file, value]
        if slot.field.kind == "static":
            return self._spellings.get(slot.name, {}).get(value, str(value))
        if slot.target:
            return f"{value:+d}" if pc is None else f"{(pc + value) & mask(self._xlen):#x}"
        return hex(slot.shown(value)) if slot.shift or slot.name.startswith("shamt") else str(value)
