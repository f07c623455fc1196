"""sys/wait.h: children."""

from __future__ import annotations

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_USAGE, _INFO = 144, 128    # sizeof(struct rusage), sizeof(siginfo_t)


def wait4(process: Process, pid: int, wstatus: int, options: int, rusage: int) -> int:
    """wait4(2)."""
    at = kernel.pointer
    return kernel.call(process, "wait4", pid, at(process, wstatus, 4), options, at(process, rusage, _USAGE))


def waitid(process: Process, idtype: int, id: int, infop: int, options: int, rusage: int) -> int:
    """waitid(2)."""
    at = kernel.pointer
    return kernel.call(process, "waitid", idtype, id, at(process, infop, _INFO), options, at(process, rusage, _USAGE))
