"""Decoder, encoder, assembler and disassembler of RISC-V: inverses of each other, objdump's equals on real programs."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from isa.instruction_cases import Entry, random_field
from xenos.errors import UsageError
from xenos.isa import find_guest
from xenos.semantics.assembler import Assembler
from xenos.semantics.disassembler import Disassembler
from xenos.semantics.encoding import Pattern

GUEST = find_guest("riscv64")
RISCV = GUEST.instructions()
ENTRIES: list[Entry] = [*RISCV.instructions.values(), *RISCV.aliases.values()]
ASSEMBLER = Assembler(RISCV, GUEST.names)
DISASSEMBLER = Disassembler(RISCV, GUEST.names)

OBJDUMP = shutil.which("riscv64-linux-gnu-objdump")
# Code of real programs: the cross compiler's own libraries.
FOLDER = Path("/usr/riscv64-linux-gnu/lib")
LIBRARIES = [path for path in (FOLDER / "libc.so.6", FOLDER / "libm.so.6") if path.exists()]


def random_word(pattern: Pattern, r: random.Random) -> int:
    return pattern.encode({name: random_field(field, r) for name, field in pattern.fields.items()})


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.syntax)
def test_word_to_text_to_word(entry: Entry) -> None:
    r = random.Random(entry.name)
    for pc in (None, 0x1_0000) * 20:
        word = random_word(entry.pattern, r)
        decoded = RISCV.decoder.decode(word, entry.pattern.width // 8)
        assert decoded is not None and decoded.entry is entry
        assert ASSEMBLER.assemble(DISASSEMBLER.text(decoded, pc), pc) == word


def test_decoder_takes_any_word() -> None:
    r = random.Random(1)
    found = 0
    for _ in range(100_000):
        decoded = RISCV.decoder.decode(r.getrandbits(32) | 3, 4)
        if decoded is not None:
            assert decoded.entry.pattern.matches(decoded.word)
            found += 1
    assert found > 10_000


def test_decoder_tells_all_halfwords() -> None:
    """A search of all patterns in a row finds the same, and never two."""
    entries = [entry for entry in ENTRIES if entry.pattern.width == 16]
    for half in range(1 << 16):
        if half & 3 != 3:
            matching = [entry for entry in entries if entry.pattern.matches(half)]
            decoded = RISCV.decoder.decode(half, 2)
            assert [decoded.entry] == matching if decoded else not matching


@pytest.mark.parametrize("word", [
    0x0000_0000, 0xFFFF_FFFF, 0x0000_5053 | 5 << 12, 0x0200_0053 | 6 << 12, 0xC000_1073, 0xC030_2073, 0x3020_0073,
    0x1050_0073, 0x1000_202F | 1 << 20, 0x0000_100B])
def test_reserved_words_are_no_instructions(word: int) -> None:
    """Zeros, ones, reserved rounding modes, a write to a counter, hpmcounter3, MRET, WFI, LR with a source, custom."""
    assert RISCV.decoder.decode(word, 4) is None


@pytest.mark.parametrize(("text", "word"), [
    ("addi a0, a1, -3", 0xFFD5_8513), ("addi  a0,a1,-3", 0xFFD5_8513), ("lui a0, 0xfffff", 0xFFFF_F537),
    ("sd ra, 8(sp)", 0x0011_3423), ("amoadd.w.aqrl a0, a1, (a2)", 0x06B6_252F),
    ("fadd.d fa0, fa1, fa2, dyn", 0x02C5_F553),
    ("fence rw, w", 0x0310_000F), ("c.li a0, 1", 0x4505), ("beq a0, a1, +8", 0x00B5_0463)])
def test_assembler_reads_what_people_write(text: str, word: int) -> None:
    assert ASSEMBLER.assemble(text) == word


@pytest.mark.parametrize(("text", "why"), [
    ("addi a0", "it is written `addi rd, rs1, imm`"), ("foo a1", "no such instruction"), ("", "no such instruction"),
    ("addi a0, fa1, 3", "fa1 is no x register"), ("addi a0, a1, 2048", "imm cannot be 2048"),
    ("beq a0, a1, 3", "imm cannot be 3"), ("c.lw a0, 2(a1)", "uimm cannot be 2"),
    ("addi a0, a1, a2", "invalid literal")])
def test_assembler_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        ASSEMBLER.assemble(text)


@pytest.mark.skipif(not OBJDUMP or not LIBRARIES, reason="the cross binutils or libraries for riscv64 are missing")
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_objdump_says_the_same(library: Path) -> None:
    assert OBJDUMP
    command = [OBJDUMP, "-d", "-M", "no-aliases", str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    compared = 0
    for line in listing.splitlines():
        found = re.match(r"\s*([0-9a-f]+):\s+([0-9a-f]{4}|[0-9a-f]{8})\s+([a-z].*)", line)
        if found and found[3] != "c.unimp":
            pc, bits = int(found[1], 16), found[2]
            decoded = RISCV.decoder.decode(int(bits, 16), len(bits) // 2)
            ours = DISASSEMBLER.text(decoded, pc) if decoded else "no instruction"
            assert _ours(ours) == _theirs(found[3], decoded is not None and bool(decoded.form.relative)), line
            compared += 1
    assert compared > 50_000


def _theirs(text: str, relative: bool) -> str:
    """Without comments; its csrrs with rs1=zero is our csrr."""
    text = re.sub(r"\s*[#<].*", "", text).replace("\t", " ").strip()
    text = re.sub(r"csrrs (\w+),(\w+),zero", r"csrr \1,\2", text)
    return re.sub(r"(?:0x)?([0-9a-f]+)$", r"0x\1", text) if relative else text


def _ours(text: str) -> str:
    """objdump leaves out a dynamic rounding mode, and the mode of conversions that are exact."""
    text = text.replace(", ", ",").removesuffix(",dyn")
    return text.removesuffix(",rne") if text.startswith(("fcvt.d.w", "fcvt.d.s")) else text
