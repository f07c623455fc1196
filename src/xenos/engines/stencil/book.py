"""The translator's book: all that is known of a guest on a host, written down flat (engines/translator/layout.py)."""

from __future__ import annotations

import ast
import struct
from types import ModuleType

from xenos.cpu import layout as state
from xenos.engines.code.segment import BREAKPOINT, ILLEGAL, SLOW, SYNC
from xenos.engines.llvm.emit import immediate_only
from xenos.engines.stencil.binding import source
from xenos.engines.stencil.library import Stencil
from xenos.engines.stencil.pins import pins
from xenos.engines.stencil.shapes import held_back
from xenos.engines.translator import layout as at
from xenos.errors import EngineError
from xenos.isa.guest import Guest
from xenos.semantics.decoder import Entry
from xenos.semantics.encoding import Field, field_bits
from xenos.semantics.instruction import Form, Instruction
from xenos.semantics.operations import TABLE

_WHY = {"sync_code": SYNC, "breakpoint": BREAKPOINT, "illegal": ILLEGAL}
_BINARY = {ast.Add: at.ADD, ast.Sub: at.SUBTRACT, ast.BitAnd: at.AND, ast.BitOr: at.OR, ast.BitXor: at.XOR,
           ast.LShift: at.LEFT, ast.RShift: at.RIGHT}


class Encoding:
    """One way to write a form: bits, and values of fields that it never has."""

    def __init__(self, mask: int, value: int, nevers: list[tuple[int, int]], form: Form, entry: Entry) -> None:
        self.mask = mask
        self.value = value
        self.nevers = nevers
        self.form = form
        self.entry = entry


def encodings(entry: Entry) -> list[Encoding]:
    """What a declaration stands for: one encoding for each value of its static fields, and of those that have only some."""
    pattern = entry.pattern
    target: Instruction = getattr(entry, "target", None) or entry  # type: ignore[assignment]
    made: list[tuple[int, int, dict[str, int]]] = [(pattern.mask, pattern.value, {})]
    nevers: list[tuple[int, int]] = []
    for name, field in pattern.fields.items():
        if field.kind == "static" or field.only is not None:
            made = [(mask | field.mask, value | field_bits(field, one), {**held, name: one})
                    for mask, value, held in made for one in field.values()]
        nevers += [(field.mask, field_bits(field, one)) for one in field.never if field.kind != "static"]
    ours = operands_of(entry)
    found = []
    for mask, value, held in made:
        statics = {name: held[one] if isinstance(one, str) else one
                   for name, one in ours.items() if target.pattern.fields[name].kind == "static"}
        found.append(Encoding(mask, value, nevers, target.form(statics), entry))
    return found


def operands_of(entry: Entry) -> dict[str, str | int]:
    """For each field of the instruction, the name of the encoding's, or a number."""
    return getattr(entry, "operands", None) or {name: name for name in entry.pattern.fields}


