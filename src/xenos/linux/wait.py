"""sys/wait.h: children."""

from __future__ import annotations

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_USAGE, _INFO = 144, 128    # sizeof(struct rusage), sizeof(siginfo_t)
_PID_AT = 12                # of si_pid there
_OTHER_CHILDREN = 0x40000000 | 0x80000000   # __WALL, __WCLONE: those whose end sends no SIGCHLD, as ours


def wait4(process: Process, pid: int, wstatus: int, options: int, rusage: int) -> int:
    """wait4(2)."""
    at = kernel.pointer
    _hide_ours(process, options)
    result = kernel.call(process, "wait4", pid, at(process, wstatus, 4), options, at(process, rusage, _USAGE))
    if process.heirs is not None and result > 0:
        process.heirs.await_of(result)
    return result


def waitid(process: Process, idtype: int, id: int, infop: int, options: int, rusage: int) -> int:
    """waitid(2)."""
    at = kernel.pointer
    _hide_ours(process, options)
    result = kernel.call(process, "waitid", idtype, id, at(process, infop, _INFO), options, at(process, rusage, _USAGE))
    if process.heirs is not None and result == 0 and infop:
        process.heirs.await_of(process.memory.load(infop + _PID_AT, 4))
    return result


def _hide_ours(process: Process, options: int) -> None:
    """The guest is about to wait for such children, too: it must not find one that is ours."""
    if options & _OTHER_CHILDREN:
        pool = getattr(process.engine, "pool", None)
        if process.heirs is not None:
            process.heirs.dismiss()
        if pool is not None:
            with process.memory.lock:
                pool.close()
