"""The translator's book: its decoding, executed as the Python that it is written in, says what the guest's decoder says."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from random import Random

import pytest

from xenos.engines.hosts import host, host_floats
from xenos.engines.stencil.book import Book
from xenos.engines.stencil.library import Builder
from xenos.engines.translator import layout as at
from xenos.engines.translator.decode import decode
from xenos.isa import find_guest
from xenos.memory.flat import BASE

GUEST = find_guest("riscv64")


class Reader:
    """A book without stencils, and a desk to read it at."""

    def __init__(self) -> None:
        target = host()
        builder = Builder(GUEST, target, host_floats(1), 1, BASE)
        book = Book(GUEST, target, {}, builder.special(), {})
        self._book = ctypes.create_string_buffer(book.write())
        self._desk = ctypes.create_string_buffer(at.DESK)
        self.desk = ctypes.addressof(self._desk)
        self.words = memoryview(self._desk).cast("B").cast("q")
        self.words[at.BOOK >> 3] = ctypes.addressof(self._book)
        self.names = {ctypes.addressof(self._book) + place: name for name, place in book.forms.items()}

    def read(self, word: int, length: int) -> tuple[str, list[int], list[int]] | None:
        """(name of the form, registers, immediates) of a word."""
        form = decode(self.desk, word, length)
        if not form:
            return None
        registers, immediates = (list(self.words[place >> 3:][:at.OPERANDS]) for place in (at.REGISTER, at.VALUE))
        return self.names[form], registers, immediates


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    yield Reader()


def check(reader: Reader, word: int, length: int) -> bool:
    want, have = GUEST.instructions().decoder.decode(word, length), reader.read(word, length)
    assert (want is None) == (have is None), hex(word)
    if want is None or have is None:
        return False
    name, registers, immediates = have
    assert name == want.form.name, hex(word)
    assert registers[:len(want.form.registers)] == [want.operands[one] for one in want.form.registers], hex(word)
    assert immediates[:len(want.form.immediates)] == [want.operands[one] for one in want.form.immediates], hex(word)
    return True


def test_words_of_every_encoding(reader: Reader) -> None:
    random = Random(1)
    instructions = GUEST.instructions()
    for entry in (*instructions.instructions.values(), *instructions.aliases.values()):
        length = entry.pattern.width // 8
        for _ in range(12):
            check(reader, random.getrandbits(8 * length) & ~entry.pattern.mask | entry.pattern.value, length)


def test_random_words(reader: Reader) -> None:
    random = Random(2)
    legal = sum(check(reader, random.getrandbits(30) << 2 | 3, 4) for _ in range(4000))
    short = sum(check(reader, word, 2) for word in range(0, 1 << 16, 7) if word & 3 != 3)
    assert legal > 200 and short > 5000
