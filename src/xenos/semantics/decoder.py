"""The decoder, derived from the patterns: a tree of tables, each looked up by the bits that all its patterns fix."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, TypeAlias

from xenos.semantics.encoding import Pattern

if TYPE_CHECKING:
    from xenos.semantics.instruction import Alias, Form, Instruction

Entry: TypeAlias = "Instruction | Alias"

# Words; a program that writes code for ever must not fill our memory.
_MOST_REMEMBERED = 1 << 17


class Decoded:
    """An instruction word, understood: its form, operand values by field name, and length in bytes."""

    __slots__ = ("entry", "form", "length", "operands", "word")

    def __init__(self, word: int, entry: Entry, form: Form, operands: dict[str, int], length: int) -> None:
        self.word = word
        self.entry = entry
        self.form = form
        self.operands = operands
        self.length = length


class Leaf:
    """A declared encoding with its extraction compiled to one Python expression; `form` where there is only one."""

    __slots__ = ("entry", "extract", "form", "pattern", "target")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.pattern: Pattern = entry.pattern
        self.target: Instruction = getattr(entry, "target", None) or entry  # type: ignore[assignment]
        self.form = None if self.target.static_names else self.target.form({})
        self.extract: Callable[[int], dict[str, int]] = self._first

    def _first(self, word: int) -> dict[str, int]:
        """Compile the extraction when it is first wanted: a program uses a part of the instructions."""
        self.extract = eval(f"lambda w: {{{extraction(self.entry)}}}", {})
        return self.extract(word)



def extraction(entry: Entry) -> str:
    """The items of a dictionary display that gives each operand of the target instruction from a word `w`."""
    fields = entry.pattern.fields
    operands: dict[str, str | int] = getattr(entry, "operands", {name: name for name in fields})
    return ", ".join(f"{name!r}: {fields[ours].source() if isinstance(ours, str) else ours}"
                     for name, ours in operands.items())


class Decoder:
    """Finds the encoding of a word. `decode` gives None where no pattern matches; results are remembered per word."""

    def __init__(self, entries: list[Entry]) -> None:
        leaves = [Leaf(entry) for entry in entries]
        self._trees = {width: _grow([leaf for leaf in leaves if leaf.pattern.width == width]) for width in (16, 32)}
        self._known: dict[int, Decoded | None] = {}

    def decode(self, word: int, length: int) -> Decoded | None:
        """The instruction in a word of `length` bytes."""
        key = word | length << 32
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._find(word, length)
            return found

    def leaf(self, word: int, length: int) -> Leaf | None:
        """The declared encoding that a word of `length` bytes is of."""
        node = self._trees[8 * length]
        while isinstance(node, _Table):
            node = node.children.get(word & node.mask, [])
        for leaf in node:
            if leaf.pattern.matches(word):
                return leaf
        return None

    def _find(self, word: int, length: int) -> Decoded | None:
        leaf = self.leaf(word, length)
        if leaf is None:
            return None
        operands = leaf.extract(word)
        return Decoded(word, leaf.entry, leaf.form or leaf.target.form(operands), operands, length)


class _Table:
    """What comes next, by the bits in `mask`."""

    __slots__ = ("children", "mask")

    def __init__(self, mask: int, children: dict[int, _Table | list[Leaf]]) -> None:
        self.mask = mask
        self.children = children


def _grow(leaves: list[Leaf], used: int = 0) -> _Table | list[Leaf]:
    """A table over the bits that all leaves fix and no table above has looked at; a list where there are none."""
    common = reduce(int.__and__, (leaf.pattern.mask for leaf in leaves), ~used) if leaves else 0
    if len(leaves) <= 2 or not common:
        return leaves
    groups: dict[int, list[Leaf]] = {}
    for leaf in leaves:
        groups.setdefault(leaf.pattern.value & common, []).append(leaf)
    return _Table(common, {bits: _grow(group, used | common) for bits, group in groups.items()})
