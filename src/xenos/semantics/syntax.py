"""Assembly syntax: the text beside an encoding, parsed once, for the assembler and the disassembler.

    lw rd, imm(rs1)             names of fields stand for their values, anything else for itself
    amoadd.w{aqrl} rd, ...      a field inside the mnemonic
    lui rd, imm>>12             written without its low bits, as an unsigned number of a 32-bit word
"""

from __future__ import annotations

import re

from xenos.semantics.encoding import Field
from xenos.semantics.instruction import Alias, Instruction
from xenos.semantics.operations import mask, to_signed

Entry = Instruction | Alias

_FIELD = re.compile(r"\{(?P<inner>\w+)\}|(?P<name>[a-z]\w*)(?:>>(?P<shift>\d+))?")


class Slot:
    """A place in the text where a field's value is written.

    `file` is the register file if it numbers a register, `target` tells that it is relative to the pc.
    """

    __slots__ = ("field", "file", "name", "shift", "target")

    def __init__(self, field: Field, file: str, shift: int, target: bool) -> None:
        self.name = field.name
        self.field = field
        self.file = file
        self.shift = shift
        self.target = target

    def shown(self, value: int) -> int:
        """The number to write for the field's value."""
        return value >> self.shift & mask(32 - self.shift) if self.shift else value

    def meant(self, number: int) -> int:
        """The field's value for the number that is written."""
        if not self.shift:
            return number
        return to_signed(number << self.shift & mask(32), 32)


class Syntax:
    """The text of one encoding as `parts`: strings, and slots between them. The first word is the mnemonic."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        target = entry.target if isinstance(entry, Alias) else entry
        operands = entry.operands if isinstance(entry, Alias) else {name: name for name in entry.pattern.fields}
        form = next(target.forms())
        first = target.owner.files[0].name
        files = {ours: form.registers.get(theirs, (first, ""))[0] for theirs, ours in operands.items()}
        relative = {ours for theirs, ours in operands.items() if theirs == form.relative}
        self.parts: list[str | Slot] = []
        mnemonic, space, rest = entry.syntax.partition(" ")
        at = 0
        text = mnemonic + space + rest
        for found in _FIELD.finditer(text):
            name = found["inner"] or (found["name"] if found.start() > len(mnemonic) else "")
            if name not in entry.pattern.fields:
                continue
            field = entry.pattern.fields[name]
            file = files.get(name, first) if field.kind == "register" else ""
            self.parts += [text[at:found.start()], Slot(field, file, int(found["shift"] or 0), name in relative)]
            at = found.end()
        self.parts.append(text[at:])
