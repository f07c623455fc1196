"""The lockstep engine: each block is rehearsed by the reference engine, run by the stencil engine, and compared.

The rehearsal comes first, on a copy of the registers and with its stores noted rather than made, so that the guest's program
runs once: its memory is what the stencil engine stored, its system calls happen once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.cpu import layout as at
from xenos.cpu.exits import Budget, Exit, Interrupted
from xenos.cpu.state import Cpu
from xenos.engines.lockstep.shadow import Shadow
from xenos.errors import EngineError
from xenos.semantics.disassembler import Disassembler

if TYPE_CHECKING:
    from xenos.engines.reference import ReferenceEngine
    from xenos.engines.stencil.engine import StencilEngine
    from xenos.memory.flat import FlatMemory
    from xenos.semantics.decoder import Decoded

_LONGEST = 64       # no block of the stencil engine has more instructions
_WORDS = {"pc": at.PC, "count of instructions": at.COUNT, "rounding mode": at.ROUNDING, "flags": at.FLAGS,
          "reserved address": at.RESERVED_ADDRESS}


class _Step:
    """What the reference engine made of one instruction: its address, all registers behind it, stores so far, and
    a register that is not the same each time (a clock)."""

    __slots__ = ("clock", "pc", "state", "stores")

    def __init__(self, pc: int, state: bytes, stores: int, clock: tuple[str, int] | None) -> None:
        self.pc = pc
        self.state = state
        self.stores = stores
        self.clock = clock


class LockstepEngine:
    """Runs like any engine; raises EngineError at the first instruction after which the two differ."""

    def __init__(self, stencil: StencilEngine, reference: ReferenceEngine) -> None:
        self.stencil = stencil
        self.reference = reference
        self.blocks = 0
        stencil.linked = False
        stencil.store = None    # what is kept on disk is linked
        guest = stencil.pack.guest()
        self._guest = guest
        self._instructions = guest.instructions()
        self._size = at.CONTROL_SIZE + guest.layout.size
        self._cpu = Cpu(guest.layout)
        self._shadow: Shadow | None = None

    def run(self, cpu: Cpu, memory: FlatMemory, budget: int) -> Exit:
        """Execute at least `budget` instructions, block by block."""
        end = cpu.count + budget
        while True:
            left = self._block(cpu, memory)
            if not isinstance(left, Budget):
                return left
            if cpu.count >= end:
                return left

    def invalidate(self, start: int, end: int) -> None:
        """Guest code in this range was changed."""
        self.stencil.invalidate(start, end)

    def flush(self) -> None:
        """Forget all translated code."""
        self.stencil.flush()

    def after_fork(self) -> None:
        """In a forked child: see `StencilEngine.after_fork`."""
        self.stencil.after_fork()

    def _block(self, cpu: Cpu, memory: FlatMemory) -> Exit:
        if self._shadow is None or self._shadow.memory is not memory:
            self._shadow = Shadow(memory)
        before = bytes(cpu.bytes[:self._size])
        steps, expected = self._rehearse(cpu, self._shadow)
        left = self.stencil.run(cpu, memory, 1)
        self.blocks += 1
        done = cpu.count - int.from_bytes(before[at.CONTROL_SIZE + at.COUNT:][:8], "little")
        wrong = self._differences(cpu, memory, steps, done, before)
        if not isinstance(left, (Budget, Interrupted)) and (expected is None or left != expected or done != len(steps)):
            wrong.append(f"it left by {left}, should by {expected or Budget()}")
        if isinstance(left, Budget) and not done:
            wrong.append("nothing was done")
        if wrong:
            raise EngineError(self._report(cpu, memory, before, steps, done, wrong))
        return left

    def _rehearse(self, cpu: Cpu, shadow: Shadow) -> tuple[list[_Step], Exit | None]:
        """What the block at the pc should do, instruction by instruction, and the exit that it ends in if it does."""
        copy, size = self._cpu, self._size
        copy.bytes[:size] = cpu.bytes[:size]
        shadow.forget()
        steps: list[_Step] = []
        while len(steps) <= _LONGEST:
            pc, count = copy.pc, copy.count
            decoded = self._decoded(shadow, pc)
            left = self.reference.step(copy, shadow)  # type: ignore[arg-type]
            if copy.count != count:
                steps.append(_Step(pc, bytes(copy.bytes[:size]), len(shadow.stores), _clock(decoded)))
            if left is not None:
                return steps, left
            if decoded is None or decoded.form.control is not None and decoded.form.control.op != "sync_code":
                break
        return steps, None

    def _decoded(self, memory: Shadow | FlatMemory, pc: int) -> Decoded | None:
        """The instruction at an address; None if there is none."""
        from xenos.memory.flat import MemoryFault

        try:
            limit = memory.fetch_limit(pc)
            word = memory.load(pc, 2)
            length = self._instructions.length(word)
            if length == 4:
                if pc + 4 > limit:
                    memory.fetch_limit(pc + 2)
                word |= memory.load(pc + 2, 2) << 16
        except MemoryFault:
            return None
        return self._instructions.decoder.decode(word, length)

    def _differences(self, cpu: Cpu, memory: FlatMemory, steps: list[_Step], done: int, before: bytes) -> list[str]:
        """What is not as it was rehearsed, after `done` instructions; a line each."""
        if done > len(steps):
            return [f"{done} instructions were executed, where a block has {len(steps)}"]
        step = steps[done - 1] if done else None
        size = self._size
        have, want = bytes(cpu.bytes[:size]), step.state if step else before
        wrong = []
        for name, offset in _WORDS.items():
            place = at.CONTROL_SIZE + offset
            if have[place:place + 8] != want[place:place + 8]:
                wrong.append(f"{name} {_number(have[place:place + 8])}, should be {_number(want[place:place + 8])}")
        if have[at.CONTROL_SIZE:] != want[at.CONTROL_SIZE:]:
            clock = step.clock if step else None
            names = {self._guest.names[name]: name for name in self._guest.names}
            for file in self._guest.registers:
                stride = self._guest.layout.strides[file.name]
                for index in range(file.count):
                    place = at.CONTROL_SIZE + self._guest.layout.offset(file.name, index)
                    a, b = have[place:place + stride], want[place:place + stride]
                    if a != b and clock != (file.name, index):
                        wrong.append(f"{names.get((file.name, index), f'{file.name}{index}')} {_number(a)}, "
                                     f"should be {_number(b)}")
        assert self._shadow is not None
        last: dict[int, int] = {}
        for address, data, _ in self._shadow.stores[:step.stores if step else 0]:
            last.update((address + i, byte) for i, byte in enumerate(data))
        for address, byte in sorted(last.items()):
            if memory.read(address, 1)[0] != byte:
                wrong.append(f"byte at {address:#x} {memory.read(address, 1)[0]:#04x}, should be {byte:#04x}")
                break
        return wrong

    # When they differ: which instruction it is.

    def _report(self, cpu: Cpu, memory: FlatMemory, before: bytes, steps: list[_Step], done: int, wrong: list[str]) -> str:
        """One line: the first instruction that differs when each is run by itself, and what differs."""
        start = int.from_bytes(before[at.CONTROL_SIZE + at.PC:][:8], "little")
        found = self._first(cpu, memory, before, steps, min(done, len(steps)))
        if found is not None:
            pc, wrong = found
            where = f"`{self._text(memory, pc)}` at {pc:#x}"
        else:
            lines = "; ".join(self._text(memory, step.pc) for step in steps)
            where = f"the block at {start:#x} ({lines}), though each of its instructions by itself is right"
        return f"the stencil engine differs from the reference engine in {where}: {', '.join(wrong)}"

    def _first(self, cpu: Cpu, memory: FlatMemory, before: bytes, steps: list[_Step],
               done: int) -> tuple[int, list[str]] | None:
        """Run the block again, one instruction at a time; None if nothing differs that way."""
        assert self._shadow is not None
        for address, _, old in reversed(self._shadow.stores):
            memory.write(address, old)
        cpu.bytes[:self._size] = before
        self.stencil.flush()
        self.stencil.one_by_one = True
        try:
            for number in range(done):
                step = steps[number]
                self.stencil.run(cpu, memory, 1)
                wrong = self._differences(cpu, memory, steps, number + 1, before)
                if wrong:
                    return step.pc, wrong
        finally:
            self.stencil.one_by_one = False
            self.stencil.flush()
        return None

    def _text(self, memory: FlatMemory, pc: int) -> str:
        decoded = self._decoded(memory, pc)
        return Disassembler(self._instructions, self._guest.names).text(decoded, pc) if decoded else "no instruction"


def _clock(decoded: Decoded | None) -> tuple[str, int] | None:
    """The register that an instruction sets to the time, if it is one that does."""
    if decoded is None or not any(op.op == "counter" and op.attr("name") == "time" for op in decoded.form.effects):
        return None
    return next(((file, decoded.operands[name]) for name, (file, use) in decoded.form.registers.items() if "w" in use), None)


def _number(data: bytes) -> str:
    return hex(int.from_bytes(data, "little"))
