"""One instruction at a time: fetch, decode, walk its effect list, then let its register writes happen."""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.cpu.exits import Budget, Exit, Fault, Illegal, Interrupted
from xenos.cpu.state import Cpu
from xenos.engines.reference.machine import Machine
from xenos.engines.reference.plan import Plan
from xenos.isa.guest import Guest
from xenos.memory.flat import FlatMemory, MemoryFault
from xenos.semantics.instruction import Form

_DIRECTIONS = 5  # rounding modes 0-4 are defined


class ReferenceEngine:
    """Runs a guest's instructions as they are described. It keeps no guest code, so that changed code needs no care."""

    def __init__(self, guest: Guest) -> None:
        self._set = guest.instructions()
        self._decode = self._set.decoder.decode
        self._plans: dict[Form, Plan] = {}
        self._machine = Machine()

    def invalidate(self, start: int, end: int) -> None:
        """Guest code in this range was changed."""

    def flush(self) -> None:
        """Forget all translated code."""

    def run(self, cpu: Cpu, memory: FlatMemory, budget: int) -> Exit:
        """Execute at most `budget` instructions."""
        step = self.step
        for _ in range(budget):
            if cpu.get(at.INTERRUPT):
                cpu.set(at.INTERRUPT, 0)
                return Interrupted()
            left = step(cpu, memory)
            if left is not None:
                return left
        return Budget()

    def step(self, cpu: Cpu, memory: FlatMemory) -> Exit | None:
        """Execute the instruction at `cpu.pc`; None if the guest can go on."""
        machine = self._machine
        pc = machine.pc = cpu.pc
        try:
            word, length = self._fetch(memory, pc)
            decoded = self._decode(word, length)
            if decoded is None:
                return Illegal(word)
            form = decoded.form
            try:
                plan = self._plans[form]
            except KeyError:
                plan = self._plans[form] = Plan(form)
            if plan.dynamic:
                machine.rounding = cpu.get(at.ROUNDING)
                if machine.rounding >= _DIRECTIONS:
                    return Illegal(word)
            machine.cpu = cpu
            machine.memory = memory
            machine.decoded = decoded
            machine.operands = decoded.operands
            machine.next = machine.target = pc + length & 0xFFFF_FFFF_FFFF_FFFF
            machine.raised = 0
            machine.exit = None
            machine.writes.clear()
            values: list[int] = []
            for op, define, play, arguments in plan.moves:
                if define is not None:
                    values.append(define(op, *[values[number] for number in arguments]))
                else:
                    values.append(play(machine, op, *[values[number] for number in arguments]))  # type: ignore[misc]
        except MemoryFault as fault:
            return Fault(fault.access, fault.address, fault.mapped)
        for file, index, value in machine.writes:
            cpu.write(file, index, value)
        if machine.raised:
            cpu.set(at.FLAGS, cpu.get(at.FLAGS) | machine.raised)
        cpu.pc = machine.target
        if machine.target != pc or machine.exit is None:  # a trap leaves the instruction undone
            cpu.set(at.COUNT, cpu.count + 1)
        return machine.exit

    def _fetch(self, memory: FlatMemory, pc: int) -> tuple[int, int]:
        """The instruction's bits and its length in bytes."""
        limit = memory.fetch_limit(pc)
        word = memory.load(pc, 4 if pc + 4 <= limit else 2)
        length = self._set.length(word & 0xFFFF)
        if length == 2:
            return word & 0xFFFF, 2
        if pc + 4 > limit:
            memory.fetch_limit(pc + 2)
            word |= memory.load(pc + 2, 2) << 16
        return word, 4
