"""sys/wait.h: children."""

from __future__ import annotations

import os
import struct

from xenos.linux import waiting
from xenos.linux.signals import IGNORE, SIGCHLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
_OURS = 0xE0000000  # __WNOTHREAD, __WALL, __WCLONE: about threads
WNOHANG = 1


def _hang(process: Process) -> int:
    """WNOHANG while the guest handles signals: `waiting` does the waiting then."""
    signals = process.signals
    return WNOHANG if signals.caught and signals.handler(SIGCHLD) != IGNORE else 0


def wait4(process: Process, pid: int, wstatus: int, options: int, rusage: int) -> int:
    """wait4(2)."""
    if options & ~(_OURS | 0xB):
        return -EINVAL
    found, status, use = os.wait4(pid, options & ~_OURS | _hang(process))
    if not found and not options & WNOHANG:

        def look() -> bool:
            nonlocal found, status, use
            found, status, use = os.wait4(pid, options & ~_OURS | WNOHANG)
            return found != 0

        waiting.until(process, look)
    if found and wstatus:
        process.memory.store(wstatus, 4, status)
    if found and rusage:
        from xenos.linux.resource import pack_usage

        process.memory.write(rusage, pack_usage(use))
    return found


def waitid(process: Process, idtype: int, id: int, infop: int, options: int, rusage: int) -> int:
    """waitid(2)."""
    result = os.waitid(idtype, id, options & ~_OURS | _hang(process))
    if result is None and not options & WNOHANG:

        def look() -> bool:
            nonlocal result
            result = os.waitid(idtype, id, options & ~_OURS | WNOHANG)
            return result is not None

        waiting.until(process, look)
    if infop:
        info = bytes(128)
        if result is not None:
            numbers = (SIGCHLD, 0, result.si_code, 0, result.si_pid, result.si_uid, result.si_status)
            info = struct.pack("<iiiiiIi", *numbers).ljust(128, b"\0")
        process.memory.write(infop, info)
    return 0
