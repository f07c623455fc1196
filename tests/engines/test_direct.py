"""What generated code may answer itself, played in plain Python: the same functions that are compiled."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pytest

from xenos.cpu import layout as at
from xenos.engines.runtime import direct
from xenos.engines.runtime.bridge import Bridge
from xenos.memory.flat import BASE

CALL, OTHER, ADVICE = 3, 4, 5
Function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Table:
    """A table of calls whose kernel is a function of the test's, and a state block that is nobody's."""

    def __init__(self) -> None:
        self.words: Any = (ctypes.c_uint64 * (direct.SIZE // 8))()
        self.state: Any = ctypes.create_string_buffer(at.CONTROL_SIZE)
        self.at = ctypes.addressof(self.state) + at.CONTROL_SIZE
        self.arguments: Any = (ctypes.c_int64 * (direct.ROOM // 8))()
        self.changes, self.watched = ctypes.c_uint64(7), ctypes.c_uint64(0)
        self.asked: list[tuple[int, list[int]]] = []
        self.result = 0
        self.kernel = Function(self._kernel)
        for where, value in ((direct.CALL, ctypes.cast(self.kernel, ctypes.c_void_p).value), (direct.END, 1 << 40),
                             (direct.CHANGES, ctypes.addressof(self.changes)), (direct.WATCHED, ctypes.addressof(self.watched))):
            self.words[where // 8] = value
        self.set(at.CALLS, ctypes.addressof(self.words))
        Bridge.shortcut(self.words, CALL, 100, 0b10, False, "")
        Bridge.refuse(self.words, OTHER, 38)
        Bridge.shortcut(self.words, ADVICE, 28, 1, False, "advice")

    def _kernel(self, state: int, number: int, words: int) -> int:
        self.asked.append((number, list((ctypes.c_int64 * 6).from_address(words))))
        return self.result

    def set(self, word: int, value: int) -> None:
        ctypes.c_uint64.from_address(self.at + word).value = value

    def answer(self, number: int, *arguments: int) -> int:
        self.arguments[:6] = [*arguments, *[0] * (6 - len(arguments))]
        return direct.answer(self.at, number, ctypes.addressof(self.arguments))


@pytest.fixture
def table() -> Iterator[Table]:
    yield Table()


def test_pointers_are_the_hosts(table: Table) -> None:
    table.result = 42
    assert table.answer(CALL, 1, 0x5000, 3) == 42
    assert table.answer(CALL, 1, 0, 3) == 42
    assert table.asked == [(100, [1, BASE + 0x5000, 3, 0, 0, 0]), (100, [1, 0, 3, 0, 0, 0])]
    assert table.answer(CALL, 1, 1 << 40, 3) == direct.PYTHONS
    assert table.answer(CALL, 1, -5, 3) == direct.PYTHONS
    assert len(table.asked) == 2


def test_what_is_not_there_is_pythons(table: Table) -> None:
    assert [table.answer(number) for number in (0, -1, direct.NUMBERS, 1 << 40)] == [direct.PYTHONS] * 4


def test_refusals_ask_nobody(table: Table) -> None:
    assert table.answer(OTHER, 1, 2, 3) == -38
    assert not table.asked


def test_a_call_that_a_poke_ended_is_made_again(table: Table) -> None:
    table.result = -4
    assert table.answer(CALL) == -4                     # by whatever else
    table.set(at.WAKE, 1 << 32)
    assert table.answer(CALL) == direct.RESTART
    table.set(at.WAKE, 1 << 32 | 1)                     # a signal came as well: the guest is told
    table.set(at.SIGNAL, 11)
    assert table.answer(CALL) == -4
    table.set(at.MASK, 1 << 11 - 1)                     # unless it is blocked, which the host does not do for this one
    assert table.answer(CALL) == direct.RESTART
    table.set(at.MASK, 0)
    table.result = 5
    table.set(at.WAKE, 1 << 32)
    assert table.answer(CALL) == 5


def test_a_fault_in_watched_memory_is_pythons(table: Table) -> None:
    table.result = -14
    assert table.answer(CALL) == -14
    table.watched.value = 1
    assert table.answer(CALL) == direct.PYTHONS


def test_memory_is_given_up_where_it_was_before(table: Table) -> None:
    page = 4096

    def give(start: int, length: int, advice: int = 4) -> bool:
        table.asked.clear()
        answered = table.answer(ADVICE, start, length, advice) != direct.PYTHONS
        assert answered == (table.asked == [(28, [BASE + start, length, advice, 0, 0, 0])])
        return answered

    assert not give(4 * page, page)
    Bridge.give_up(table.words, 4 * page, 8 * page)
    assert give(4 * page, page) and give(4 * page, 4 * page) and give(7 * page, 1)
    assert not give(3 * page, page) and not give(7 * page, 2 * page) and not give(8 * page, page)
    assert not give(4 * page + 8, page) and not give(4 * page, 0) and not give(4 * page, -page)
    assert not give(4 * page, page, advice=3)
    table.changes.value += 1                            # something is mapped otherwise
    assert not give(4 * page, page)
    for start in range(direct.RANGES_MAX + 1):          # more than there is room for
        Bridge.give_up(table.words, start * page, start * page + page)
    assert not give(0, page)
    assert all(give(start * page, page) for start in range(1, direct.RANGES_MAX + 1))
