"""The oracles themselves: every register goes in and comes out, and every way for a case to end is reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from oracles import (
    CODE,
    DATA,
    DATA_SIZE,
    Case,
    OracleError,
    Result,
    missing,
    missing_unicorn,
    run_words,
    run_words_unicorn,
)

Run = Callable[[Sequence[Case]], list[Result]]

ADD = 0x00B5_0533                # add  a0, a0, a1
LOAD = 0x0005_3503               # ld   a0, 0(a0)
STORE = 0x00B5_3023              # sd   a1, 0(a0)
RETURN = 0x0005_0067             # jr   a0
DIVIDE = 0x1AB5_7553             # fdiv.d fa0, fa0, fa1, dyn
STORE_CONDITIONAL = 0x18C5_B6AF  # sc.d a3, a2, (a1)
LOAD_RESERVED = 0x1005_B52F      # lr.d a0, (a1)


@pytest.fixture(params=["qemu", "unicorn"])
def run(request: pytest.FixtureRequest) -> Run:
    """Each oracle in turn."""
    reason = missing() if request.param == "qemu" else missing_unicorn()
    if reason:
        pytest.skip(reason)
    return run_words if request.param == "qemu" else run_words_unicorn


def test_every_register_goes_in_and_comes_out(run: Run) -> None:
    x = {i: i * 0x0123_4567_89AB_CDEF % 2 ** 64 for i in range(1, 32)}
    f = {i: i * 0xFEDC_BA98_7654_3211 % 2 ** 64 for i in range(32)}
    memory = bytes(range(256)) * (DATA_SIZE // 256)
    result, empty = run([Case([], x, f, fcsr=0xFF, memory=memory), Case([])])
    assert result == Result(0, CODE, (0, *x.values()), tuple(f.values()), 0xFF, memory)
    assert empty == Result(0, CODE, (0,) * 32, (0,) * 32, 0, b"")


def test_ways_to_end(run: Run) -> None:
    def ends(case: Case) -> tuple[int, int, int]:
        result = run([case])[0]
        return result.signal, result.pc, result.fault_address

    assert ends(Case([ADD])) == (0, CODE + 4, 0)
    assert ends(Case([0x0001, ADD])) == (0, CODE + 6, 0)
    assert ends(Case([0x0001, 0xFFFF_FFFF])) == (4, CODE + 2, CODE + 2)
    assert ends(Case([0x0001, 0x0000])) == (4, CODE + 2, CODE + 2)
    assert ends(Case([0x0010_0073])) == (5, CODE, CODE)
    assert ends(Case([0x0001, 0x9002])) == (5, CODE + 2, CODE + 2)
    assert ends(Case([0x0001, LOAD], {10: DATA - 8})) == (11, CODE + 2, DATA - 8)
    assert ends(Case([STORE], {10: DATA + DATA_SIZE})) == (11, CODE, DATA + DATA_SIZE)
    assert ends(Case([LOAD], {10: 0xFFFF_0000_0000_F000}))[:2] == (11, CODE)
    assert ends(Case([RETURN], {10: 0x0012_3456})) == (11, 0x0012_3456, 0x0012_3456)
    assert ends(Case([RETURN], {10: DATA})) == (11, DATA, DATA)
    assert ends(Case([RETURN], {10: CODE + 0x100})) == (0, CODE + 0x100, 0)
    assert ends(Case([0x0000_006F])) == (14, CODE, 0)


def test_cases_do_not_see_each_other(run: Run) -> None:
    stored, loaded, again, shorter = run([
        Case([STORE], {10: DATA + 8, 11: 2 ** 64 - 1}, memory=bytes(16)), Case([LOAD], {10: DATA + 8}),
        Case([ADD, ADD], {10: 1, 11: 2}), Case([ADD], {10: 1, 11: 2})])
    assert stored.memory == bytes(8) + b"\xff" * 8
    assert loaded.x[10] == 0
    assert again.x[10] == 5
    assert (shorter.x[10], shorter.pc) == (3, CODE + 4)
    reserved, kept = run([Case([LOAD_RESERVED], {11: DATA}),
                          Case([STORE_CONDITIONAL], {11: DATA, 12: 7}, memory=bytes(8))])
    assert reserved.signal == 0
    assert kept.x[13] != 0
    assert kept.memory == bytes(8)


def test_rounding_modes_and_flags_pass_through_fcsr(run: Run) -> None:
    one, three = 0x3FF0_0000_0000_0000, 0x4008_0000_0000_0000
    up, invalid_mode = run([Case([DIVIDE], f={10: one, 11: three}, fcsr=3 << 5 | 16), Case([DIVIDE], fcsr=7 << 5)])
    assert (up.f[10], up.fcsr) == (0x3FD5_5555_5555_5556, 3 << 5 | 17)
    assert (invalid_mode.signal, invalid_mode.pc) == (4, CODE)


def test_system_calls_and_oversized_cases_are_refused(run: Run) -> None:
    for case in (Case([0x73]), Case([ADD] * 2000), Case([], memory=bytes(DATA_SIZE + 1))):
        with pytest.raises(OracleError):
            run([case])


def test_thousands_of_cases_run_in_one_batch(run: Run) -> None:
    count = 5000 if run is run_words else 500
    results = run([Case([ADD if i % 2 else LOAD], {10: DATA + i % 64, 11: i}, memory=bytes(range(80)))
                   for i in range(count)])
    for i, result in enumerate(results):
        expected = DATA + i % 64 + i if i % 2 else int.from_bytes(bytes(range(80))[i % 64:i % 64 + 8], "little")
        assert (result.x[10], result.signal) == (expected, 0)
