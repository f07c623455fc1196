"""From an access of generated code that failed to the guest instruction that made it, and what is wrong with that."""

from __future__ import annotations

import ctypes

from xenos.cpu import layout as at
from xenos.cpu.exits import Fault
from xenos.engines.code.segment import HERE
from xenos.engines.runtime.direct import PAGE, PAGES, PLACE, PLACES
from xenos.errors import EngineError
from xenos.memory.flat import BASE, MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.stencil.engine import StencilEngine

_SIGSEGV = 11
_SI_KERNEL = 0x80    # a host may tell no more of an address that cannot be, and say SIGBUS if the stack pointer is in it
_LONGEST = 15        # bytes of an instruction of a host
SEGV_MAPERR, SEGV_ACCERR = 1, 2
_MAPPED_ERRORS = (SEGV_MAPERR, SEGV_ACCERR)     # others have no address


class Faults:
    """Finds the instruction by placing its block once more: the same words give the same code, so that no table is kept. Of
    regions there is a table: they have left by a way of the access's own, which says where it is."""

    def __init__(self, engine: StencilEngine) -> None:
        self._engine = engine
        # Host address -> pc, instructions counted but not done, whether it reads and writes in one step.
        self._known: dict[int, tuple[int, int, bool]] = {}
        self._told = (ctypes.c_uint64 * ((PLACES * PLACE + PAGES * PAGE) // 8))()
        self.address = ctypes.addressof(self._told)     # of what native code is told of that (runtime/trapped.py)

    def changed(self) -> None:
        """What is where in generated code is no longer what it was."""
        self._known.clear()
        for number in range(PLACES):
            self._told[number * PLACE // 8] = 0

    def _tell(self, where: int, *words: int) -> None:
        """Another thread may be reading there: it looks twice at the first word."""
        told = self._told
        told[where] = 0
        for number, word in enumerate(words[1:], where + 1):
            told[number] = word
        told[where] = words[0]

    def answer(self, cpu: Cpu) -> Exit | None:
        """The fault, with the state as it was before the instruction; None if the access works by now."""
        host = cpu.get(at.HOST_PC)
        wild = self._wild(host)
        if wild:
            return self._end(cpu, *wild)
        known = self._known.get(host)
        if known is None:
            try:
                known = self._locate(host, cpu.get(at.EXIT_INFO), cpu.pc)
            except MemoryFault as fault:    # the code itself is gone
                cpu.pc = fault.address
                return Fault(Fault.EXECUTE, fault.address, fault.mapped)
            # In code that was given up meanwhile another will lie before long.
            if any(0 <= host - segment.base < segment.capacity for segment in self._engine.segments):
                self._known[host] = known
        if host in self._known:
            self._tell((host >> 1 & PLACES - 1) * PLACE // 8, host, *known)
        cpu.pc, back, both = known
        cpu.set(at.COUNT, cpu.count - back)
        memory = self._engine.memory
        address = cpu.get(at.FAULT_ADDRESS) - BASE
        code = cpu.get(at.FAULT_CODE)
        if code >> 32 == _SIGSEGV and code & 0xFFFF_FFFF in _MAPPED_ERRORS and 0 <= address < memory.size:
            write = cpu.get(at.FAULT_WRITE)
            region = memory.regions.at(address)
            if (write == 1 or write == 0 and not both) and (region is None or not region.prot & (2 if write else 1)):
                mapped = Fault.NOTHING if region is None else Fault.PROTECTED
                if not memory.growing:
                    self._tell((PLACES * PLACE + (address >> 12 & PAGES - 1) * PAGE) // 8, (address & -4096) + 2 - write,
                               memory.changes.value, SEGV_MAPERR if region is None else SEGV_ACCERR)
                return Fault(Fault.WRITE if write else Fault.READ, address, mapped)
            if memory.watch:
                memory.watch.open(address, address + 1)
        # The reference engine knows the exact address and reason also where the hardware does not.
        return self._engine.reference.step(cpu, memory)

    def _wild(self, host: int) -> tuple[int, bytes] | None:
        """The guest's pc, or about that, and the host's instruction, if an access of a region failed that keeps nothing else."""
        for segment in self._engine.all_segments():
            if segment.regions and 0 <= host - segment.base < segment.capacity:
                start, _, unit = segment.block(host - segment.base)
                number = segment.region(unit)
                if number is not None and segment.is_wild(number):
                    told = segment.told(number, host - segment.base)
                    offset = host - segment.base
                    return start if told is None else told, bytes(segment.view[offset:offset + _LONGEST])
        return None

    def _end(self, cpu: Cpu, pc: int, failed: bytes) -> Exit:
        """The fault that ends a guest: its registers are anything."""
        cpu.pc = pc
        memory = self._engine.memory
        address = cpu.get(at.FAULT_ADDRESS)
        signal, code = cpu.get(at.FAULT_CODE) >> 32, cpu.get(at.FAULT_CODE) & 0xFFFF_FFFF
        if code == _SI_KERNEL:
            address = self._untold(cpu, failed) or address
        address = address - BASE & (1 << 64) - 1
        if code == _SI_KERNEL or code == SEGV_MAPERR and signal == _SIGSEGV or memory.regions.at(address) is None:
            mapped = Fault.NOTHING
        else:
            mapped = Fault.PROTECTED if signal == _SIGSEGV else Fault.BEHIND_FILE
        return Fault(Fault.READ if self._engine.reference.loads(memory, pc) else Fault.WRITE, address, mapped)

    def _untold(self, cpu: Cpu, failed: bytes) -> int | None:
        """The host address that the host has not told."""
        from xenos.engines.hosts import host_runtime

        runtime = host_runtime()
        words = [cpu.get(at.HOST_REGISTERS + 8 * number) for number in range(len(runtime.SAVED))]
        operand: int | None = runtime.operand(failed, words)
        return operand

    def _locate(self, host: int, stub: int, here: int) -> tuple[int, int, bool]:
        engine = self._engine
        for segment in engine.all_segments():
            if 0 <= host - segment.base < segment.capacity:
                break
        else:
            raise EngineError(f"a fault at host address {host:#x} outside all translated code")
        offset = host - segment.base
        if segment.regions:
            from xenos.engines.runtime.ways import place

            known = place(segment.address, host - segment.origin)
            if known:
                why, pc = segment.stub(stub - segment.base)
                return here if why == HERE else pc, 0, bool(known >> 31 & 1)
        pc, start, unit = segment.block(offset)
        first, end = segment.unit(unit)
        source = segment.source(unit)
        if not source:      # of a file, which may have become shorter
            end = min(end, engine.limit(pc))
            source = engine.memory.read(first, end - first)
        found = engine.translator.locate(pc, end, offset - start, first, source)
        if found is None:
            raise EngineError(f"no instruction of the block at {pc:#x} made the code that faulted")
        return found
