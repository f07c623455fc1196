"""Every form of every instruction with its registers in every kind of place, and states to run it in."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from engines.side_by_side import DATA, DATA_SIZE, GUEST, RISCV, Block
from isa.instruction_cases import ALL_ONES, FORMATS, INTEGERS, Description, random_field
from oracles.floating_instructions import edges, random_operand
from xenos.semantics.instruction import Form

# Where the engine keeps registers, by file: in the host's, or in memory.
PINNED = {file: GUEST.pins[file] for file in ("x", "f")}
HOMES = {"x": tuple(i for i in range(1, 32) if i not in PINNED["x"]), "f": tuple(i for i in range(32) if i not in PINNED["f"])}
TIME = 0xC01
MIDDLE = DATA + DATA_SIZE // 2
# Where there is nothing: not canonical, above the guest's memory, just before and behind the data, across its ends, low.
NOWHERE = (1 << 63, ALL_ONES - 63, 1 << 46, (1 << 47) - 64, 1 << 47, DATA - 64, DATA + DATA_SIZE, DATA + DATA_SIZE - 1, DATA - 1,
           0, 64, 0xFFFF_FFFF_4000_0000, 0xFFFF_FFFF_C000_0000)


def forms() -> dict[str, list[Form]]:
    """All forms by chapter; those of the instruction that reads the time are left out."""
    chapters: dict[str, list[Form]] = {}
    for form in RISCV.forms():
        if form.statics.get("csr") != TIME:
            chapters.setdefault(form.instruction.chapter, []).append(form)
    return chapters


def placements(form: Form, r: random.Random) -> Iterator[dict[str, int]]:
    """Numbers for the register fields: each pinned, in memory, zero, or the same as one before it; all combinations."""
    pattern = form.instruction.pattern
    fields = [(name, form.registers[name][0]) for name in pattern.fields if name in form.registers]
    pools = {file: r.sample(PINNED[file], len(PINNED[file])) for file in PINNED}
    homes = {file: r.sample(HOMES[file], 8) for file in HOMES}

    def choose(chosen: dict[str, int], number: int) -> Iterator[dict[str, int]]:
        if number == len(fields):
            yield dict(chosen)
            return
        name, file = fields[number]
        before = [n for other, n in chosen.items() if form.registers[other][0] == file]
        options = [next(n for n in pools[file] if n not in before), next(n for n in homes[file] if n not in before), *set(before)]
        if file == "x" and 0 not in before:
            options.append(0)
        for option in options:
            if pattern.fields[name].allows(option):
                yield from choose({**chosen, name: option}, number + 1)

    for chosen in choose({}, 0):
        yield chosen
        r.shuffle(pools["x"])
        r.shuffle(pools["f"])


class States:
    """Blocks of one instruction: its word with random immediates, and states that suit it."""

    def __init__(self, form: Form, r: random.Random) -> None:
        self.form = form
        self.random = r
        self.about = about = Description(form.instruction)
        self.pattern = form.instruction.pattern
        self.access = about.access
        self.dynamic = any(dict(op.attrs).get("rounding") == 7 for op in form.effects)
        # The statics decide how a number is read: the description's own form is only the first.
        self.widths = {arg.attr("field"): op.width if op.op in ("unbox", "extract") else 64 for op in form.effects
                       for arg in op.args if arg.op == "read" and arg.attr("file") == "f"}

    def word(self, registers: dict[str, int], immediate: int | None = None) -> tuple[int, dict[str, int]]:
        """The instruction and its fields."""
        ours = {**self.form.statics, **registers}
        for name, field in self.pattern.fields.items():
            if name in ours:
                continue
            if field.kind == "register":
                ours[name] = field.bias
            elif self.about.relative:
                ours[name] = self.random.choice((4, 6, 8, 12))
            else:
                ours[name] = random_field(field, self.random) if immediate is None else immediate
        return self.pattern.encode(ours), ours

    def block(self, word: int, fields: dict[str, int], rounding: int = 0, wild: bool = True) -> Block:
        """A state for it; if `wild`, at times with an address that cannot be accessed."""
        r = self.random
        x = [r.choice(INTEGERS) if r.random() < 0.6 else random_operand(64, r) for _ in range(32)]
        x[0] = 0
        f = [self._float(r.choice((16, 32, 64))) for _ in range(32)]
        for name, width in self.widths.items():
            f[fields[name]] = self._float(width)
        targets = {}
        base = fields.get("rs1", 0)
        if base and self.access is not None:
            x[base] = self._address(wild) - fields.get("imm", 0) & ALL_ONES
        elif base and self.about.jump is not None and not self.about.relative:
            targets[base] = r.choice((8, 10, 16, 17)) - fields["imm"]
        if fields.get("rs2") and self.access is None and r.random() < 0.2:
            x[fields["rs2"]] = x[base]
        reserved = ((1 << 64) - 1, 0)
        memory = bytearray(r.randbytes(DATA_SIZE))
        if self.access is not None and self.access.op == "store_conditional" and r.random() < 0.7:
            address, size = x[base], self.about.size()
            held = r.getrandbits(64)
            if DATA <= address <= DATA + DATA_SIZE - size and r.random() < 0.8:
                held = int.from_bytes(memory[address - DATA:address - DATA + size], "little")
            reserved = (address, held)
        return Block((word,), struct.pack("<64Q", *x, *f), r.choice((0, r.randrange(32))), rounding, reserved, bytes(memory),
                     word >> 7 & 1, targets)

    def _address(self, wild: bool) -> int:
        r = self.random
        size = self.about.size()
        choice = r.random() if wild else 0.0
        if choice > 0.6:
            return r.choice((*NOWHERE, r.getrandbits(64)))
        return MIDDLE + r.randrange(0, 256) * size + (r.randrange(size) if choice > 0.3 else 0)

    def _float(self, width: int) -> int:
        r = self.random
        number = r.choice(edges(FORMATS[width])) if r.random() < 0.6 else random_operand(FORMATS[width], r)
        return number if r.random() < 0.05 else number | ALL_ONES << width & ALL_ONES
