"""Accesses at and across the borders of pages of all kinds: what fails, where, and what is written are the reference's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from engines.side_by_side import Block, SideBySide, registers
from engines.wild_blocks import ASSEMBLER
from xenos.engines.region.eager import EagerEngine

PAGE = 4096
PLACE = 0x3400_0000
READ, WRITE, EXECUTE = 1, 2, 4
KINDS = {"rw": READ | WRITE, "ro": READ, "wo": WRITE, "rx": READ | EXECUTE, "none": 0, "nothing": None, "end": None, "file": None}
X8, X9, X10 = 8, 9, 10

ACROSS = tuple(f"{name} {'f' if 'f' in name else 'x'}9, 0(x8)" for name in (
    "lb", "lhu", "lw", "ld", "sb", "sh", "sw", "sd", "c.lw", "c.ld", "c.sw", "c.sd",
    "flh", "flw", "fld", "fsh", "fsw", "fsd", "c.fld", "c.fsd"))
INSIDE = (
    "amoadd.w x9, x10, (x8)", "amoadd.d x9, x10, (x8)", "amoswap.w x9, x0, (x8)", "amomax.d x9, x10, (x8)", "lr.w x9, (x8)",
    "lr.d x9, (x8)", "cbo.zero (x8)", "cbo.clean (x8)",
    # These write what is there.
    *(f"{name}.{size} x9, x0, (x8)" for name in ("amoadd", "amoor", "amoxor", "amomaxu") for size in "wd"),
    "addi x10, x0, -1; amoand.w x9, x10, (x8)", "addi x10, x0, -1; amominu.d x9, x10, (x8)",
    "slli x10, x10, 32; amoor.w x9, x10, (x8)",
    # The second of these finds another value than the first.
    "lr.d x9, (x8); sc.d x9, x10, (x8)", "lr.w x9, (x8); sc.d x9, x10, (x8)",
)


class Pages:
    """Two pages side by side for each pair of kinds; `end` is a mapping behind its file's end, `file` one that ends there."""

    def __init__(self, side: SideBySide) -> None:
        self.side = side
        self.pairs: dict[tuple[str, str], int] = {}
        self.shared: list[int] = []
        with tempfile.TemporaryFile() as file:
            os.truncate(file.fileno(), PAGE)
            for number, pair in enumerate((first, second) for first in KINDS for second in KINDS):
                at = self.pairs[pair] = PLACE + 16 * PAGE * number
                for page, kind in enumerate(pair):
                    if kind in ("end", "file"):
                        side.memory.map(at + page * PAGE, PAGE, READ | WRITE, fd=file.fileno(), offset=PAGE * (kind == "end"),
                                        shared=True)
                    elif KINDS[kind] is not None:
                        side.memory.map(at + page * PAGE, PAGE, KINDS[kind] or 0)
                    if kind in ("rw", "file"):
                        self.shared.append(at + page * PAGE)

    def check(self, lines: str, offset: int) -> None:
        """The same on both engines, that far from the border of each pair."""
        words = tuple(ASSEMBLER.assemble(line) for line in lines.split("; "))
        side = self.side
        block = Block(words, registers({}))
        address = side.place(block)
        for pair, at in self.pairs.items():
            one = Block(words, registers({X8: at + PAGE + offset, X9: -1, X10: -1}))
            made = []
            engines: tuple[Any, ...] = (side.stencil, side.reference)
            for engine in engines:
                for page in {at, at + PAGE} & {*self.shared}:
                    side.memory.view[page:page + PAGE] = bytes(range(256)) * (PAGE // 256)
                side.begin(one, address)
                seen = side.outcome(engine.run(side.cpu, side.memory, 1000), one)
                pages = [bytes(side.memory.view[page:page + PAGE]) for page in (at, at + PAGE) if page in self.shared]
                made.append((seen.left, seen.pc - address, pages))
            assert made[0] == made[1], (pair, lines, offset)


@pytest.fixture(scope="module", params=["stencil", "plain", "exact"])
def pages(request: pytest.FixtureRequest) -> Iterator[Pages]:
    kind = request.param
    side = SideBySide(forced=kind != "stencil", plain=kind == "plain")
    if isinstance(side.stencil, EagerEngine):
        side.stencil.see(kind == "exact")
    yield Pages(side)
    side.close()


@pytest.mark.parametrize("line", ACROSS)
def test_across_a_border(pages: Pages, line: str) -> None:
    for offset in (-8, -7, -4, -3, -2, -1, 0):
        pages.check(line, offset)


@pytest.mark.parametrize("lines", INSIDE)
def test_at_a_border(pages: Pages, lines: str) -> None:
    for offset in (-64, 0):
        pages.check(lines, offset)
