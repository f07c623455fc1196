"""What Linux puts on the stack for a signal handler (arch/riscv: struct rt_sigframe), written and read back.

    0      siginfo, 128 bytes
    128    ucontext: flags, link, stack, mask; from its byte 176 on the registers: pc, x1 to x31, f0 to f31, fcsr
"""

from __future__ import annotations

import struct

from xenos.cpu import layout as at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.state import Cpu
    from xenos.memory.flat import FlatMemory

RA, SP, A0, A1, A2 = 1, 2, 10, 11, 12

_INFO = 128
_STACK = _INFO + 16                 # address, flags, size of the alternate signal stack
_MASK = _INFO + 40
_REGISTERS = _INFO + 176
_FLOATS = _REGISTERS + 256
SIZE = _FLOATS + 528                # the kernel keeps room for registers of 128 bits, and for further extensions

# The same for native code, as `LinuxForm.frame` has it.
FRAME = (SIZE, _MASK, _STACK,
         ((_REGISTERS, "", at.PC, 8), (_REGISTERS + 8, "x", 1, 248), (_FLOATS, "f", 0, 256)),
         ((_FLOATS + 256, 5, 7, at.ROUNDING), (_FLOATS + 256, 0, 31, at.FLAGS)),
         (("x", SP, "frame", 0), ("x", RA, "return", 0), ("x", A0, "number", 0), ("x", A1, "frame", 0), ("x", A2, "frame", _INFO)))

_NOTHING_RESERVED = -1
_SS_ONSTACK, _SS_DISABLE = 1, 2

# What a handler returns to: li a7, 139 (rt_sigreturn); ecall.
RETURN_CODE = bytes.fromhex("9308b008 73000000")


def write(
    cpu: Cpu, memory: FlatMemory, frame: int, info: bytes, mask: int, alternate_stack: tuple[int, int, int],
) -> None:
    """Store the frame at that address; MemoryFault where the stack ends."""
    start, disabled, size = alternate_stack
    fcsr = cpu.get(at.ROUNDING) << 5 | cpu.get(at.FLAGS)
    data = bytearray(SIZE)
    data[: len(info)] = info
    struct.pack_into("<QIIQ", data, _STACK, start, disabled, 0, size)
    struct.pack_into("<Q", data, _MASK, mask)
    data[_REGISTERS:_FLOATS] = cpu.registers("x")
    struct.pack_into("<Q", data, _REGISTERS, cpu.pc)    # in the place of x0
    data[_FLOATS : _FLOATS + 256] = cpu.registers("f")
    struct.pack_into("<I", data, _FLOATS + 256, fcsr)
    memory.write(frame, bytes(data))


def enter(cpu: Cpu, frame: int, handler: int, number: int, trampoline: int) -> None:
    """Call the handler; it returns to the trampoline."""
    values = ((SP, frame), (RA, trampoline), (A0, number), (A1, frame), (A2, frame + _INFO))
    for register, value in values:
        cpu.write("x", register, value)
    cpu.pc = handler


def read(cpu: Cpu, memory: FlatMemory) -> tuple[int, tuple[int, int, int]]:
    """Take all registers from the frame at the stack pointer; gives the mask of blocked signals, and the alternate stack."""
    data = memory.read(cpu.read("x", SP), SIZE)
    (cpu.pc,) = struct.unpack_from("<Q", data, _REGISTERS)
    (fcsr,) = struct.unpack_from("<I", data, _FLOATS + 256)
    cpu.registers("x")[8:] = data[_REGISTERS + 8 : _FLOATS]
    cpu.registers("f")[:] = data[_FLOATS : _FLOATS + 256]
    cpu.set(at.ROUNDING, fcsr >> 5 & 7)
    cpu.set(at.FLAGS, fcsr & 31)
    cpu.set(at.RESERVED_ADDRESS, _NOTHING_RESERVED)
    mask: int = struct.unpack_from("<Q", data, _MASK)[0]
    start, flags, size = struct.unpack_from("<QIxxxxQ", data, _STACK)
    return mask, (0, _SS_DISABLE, 0) if flags & _SS_DISABLE else (start, flags & ~_SS_ONSTACK, size)
