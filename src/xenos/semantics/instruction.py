"""Instructions: bits, assembly and meaning side by side; forms, which engines translate; and the set of them all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from xenos.cpu.layout import RegisterFile
from xenos.errors import DescriptionError
from xenos.semantics import law
from xenos.semantics.decoder import Decoder
from xenos.semantics.encoding import Pattern
from xenos.semantics.trace import RegisterField, Trace
from xenos.semantics.values import Value

Meaning = Callable[..., None]


class Form:
    """An instruction with its static fields decided: the unit that is traced, and compiled by the engines."""

    def __init__(self, instruction: Instruction, statics: dict[str, int]) -> None:
        self.instruction = instruction
        self.statics = statics
        values = "".join(f" {name}={value}" for name, value in statics.items())
        self.name = instruction.name + values

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @cached_property
    def effects(self) -> list[Value]:
        """The operations of one execution, in order; checked against the law."""
        owner = self.instruction.owner
        trace = Trace(owner.files, owner.xlen)
        offered: dict[str, Any] = {**trace.files, "memory": trace.memory, "machine": trace, **self.statics}
        for name, field in self.instruction.pattern.fields.items():
            if field.kind == "register":
                offered[name] = RegisterField(name)
        meaning = self.instruction.meaning
        wanted = meaning.__code__.co_varnames[:meaning.__code__.co_argcount]
        for name in wanted:
            immediate = self.instruction.pattern.fields.get(name)
            if immediate and immediate.kind in ("signed", "unsigned"):
                offered[name] = trace.field(name, immediate.kind == "signed")
            if name not in offered:
                raise DescriptionError(f"{self.instruction.name} has no field `{name}`")
        meaning(**{name: offered[name] for name in wanted})
        law.check(trace.operations, self.name)
        return trace.operations

    @cached_property
    def registers(self) -> dict[str, tuple[str, str]]:
        """Register fields that matter: name -> (file, `r`, `w` or `rw`)."""
        found: dict[str, tuple[str, str]] = {}
        for op in self.effects:
            if op.op in ("read", "write") and isinstance(op.attr("field"), str):
                name, letter = op.attr("field"), op.op[0]
                before = found.get(name, ("", ""))[1]
                found[name] = (op.attr("file"), before if letter in before else before + letter)
        return found

    @cached_property
    def immediates(self) -> tuple[str, ...]:
        """Immediate fields that matter."""
        return tuple(dict.fromkeys(op.attr("name") for op in self.effects if op.op == "field"))

    @cached_property
    def relative(self) -> str:
        """The immediate field that is added to the pc to give the target of a jump; empty if there is none."""
        target = self.control.args[-1] if self.control is not None and self.control.args else None
        if target is not None and target.op == "add" and [a.op for a in target.args] == ["pc", "field"]:
            return str(target.args[1].attr("name"))
        return ""

    @cached_property
    def control(self) -> Value | None:
        """The operation that ends the instruction elsewhere than at the next one, if there is one."""
        return next((op for op in self.effects if law.ends(op)), None)


def mnemonic(syntax: str) -> str:
    """The name that a syntax begins with; fields spelled inside the mnemonic, like `{aqrl}`, are no part of it."""
    return syntax.split()[0].partition("{")[0].rstrip(".")


class Instruction:
    """One description: encoding, assembly syntax and meaning."""

    def __init__(self, owner: InstructionSet, pattern: Pattern, syntax: str, meaning: Meaning, chapter: str) -> None:
        self.owner = owner
        self.pattern = pattern
        self.syntax = syntax
        self.meaning = meaning
        self.chapter = chapter
        self.name = mnemonic(syntax)
        self._forms: dict[tuple[int, ...], Form] = {}
        self.static_names = tuple(f.name for f in pattern.fields.values() if f.kind == "static")

    def form(self, operands: dict[str, int]) -> Form:
        """The form for these static field values; made when first asked for."""
        key = tuple(operands[name] for name in self.static_names)
        if key not in self._forms:
            self._forms[key] = Form(self, dict(zip(self.static_names, key, strict=True)))
        return self._forms[key]

    def forms(self) -> Iterator[Form]:
        """Every form, in the order of the static values."""
        for statics in self.pattern.statics():
            yield self.form(statics)


class Alias:
    """Another encoding of an instruction, like the compressed ones.

    `operands` maps the target's fields to ours, or to numbers.
    """

    def __init__(self, pattern: Pattern, syntax: str, target: Instruction, operands: dict[str, str | int],
                 chapter: str) -> None:
        self.pattern = pattern
        self.syntax = syntax
        self.name = mnemonic(syntax)
        self.target = target
        self.chapter = chapter
        self.operands = {name: operands.get(name, name) for name in target.pattern.fields}
        for name, ours in self.operands.items():
            if isinstance(ours, str) and ours not in pattern.fields:
                raise DescriptionError(f"{self.name}: `{target.name}` wants `{name}`, the encoding has no `{ours}`")


_LOW = {16: 0xE003, 32: 0x707F}   # bits that most patterns of a width fix


class InstructionSet:
    """All instructions of a guest. Declaring one whose bits overlap another's is refused.

    `short` says how long an instruction is: (mask, value) of the first 16 bits that announce 32, None if all have 32.
    `spellings` says how assembly writes the values of static fields: field name -> value -> text.
    """

    def __init__(self, files: tuple[RegisterFile, ...], xlen: int, short: tuple[int, int] | None = None,
                 spellings: dict[str, dict[int, str]] | None = None) -> None:
        self.files = files
        self.xlen = xlen
        self.short = short
        self.spellings = spellings or {}
        self.instructions: dict[str, Instruction] = {}
        self.aliases: dict[str, Alias] = {}
        self._patterns: dict[tuple[int, int | None], list[tuple[Pattern, str]]] = {}

    def instruction(self, pattern: str, syntax: str) -> Callable[[Meaning], Instruction]:
        """Decorator: the function below is the meaning of this encoding."""
        def declare(meaning: Meaning) -> Instruction:
            made = Instruction(self, Pattern(pattern), syntax, meaning, meaning.__module__.rpartition(".")[2])
            if made.name in self.instructions:
                raise DescriptionError(f"{made.name} is described twice")
            self._claim(made.pattern, made.name)
            self.instructions[made.name] = made
            return made
        return declare

    def alias(self, pattern: str, syntax: str, target: Instruction, **operands: str | int) -> Alias:
        """A further encoding of `target`."""
        chapter = str(sys._getframe(1).f_globals["__name__"]).rpartition(".")[2]  # the file that this stands in
        made = Alias(Pattern(pattern), syntax, target, operands, chapter)
        if made.name in self.aliases:
            raise DescriptionError(f"{made.name} is described twice")
        self._claim(made.pattern, made.name)
        self.aliases[made.name] = made
        return made

    def _claim(self, pattern: Pattern, name: str) -> None:
        """Refuse bits that are taken. Patterns that fix the same low bits differently need not be compared."""
        low = _LOW[pattern.width]
        bits = pattern.value & low if pattern.mask & low == low else None
        mask, value = pattern.mask, pattern.value
        for key, others in self._patterns.items():
            if bits is None or key in ((pattern.width, bits), (pattern.width, None)):
                for other, owner in others:
                    # Of nearly all this shows that they differ, and there are many: whoever starts makes all these comparisons.
                    if not (value ^ other.value) & mask & other.mask and pattern.overlaps(other):
                        raise DescriptionError(
                            f"the bits of {name} ({pattern.text}) overlap those of {owner} ({other.text})")
        self._patterns.setdefault((pattern.width, bits), []).append((pattern, name))

    @cached_property
    def decoder(self) -> Decoder:
        """The decoder derived from the patterns declared so far."""
        return Decoder([*self.instructions.values(), *self.aliases.values()])

    def length(self, low_half: int) -> int:
        """Bytes of the instruction whose first 16 bits these are."""
        return 4 if self.short is None or low_half & self.short[0] == self.short[1] else 2

    def forms(self) -> Iterator[Form]:
        """Every form of every instruction."""
        for instruction in self.instructions.values():
            yield from instruction.forms()
