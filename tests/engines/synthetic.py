"""A guest with one instruction for each operation, width and number of lanes: to test operations that no real one uses alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engines.side_by_side import EXECUTE, GUEST, READ, WRITE
from xenos.cpu import layout as at
from xenos.cpu.exits import Illegal
from xenos.cpu.layout import RegisterFile
from xenos.cpu.state import Cpu
from xenos.engines.region import maker
from xenos.engines.region.eager import EagerEngine
from xenos.engines.stencil import library, pack
from xenos.engines.stencil.engine import StencilEngine
from xenos.isa.guest import Guest
from xenos.memory.flat import FlatMemory
from xenos.semantics.instruction import Form, InstructionSet
from xenos.semantics.trace import RegisterField, Registers, Trace
from xenos.semantics.values import Value

X = RegisterFile("x", 64, 32, zero=0)
CODE, DATA = 0x2000_0000, 0x3000_0000
R = RegisterField
MASK = (1 << 64) - 1
# What an instruction does with its operands as values; it gives the operation under test.
Body = Callable[[Trace, list[Value]], Value]


def vector(word: Value, width: int, lanes: int) -> Value:
    """The lowest bits of a register, as lanes."""
    if lanes == 1:
        return word.low(width)
    made = word.low(width).splat(lanes)
    for index in range(lanes):
        made = made.with_lane(index, word.extract(index * width, width))
    return made


def packed(value: Value) -> Value:
    """A result as it goes into a register."""
    if value.lanes > 1:
        whole = value.lane(value.lanes - 1)
        for index in reversed(range(value.lanes - 1)):
            whole = whole.concat(value.lane(index))
        value = whole
    return value.zext(64)


class Synthetic:
    """Instructions are added with `add`, then `build` compiles them; `run` executes one."""

    def __init__(self) -> None:
        self.set = InstructionSet((X,), 64)
        self.words: dict[str, int] = {}
        self.tested: dict[str, Value] = {}
        self.slow: dict[str, str] = {}
        self._memory: FlatMemory | None = None

    def add(self, name: str, operands: list[tuple[int, int]], body: Body) -> None:
        """An instruction whose operands have these (width, lanes)."""
        number = len(self.words) + 1

        def meaning(machine: Trace, x: Registers, rd: R, rs1: R, rs2: R, rs3: R) -> None:
            words = [x[field] for field in (rs1, rs2, rs3)[:len(operands)]]
            value = body(machine, [vector(word, *kind) for word, kind in zip(words, operands, strict=True)])
            self.tested[name] = value
            x[rd] = packed(value)

        self.set.instruction(f"{number:012b} rs3:5 rs2:5 rs1:5 rd:5", f"{name} rd, rs1, rs2, rs3")(meaning)
        self.words[name] = number << 20 | 13 << 15 | 12 << 10 | 11 << 5 | 10

    def form(self, name: str) -> Form:
        """The one form of an instruction."""
        return next(self.set.instructions[name].forms())

    def build(self, level: int, monkeypatch: pytest.MonkeyPatch, *, regions: bool = False) -> None:
        """Compile all, for operands in memory: the operations are what matters here. With `regions`, each will be one."""
        guest = Guest(name="synthetic", registers=(X,), names={}, pins={}, alignment=4, instructions=lambda: self.set,
                      linux=GUEST.linux)
        monkeypatch.setattr("xenos.isa.find_guest", lambda name: guest)
        monkeypatch.setattr(library, "shapes", lambda form, files: ["M" * len(form.registers)])
        builders: list[library.Builder] = []
        monkeypatch.setattr(library, "Builder", lambda *how, make=library.Builder: builders.append(make(*how)) or builders[-1])
        head, book = pack.build("synthetic", level)
        head["made_from"] = b""
        self.slow = builders[0].slow
        monkeypatch.setattr(maker, "find_guest", lambda name: guest)
        made = pack.Pack("synthetic", head, lambda: book)
        self.engine: StencilEngine = EagerEngine(made, level) if regions else StencilEngine(made)
        self.cpu = Cpu(guest.layout)
        self._memory = self.memory = FlatMemory()
        self.memory.map(CODE, 1 << 16, READ | WRITE | EXECUTE)
        self.memory.map(DATA, 1 << 12, READ | WRITE)
        self.places = {}
        for number, (name, word) in enumerate(self.words.items()):
            self.places[name] = CODE + 8 * number
            self.memory.write(CODE + 8 * number, word.to_bytes(4, "little") + bytes(4))

    def close(self) -> None:
        """Give the memory back."""
        if self._memory is not None:
            self.engine.runtime.restore()
            self._memory.close()

    def run(self, name: str, operands: list[int], rounding: int = 0) -> tuple[int, int]:
        """(result, flags raised) of one instruction."""
        cpu = self.cpu
        for index, value in enumerate(operands):
            cpu.write("x", 11 + index, value)
        cpu.set(at.FLAGS, 0)
        cpu.set(at.ROUNDING, rounding)
        cpu.pc = self.places[name]
        left: Any = self.engine.run(cpu, self.memory, 10)
        assert left == Illegal(0) and cpu.pc == self.places[name] + 4, (name, left)
        return cpu.read("x", 10), cpu.get(at.FLAGS)
