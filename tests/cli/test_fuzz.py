"""Damaged files of all kinds, many of them: what reads them ends in an answer or a refusal, never in an accident."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

import xenos
from cli.kit import EXIT, GUEST, MACHINE, elf, write
from xenos.api.elf_file import ElfFile
from xenos.cli.disasm import Listing
from xenos.errors import LoadError
from xenos.linux import elf as loader
from xenos.linux import symbols

PROGRAM = elf(["addi a0, zero, 1", "jal ra, 8", *EXIT], b"data", {"_start": 0, "exit": 2})
INTERESTING = (0, 1, 7, 0x1000, 0xFFFF, 1 << 31, (1 << 32) - 1, 1 << 46, 1 << 63, (1 << 64) - 0x1000, (1 << 64) - 1)


def damaged(seed: int) -> bytes:
    """PROGRAM with some numbers of its headers and tables replaced, or some bytes, or its end cut off."""
    chance = random.Random(seed)
    data = bytearray(PROGRAM)
    places = [*range(16, 176), *range(0x2000, len(data) - 8)]
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.choice(places)
        if chance.random() < 0.7:
            shape = chance.choice("<B <H <I <Q".split())
            size = struct.calcsize(shape)
            struct.pack_into(shape, data, at & -size, chance.choice(INTERESTING) & (1 << 8 * size) - 1)
        else:
            data[at] = chance.randrange(256)
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)


@pytest.mark.parametrize("start", range(0, 1000, 250))
def test_reading_damaged_files(tmp_path: Path, start: int) -> None:
    refused = 0
    for seed in range(start, start + 250):
        path = write(tmp_path, damaged(seed))
        with path.open("rb") as file:
            try:
                loader.read(file.fileno(), str(path), MACHINE, 1 << 38)
            except LoadError as error:
                refused += 1
                assert "\n" not in str(error)
        try:
            listing = Listing(ElfFile(str(path)))
            for part in listing.parts:
                assert sum(len(line.bytes) for line in listing.lines(part)) == len(part.data)
        except LoadError as error:
            assert "\n" not in str(error)
    assert 20 < refused < 240


def test_any_word_is_decoded_or_not_and_disassembled_the_same_again() -> None:
    decoder = GUEST.instructions().decoder
    chance = random.Random(1)
    for _ in range(20_000):
        word = chance.getrandbits(32)
        length = GUEST.instructions().length(word & 0xFFFF)
        decoded = decoder.decode(word & (1 << 8 * length) - 1, length)
        assert decoded is None or decoded.length == length


def test_looking_up_a_symbol_in_damaged_files() -> None:
    for seed in range(300):
        try:
            symbols.Table(damaged(seed)).name(0x1004)
        except (struct.error, ValueError, OverflowError):
            pass  # what `describe` takes for a file without symbols


def test_running_damaged_files(tmp_path: Path) -> None:
    """What is not refused runs, for better or worse: the host's process survives it."""
    ran = 0
    with xenos.Process(write(tmp_path, PROGRAM), engine="reference") as process:
        for seed in range(2000, 2200):
            try:
                process.load(write(tmp_path, damaged(seed), "damaged"))
            except LoadError:
                continue
            ran += 1
            process.run(limit=100)
    assert ran > 20
