"""Blocks and terminals, derived from what instructions do."""

from __future__ import annotations

import pytest

from xenos.isa import find_guest
from xenos.semantics.assembler import Assembler
from xenos.semantics.block import Conditional, Direct, Indirect, Next, Stop, Terminal, block, terminal

GUEST = find_guest("riscv64")
RISCV = GUEST.instructions()
ASSEMBLER = Assembler(RISCV, GUEST.names)
PC = 0x1_0000


@pytest.mark.parametrize(("line", "kind", "links", "target"), [
    ("jal zero, -16", Direct, False, PC - 16), ("jal ra, +2048", Direct, True, PC + 2048),
    ("c.j +4", Direct, False, PC + 4),
    ("beq a0, a1, +8", Conditional, False, PC + 8), ("c.bnez a0, -2", Conditional, False, PC - 2),
    ("jalr zero, 0(ra)", Indirect, False, None), ("c.jalr a5", Indirect, True, None), ("ecall", Stop, False, None),
    ("ebreak", Stop, False, None), ("fence.i", Stop, False, None), ("addi a0, a0, 1", Next, False, None)])
def test_terminals(line: str, kind: type[Terminal], links: bool, target: int | None) -> None:
    word = ASSEMBLER.assemble(line)
    decoded = RISCV.decoder.decode(word, 4 if word & 3 == 3 else 2)
    assert decoded is not None
    end = terminal(decoded.form)
    # A call is a jump that writes the return address: into the zero register, none is left.
    assert type(end) is kind and (end.links and decoded.operands.get("rd") != 0) is links
    if target is not None:
        assert end.target(decoded, PC) == target


def read(code: bytes, at: int) -> tuple[int, int] | None:
    half = int.from_bytes(code[at - PC:at - PC + 2], "little")
    length = RISCV.length(half)
    word = code[at - PC:at - PC + length]
    return (int.from_bytes(word, "little"), length) if word and len(word) == length else None


def test_a_block_ends_behind_control_or_before_nothing() -> None:
    lines = ["addi a0, a0, 1", "c.addi a0, 1", "beq a0, a1, -6", "addi a0, a0, 1", "c.nothing"]
    code = b"".join(w.to_bytes(4 if w & 3 == 3 else 2, "little") for w in map(ASSEMBLER.assemble, lines[:4])) + bytes(2)
    first = block(RISCV, lambda at: read(code, at), PC)
    assert ([d.entry.name for d in first.instructions], first.end) == (["addi", "c.addi", "beq"], PC + 10)
    assert isinstance(first.terminal, Conditional)
    second = block(RISCV, lambda at: read(code, at), first.end)
    assert (len(second.instructions), second.end, type(second.terminal)) == (1, PC + 14, Next)
    nothing = block(RISCV, lambda at: read(code, at), second.end)
    assert (nothing.instructions, nothing.end, type(nothing.terminal)) == ([], PC + 14, Stop)
    assert len(block(RISCV, lambda at: read(code, at), PC, most=1).instructions) == 1
