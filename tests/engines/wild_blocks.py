"""Random blocks of valid and invalid instructions: all forms, few registers again and again, faults, jumps forward, a loop.

What a block is drawn from is drawn first, once: making a block must not take longer than running it.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from engines.side_by_side import DATA, DATA_SIZE, FILES, GUEST, RISCV, Block
from isa.instruction_cases import ALL_ONES, INTEGERS, Description, Entry, random_field
from oracles.floating_instructions import edges, random_operand
from xenos.semantics.assembler import Assembler
from xenos.semantics.encoding import Field
from xenos.semantics.floating import DOUBLE, HALF, SINGLE

ASSEMBLER = Assembler(RISCV, GUEST.names)
# Registers that hold addresses: in the data, in reach of compressed forms too; of code; the loop's counter.
BASES, CODE_BASES, COUNTER = (2, 8, 9, 18), (1, 5, 28), 31
KEPT = frozenset((*BASES, *CODE_BASES, COUNTER))
# Most operands are drawn from these: pins, others, zero, and those that compressed forms can name.
COMMON = (0, 10, 11, 12, 13, 14, 15, 16, 17, 30)
TIME, ROUNDING = 0xC01, (2, 3)      # CSRs: one is never the same, two make the engine begin anew
SELDOM = {"ecall", "ebreak", "c.ebreak", "fence.i"}
NOWHERE = (0, 1 << 63, ALL_ONES - 7, 1 << 46, 1 << 47, (1 << 47) - 4096, DATA - 0x10000, 0x4000_0000)
HOP = 5
MANY = 3000

Drawn = tuple["Template", dict[str, int]]


class Template:
    """An instruction and what its fields are drawn from: values by name, and for registers those in each pool."""

    def __init__(self, entry: Entry, pools: list[Sequence[int]], r: random.Random) -> None:
        about = Description(entry)
        self.pattern = entry.pattern
        self.relative = about.relative
        self.jumps = about.jump is not None and not about.relative
        self.seldom = entry.name in SELDOM
        self.operands = about.operands
        self.files = {file for file, _ in about.form.registers.values()}
        self.written = [name for name, (file, use) in about.form.registers.items() if file == "x" and "w" in use]
        self.values: dict[str, list[int]] = {}
        self.registers: dict[str, list[list[int]]] = {}
        for name, field in entry.pattern.fields.items():
            if name == "rs1" and (about.access is not None or self.jumps):
                self.values[name] = _fitting(CODE_BASES if self.jumps else BASES, field)
            elif field.kind == "register":
                anything = _fitting(range(32), field)
                self.registers[name] = [_fitting(pool, field) * 8 + anything for pool in pools]
            elif field.kind == "static":
                self.values[name] = [v for v in field.values() if v != TIME]
            else:
                self.values[name] = [random_field(field, r) for _ in range(64)]
        if self.jumps and "imm" in self.values:
            self.values["imm"] = [0, 2, 4]

    def draw(self, r: random.Random, pool: int) -> dict[str, int] | None:
        """The fields of one instruction, or None where the draw does not suit."""
        ours = {name: r.choice(values) for name, values in self.values.items()}
        for name, pools in self.registers.items():
            ours[name] = r.choice(pools[pool])
        if self.seldom and r.random() < 0.9 or ours.get("csr") in ROUNDING and r.random() < 0.97:
            return None
        for name in self.written:
            ours_or_number = self.operands[name]
            number = ours[ours_or_number] if isinstance(ours_or_number, str) else ours_or_number
            if number in KEPT and not (self.jumps and number == 1):
                return None
        return ours


class WildBlocks:
    """Makes blocks, the same ones for the same seed."""

    def __init__(self, seed: int | str) -> None:
        r = self.random = random.Random(seed)
        self.pools: list[Sequence[int]] = [*(r.sample(COMMON, 5) for _ in range(12)), range(32), range(32)]
        entries: list[Entry] = [*RISCV.instructions.values(), *RISCV.aliases.values()]
        self.templates = [Template(entry, self.pools, r) for entry in entries]
        self.integers = INTEGERS * (MANY // 2 // len(INTEGERS)) + [random_operand(64, r) for _ in range(MANY // 2)]
        self.floats = [self._float() for _ in range(MANY)]

    def block(self, length: int) -> Block:
        """One block of about `length` instructions."""
        r = self.random
        pool = r.randrange(len(self.pools))
        drawn: list[Drawn | int] = []
        for template in r.choices(self.templates, k=length):
            ours = template.draw(r, pool)
            if r.random() < 0.004:
                word = r.getrandbits(32) | 3     # one that means something might change the code itself
                drawn.append(r.choice((0, 0xFFFF_FFFF, 0 if RISCV.decoder.decode(word, 4) else word)))
            elif ours is not None:
                drawn.append((template, ours))
        words = self._encode(drawn)
        if r.random() < 0.25:
            size = sum(4 if word & 3 == 3 else 2 for word in words)
            ends = (f"addi x{COUNTER}, x{COUNTER}, -1", f"bne x{COUNTER}, zero, {-size - 4}")
            words = [ASSEMBLER.assemble(f"addi x{COUNTER}, zero, {r.randrange(1, 4)}"), *words,
                     *map(ASSEMBLER.assemble, ends)]
        end = sum(4 if word & 3 == 3 else 2 for word in words)
        x = r.choices(self.integers, k=32)
        x[0] = 0
        for i in BASES:
            x[i] = self._address()
        held = struct.pack("<64Q", *x, *r.choices(self.floats, k=32))
        assert len(held) == FILES
        return Block(tuple(words), held, r.choice((0, 0, r.randrange(32))), r.choice((0, 0, 0, 1, 2, 3)),
                     (DATA + 8 * r.randrange(DATA_SIZE // 8), r.getrandbits(64)), r.randbytes(DATA_SIZE), r.randrange(2),
                     {i: end + r.choice((0, 2, 3, 4)) for i in CODE_BASES})

    def _address(self) -> int:
        """Mostly well inside the data; at times at its ends, at no multiple of anything, or nowhere at all."""
        r = self.random
        chance = r.random()
        if chance < 0.94:
            return DATA + DATA_SIZE // 2 + 64 * r.randrange(-8, 8) + (r.randrange(64) if chance < 0.2 else 0)
        if chance < 0.97:
            return DATA + r.choice((0, DATA_SIZE)) + r.randrange(-16, 16)
        return r.choice((*NOWHERE, r.getrandbits(64)))

    def _float(self) -> int:
        r = self.random
        fmt = r.choice((SINGLE, DOUBLE, DOUBLE, SINGLE, HALF))
        number = r.choice(edges(fmt)) if r.random() < 0.4 else random_operand(fmt, r)
        return number if r.random() < 0.03 else number | ALL_ONES << fmt.width & ALL_ONES

    def _encode(self, drawn: list[Drawn | int]) -> list[int]:
        """The words, with jumps that go forward to another of them or to the end."""
        starts = [0]
        for one in drawn:
            width = (32 if one & 3 == 3 else 16) if isinstance(one, int) else one[0].pattern.width
            starts.append(starts[-1] + width // 8)
        words = []
        for i, one in enumerate(drawn):
            if isinstance(one, int):
                words.append(one)
                continue
            template, ours = one
            if template.relative:
                ours["imm"] = starts[min(len(drawn), i + 1 + self.random.randrange(HOP))] - starts[i]
            words.append(template.pattern.encode(ours))
        return words


def _fitting(registers: Sequence[int], field: Field) -> list[int]:
    """Those of the registers that the encoding can name."""
    return [n for n in registers if 0 <= n - field.bias < 1 << field.width and field.allows(n - field.bias)]
