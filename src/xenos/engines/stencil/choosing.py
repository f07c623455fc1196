"""Choosing a stencil: which shape an instruction's registers make, and the moves around it where no stencil fits as it is."""

from __future__ import annotations

import marshal

from xenos.cpu import layout as at
from xenos.engines.stencil.shapes import held_back
from xenos.semantics.operations import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from xenos.engines.stencil.library import Stencil
    from xenos.isa.guest import Guest
    from xenos.semantics.instruction import Form


class Choice:
    """A stencil for one instruction with its registers named; what is left to fill in are immediates.

    `number` is the code; `holes` the (shift, mask, Python expression) that remain, `depends` whether on the address; `before` and
    `after` move pins home and back.
    """

    __slots__ = ("after", "before", "depends", "holes", "made", "number", "stencil")

    def __init__(self, stencil: Stencil, number: int, holes: tuple[tuple[int, int, str], ...], before: bytes,
                 after: bytes) -> None:
        self.stencil = stencil
        self.number = number
        self.holes = holes
        self.before = before
        self.after = after
        self.made: Any = None     # what was placed last
        self.depends = any("pc" in text or "next" in text for _, _, text in holes)


class Chooser:
    """Knows where a guest's registers live on this host, and which stencils there are."""

    def __init__(self, guest: Guest, host: ModuleType, stencils: dict[str, bytes],
                 special: dict[str, Stencil]) -> None:
        self._stencils = stencils
        self._special = special
        self._ready: dict[str, Stencil] = {}     # those that were wanted already, unpacked
        layout = guest.layout
        self._home = {name: (layout.offsets[name], layout.strides[name]) for name in layout.files}
        self._zero = {name: file.zero for name, file in layout.files.items()}
        self._pin: dict[str, dict[int, int]] = {}
        self._letter: dict[str, str] = {}
        for name, file in layout.files.items():
            order = host.VECTOR_ORDER if file.floating else host.GENERAL_ORDER
            self._pin[name] = dict(zip(guest.pins.get(name, ()), order, strict=False))
            self._letter[name] = "f" if file.floating else "p"

    def homes(self) -> dict[str, int]:
        """State-block offset of each pin's register, by argument name."""
        return {f"%{self._letter[file]}{pin}": self._offset(file, register)
                for file, pins in self._pin.items() for register, pin in pins.items()}

    def _offset(self, file: str, register: int) -> int:
        start, stride = self._home[file]
        return start + stride * register

    def special(self, name: str, value: int) -> bytes:
        """A stencil that belongs to no instruction, with one number filled in."""
        size, _, base, _, holes, _, _, _ = self._special[name]
        for shift, mask, _ in holes:
            base |= (value & mask) << shift
        return base.to_bytes(size, "little")

    def choose(self, form: Form, operands: dict[str, int], cls: str) -> Choice | str:
        """The choice for these registers and class of immediates; `nothing` if there is nothing to do, `slow` if no way."""
        registers = list(form.registers.items())
        avoid = {i for i, (_, (_, use)) in enumerate(registers) if "w" in use} if held_back(form) else set()
        while True:
            letters = self._letters(form, operands, registers, avoid)
            if letters is None:
                return "nothing"
            numbers = [(file, operands[name]) if use == "r" else None for name, (file, use) in registers]
            twins = "".join("S" if i and n is not None and n == numbers[i - 1] else c
                            for i, (c, n) in enumerate(zip(letters, numbers, strict=True)))
            found = self._find(form.name, letters, twins, cls)
            if found is None:
                return "slow"
            stencil, letters = found
            clash = self._clashes(stencil, letters, operands, registers)
            if not clash:
                break
            if clash <= avoid:
                return "slow"
            avoid |= clash
        before, after = self._moves(letters, operands, registers)
        if form.control is not None and after:
            return "slow"
        number = stencil[2]
        for operand, table in stencil[3]:
            name, (file, _) = registers[operand]
            rename = table[self._pin[file][operands[name]]]
            assert rename is not None   # it would have clashed
            number ^= rename
        rest = []
        for shift, mask, source in stencil[4]:
            if source.startswith("home "):
                name, _, inside = source[5:].partition(" + ")    # part of a register is read
                number |= (self._home_of(name, form, operands) + int(inside or 0) & mask) << shift
            else:
                rest.append((shift, mask, source))
        return Choice(stencil, number, tuple(rest), before, after)

    def _home_of(self, name: str, form: Form, operands: dict[str, int]) -> int:
        """Offset of an operand's home; what is written to the register that is always zero goes to scratch."""
        file, use = form.registers[name]
        if "w" in use and operands[name] == self._zero[file]:
            return at.DROPPED
        return self._offset(file, operands[name])

    def _letters(self, form: Form, operands: dict[str, int], registers: list[tuple[str, tuple[str, str]]],
                 avoid: set[int]) -> str | None:
        result = next((i for i, (_, (_, use)) in enumerate(registers) if "w" in use), None)
        letters = ""
        for i, (name, (file, use)) in enumerate(registers):
            register = operands[name]
            if register == self._zero[file]:
                if "w" in use:
                    if form.control is None and not _acts(form):
                        return None
                    letters += "N" if form.control is not None else "M"
                else:
                    letters += "M" if "Z" in letters else "Z"
            elif register not in self._pin[file] or i in avoid:
                letters += "M"
            elif result not in (None, i) and "w" not in use and result not in avoid and registers[result][1][0] == file and (
                    operands[registers[result][0]] == register):
                letters += "D"
            else:
                letters += "P"
        return letters

    def _find(self, form: str, letters: str, twins: str, cls: str) -> tuple[Stencil, str] | None:
        """The stencil for a shape, or for one that says less of the same registers; any class serves if its own is missing."""
        homes = "".join("N" if c == "N" else "M" for c in letters)
        for shape in (twins, letters, letters.replace("Z", "M"), homes):
            for one in (cls, "") if cls != "L" else ("L",):
                key = f"{form}/{shape}/{one}"
                stencil = self._ready.get(key)
                if stencil is None and key in self._stencils:
                    stencil = self._ready[key] = marshal.loads(self._stencils[key])
                if stencil is not None:
                    return stencil, shape
        return None

    def _clashes(self, stencil: Stencil, letters: str, operands: dict[str, int],
                 registers: list[tuple[str, tuple[str, str]]]) -> set[int]:
        """Operands in pins that the stencil uses for itself, or cannot name."""
        taken = stencil[7][1]
        tables = dict(stencil[3])
        clash = set()
        for i, (name, (file, _)) in enumerate(registers):
            if letters[i] in "PD":
                pin = self._pin[file][operands[name]]
                if self._letter[file] == "p" and pin in taken or i in tables and tables[i][pin] is None:
                    clash.add(i)
        return clash

    def _moves(self, letters: str, operands: dict[str, int],
               registers: list[tuple[str, tuple[str, str]]]) -> tuple[bytes, bytes]:
        """Moves home of pinned operands that the stencil reads from memory, and back of those it writes there."""
        before = after = b""
        for letter, (name, (file, use)) in zip(letters, registers, strict=True):
            pin = self._pin[file].get(operands[name])
            if letter == "M" and pin is not None:
                home = self._offset(file, operands[name])
                which = f"{self._letter[file]}{pin}"
                if "r" in use:
                    before += self.special("store" + which, home)
                if "w" in use:
                    after += self.special("load" + which, home)
        return before, after


def _acts(form: Any) -> bool:
    """Whether a form does something besides computing its result."""
    return any(TABLE[op.op].effect in ("memory", "fp") or op.op in ("set_flags", "set_rounding", "fence")
               for op in form.effects)
