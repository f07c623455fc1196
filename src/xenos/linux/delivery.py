"""Calling a guest's signal handlers: a frame on its stack, its handler, and back to where it was."""

from __future__ import annotations

import os
import struct

from xenos.cpu.exits import Fault
from xenos.linux import signals as numbers
from xenos.linux.signals import DEFAULT, IGNORE, SIGSEGV
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.cpu.exits import Exit
    from xenos.linux.process import Process

SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND = 0x08000000, 0x10000000, 0x40000000, 0x80000000
SI_USER, SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR, ILL_ILLOPC, TRAP_BRKPT = 0, 1, 2, 2, 1, 1
_PAGE = 4096
_INFO_SIZE = 128
# Calls that a handler always ends (signal(7), "Interruption of system calls").
_NEVER_RESTARTED = frozenset((
    "nanosleep", "clock_nanosleep", "ppoll", "pselect6", "epoll_pwait", "epoll_pwait2", "rt_sigsuspend",
    "rt_sigtimedwait",
))


def _frames(process: Process) -> Any:
    """The guest's own module for frames (`LinuxForm.signal_frame`)."""
    return __import__(process.form.signal_frame, None, None, ("SIZE",))


def _action(process: Process, number: int) -> tuple[int, int, int]:
    """Handler, flags and mask."""
    handler, flags, mask = struct.unpack("<QQQ", process.signals.actions[number][:24])
    return handler, flags, mask


def restarts(process: Process, name: str) -> bool:
    """After a call that a signal interrupted: prepare to make it again, if the handler's flags say so."""
    ready = process.signals.ready
    number = (ready & -ready).bit_length()
    if not number or name in _NEVER_RESTARTED or process.signals.handler(number) in (DEFAULT, IGNORE):
        return False
    if not _action(process, number)[1] & SA_RESTART:
        return False
    process.cpu.pc -= _frames(process).CALL_SIZE
    return True


def deliver(process: Process) -> None:
    """Act on the first signal that is pending and not blocked."""
    signals = process.signals
    number = (signals.ready & -signals.ready).bit_length()
    signals.pending &= ~(1 << number - 1)
    if signals.handler(number) in (DEFAULT, IGNORE):
        signals.arrive(number)
        return
    _enter(process, number, struct.pack("<iiiiiI", number, 0, SI_USER, 0, os.getpid(), os.getuid()))


def trap(process: Process, number: int, cause: Exit) -> None:
    """Call the handler of a signal that the instruction at the pc raised."""
    code, address = (TRAP_BRKPT if number == numbers.SIGTRAP else ILL_ILLOPC), process.cpu.pc
    if isinstance(cause, Fault):
        address = cause.address
        code = BUS_ADRERR if number != SIGSEGV else SEGV_ACCERR if cause.mapped == Fault.PROTECTED else SEGV_MAPERR
    _enter(process, number, struct.pack("<iiiiQ", number, 0, code, 0, address))


def _enter(process: Process, number: int, info: bytes) -> None:
    signals, cpu, memory = process.signals, process.cpu, process.memory
    frames = _frames(process)
    handler, flags, mask = _action(process, number)
    pointer = cpu.read(*process.form.stack_pointer)
    start, disabled, size = signals.alternate_stack
    if flags & SA_ONSTACK and not disabled and not start < pointer <= start + size:
        pointer = start + size
    frame = (pointer - frames.SIZE) & -16 & (1 << 64) - 1
    old = signals.mask if signals.saved_mask is None else signals.saved_mask
    signals.saved_mask = None
    try:
        frames.write(cpu, memory, frame, info.ljust(_INFO_SIZE, b"\0"), old, signals.alternate_stack)
    except MemoryFault as fault:  # no stack to call it on
        process.die(SIGSEGV, Fault(fault.access, fault.address, fault.mapped))
        return
    if flags & SA_RESETHAND:
        signals.set_action(number, bytes(24))
    signals.mask |= mask | (0 if flags & SA_NODEFER else 1 << number - 1)
    frames.enter(cpu, frame, handler, number, _trampoline(process, frames.RETURN_CODE))


def _trampoline(process: Process, code: bytes) -> int:
    """Guest address of the code that a handler returns to, in the last page below the top."""
    memory = process.memory
    page = memory.top - _PAGE
    region = memory.regions.at(page)
    if region is None:
        memory.map(page, _PAGE, 3, name="[vdso]")
        memory.write(page, code)
        memory.protect(page, _PAGE, 5)
    return page


def leave(process: Process) -> None:
    """A handler has returned: back to what it interrupted."""
    try:
        mask = _frames(process).read(process.cpu, process.memory)
    except MemoryFault as fault:
        process.die(SIGSEGV, Fault(fault.access, fault.address, fault.mapped))
        return
    process.signals.set_mask(mask & ~(1 << numbers.SIGKILL - 1 | 1 << numbers.SIGSTOP - 1))
