"""Random code of many instructions: every chapter, jumps of all kinds forward, a loop around, memory, used results."""

from __future__ import annotations

import random

from isa.instruction_cases import ALL_ONES, INTEGERS, Description, Entry, random_field
from oracles import DATA, Case
from oracles.floating_instructions import edges, random_operand
from xenos.isa import find_guest
from xenos.semantics.assembler import Assembler
from xenos.semantics.floating import DOUBLE, SINGLE

GUEST = find_guest("riscv64")
RISCV = GUEST.instructions()
ASSEMBLER = Assembler(RISCV, GUEST.names)

# Registers that hold addresses in the data, in reach of compressed forms and of the stack's; and the loop's counter.
BASES = (2, 8, 9)
COUNTER = 31
MIDDLE = 0x800
# What ends the code, goes where a register says, or is not the same in an oracle. A store-conditional may fail or
# succeed after a load-reserved of another width, and after a wait.
LEFT_OUT = {"ecall", "ebreak", "c.ebreak", "jalr", "c.jr", "c.jalr", "cbo.inval", "cbo.clean", "cbo.flush",
            "lr.w", "sc.w", "wrs.nto", "wrs.sto"}
LEFT_OUT_OF_OLD_ORACLES = {"ctzw"}
NEW_CHAPTERS = {"float_additional", "conditional", "may_be", "cache_block", "compressed_more"}
CSR_COUNTERS = {0xC00, 0xC01, 0xC02}
# A branch goes over at most so many instructions.
HOP = 5
# So many of the draws are a jump through a register, which is loaded just before.
INDIRECT = 0.04
SCRATCH = 30
AUIPC, JALR = Description(RISCV.instructions["auipc"]), Description(RISCV.instructions["jalr"])

Drawn = tuple[Description, dict[str, int]]


def usable(new: bool = True) -> list[Description]:
    """Descriptions of the instructions that may occur; with `new`, those that old oracles lack, too."""
    entries: list[Entry] = [*RISCV.instructions.values(), *RISCV.aliases.values()]
    return [Description(entry) for entry in entries if entry.name not in LEFT_OUT and (
        new or (entry.chapter not in NEW_CHAPTERS and entry.name not in LEFT_OUT_OF_OLD_ORACLES))]


class BlockMaker:
    """Makes cases, the same ones for the same seed."""

    def __init__(self, seed: int, descriptions: list[Description]) -> None:
        self.random = random.Random(seed)
        self.descriptions = descriptions

    def case(self, length: int, rounds: int = 1) -> Case:
        """One case: `length` instructions, gone through so many times, with registers and memory."""
        r = self.random
        drawn: list[Drawn] = []
        while len(drawn) < length:
            if r.random() < INDIRECT:
                link = r.choice((0, 1, 5))
                drawn += [(AUIPC, {"rd": SCRATCH, "imm": 0}), (JALR, {"rd": link, "rs1": SCRATCH})]
            elif (one := self._draw(r.choice(self.descriptions))) is not None:
                drawn.append(one)
        body = self._encode(drawn)
        size = sum(4 if word & 3 == 3 else 2 for word in body)
        end = [f"addi x{COUNTER}, x{COUNTER}, -1", f"bne x{COUNTER}, zero, {-size - 4}"]
        words = [ASSEMBLER.assemble(f"addi x{COUNTER}, zero, {rounds}"), *body, *map(ASSEMBLER.assemble, end)]
        x = {i: r.choice(INTEGERS) if r.random() < 0.5 else random_operand(64, r) for i in range(1, 32)}
        x |= {i: DATA + MIDDLE + 64 * r.randrange(8) for i in BASES}
        f = {i: self._float() for i in range(32)}
        return Case(words, x, f, r.randrange(5) << 5, r.randbytes(0x1400))

    def _float(self) -> int:
        r = self.random
        fmt = r.choice((SINGLE, DOUBLE))
        number = r.choice(edges(fmt)) if r.random() < 0.4 else random_operand(fmt, r)
        return number | ALL_ONES << fmt.width & ALL_ONES

    def _draw(self, about: Description) -> Drawn | None:
        """One instruction with its fields, or None where the draw does not suit."""
        r, pattern = self.random, about.entry.pattern
        ours = {name: r.choice(field.values()) if field.kind == "static" else random_field(field, r)
                for name, field in pattern.fields.items()}
        if ours.get("csr") in CSR_COUNTERS or (ours.get("csr") in (2, 3) and r.random() < 0.8):
            return None  # most dynamic rounding modes that would be written are illegal
        if about.access is not None and "rs1" in ours:
            ours["rs1"] = r.choice(BASES[1:] if pattern.width == 16 else BASES)
        operands = {name: ours[of] if isinstance(of, str) else of for name, of in about.operands.items()}
        written = [operands[name] for name, (file, use) in about.form.registers.items() if file == "x" and "w" in use]
        if any(number in (*BASES, COUNTER) for number in written):
            return None
        return about, ours

    def _encode(self, drawn: list[Drawn]) -> list[int]:
        """The words, with jumps that go forward to another of them or to the end."""
        starts = [0]
        for about, _ in drawn:
            starts.append(starts[-1] + about.entry.pattern.width // 8)
        words = []
        for i, (about, ours) in enumerate(drawn):
            if about.relative or about is JALR:
                to = min(len(drawn), i + 1 + self.random.randrange(HOP))
                to += to < len(drawn) and drawn[to][0] is JALR  # never between the two instructions of an indirect jump
                ours["imm"] = starts[to] - starts[i - (about is JALR)]
            words.append(about.entry.pattern.encode(ours))
        return words
