"""The stencil engine: translate what is reached, run it natively, and see to every way in which it comes back."""

from __future__ import annotations

from time import perf_counter_ns

from xenos.cpu import layout as at
from xenos.cpu.exits import Breakpoint, Budget, Exit, Fault, Illegal, Interrupted, Syscall
from xenos.engines.code.arena import Arena
from xenos.engines.code.limbo import Limbo
from xenos.engines.code.segment import BREAKPOINT, HEAD, HERE, ILLEGAL, LARGEST, LINK, POLL, SLOW, SYNC, Segment
from xenos.engines.code.store import digest
from xenos.engines.code.table import FREE, MARKED, Table
from xenos.engines.runtime.native import SOON, Runtime
from xenos.engines.stencil.faults import Faults
from xenos.errors import EngineError
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.cpu.state import Cpu
    from xenos.engines.code.store import Store
    from xenos.engines.reference.engine import ReferenceEngine
    from xenos.engines.stencil.generations import Generations
    from xenos.engines.stencil.launches import Launches
    from xenos.engines.stencil.pack import Pack
    from xenos.engines.stencil.translator import Translator
    from xenos.memory.flat import FlatMemory

_STUB, _MISS, _FAULT, _POLL, _CALL = range(5)


class StencilEngine:
    """Runs guest code as stencils. `linked=False` leaves after every block (lockstep)."""

    flavour = b""        # what the code on disk may hold beside stencils
    follows = 1         # whether units go on where jumps go: such jumps cannot be sent elsewhere any more
    parallel = True     # many CPUs may run at once, each in a thread of its own

    def __init__(self, pack: Pack, *, linked: bool = True, store: Store | None = None) -> None:
        self.pack = pack
        self.store = store if linked else None
        if store is not None:
            store.maker = pack.made_from
        self.linked = linked
        self.one_by_one = False     # whether a block has one instruction only (flush when this is changed)
        self.arena = Arena()
        self.runtime = Runtime(self.arena, pack.image)
        self.runtime.catch_faults()
        self.table = Table(pack.alignment)
        self.segments: list[Segment] = []
        self.heat: dict[int, int] = {}      # address of a loop, or of what was called -> how often a long run ended there
        self.translated = 0     # units translated, and blocks that came from the cache
        self.loaded = 0
        self._generations: Generations | None = None    # of code that may change; most programs have none
        self._memory: FlatMemory | None = None
        self._lock: Any = None      # the memory's: held by whoever looks at, or changes, what is translated
        self._translator: Translator | None = None
        self._reference: ReferenceEngine | None = None
        self.soft = False
        self._faults = Faults(self)
        self._limbo = Limbo(self._faults.changed)
        self._full: set[bytes] = set()

    # Running.

    def run(self, cpu: Cpu, memory: FlatMemory, budget: int) -> Exit:
        """Run for about `budget` instructions, or until the guest needs something. Any number of threads may, each its own CPU."""
        lock = memory.lock
        if memory is not self._memory:
            with lock:
                self._attach(memory)
        limit = cpu.count + budget & (1 << 64) - 1
        self.resume(cpu)
        cpu.set(at.UNCACHED, budget < SOON and self.linked)
        if budget < SOON and self.linked:
            cpu.clear_jump_cache()      # jumps through it do not look at the limit
        enter, table, running = self.runtime.enter, self.table, self._limbo.running
        running[cpu.address] = cpu
        try:
            while True:
                with lock:
                    # From here to the end of `left`, nothing that this CPU may come to is given back.
                    self._limbo.enter(cpu)
                    if self.soft != (cpu.get(at.ROUNDING) > 3):
                        self._change_rounding(not self.soft)
                    code = table.find(cpu.pc)
                    if not code:
                        left = self._translate(cpu.pc, cpu)
                        if left is not None:
                            return left
                        continue
                    cpu.set(at.TABLE, table.address)
                    cpu.set(at.TABLE_MASK, table.mask)
                    cpu.set(at.LIMIT, self.until(cpu, limit) if self.linked else 0)
                if cpu.get(at.INTERRUPT):
                    cpu.set(at.INTERRUPT, 0)
                    return Interrupted()
                enter(cpu.address, code)
                left = self.left(cpu, limit)
                if left is not None:
                    return left
                if not self.linked:
                    return Budget()
        finally:
            cpu.epoch = 0
            running.pop(cpu.address, None)

    def until(self, cpu: Cpu, limit: int) -> int:
        """The count of instructions at which the CPU is to look around: at the latest at the limit of its run."""
        return limit

    def resume(self, cpu: Cpu) -> None:
        """Let the CPU's words say where this engine's runtime is."""
        self.runtime.prepare(cpu, self._faults.address)
        if not self.linked:
            cpu.set(at.CALLS, 0)

    @property
    def launches(self) -> Launches:
        """How threads enter generated code without Python."""
        from xenos.engines.stencil.launches import Launches

        return Launches(self, self._limbo, self._faults.address)

    def left(self, cpu: Cpu, limit: int) -> Exit | None:
        """Generated code came back; None if it can go on."""
        why = cpu.get(at.EXIT_CODE)
        if why == _MISS:
            return None if self.linked else Budget()
        if why == _FAULT:
            with self._lock:
                return self._faults.answer(cpu)
        if why == _POLL:
            return self._polled(cpu, limit)
        if why == _CALL:
            return Syscall()
        stub = cpu.get(at.EXIT_INFO)
        with self._lock:
            kind, pc = self._stub(stub)
        if kind == HERE:
            kind = SLOW
        else:
            cpu.pc = pc
        if kind == LINK:
            return None if self.linked else Budget()
        if kind == SLOW:
            assert self._memory is not None
            with self._lock:
                left = self.reference.step(cpu, self._memory)
            return left if left is not None or self.linked else Budget()
        if kind == POLL:
            return self._polled(cpu, limit)
        if kind == BREAKPOINT:
            return Breakpoint()
        try:
            if kind == ILLEGAL:
                return Illegal(self._word(pc))
            assert kind == SYNC
            cpu.pc = self._behind(pc)
        except MemoryFault as fault:    # a file has become shorter
            return Fault(Fault.EXECUTE, fault.address, fault.mapped)
        self._count(cpu, 1)
        self.invalidate(0, 1 << 64)
        return None

    def _polled(self, cpu: Cpu, limit: int) -> Exit | None:
        if cpu.get(at.INTERRUPT):
            cpu.set(at.INTERRUPT, 0)
            return Interrupted()
        if not cpu.get(at.UNCACHED):
            # After so many instructions, where a CPU is tells which loops are hot. They are counted in a register, and the poll is
            # there anyway: a counter in memory for each block costs tight loops most of their time (docs/figures.md).
            self.heat[cpu.pc] = self.heat.get(cpu.pc, 0) + 1
        if not self.linked or cpu.count >= limit:
            return Budget()
        # After a call, it may have waited in the kernel since it was told to stop.
        self._limbo.stopped(cpu, perf_counter_ns() if cpu.get(at.EXIT_CODE) == _POLL else 0)
        return None

    @staticmethod
    def _count(cpu: Cpu, instructions: int) -> None:
        cpu.set(at.COUNT, cpu.count + instructions)

    def _stub(self, address: int) -> tuple[int, int]:
        for segment in self.all_segments():
            if 0 <= address - segment.base < segment.capacity:
                return segment.stub(address - segment.base)
        raise EngineError(f"generated code left through {address:#x}, which is no stub")

    def all_segments(self) -> list[Segment]:
        """Those in use, and those given up that a CPU may still be in."""
        return [*self.segments, *self._limbo.segments]

    @property
    def memory(self) -> FlatMemory:
        """The guest's memory that this engine is attached to."""
        assert self._memory is not None
        return self._memory

    @property
    def reference(self) -> ReferenceEngine:
        """The reference engine, for single instructions that have no exact native code."""
        if self._reference is None:
            from xenos.engines.reference import ReferenceEngine

            self._reference = ReferenceEngine(self.pack.guest())
        return self._reference

    # Guest code.

    def _word(self, pc: int) -> int:
        """The instruction at `pc`; MemoryFault if it is there no more."""
        low = int.from_bytes(self.memory.read(pc, 2), "little")
        return low | int.from_bytes(self.memory.read(pc + 2, 2), "little") << 16 if self.pack.is_long(low) else low

    def _behind(self, pc: int) -> int:
        return pc + (4 if self._is_long(pc) else 2)

    def _is_long(self, pc: int) -> bool:
        return self.pack.is_long(int.from_bytes(self.memory.read(pc, 2), "little"))

    def _attach(self, memory: FlatMemory) -> None:
        """Take up a guest's memory: what was translated of another is forgotten."""
        self.flush()
        self.heat.clear()
        self._memory, self._lock = memory, memory.lock
        if self._code_changed not in memory.on_code_change:
            memory.on_code_change.append(self._code_changed)

    @property
    def translator(self) -> Translator:
        """The translator; its book is read when the first instruction needs it."""
        if self._translator is None:
            from xenos.memory.flat import BASE

            self._translator = self.pack.translator(self.arena, BASE, single=not self.linked)
            self._translator.copy_by(self.runtime.move)
            self._translator.follows = self.follows
        return self._translator

    def _translate(self, pc: int, cpu: Cpu) -> Exit | None:
        assert self._memory is not None
        if pc & 1:
            return Illegal(0)
        try:
            limit = self.limit(pc)
            if pc + 2 == limit and self._is_long(pc):
                # The second half of the instruction lies where nothing may be executed.
                mapped = self._memory.regions.at(limit) is not None
                return Fault(Fault.EXECUTE, limit, Fault.PROTECTED if mapped else Fault.NOTHING)
        except MemoryFault as fault:
            return Fault(Fault.EXECUTE, fault.address, fault.mapped)
        segment = self.segment(pc)
        if segment is not None and self.table.find(pc):
            return None                  # it came with the segment from the cache
        try:
            if segment is None:
                self.translated += self.generations.translate(self._memory, pc, limit)
                return None
            done = self.translator.translate(pc, limit, segment, self.table)
        except MemoryFault as fault:
            return Fault(fault.access, fault.address, fault.mapped)
        if not done:
            if segment.key is not None:
                self._full.add(segment.key)   # what is kept on disk fills it, too: begin anew without that
            self._drop(segment)
            return None
        self.translated += 1
        return None

    def limit(self, pc: int) -> int:
        """How far code may be translated from `pc` on."""
        assert self._memory is not None
        limit = self._memory.fetch_limit(pc)
        return min(limit, self._behind(pc)) if self.one_by_one else limit

    @property
    def collection(self) -> dict[str, float]:
        """What became of code that may change (Generations.statistics), and how often guest threads were stopped because code was
        given up, and for how long, in seconds: `pauses`, `pause_99` that 99 % of them keep to, and `longest_pause`."""
        pauses = self._limbo.pauses
        told = {"pauses": pauses.count, "pause_99": pauses.most(0.99), "longest_pause": pauses.longest}
        return told | (self._generations.statistics() if self._generations is not None else {})

    @property
    def generations(self) -> Generations:
        """Code of all guest memory whose bytes may change."""
        if self._generations is None:
            from xenos.engines.stencil.generations import Generations

            self._generations = Generations(self.arena, self.pack.constants, self._limbo, self.segments, self.translator,
                                            self.table)
        return self._generations

    def segment(self, pc: int) -> Segment | None:
        """The segment for code at a guest address: one for each mapping whose bytes stay what they are; none for all other code."""
        for segment in self.segments:
            if segment.high and segment.low <= pc < segment.high:
                return segment
        assert self._memory is not None
        region = self._memory.regions.at(pc)
        if region is not None and region.steady:
            return self._file_segment(region.start, region.end)
        return None

    def _file_segment(self, low: int, high: int) -> Segment:
        """A new segment for a file mapping, from the cache if that has it."""
        assert self._memory is not None
        key = None
        if self.store is not None and not self.soft:
            try:
                key = digest(self.pack.key + self.flavour, low.to_bytes(8, "little"), self._memory.read(low, high - low))
            except MemoryFault:
                key = None               # the file is shorter than its mapping
        room = min(12 * (high - low) + (1 << 17), LARGEST)
        segment = Segment(self.arena, room, low, high, self.pack.constants, key)
        self.segments.append(segment)
        body = self.store.load(key) if self.store is not None and key is not None and key not in self._full else None
        if body is not None and segment.restore(body):
            self.translator.fill(segment, self.table)
            self.loaded += segment.blocks
        return segment

    def save(self) -> None:
        """Keep what was translated since it was loaded, where that is some part of the whole."""
        for segment in self.segments:
            self._save(segment)

    def _save(self, segment: Segment) -> None:
        if self.store is None or segment.key is None or self.soft:
            return
        # Another process may have kept more meanwhile; the next one to start adds to that.
        if segment.worthwhile and Segment.units_in(self.store.head(segment.key, HEAD)) < segment.total + segment.stale:
            self.store.save(segment.key, segment.pack(), "segment")
            segment.saved()

    # Forgetting.

    def _code_changed(self, start: int, end: int) -> None:
        """Guest memory was mapped, unmapped or protected otherwise: all code in the range goes, whatever its bytes. That of a file
        goes as a whole, be there none of that part yet: what came to lie there would be kept as the file's."""
        for segment in list(self.segments):
            if start < segment.high and segment.low < end:
                self._drop(segment)
        self._forget(start, end, whatever=True)

    def invalidate(self, start: int, end: int) -> None:
        """The guest says that it wrote code in this range: what was translated from bytes that are others now is forgotten.

        Code in file mappings that cannot be written is still what it was.
        """
        memory = self._memory
        if memory is not None:
            with memory.lock:
                memory.watching().told(start, end)
                self._forget(start, end, whatever=False)

    def _forget(self, start: int, end: int, *, whatever: bool) -> None:
        """Forget code of a range that may change, if it has, or `whatever` it is."""
        if self._generations is not None and self._generations.forget(start, end, whatever=whatever):
            self._faults.changed()

    def flush(self) -> None:
        """Forget all translated code."""
        for segment in [segment for segment in self.segments if segment.high]:
            self._drop(segment)
        if self._generations is not None and self._generations.shelves:
            for low, high in (0, FREE), (FREE + 1, MARKED):
                self.runtime.purge(self.table.address, self.table.mask, low, high)
            self._generations.clear()
            self._faults.changed()

    def _drop(self, segment: Segment) -> None:
        """Forget the code of a file mapping; its room is given back when no CPU can be in it any more."""
        self._save(segment)
        self.runtime.purge(self.table.address, self.table.mask, segment.low, segment.high)
        self.segments.remove(segment)
        self._faults.changed()
        self._limbo.take(segment)

    def _change_rounding(self, soft: bool) -> None:
        """A rounding mode that the host lacks: everything that rounds goes the slow way until the mode is another."""
        if not soft and len(self._limbo.running) > 1:
            return      # another CPU may want it so; what is slow is exact for all
        self.soft = soft
        self.flush()
        self.translator.soft_rounding = self.soft

    def after_fork(self) -> None:
        """In a forked child: the code arena becomes the child's own."""
        self._limbo.after_fork()
        for segment in self.segments:
            segment.inherit()
        others = [self._translator.part] if self._translator is not None else []
        others += [self._generations.constants] if self._generations is not None else []
        self.arena.own([self.runtime.part, *others, *((segment.start, segment.used) for segment in self.segments)])
