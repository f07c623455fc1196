"""Signal frames: what a handler finds where Linux puts it, and that returning restores everything."""

from __future__ import annotations

from isa.test_linux_form import Memory
from xenos.cpu import layout as at
from xenos.cpu.state import Cpu
from xenos.isa import find_guest
from xenos.isa.riscv import signal_frame as frames
from xenos.semantics.disassembler import Disassembler

GUEST = find_guest("riscv64")
FRAME = 0x200


def filled() -> Cpu:
    cpu = Cpu(GUEST.layout)
    for number in range(32):
        cpu.write("x", number, 0x1000 + number)
        cpu.write("f", number, 0x2000 + number)
    cpu.pc = 0x1234
    cpu.set(at.FLAGS, 17)
    cpu.set(at.ROUNDING, 3)
    return cpu


def state(cpu: Cpu) -> tuple[object, ...]:
    registers = [cpu.read(file, number) for file in "xf" for number in range(32)]
    return registers, cpu.pc, cpu.get(at.FLAGS), cpu.get(at.ROUNDING)


def test_layout_is_that_of_the_kernel() -> None:
    """Offsets in struct rt_sigframe, as the kernel's headers give them."""
    memory = Memory(0x1000)
    frames.write(filled(), memory, FRAME, b"info".ljust(128, b"\0"), 0xABCD, (0x7000, 2, 0x100))  # type: ignore[arg-type]
    assert memory.read(FRAME, 4) == b"info"
    assert [memory.load(FRAME + 128 + offset, 8) for offset in (16, 24, 32, 40)] == [0x7000, 2, 0x100, 0xABCD]
    assert [memory.load(FRAME + 304 + 8 * i, 8) for i in (0, 1, 31)] == [0x1234, 0x1001, 0x101F]
    assert [memory.load(FRAME + 560 + 8 * i, 8) for i in (0, 31)] == [0x2000, 0x201F]
    assert memory.load(FRAME + 816, 4) == 3 << 5 | 17
    assert frames.SIZE == 1088


def test_returning_restores_everything() -> None:
    cpu, memory = filled(), Memory(0x1000)
    before = state(cpu)
    frames.write(cpu, memory, FRAME, bytes(128), 0xABCD, (0, 0, 0))  # type: ignore[arg-type]
    frames.enter(cpu, FRAME, 0x4000, 11, 0x5000)
    arguments = [cpu.read("x", number) for number in (1, 2, 10, 11, 12)]
    assert (cpu.pc, arguments) == (0x4000, [0x5000, FRAME, 11, FRAME, FRAME + 128])
    for number in range(3, 32):
        cpu.write("x", number, 0)
        cpu.write("f", number, 0)
    cpu.set(at.FLAGS, 0)
    cpu.set(at.ROUNDING, 0)
    assert frames.read(cpu, memory) == (0xABCD, (0, 0, 0))  # type: ignore[arg-type]
    assert state(cpu) == before
    assert cpu.get(at.RESERVED_ADDRESS) == (1 << 64) - 1


def test_trampoline_asks_to_return() -> None:
    disassembler = Disassembler(GUEST.instructions(), GUEST.names)
    words = [int.from_bytes(frames.RETURN_CODE[i:i + 4], "little") for i in (0, 4)]
    lines = [disassembler.text(decoded) for word in words if (decoded := GUEST.instructions().decoder.decode(word, 4))]
    assert lines == ["addi a7, zero, 139", "ecall"]
    assert GUEST.linux.numbers[139] == "rt_sigreturn"
