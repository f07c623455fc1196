"""Cases for any instruction, made from its description: edge and random operands, in random registers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from oracles import CODE, DATA, DATA_SIZE, Case
from oracles.floating_instructions import edges, random_operand
from xenos.semantics.encoding import Field
from xenos.semantics.floating import DOUBLE, HALF, SINGLE
from xenos.semantics.instruction import Alias, Form, Instruction

Entry = Instruction | Alias

ALL_ONES = (1 << 64) - 1
DYNAMIC = 7
FORMATS = {16: HALF, 32: SINGLE, 64: DOUBLE}
ACCESSES = {"load", "store", "amo", "reserve", "store_conditional", "zero_block"}
# A case may jump this far from CODE and still meet an ebreak.
REACH = 0x1F00
# More cases of an instruction than this are only made where it has more forms.
MOST = 400
INTEGERS = [0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 255, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000,
            0x8000_0001, 0xFFFF_FFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, ALL_ONES - 1, ALL_ONES,
            0xFFFF_FFFF_8000_0000, 0xFFFF_FFFF_7FFF_FFFF, 0x0102_0304_0506_0708, 0x8080_8080_8080_8080,
            0x00FF_0000_FF00_00FF]


class Description:
    """What making cases needs to know of an instruction: its memory access, its jump, and the width of its numbers."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.target = entry.target if isinstance(entry, Alias) else entry
        # Target's field name -> our field name, or the number that stands for it.
        self.operands = entry.operands if isinstance(entry, Alias) else {name: name for name in entry.pattern.fields}
        self.form: Form = next(self.target.forms())
        effects = self.form.effects
        self.access = next((op for op in effects if op.op in ACCESSES), None)
        self.jump = next((op for op in effects if op.op in ("jump", "branch")), None)
        self.relative = self.jump is not None and any(op.op == "pc" for op in effects)
        self.widths: dict[str, int] = {}
        for op in effects:
            for argument in op.args:
                if argument.op == "read" and argument.attr("file") == "f":
                    self.widths[argument.attr("field")] = op.width if op.op in ("unbox", "extract") else 64

    def size(self) -> int:
        """Bytes of the memory access."""
        op = self.access
        assert op is not None
        if op.op == "zero_block":
            return int(op.attr("size"))
        return (op.args[1].width if op.op in ("store", "store_conditional") else op.width) >> 3


def cases(entry: Entry, count: int) -> list[Case]:
    """`count` cases for each combination of static fields, fewer if there are many; the same ones every time."""
    about = Description(entry)
    r = random.Random(entry.name)
    made = []
    combinations = list(entry.pattern.statics())
    for statics in combinations:
        for _ in range(max(2, min(count, MOST // len(combinations)))):
            made.append(_case(about, statics, r))
    return sorted(made, key=lambda case: list(case.words))


def random_field(field: Field, r: random.Random) -> int:
    """An operand that the encoding admits."""
    values: list[int] | range = range(1 << len(bin(field.mask).replace("0b", "").replace("0", "")))
    while True:
        packed = r.choice((0, 1, len(values) - 1, len(values) >> 1, (len(values) >> 1) - 1, r.randrange(len(values))))
        if field.kind == "register":
            packed = r.randrange(len(values))
        raw = taken = 0
        for _, width, shift in sorted(field.pieces, key=lambda piece: piece[2]):
            raw |= (packed >> taken & ((1 << width) - 1)) << shift
            taken += width
        if field.allows(raw):
            raw += field.bias
            return raw - (1 << field.width) if field.kind == "signed" and raw >> (field.width - 1) else raw


def _case(about: Description, statics: dict[str, int], r: random.Random) -> Case:
    fields = about.entry.pattern.fields
    while True:
        ours = {name: statics[name] if name in statics else random_field(field, r) for name, field in fields.items()}
        operands = {name: ours[of] if isinstance(of, str) else of for name, of in about.operands.items()}
        if about.relative and (operands["imm"] in (0, 2) or not -REACH < operands["imm"] < REACH):
            # 0 would go on for ever, 2 is the instruction's own second half.
            far = (-REACH, REACH) if operands["imm"] not in (0, 2) else ()
            ours["imm"] = operands["imm"] = r.choice((-4, -2, 4, 6, 8, *far))
        if about.jump is not None and not about.relative and operands["rs1"] == 0:
            continue
        if about.access is None or operands["rs1"] != 0:
            break
    x = {i: r.choice(INTEGERS) if r.random() < 0.6 else random_operand(64, r) for i in range(1, 32)}
    f = {i: _float(about.widths.get("rs1", 64), r) for i in range(32)}
    for name, width in about.widths.items():
        f[operands[name]] = _float(width, r)
    if about.access is not None:
        x[operands["rs1"]] = _address(about, r) - operands.get("imm", 0) & ALL_ONES
    elif about.jump is not None and not about.relative:
        x[operands["rs1"]] = CODE + (r.randrange(-REACH, REACH) or 4) - operands["imm"] & ALL_ONES
    if operands.get("rs2") and r.random() < 0.2 and about.access is None:
        x[operands["rs2"]] = x.get(operands["rs1"], 0) if "rs1" in operands else 0
    rounding = r.randrange(5) if r.random() < 0.9 or operands.get("rm") != DYNAMIC else r.randrange(5, 8)
    words = [about.entry.pattern.encode(ours)]
    if about.access is not None and about.access.op == "store_conditional" and r.random() < 0.8:
        # Load-reserved is the same encoding with another function code and no rs2; now and then of another register.
        words.insert(0, words[0] & ~(0x1F << 20 | 0xF800_0000 | 0x1F << 7) | 0b00010 << 27)
    memory = r.randbytes(256) if about.access is not None else b""
    return Case(words, x, f, rounding << 5 | (r.randrange(32) if r.random() < 0.2 else 0), memory)


def _address(about: Description, r: random.Random) -> int:
    """In the data, mostly aligned, at times across its end or nowhere at all."""
    size = about.size()
    assert about.access is not None
    atomic = about.access.op not in ("load", "store", "zero_block")
    choice = r.random()
    if choice < 0.03 and about.access.op != "store_conditional":  # one that fails may fault, or not
        return r.choice((0, DATA - 8, DATA + DATA_SIZE, ALL_ONES - 63, 1 << 62))
    offset = r.randrange(0, 256 - size)
    aligned = atomic or choice < 0.7
    return DATA + (offset // size * size if aligned else offset)


def _float(width: int, r: random.Random) -> int:
    """A register with a number of `width` bits in it, boxed; at times with anything."""
    number = r.choice(edges(FORMATS[width])) if r.random() < 0.5 else random_operand(FORMATS[width], r)
    if width < 64 and r.random() < 0.06:
        return number | r.getrandbits(64 - width) << width
    return number | ALL_ONES << width & ALL_ONES


def by_chapter(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """The instructions of each chapter, the order kept."""
    chapters: dict[str, list[Entry]] = {}
    for entry in entries:
        chapters.setdefault(entry.chapter, []).append(entry)
    yield from chapters.items()
