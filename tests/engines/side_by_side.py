"""One guest memory and CPU on which the stencil engine and the reference engine run the same block, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xenos.cpu import layout as at
from xenos.cpu.exits import Exit
from xenos.cpu.state import Cpu
from xenos.engines.choose import cache_folder
from xenos.engines.hosts import host
from xenos.engines.lockstep import LockstepEngine
from xenos.engines.reference import ReferenceEngine
from xenos.engines.region.eager import EagerEngine
from xenos.engines.stencil.engine import StencilEngine
from xenos.engines.stencil.pack import Pack, load
from xenos.errors import EngineError
from xenos.isa import find_guest
from xenos.memory.flat import FlatMemory
from xenos.semantics.disassembler import Disassembler

GUEST = find_guest("riscv64")
RISCV = GUEST.instructions()
DISASSEMBLER = Disassembler(RISCV, GUEST.names)
READ, WRITE, EXECUTE = 1, 2, 4

# One area is in reach of 32-bit addresses, one is not; each block gets a place of its own, so that nothing need be forgotten.
AREAS = (0x2000_0000, 0x9_0000_0000)
AREA_SIZE = 1 << 20
DATA = 0x3000_0000       # one page, nothing around it
DATA_SIZE = 0x1000
BREAK = 0x9002           # c.ebreak: what stands around a block
BUDGET = 20_000
LEVELS = tuple(range(1, host().level() + 1))
BEST = LEVELS[-1]
FILES = GUEST.layout.size


@dataclass(frozen=True)
class Block:
    """Instruction words and the state that they start with; `registers` as the state block holds them."""

    words: tuple[int, ...]
    registers: bytes
    flags: int = 0
    rounding: int = 0
    reserved: tuple[int, int] = ((1 << 64) - 1, 0)
    memory: bytes = b""
    area: int = 0
    # Byte offsets from the block's start that registers of the first file hold: they are only known when it has a place.
    targets: dict[int, int] = field(default_factory=dict)

    def code(self) -> bytes:
        """The words as they lie in memory."""
        return b"".join(word.to_bytes(4 if word & 3 == 3 else 2, "little") for word in self.words)

    def listing(self) -> str:
        """The instructions, to look at."""
        lines = []
        for word in self.words:
            decoded = RISCV.decoder.decode(word, 4 if word & 3 == 3 else 2)
            lines.append(f"{word:#010x}  {DISASSEMBLER.text(decoded) if decoded else 'no instruction'}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Outcome:
    """What is to be seen of a run."""

    left: Exit
    pc: int
    count: int
    registers: bytes
    flags: int
    rounding: int
    reserved: int
    memory: bytes


def pack(level: int) -> Pack:
    """The stencils for a host level, kept in the user's cache by a hash of what they are made from."""
    return load("riscv64", cache_folder(), level)


