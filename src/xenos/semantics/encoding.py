"""Encodings as aligned bit patterns: `"imm[11:0] rs1:5 000 rd:5 0010011"`, most significant bit first.

    0101            fixed bits                      ---         bits that do not matter
    rs1:5           a field of five bits            rd':3       a register field that counts from 8
    imm[4|9:6]      pieces of an immediate, as the manual's figures name them
    rd:5!=0,2       a field that never has these values         rm:3=0,1     one that has only these

Names starting with `r` number registers, save `rm` and `rl`; `imm...` is a signed immediate, `uimm...` and `shamt`
unsigned ones; any other name is *static*: the meaning is traced anew for each of its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from itertools import product

from xenos.errors import DescriptionError

_TOKEN = re.compile(r"(?P<bits>[01-]+)$|(?P<name>[a-z]\w*)(?P<prime>')?(?::(?P<width>\d+)|\[(?P<pieces>[\d:|]+)\])"
                    r"(?:(?P<relation>!?=)(?P<values>[\dxa-fA-F,]+))?$")


class Field:
    """One field: where its pieces lie in the word, and which values it may have."""

    def __init__(self, name: str, prime: bool) -> None:
        self.name = name
        self.bias = 8 if prime else 0
        self.pieces: list[tuple[int, int, int]] = []  # (shift in the word, width, shift in the value)
        self.only: frozenset[int] | None = None
        self.never: frozenset[int] = frozenset()

    @property
    def kind(self) -> str:
        """`register`, `signed`, `unsigned` or `static`."""
        if self.name.startswith("r") and self.name not in ("rm", "rl"):
            return "register"
        if self.name.startswith("imm"):
            return "signed"
        return "unsigned" if self.name.startswith(("uimm", "shamt")) else "static"

    @property
    def width(self) -> int:
        """Bits of the value, low zeros that are not encoded included."""
        return max(width + shift for _, width, shift in self.pieces)

    @property
    def mask(self) -> int:
        """The field's bits in the word."""
        return sum(((1 << width) - 1) << at for at, width, _ in self.pieces)

    def allows(self, value: int) -> bool:
        """Whether the encoding admits this value."""
        return value not in self.never and (self.only is None or value in self.only)

    def values(self) -> list[int]:
        """Every value that the encoding admits."""
        return [v for v in range(1 << self.width) if self.allows(v)] if self.only is None else sorted(self.only)

    def raw_source(self, word: str = "w") -> str:
        """A Python expression that gathers the field's bits from a word."""
        parts = []
        for at, width, shift in self.pieces:
            part = f"({word} >> {at} & {(1 << width) - 1})" if at else f"({word} & {(1 << width) - 1})"
            parts.append(f"({part} << {shift})" if shift else part)
        return " | ".join(parts)

    def source(self, word: str = "w") -> str:
        """A Python expression that extracts the field's value from a word (sign extended if signed)."""
        text = self.raw_source(word)
        if self.kind == "signed":
            sign = 1 << (self.width - 1)
            return f"(({text}) ^ {sign}) - {sign}"
        return f"({text}) + {self.bias}" if self.bias else text

    def insert(self, value: int) -> int:
        """The bits of a word that hold `value`; DescriptionError if it cannot be encoded."""
        encoded = value - self.bias
        if self.kind == "signed" and -(1 << (self.width - 1)) <= encoded < 0:
            encoded += 1 << self.width
        held = sum(((1 << width) - 1) << shift for _, width, shift in self.pieces)
        in_range = not self.kind == "signed" or value < 1 << (self.width - 1)
        if encoded & ~held or encoded < 0 or not in_range or not self.allows(encoded):
            raise DescriptionError(f"{self.name} cannot be {value}")
        return sum((encoded >> shift & ((1 << width) - 1)) << at for at, width, shift in self.pieces)


