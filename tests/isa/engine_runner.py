"""An engine asked as an oracle is asked: a case in, a result out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oracles import CODE, DATA, DATA_SIZE, Case, Result
from oracles.cases import CODE_AREA, CODE_AREA_SIZE, FILL, SIGALRM, SIGBUS, SIGILL, SIGSEGV, SIGTRAP, ended_by
from xenos.cpu import exits
from xenos.cpu import layout as at
from xenos.cpu.state import Cpu
from xenos.isa import find_guest
from xenos.memory.flat import FlatMemory

READ, WRITE, EXECUTE = 1, 2, 4
PROTECTED = 1
BUDGET = 10_000


class EngineRunner:
    """Runs cases on one engine and one guest memory; `close` it. `every`: one of so many cases is enough where each is compiled."""

    def __init__(self, engine: Any, every: int = 1) -> None:
        self.engine = engine
        self.every = every
        self.cpu = Cpu(find_guest("riscv64").layout)
        self.memory = FlatMemory()
        self.memory.on_code_change.append(engine.invalidate)
        self.memory.map(CODE_AREA, CODE_AREA_SIZE, READ | WRITE | EXECUTE)
        self.memory.map(DATA, DATA_SIZE, READ | WRITE)
        self.memory.write(CODE_AREA, FILL.to_bytes(2, "little") * (CODE_AREA_SIZE // 2))
        self.code = b""

    def close(self) -> None:
        """Give the guest memory back."""
        self.memory.close()

    def run(self, cases: Sequence[Case]) -> list[Result]:
        """The state after each case."""
        return [self._one(case) for case in cases]

    def _one(self, case: Case) -> Result:
        cpu, memory, code = self.cpu, self.memory, case.code()
        if code != self.code:
            memory.write(CODE, code + FILL.to_bytes(2, "little") * ((len(self.code) - len(code)) // 2))
            self.engine.invalidate(CODE, CODE + max(len(code), len(self.code)))
            self.code = code
        memory.write(DATA, case.memory + bytes(DATA_SIZE - len(case.memory)))
        for number in range(32):
            cpu.write("x", number, case.x.get(number, 0))
            cpu.write("f", number, case.f.get(number, 0))
        cpu.set(at.FLAGS, case.fcsr & 31)
        cpu.set(at.ROUNDING, case.fcsr >> 5)
        cpu.set(at.RESERVED_ADDRESS, -1)
        cpu.pc = CODE
        left = self.engine.run(cpu, memory, BUDGET)
        address = left.address if isinstance(left, exits.Fault) else cpu.pc
        signal = ended_by(_signal(left), cpu.pc, len(code))
        return Result(
            signal, cpu.pc, tuple(cpu.read("x", i) for i in range(32)), tuple(cpu.read("f", i) for i in range(32)),
            cpu.get(at.ROUNDING) << 5 | cpu.get(at.FLAGS), memory.read(DATA, len(case.memory)),
            address if signal else 0)


def _signal(left: exits.Exit) -> int:
    """The signal that a kernel makes of an exit."""
    if isinstance(left, exits.Fault):
        return SIGSEGV if left.mapped <= PROTECTED else SIGBUS
    return {exits.Breakpoint: SIGTRAP, exits.Illegal: SIGILL, exits.Budget: SIGALRM}[type(left)]
