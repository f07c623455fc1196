"""Calling a guest's signal handlers: a frame on its stack, its handler, and back to where it was."""

from __future__ import annotations

import struct

from xenos.cpu.exits import Fault
from xenos.linux import signals as numbers
from xenos.linux.kernel import NEVER_BLOCKED
from xenos.linux.signals import DEFAULT, IGNORE, SIGSEGV
from xenos.linux.thread import NOBODY
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.cpu.exits import Exit
    from xenos.linux.process import Process

SA_ONSTACK, SA_NODEFER, SA_RESETHAND = 0x08000000, 0x40000000, 0x80000000
SEGV_MAPERR, SEGV_ACCERR, BUS_ADRALN, BUS_ADRERR, ILL_ILLOPC, TRAP_BRKPT = 1, 2, 1, 2, 1, 1
SS_DISABLE, SS_AUTODISARM = 2, 1 << 31
_PAGE = 4096
_INFO_SIZE = 128


def _frames(process: Process) -> Any:
    """The guest's own module for frames (`LinuxForm.signal_frame`)."""
    return __import__(process.form.signal_frame, None, None, ("SIZE",))


def _action(process: Process, number: int) -> tuple[int, int, int]:
    """Handler, flags and mask."""
    handler, flags, mask = struct.unpack("<QQQ", process.signals.actions[number][:24])
    return handler, flags, mask


def rewind(process: Process) -> None:
    """A call that a signal came before, or that goes on behind its handler: it is made again."""
    process.cpu.pc -= process.form.call_size


def deliver(process: Process) -> None:
    """Act on the signal that the native handler noted for the calling thread."""
    thread, signals = process.thread, process.signals
    info = thread.take_signal()
    number = int.from_bytes(info[:4], "little")
    blocked = thread.mask if thread.temporary is None else thread.temporary
    if blocked >> number - 1 & 1:
        thread.keep(number, info)
        thread.apply_mask()
        return
    handler = signals.handler(number)
    if handler == DEFAULT:
        process.default(number)
        thread.temporary = None
        thread.apply_mask()
    elif handler == IGNORE:
        thread.temporary = None
        thread.apply_mask()
    else:
        _enter(process, number, info)


def trap(process: Process, number: int, cause: Exit) -> None:
    """Call the handler of a signal that the instruction at the pc raised."""
    code, address = (TRAP_BRKPT if number == numbers.SIGTRAP else ILL_ILLOPC), process.cpu.pc
    if isinstance(cause, Fault):
        address = cause.address
        if number != SIGSEGV:
            code = BUS_ADRALN if cause.mapped == Fault.MISALIGNED else BUS_ADRERR
        else:
            code = SEGV_ACCERR if cause.mapped == Fault.PROTECTED else SEGV_MAPERR
    _enter(process, number, struct.pack("<iiiiQ", number, 0, code, 0, address))


def _enter(process: Process, number: int, info: bytes) -> None:
    signals, thread, cpu, memory = process.signals, process.thread, process.cpu, process.memory
    frames = _frames(process)
    handler, flags, mask = _action(process, number)
    pointer = cpu.read(*process.form.stack_pointer)
    start, disabled, size = thread.alternate_stack
    if flags & SA_ONSTACK and not disabled & SS_DISABLE and not start < pointer <= start + size:
        pointer = start + size
    frame = (pointer - frames.SIZE) & -16 & (1 << 64) - 1
    in_force = thread.mask if thread.temporary is None else thread.temporary
    try:
        frames.write(cpu, memory, frame, info.ljust(_INFO_SIZE, b"\0"), thread.mask, thread.alternate_stack)
    except MemoryFault as fault:  # no stack to call it on
        process.die(SIGSEGV, Fault(fault.access, fault.address, fault.mapped))
        return
    if thread.alternate_stack[1] & SS_AUTODISARM:
        thread.alternate_stack = NOBODY
    if flags & SA_RESETHAND:
        signals.set_action(number, bytes(8) + signals.actions[number][8:])
    thread.temporary = None
    frames.enter(cpu, frame, handler, number, _trampoline(process, frames.RETURN_CODE))
    thread.set_mask((in_force | mask | (0 if flags & SA_NODEFER else 1 << number - 1)) & ~NEVER_BLOCKED)


def _trampoline(process: Process, code: bytes) -> int:
    """Guest address of the code that a handler returns to, in the last page below the top."""
    memory = process.memory
    page = memory.top - _PAGE
    with memory.lock:       # another thread may be about to do the same, and returns to it only when it can be executed
        if memory.regions.at(page) is None:
            memory.map(page, _PAGE, 3, name="[vdso]")
            memory.write(page, code)
            memory.protect(page, _PAGE, 5)
        if process.shortcuts is not None:
            process.bridge.return_to(process.shortcuts, page)
    return page


def leave(process: Process) -> None:
    """A handler has returned: back to what it interrupted."""
    thread = process.thread
    try:
        mask, thread.alternate_stack = _frames(process).read(process.cpu, process.memory)
    except MemoryFault as fault:
        process.die(SIGSEGV, Fault(fault.access, fault.address, fault.mapped))
        return
    thread.set_mask(mask & ~NEVER_BLOCKED)