class Pattern:
    """A parsed bit pattern of 16 or 32 bits."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fields: dict[str, Field] = {}
        self.mask = self.value = 0
        try:
            tokens = [_token(word) for word in text.split()]
        except ValueError as error:
            raise DescriptionError(f"{error} in pattern `{text}`") from None
        self.width = at = sum(width for _, width, _, _ in tokens)
        if self.width not in (16, 32):
            raise DescriptionError(f"pattern of {self.width} bits: {text}")
        for match, width, mask, value in tokens:
            at -= width
            if match is None:
                self.mask |= mask << at
                self.value |= value << at
            else:
                self._place(match, at, width)

    def _place(self, match: re.Match[str], at: int, width: int) -> None:
        name = match["name"]
        field = self.fields.get(name)
        if field is None:
            field = self.fields[name] = Field(name, bool(match["prime"]))
        if match["width"]:
            field.pieces.append((at, width, 0))
        else:
            top = at + width
            for low, size in _pieces(match["pieces"]):
                top -= size
                field.pieces.append((top, size, low))
        if match["relation"]:
            values = frozenset(int(v, 0) for v in match["values"].split(","))
            if match["relation"] == "=":
                field.only = values
            else:
                field.never = values

    @cached_property
    def _constrained(self) -> list[tuple[Field, Callable[[int], int]]]:
        return [(f, _raw(f)) for f in self.fields.values() if f.only is not None or f.never]

    @cached_property
    def matches(self) -> Callable[[int], bool]:
        """A function that tells whether a word is of this pattern, constraints included."""
        conditions = [f"w & {self.mask} == {self.value}"]
        for field in self.fields.values():
            if field.never:
                conditions.append(f"({field.raw_source()}) not in {set(field.never)}")
            if field.only is not None:
                conditions.append(f"({field.raw_source()}) in {set(field.only)}")
        return eval(f"lambda w: {' and '.join(conditions)}", {})  # type: ignore[no-any-return]

    def encode(self, operands: dict[str, int]) -> int:
        """The word with these field values."""
        return self.value | sum(field.insert(operands[name]) for name, field in self.fields.items())

    @cached_property
    def decode(self) -> Callable[[int], dict[str, int]]:
        """A function that gives the value of every field of a word."""
        items = ", ".join(f"{name!r}: {field.source()}" for name, field in self.fields.items())
        return eval(f"lambda w: {{{items}}}", {})  # type: ignore[no-any-return]

    def statics(self) -> Iterator[dict[str, int]]:
        """Every combination of the static fields' values."""
        fields = [f for f in self.fields.values() if f.kind == "static"]
        for values in product(*(f.values() for f in fields)):
            yield {f.name: v for f, v in zip(fields, values, strict=True)}

    def overlaps(self, other: Pattern) -> bool:
        """Whether some word could be of both patterns."""
        if self.width != other.width or (self.value ^ other.value) & self.mask & other.mask:
            return False
        return not (self._excludes(other) or other._excludes(self))

    def _excludes(self, other: Pattern) -> bool:
        """Whether a constraint of ours is broken by every word of `other`."""
        for field, raw in self._constrained:
            if field.mask & ~other.mask == 0:
                if not field.allows(raw(other.value)):
                    return True
            elif field.only is not None:
                for theirs in other.fields.values():
                    if theirs.pieces == field.pieces and theirs.only is not None and not theirs.only & field.only:
                        return True
                if not any(((field_bits(field, v) ^ other.value) & field.mask & other.mask) == 0 for v in field.only):
                    return True
        return False


@lru_cache(None)      # a guest has a few hundred patterns, of the same words over and over
def _token(word: str) -> tuple[re.Match[str] | None, int, int, int]:
    """One word of a pattern: its match if it is a field, its width, and, of fixed bits, which are fixed and what they are."""
    match = _TOKEN.match(word)
    if not match:
        raise ValueError(f"`{word}`")
    bits = match["bits"]
    if bits:
        mask = int(bits.replace("0", "1").replace("-", "0"), 2)
        return None, len(bits), mask, int(bits.replace("-", "0"), 2)
    return match, int(match["width"]) if match["width"] else sum(width for _, width in _pieces(match["pieces"])), 0, 0


def _pieces(text: str) -> list[tuple[int, int]]:
    """(low bit of the value, width) of each piece, most significant in the word first."""
    pieces = []
    for piece in text.split("|"):
        high, _, low = piece.partition(":")
        pieces.append((int(low or high), int(high) - int(low or high) + 1))
    return pieces


def field_bits(field: Field, value: int) -> int:
    """A raw field value, laid into its place in the word."""
    return sum((value >> shift & ((1 << width) - 1)) << at for at, width, shift in field.pieces)


def _raw(field: Field) -> Callable[[int], int]:
    pieces = field.pieces
    return lambda word: sum((word >> at & ((1 << width) - 1)) << shift for at, width, shift in pieces)