class Book:
    """Writes the book of a guest. `forms` says where in it each form stands, once `write` was called."""

    def __init__(self, guest: Guest, host: ModuleType, stencils: dict[tuple[str, str, str], Stencil],
                 special: dict[str, Stencil], slow: dict[str, str]) -> None:
        self.guest = guest
        self.host = host
        self.stencils = stencils
        self.special = special
        self.slow = slow
        self.data = bytearray(at.BOOK_HEAD)
        self._kept: dict[bytes, int] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self.forms: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def write(self) -> bytes:
        """Write everything."""
        short = self.guest.instructions().short or (0, 0)
        self._head(at.SHORT_MASK, short[0])
        self._head(at.SHORT_VALUE, short[1])
        self._head(at.SPACING, 5 - self.guest.alignment.bit_length())
        self._head(at.DROPPED, state.DROPPED)
        self._head(at.FIRST_SPARE, len(self.host.GENERAL_PINS))
        self._head(at.SPARES, len(self.host.SPARE_PINS))
        for place, name in ((at.POLL, "poll"), (at.GOTO, "goto"), (at.COUNT, "count"), (at.STUB, "stub"),
                            (at.PLAIN_STUB, "link")):
            self._head(place, self._stencil(self.special[name], None))
        self._head(at.FILES, self._files())
        self._decoding()
        self._choices()
        biggest = max(one[0] for one in [*self.stencils.values(), *self.special.values()])
        moves = 2 * 4 * max(one[0] for name, one in self.special.items() if name.startswith(("load", "store")))
        self._head(at.ROOM, 2 * (at.MOST + 1) * (biggest + moves + 4 * (self.special["stub"][0] + 16)))
        self._hash()
        return bytes(self.data)

    def _head(self, place: int, value: int) -> None:
        struct.pack_into("<q", self.data, place, value)

    def _add(self, data: bytes, alignment: int = 4) -> int:
        """Put bytes into the book, unless they are there; gives their place."""
        known = self._kept.get(data)
        if known is None:
            self.data += bytes(-len(self.data) % alignment)
            known = self._kept[data] = len(self.data)
            self.data += data
        return known

    def _words(self, *words: int) -> int:
        return self._add(b"".join((word & 0xFFFF_FFFF).to_bytes(4, "little") for word in words))

    # Registers.

    def _files(self) -> int:
        layout = self.guest.layout
        rows = []
        for name, file in layout.files.items():
            letter = "f" if file.floating else "p"
            pinned = pins(self.guest, self.host, name)
            moves = []
            for pin in range(len(self.host.VECTOR_PINS if file.floating else (*self.host.GENERAL_PINS, *self.host.SPARE_PINS))):
                moves += [self._stencil(self.special[f"{way}{letter}{pin}"], None) for way in ("store", "load")]
            rows += [-1 if file.zero is None else file.zero, layout.offsets[name], layout.strides[name], int(file.floating),
                     self._words(*(pinned.get(register, at.NONE) for register in range(file.count))), self._words(*moves)]
        return self._words(*rows)

    # Decoding.

    def _decoding(self) -> None:
        instructions = self.guest.instructions()
        groups: dict[int, list[Encoding]] = {32: [], 16: []}
        entries: list[Entry] = [*instructions.instructions.values(), *instructions.aliases.values()]
        for entry in entries:
            groups[entry.pattern.width] += encodings(entry)
        self._masks: list[int] = [0, 0]
        leaves: list[tuple[Encoding, bool]] = []
        for root, group in ((0, groups[32]), (1, groups[16])):
            self._grow(group, 0, root, leaves)
        rows = []
        for one, more in leaves:
            form = self._form(one.form)
            nevers = self._words(*(word for pair in one.nevers for word in pair)) if one.nevers else 0
            fields = [*one.form.registers, *one.form.immediates]
            counts = len(one.form.registers), len(one.form.immediates)
            if max(counts) > at.OPERANDS:
                raise EngineError(f"{one.form.name} has more than {at.OPERANDS} operands of a kind")
            places = [self._field(one, name) for name in fields]
            rows += [one.mask, one.value, int(more), form, len(one.nevers), nevers,
                     *places[:counts[0]], *[0] * (at.OPERANDS - counts[0]),
                     *places[counts[0]:], *[0] * (at.OPERANDS - counts[1])]
        self._head(at.LEAVES, self._words(*rows))
        self._head(at.NODES, self._words(*self._masks))

    def _grow(self, group: list[Encoding], used: int, node: int, leaves: list[tuple[Encoding, bool]]) -> None:
        """Decide by the bits that all of a group fix and no step before has looked at; where there are none, by trying."""
        common = ~used
        for one in group:
            common &= one.mask
        common &= 0xFFFF_FFFF
        self._masks[node] = common
        split: dict[int, list[Encoding]] = {}
        for one in group:
            split.setdefault(one.value & common, []).append(one)
        for bits, part in split.items():
            if len(part) == 1 or len(split) == 1:
                self._pairs[node, bits] = at.LEAF_BIT | len(leaves)
                leaves += [(one, one is not part[-1]) for one in part]
            else:
                self._masks.append(0)
                self._pairs[node, bits] = len(self._masks) - 1
                self._grow(part, used | common, len(self._masks) - 1, leaves)

    def _field(self, one: Encoding, name: str) -> int:
        """How to gather an operand of the instruction from a word of this encoding."""
        ours = operands_of(one.entry)[name]
        if not isinstance(ours, str):
            return self._words(ours, 0, 0)
        field: Field = one.entry.pattern.fields[ours]
        sign = 1 << field.width - 1 if field.kind == "signed" else 0
        pieces = [word for bit, width, shift in field.pieces for word in (bit, shift, (1 << width) - 1)]
        return self._words(field.bias, sign, len(field.pieces), *pieces)

    # Forms.

    def _form(self, form: Form) -> int:
        known = self.forms.get(form.name)
        if known is not None:
            return known
        number = self._numbers[form.name] = len(self._numbers)
        files = list(self.guest.layout.files)
        kind, why, goal = self._control(form)
        registers = list(form.registers.values())
        result = next((i for i, (_, use) in enumerate(registers) if "w" in use), at.NONE)
        flags = at.ROUNDS * _rounds(form) | at.ACTS * _acts(form) | at.HELD * held_back(form) | at.ENDS * (
            form.control is not None)
        rows = [kind, why, self._rule(form), flags, number, goal, result, len(form.immediates), len(registers)]
        for file, use in registers:
            rows += [files.index(file), at.READ * ("r" in use) | at.WRITTEN * ("w" in use)]
        self.forms[form.name] = place = self._words(*rows)
        return place

    def _control(self, form: Form) -> tuple[int, int, int]:
        """What kind a form is, why code is left there, the expression of where it jumps to."""
        control = form.control
        if control is not None and control.op not in ("jump", "branch", "syscall"):
            return at.LEAVES_CODE, _WHY[control.attr("cause") if control.op == "trap" else control.op], 0
        if form.name in self.slow:
            return at.LEAVES_CODE, SLOW, 0
        if control is None:
            return at.PLAIN, 0, 0
        if not control.args or not immediate_only(control.args[-1]):
            return at.INDIRECT, 0, 0
        return (at.BRANCH if control.op == "branch" else at.JUMP), 0, self._expression(source(control.args[-1]), form)

    @staticmethod
    def _rule(form: Form) -> int:
        if not form.immediates:
            return at.ANY
        if form.instruction.pattern.fields[form.immediates[0]].kind == "unsigned":
            return at.SHORT
        return at.CONTROL if form.control is not None else at.LONG

    # Stencils.

    def _choices(self) -> None:
        forms = {form.name: form for form in self.guest.instructions().forms()}
        for (name, shape, kind), stencil in self.stencils.items():
            if name in self._numbers:
                letters = sum(at.LETTERS.index(letter) << 3 * i for i, letter in enumerate(shape))
                key = at.FORMS + self._numbers[name], letters << 4 | at.CLASSES.index(kind)
                self._pairs[key] = self._stencil(stencil, forms[name])

    def _stencil(self, stencil: Stencil, form: Form | None) -> int:
        size, split, base, tables, holes, near, ways, (crossings, taken) = stencil
        jumps = [name for _, name in ways]
        if form is not None and form.control is not None and "TAKEN" in jumps and (
                ways[0][1] != "TAKEN" or ways[0][0] >= split or jumps.count("TAKEN") > 1):
            raise EngineError(f"a stencil of {form.name} does not end in its jump")
        if size > at.HOT - at.SCRATCH - 8 or len(ways) > at.WAYS_MOST:
            raise EngineError(f"a stencil{f' of {form.name}' if form is not None else ''} is too large for the translator's desk")
        code = self._add(base.to_bytes(size + 7 & ~7, "little"), 8)
        words = [size, split, code, sum(1 << pin for pin in taken), len(tables), len(holes), len(near), len(ways), len(crossings)]
        for operand, table in tables:
            words += [operand, self._words(*(at.NONE if one is None else self._change(one) for one in table))]
        for bit, mask, text in holes:
            expression = self._expression(text, form) if form is not None else 0
            depends = at.DEPENDS if "pc" in text or "next" in text else 0
            words += [bit, expression | depends, mask, mask >> 32]
        for site, where in (*near, *((s, int(name == "SLOW") * at.SLOW_WAY) for s, name in ways), *crossings):
            words += [site, where]
        return self._words(*words)

    def _change(self, number: int) -> int:
        """What renames a register: where in the code, and what is changed there, byte by byte."""
        held = number.to_bytes((number.bit_length() + 7) // 8, "little")
        return self._words(*(offset << 8 | byte for offset, byte in enumerate(held) if byte), 0)

    def _expression(self, text: str, form: Form) -> int:
        """An expression over a form's immediates as steps of a machine with a stack."""
        registers, immediates = list(form.registers), list(form.immediates)
        if text.startswith("home "):
            name, _, inside = text[5:].partition(" + ")
            steps = [at.HOME, registers.index(name), *([at.NUMBER, int(inside), at.ADD] if inside else [])]
        else:
            steps = _steps(ast.parse(text, mode="eval").body, immediates)
        return self._add(struct.pack(f"<{len(steps) + 1}Q", *(s & (1 << 64) - 1 for s in steps), at.END), 8)

    def _hash(self) -> None:
        """The table of pairs, no more than half full."""
        size = 1 << (2 * len(self._pairs)).bit_length()
        table = bytearray(at.PAIR * size)
        for (first, second), value in self._pairs.items():
            place = ((first * 0x9E3779B97F4A7C15 + second) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1) >> 32 & size - 1
            while table[at.PAIR * place:at.PAIR * place + 4] != bytes(4):
                place = place + 1 & size - 1
            struct.pack_into("<III", table, at.PAIR * place, first + 1, second, value)
        self.data += bytes(-len(self.data) % 16)
        self._head(at.PAIRS, len(self.data))
        self._head(at.PAIRS_MASK, size - 1)
        self.data += table


def _steps(node: ast.expr, immediates: list[str]) -> list[int]:
    match node:
        case ast.Constant(value=int() as number):
            return [at.NUMBER, number]
        case ast.Name(id="pc" | "next" as name):
            return [at.PC if name == "pc" else at.FOLLOWING]
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return [at.IMMEDIATE, immediates.index(name)]
        case ast.BinOp(left=left, op=op, right=right):
            return [*_steps(left, immediates), *_steps(right, immediates), _BINARY[type(op)]]
        case ast.UnaryOp(op=ast.Invert() | ast.USub() as op, operand=operand):
            return [*_steps(operand, immediates), at.INVERT if isinstance(op, ast.Invert) else at.NEGATE]
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return [step for one in (body, test, orelse) for step in _steps(one, immediates)] + [at.SELECT]
    raise EngineError(f"a hole's value is not understood: {ast.unparse(node)}")


def _rounds(form: Form) -> bool:
    """Whether a form uses, or changes, the dynamic rounding mode."""
    return any(dict(op.attrs).get("rounding") == 7 or op.op == "set_rounding" for op in form.effects)


def _acts(form: Form) -> bool:
    """Whether a form does something besides computing its result."""
    return any(TABLE[op.op].effect in ("memory", "fp") or op.op in ("set_flags", "set_rounding", "fence")
               for op in form.effects)
