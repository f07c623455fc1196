"""Guest addresses with bits in their top byte fault, also on hosts that ignore it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isa.engine_runner import EngineRunner
from isa.engines import ENGINES
from oracles import DATA, Case
from oracles.cases import SIGSEGV
from xenos.isa import find_guest
from xenos.semantics.assembler import Assembler

GUEST = find_guest("riscv64")
ASSEMBLER = Assembler(GUEST.instructions(), GUEST.names)
A1 = 11


@pytest.fixture(scope="module", params=ENGINES)
def runner(request: pytest.FixtureRequest) -> Iterator[EngineRunner]:
    made = EngineRunner(ENGINES[request.param]())
    yield made
    made.close()


@pytest.mark.parametrize("line", ["ld a0, 8(a1)", "sw a2, 4(a1)", "lbu a0, -1(a1)", "amoadd.w a0, a2, (a1)", "lr.d a0, (a1)"])
@pytest.mark.parametrize("top", [0, 1, 0x80, 0xAB, 0xFF])
def test_top_byte_counts(runner: EngineRunner, line: str, top: int) -> None:
    [result] = runner.run([Case([ASSEMBLER.assemble(line)], {A1: DATA + 16 | top << 56}, memory=bytes(64))])
    assert result.signal == (SIGSEGV if top else 0)
