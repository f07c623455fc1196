"""The assembler, derived from the syntax of each encoding: one line of text to an instruction word."""

from __future__ import annotations

import re

from xenos.errors import DescriptionError, UsageError
from xenos.semantics.instruction import InstructionSet
from xenos.semantics.operations import mask, to_signed
from xenos.semantics.syntax import Entry, Slot, Syntax


class Assembler:
    """Reads what `Disassembler` writes. `names` are register names."""

    def __init__(self, instructions: InstructionSet, names: dict[str, tuple[str, int]]) -> None:
        self._registers = names
        self._xlen = instructions.xlen
        self._values = {field: {text: value for value, text in spelled.items()}
                        for field, spelled in instructions.spellings.items()}
        self._entries: dict[str, list[Entry]] = {}
        entries: list[Entry] = [*instructions.instructions.values(), *instructions.aliases.values()]
        for entry in entries:
            self._entries.setdefault(entry.name, []).append(entry)
        self._readers: dict[Entry, tuple[re.Pattern[str], list[Slot]]] = {}

    def assemble(self, text: str, pc: int | None = None) -> int:
        """The word; UsageError where it cannot be read. Jump targets are addresses if `pc` is given, else relative."""
        line = " ".join(text.split())
        problem = "no such instruction"
        for entry in self._candidates(line):
            pattern, slots = self._reader(entry)
            found = pattern.fullmatch(line)
            if found is None:
                problem = f"it is written `{entry.syntax}`"
                continue
            try:
                return entry.pattern.encode({slot.name: self._value(slot, found[slot.name], pc) for slot in slots})
            except (DescriptionError, ValueError, KeyError) as error:
                problem = str(error)
        raise UsageError(f"cannot assemble `{text.strip()}`: {problem}")

    def _candidates(self, line: str) -> list[Entry]:
        """Encodings of that mnemonic, or of one that fields spelled inside it end."""
        name = line.partition(" ")[0]
        while name and name not in self._entries:
            name = name.rpartition(".")[0]
        return self._entries.get(name, [])

    def _reader(self, entry: Entry) -> tuple[re.Pattern[str], list[Slot]]:
        if entry not in self._readers:
            parts = Syntax(entry).parts
            slots = [part for part in parts if isinstance(part, Slot)]
            pattern = "".join(_literal(part) if isinstance(part, str) else f"(?P<{part.name}>[^,() ]*?)"
                              for part in parts)
            self._readers[entry] = re.compile(pattern), slots
        return self._readers[entry]

    def _value(self, slot: Slot, text: str, pc: int | None) -> int:
        if slot.file:
            file, number = self._registers[text]
            if file != slot.file:
                raise ValueError(f"{text} is no {slot.file} register")
            return number
        spelled = self._values.get(slot.name, {})
        if text in spelled:
            return spelled[text]
        number = int(text, 0)
        if slot.target and pc is not None:
            return to_signed(number - pc & mask(self._xlen), self._xlen)
        return slot.meant(number)


def _literal(text: str) -> str:
    """A pattern for the text between operands, in which spaces after commas do not matter."""
    return re.escape(text.replace(", ", ",")).replace(",", " ?, ?")