class SideBySide:
    """`run` gives what the stencil engine and what the reference engine make of a block; `close` it.

    With `forced`, the region engine with a region at every block stands in the stencil engine's place; with `plain`, those keep no
    registers for accesses that fail.
    """

    def __init__(self, level: int = BEST, *, forced: bool = False, plain: bool = False) -> None:
        self.level = level
        self.forced = forced
        self.stencil: StencilEngine = StencilEngine(pack(level)) if not forced else EagerEngine(pack(level), level, plain=plain)
        self.reference = ReferenceEngine(GUEST)
        self.cpu = Cpu(GUEST.layout)
        self.memory = FlatMemory()
        for area in AREAS:
            self.memory.map(area, AREA_SIZE, READ | WRITE | EXECUTE)
            self.memory.watching().told(area, area + AREA_SIZE)     # blocks are put there behind the memory's back
            self._fill(area)
        self.memory.map(DATA, DATA_SIZE, READ | WRITE)
        self.others: dict[int, bytes] = {}   # further memory that is as it was before each run
        self._next = 0

    def _fill(self, area: int) -> None:
        self.memory.view[area:area + AREA_SIZE] = BREAK.to_bytes(2, "little") * (AREA_SIZE // 2)

    def close(self) -> None:
        """Give the guest memory and the host's signal handlers back."""
        self.stencil.runtime.restore()
        self.memory.close()

    def place(self, block: Block) -> int:
        """Put a block where none was before; gives its address."""
        code = block.code()
        if self._next + len(code) + 64 > AREA_SIZE:
            self._next = 0
            self.stencil.flush()
            for area in AREAS:
                self._fill(area)
        address = AREAS[block.area] + self._next
        self.memory.view[address:address + len(code)] = code
        self._next += len(code) + 64
        return address

    def begin(self, block: Block, address: int) -> None:
        """The state that the block starts with."""
        cpu = self.cpu
        cpu.bytes[at.CONTROL_SIZE:at.CONTROL_SIZE + FILES] = block.registers
        for register, offset in block.targets.items():
            cpu.write("x", register, address + offset)
        for word, value in ((at.FLAGS, block.flags), (at.ROUNDING, block.rounding), (at.COUNT, 1000), (at.INTERRUPT, 0),
                            (at.RESERVED_ADDRESS, block.reserved[0]), (at.RESERVED_VALUE, block.reserved[1])):
            cpu.set(word, value)
        cpu.pc = address
        self.memory.view[DATA:DATA + len(block.memory)] = block.memory
        for start, data in self.others.items():
            self.memory.view[start:start + len(data)] = data

    def outcome(self, left: Exit, block: Block) -> Outcome:
        """What there is now."""
        cpu = self.cpu
        return Outcome(left, cpu.pc, cpu.count - 1000, bytes(cpu.bytes[at.CONTROL_SIZE:at.CONTROL_SIZE + FILES]),
                       cpu.get(at.FLAGS), cpu.get(at.ROUNDING), cpu.get(at.RESERVED_ADDRESS),
                       bytes(self.memory.view[DATA:DATA + len(block.memory)]))

    def run(self, block: Block, address: int = 0) -> tuple[Outcome, Outcome]:
        """(stencil, reference); the block may have been placed before."""
        address = address or self.place(block)
        made = []
        for engine in (self.stencil, self.reference):
            self.begin(block, address)
            made.append(self.outcome(engine.run(self.cpu, self.memory, BUDGET), block))  # type: ignore[attr-defined]
        return made[0], made[1]

    def check(self, block: Block, name: str = "") -> None:
        """Fail with all that is needed to see why, if the two differ."""
        self.check_all([block], name)

    def check_all(self, blocks: list[Block], name: str = "") -> None:
        """`check` each of some blocks that have the same words."""
        address = dict.fromkeys(range(len(AREAS)), 0)
        for block in blocks:
            address[block.area] = address[block.area] or self.place(block)
            have, want = self.run(block, address[block.area])
            if have == want:
                continue
            raise AssertionError(f"{name} (level {self.level})\n{block.listing()}\n{differences(have, want)}\n"
                                 f"{self.explain(block)}")

    def explain(self, block: Block) -> str:
        """What lockstep says of a block: the first instruction that differs."""
        address = self.place(block)
        self.begin(block, address)
        own = LockstepEngine(StencilEngine(self.stencil.pack), self.reference)
        try:
            own.run(self.cpu, self.memory, BUDGET)
        except EngineError as error:
            return str(error)
        finally:
            self.stencil.runtime.catch_faults()
        return "nothing differs when its blocks are not linked"


def differences(have: Outcome, want: Outcome) -> str:
    """Every part that differs, in words."""
    lines = [f"{part}: {_text(getattr(have, part))}, should be {_text(getattr(want, part))}"
             for part in ("left", "pc", "count", "flags", "rounding", "reserved") if getattr(have, part) != getattr(want, part)]
    lines += [f"{'xf'[i // 32]}{i % 32}: {a:#x}, should be {b:#x}" for i, (a, b) in enumerate(
        zip(words(have.registers), words(want.registers), strict=True)) if a != b]
    lines += [f"memory at +{i:#x}: {a:#x}, should be {b:#x}" for i, (a, b) in enumerate(
        zip(have.memory, want.memory, strict=True)) if a != b][:8]
    return "\n".join(lines)


def words(data: bytes) -> list[int]:
    """64-bit words."""
    return memoryview(data).cast("Q").tolist()


def registers(x: dict[int, int] | None = None, f: dict[int, int] | None = None) -> bytes:
    """A register block with these registers set, all others 0."""
    data = bytearray(FILES)
    for file, values in (("x", x or {}), ("f", f or {})):
        for index, value in values.items():
            place = GUEST.layout.offset(file, index)
            data[place:place + 8] = (value & (1 << 64) - 1).to_bytes(8, "little")
    return bytes(data)


def with_words(block: Block, *line: int) -> Block:
    """The same state with other instructions."""
    return replace(block, words=line)


def _text(value: object) -> str:
    return hex(value) if isinstance(value, int) else str(value)
