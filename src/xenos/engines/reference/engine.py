"""One instruction at a time: fetch, decode, walk its effect list, then let its register writes happen."""

from __future__ import annotations

from typing import Any

from xenos.cpu import layout as at
from xenos.cpu.exits import Budget, Exit, Fault, Illegal, Interrupted
from xenos.cpu.state import Cpu
from xenos.engines.reference.machine import Machine
from xenos.engines.reference.plan import Plan
from xenos.isa.guest import Guest
from xenos.memory.flat import FlatMemory, MemoryFault
from xenos.memory.host import WRITE
from xenos.semantics.decoder import Decoded
from xenos.semantics.instruction import Form

_DIRECTIONS = 5  # rounding modes 0-4 are defined
_MASK = (1 << 64) - 1
_MOST_REMEMBERED = 1 << 18  # addresses, lest a guest that makes code for ever fills our memory

Planned = tuple[Decoded, Plan]


class ReferenceEngine:
    """Runs a guest's instructions as they are described.

    `run` remembers by pc what it fetched where the guest may not write, until that memory is changed, or the guest or
    `invalidate` says so; `step` always fetches.
    """

    def __init__(self, guest: Guest) -> None:
        self._set = guest.instructions()
        self._decode = self._set.decoder.decode
        self._plans: dict[Form, Plan] = {}
        self._machine = Machine()
        self._known: dict[int, Planned] = {}
        self._memory: FlatMemory | None = None

    def invalidate(self, start: int, end: int) -> None:
        """Guest code in this range was changed."""
        self._known.clear()

    def flush(self) -> None:
        """Forget all translated code."""
        self._known.clear()

    def run(self, cpu: Cpu, memory: FlatMemory, budget: int) -> Exit:
        """Execute at most `budget` instructions."""
        if memory is not self._memory:
            self._memory = memory
            self._known.clear()
            memory.on_code_change.append(self.invalidate)
        known, execute, get = self._known, self._execute, cpu.get
        for _ in range(budget):
            if get(at.INTERRUPT):
                cpu.set(at.INTERRUPT, 0)
                return Interrupted()
            pc = cpu.pc
            planned = known.get(pc)
            if planned is None:
                found = self._find(memory, pc)
                if isinstance(found, Exit):
                    return found
                planned = found
                region = memory.regions.at(pc)
                if region is not None and not region.prot & WRITE:
                    if len(known) >= _MOST_REMEMBERED:
                        known.clear()
                    known[pc] = found
            left = execute(cpu, memory, pc, *planned)
            if left is not None:
                return left
        return Budget()

    def step(self, cpu: Cpu, memory: FlatMemory) -> Exit | None:
        """Execute the instruction at `cpu.pc`; None if the guest can go on."""
        found = self._find(memory, cpu.pc)
        return found if isinstance(found, Exit) else self._execute(cpu, memory, cpu.pc, *found)

    def loads(self, memory: FlatMemory, pc: int) -> bool:
        """Whether of memory the instruction at `pc` only reads: what it cannot do is then a failed read."""
        found = self._find(memory, pc)
        return isinstance(found, Exit) or found[1].loads

    def _find(self, memory: FlatMemory, pc: int) -> Planned | Exit:
        """Fetch and decode what is at `pc`; the exit if it cannot be executed."""
        try:
            limit = memory.fetch_limit(pc)
            word = memory.load(pc, 4 if pc + 4 <= limit else 2)
            length = self._set.length(word & 0xFFFF)
            if length == 2:
                word &= 0xFFFF
            elif pc + 4 > limit:
                memory.fetch_limit(pc + 2)
                word |= memory.load(pc + 2, 2) << 16
        except MemoryFault as fault:
            return Fault(Fault.EXECUTE, fault.address, fault.mapped)
        decoded = self._decode(word, length)
        if decoded is None:
            return Illegal(word)
        plan = self._plans.get(decoded.form)
        if plan is None:
            plan = self._plans[decoded.form] = Plan(decoded.form)
        return decoded, plan

    def _execute(self, cpu: Cpu, memory: FlatMemory, pc: int, decoded: Decoded, plan: Plan) -> Exit | None:
        machine = self._machine
        if plan.dynamic:
            machine.rounding = cpu.get(at.ROUNDING)
            if machine.rounding >= _DIRECTIONS:
                return Illegal(decoded.word)
        machine.cpu = cpu
        machine.memory = memory
        machine.decoded = decoded
        machine.operands = decoded.operands
        machine.pc = pc
        machine.next = machine.target = pc + decoded.length & _MASK
        machine.raised = 0
        machine.exit = None
        machine.writes.clear()
        values: list[Any] = []
        try:
            for move in plan.moves:
                values.append(move(machine, values))
        except MemoryFault as fault:
            return Fault(fault.access, fault.address, fault.mapped)
        for file, index, value in machine.writes:
            cpu.write(file, index, value)
        if machine.raised:
            cpu.set(at.FLAGS, cpu.get(at.FLAGS) | machine.raised)
        if plan.syncs:
            self._known.clear()
        cpu.pc = machine.target
        if machine.exit is None or machine.target != pc:  # a trap leaves the instruction undone
            cpu.set(at.COUNT, cpu.count + 1)
        return machine.exit
