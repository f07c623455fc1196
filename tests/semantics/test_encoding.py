"""Bit patterns: what they match, what they refuse, and that overlap is found when it is declared."""

from __future__ import annotations

import pytest

from xenos.cpu.layout import RegisterFile
from xenos.errors import DescriptionError
from xenos.semantics.encoding import Pattern
from xenos.semantics.instruction import InstructionSet

BASE = "0000000 rs2:5 rs1:5 000 rd:5 0110011"


def fresh() -> InstructionSet:
    return InstructionSet((RegisterFile("x", 64, 32, zero=0),), 64, short=(0b11, 0b11))


def declare(instructions: InstructionSet, pattern: str, syntax: str) -> None:
    instructions.instruction(pattern, syntax)(lambda: None)


@pytest.mark.parametrize(("pattern", "operands", "word"), [
    (BASE, {"rd": 1, "rs1": 2, "rs2": 3}, 0x0031_00B3),
    ("imm[11:0] rs1:5 000 rd:5 0010011", {"rd": 10, "rs1": 11, "imm": -1}, 0xFFF5_8513),
    ("imm[12|10:5] rs2:5 rs1:5 000 imm[4:1|11] 1100011", {"rs1": 0, "rs2": 0, "imm": -4096}, 0x8000_0063),
    ("imm[12|10:5] rs2:5 rs1:5 000 imm[4:1|11] 1100011", {"rs1": 0, "rs2": 0, "imm": 2048}, 0x0000_00E3),
    ("imm[31:12] rd:5 0110111", {"rd": 1, "imm": -0x8000_0000}, 0x8000_00B7),
    ("010 uimm[5:3] rs1':3 uimm[2|6] rd':3 00", {"rd": 8, "rs1": 15, "uimm": 64}, 0x43A0),
    ("------------ ----- 001 ----- 0001111", {}, 0x0000_100F)])
def test_encode_and_decode(pattern: str, operands: dict[str, int], word: int) -> None:
    parsed = Pattern(pattern)
    assert parsed.encode(operands) == word
    assert parsed.matches(word)
    assert parsed.decode(word) == operands


@pytest.mark.parametrize(("pattern", "operands", "name"), [
    ("imm[11:0] rs1:5 000 rd:5 0010011", {"rd": 1, "rs1": 1, "imm": 2048}, "imm"),
    ("imm[11:0] rs1:5 000 rd:5 0010011", {"rd": 1, "rs1": 1, "imm": -2049}, "imm"),
    ("imm[11:0] rs1:5 000 rd:5 0010011", {"rd": 32, "rs1": 1, "imm": 0}, "rd"),
    ("imm[11:0] rs1:5 000 rd:5 0010011", {"rd": -1, "rs1": 1, "imm": 0}, "rd"),
    ("imm[20|10:1|11|19:12] rd:5 1101111", {"rd": 1, "imm": 3}, "imm"),
    ("010 uimm[5:3] rs1':3 uimm[2|6] rd':3 00", {"rd": 7, "rs1": 8, "uimm": 0}, "rd"),
    ("010 uimm[5] rd:5!=0 uimm[4:2|7:6] 10", {"rd": 0, "uimm": 0}, "rd"),
    ("csr:12=1,2,3 00000 010 rd:5 1110011", {"csr": 4, "rd": 0}, "csr")])
def test_what_cannot_be_encoded_is_refused_by_name(pattern: str, operands: dict[str, int], name: str) -> None:
    with pytest.raises(DescriptionError, match=f"{name} cannot be"):
        Pattern(pattern).encode(operands)


@pytest.mark.parametrize("pattern", ["0101", "0000000 rs2:5 rs1:5 000 rd:5 01100110",
                                     "0000000 rs2 rs1:5 000 rd:5 0110011", "0000000 Rs2:5 rs1:5 000 rd:5 0110011",
                                     "0000002 rs2:5 rs1:5 000 rd:5 0110011"])
def test_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(DescriptionError, match="pattern"):
        Pattern(pattern)


@pytest.mark.parametrize(("one", "other"), [
    (BASE, BASE),
    (BASE, "0000000 00001 rs1:5 000 rd:5 0110011"),
    (BASE, "------- 00001 rs1:5 000 rd:5 0110011"),
    ("0000000 rs2:5!=0 rs1:5 000 rd:5 0110011", "0000000 rs2:5!=1 rs1:5 000 rd:5 0110011"),
    ("csr:12=1,2 rs1:5 010 rd:5 1110011", "csr:12=2,3 rs1:5 010 rd:5 1110011"),
    ("011 imm[5] rd:5!=2 imm[4:0] 01", "011 imm[9] 00011 imm[4|6|8:7|5] 01")])
def test_overlap_is_refused(one: str, other: str) -> None:
    instructions = fresh()
    declare(instructions, one, "first")
    with pytest.raises(DescriptionError, match=r"the bits of second .* overlap those of first"):
        declare(instructions, other, "second")


@pytest.mark.parametrize(("one", "other"), [
    (BASE, "0100000 rs2:5 rs1:5 000 rd:5 0110011"),
    ("0000000 rs2:5!=1 rs1:5 000 rd:5 0110011", "0000000 00001 rs1:5 000 rd:5 0110011"),
    ("csr:12=1,2 rs1:5 010 rd:5 1110011", "csr:12=3 rs1:5 010 rd:5 1110011"),
    ("csr:12=1,2 rs1:5!=0 010 rd:5 1110011", "csr:12=1,2 00000 010 rd:5 1110011"),
    ("011 imm[17] rd:5!=2 imm[16:12]!=0 01", "0110 uimm[4:0]=1,3,5 0000001"),
    ("rd:5 000 rs1':3 00000", "00000000000000000000000000000011")])
def test_constraints_keep_encodings_apart(one: str, other: str) -> None:
    instructions = fresh()
    declare(instructions, one, "first")
    declare(instructions, other, "second")


def test_a_name_is_given_once() -> None:
    instructions = fresh()
    declare(instructions, BASE, "add rd, rs1, rs2")
    with pytest.raises(DescriptionError, match="add is described twice"):
        declare(instructions, "0100000 rs2:5 rs1:5 000 rd:5 0110011", "add rd, rs1, rs2")


def test_an_alias_must_give_every_operand() -> None:
    instructions = fresh()
    target = instructions.instruction(BASE, "add rd, rs1, rs2")(lambda: None)
    with pytest.raises(DescriptionError, match="`add` wants `rs1`, the encoding has no `rs1`"):
        instructions.alias("100 1 rd:5 rs2:5!=0 10", "c.add rd, rs2", target)
