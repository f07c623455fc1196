"""A64 words taken apart: branches aimed and inverted, registers found, what is unknown refused."""

from __future__ import annotations

import pytest

from xenos.engines.hosts.aarch64_instructions import aimed, ends, inverted, jump, registers
from xenos.errors import EngineError

B, B_NE, CBZ_X3, TBNZ_W9 = 0x1400_0000, 0x5400_0001, 0xB400_0003, 0x3718_0009
REACH = {B: 1 << 27, B_NE: 1 << 20, CBZ_X3: 1 << 20, TBNZ_W9: 1 << 15}


@pytest.mark.parametrize("word", REACH)
def test_branches_go_where_they_are_aimed(word: int) -> None:
    for distance in (0, 4, -4, REACH[word] - 4, -REACH[word]):
        found = jump(aimed(word, distance))
        assert found is not None and found.distance == distance
        assert aimed(aimed(word, distance), 0) == word
    for distance in (REACH[word], -REACH[word] - 4):
        with pytest.raises(EngineError, match="out of the host's reach"):
            aimed(word, distance)


def test_conditions_are_inverted() -> None:
    assert [inverted(word) for word in (B_NE, CBZ_X3, TBNZ_W9)] == [0x5400_0000, 0xB500_0003, 0x3618_0009]


def test_what_ends() -> None:
    assert [ends(word) for word in (B, 0xD61F_0100, 0xD65F_03C0, B_NE, 0xD503_201F)] == [True, True, True, False, False]


@pytest.mark.parametrize(("word", "found"), [
    (0x8B18_02D7, [(0, "x"), (5, "x"), (16, "x")]),     # add    x23, x22, x24
    (0xF876_6917, [(0, "x"), (5, "x"), (16, "x")]),     # ldr    x23, [x8, x22]
    (0xFD40_0281, [(0, "f"), (5, "x")]),                # ldr    d1, [x20]
    (0xC8DF_FD16, [(0, "x"), (5, "x")]),                # ldar   x22, [x8]: Rs and Rt2 are not used
    (0x1F42_0808, [(0, "f"), (5, "f"), (16, "f"), (10, "f")]),  # fmadd  d8, d0, d2, d2
    (0x9E66_0108, [(0, "x"), (5, "f")]),                # fmov   x8, d8
    (0x1E60_2028, [(5, "f")]),                          # fcmp   d1, #0.0
    (0xEB1F_02DF, [(5, "x")]),                          # cmp    x22, xzr
])
def test_registers_are_found(word: int, found: list[tuple[int, str]]) -> None:
    assert sorted(registers(word)) == sorted(found)


@pytest.mark.parametrize("word", [0, 0x0420_0000, 0xF840_8EF7])  # nothing, SVE, a load that changes its base
def test_others_are_refused(word: int) -> None:
    with pytest.raises(EngineError, match="not known"):
        registers(word)
