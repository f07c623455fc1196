"""time.h and sys/time.h: timers that send signals. They are the host's own, on the guest's process and threads."""

from __future__ import annotations

import _signal

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_EVENT, _SPEC = 64, 32      # sizeof(struct sigevent), sizeof(struct itimerspec)


def timer_create(process: Process, clockid: int, sevp: int, timerid: int) -> int:
    """timer_create(2)."""
    at = kernel.pointer
    made = kernel.plain("timer_create", clockid, at(process, sevp, _EVENT), at(process, timerid, 4))
    if not made:
        process.timers.add(process.memory.load(timerid, 4))
    return made


def timer_settime(process: Process, timerid: int, flags: int, new_value: int, old_value: int) -> int:
    """timer_settime(2)."""
    at = kernel.pointer
    return kernel.plain("timer_settime", timerid, flags, at(process, new_value, _SPEC), at(process, old_value, _SPEC))


def timer_gettime(process: Process, timerid: int, curr_value: int) -> int:
    """timer_gettime(2)."""
    return kernel.plain("timer_gettime", timerid, kernel.pointer(process, curr_value, _SPEC))


def timer_getoverrun(process: Process, timerid: int) -> int:
    """timer_getoverrun(2)."""
    return kernel.plain("timer_getoverrun", timerid)


def timer_delete(process: Process, timerid: int) -> int:
    """timer_delete(2)."""
    process.timers.discard(timerid)
    return kernel.plain("timer_delete", timerid)


def delete_all(process: Process) -> None:
    """As when a program is executed: its predecessor's timers go."""
    for timer in process.timers:
        kernel.plain("timer_delete", timer)
    process.timers.clear()


def end(process: Process) -> None:
    """The guest has ended: its timers are not to hit what was there before it. All signals are blocked."""
    delete_all(process)
    pending = _signal.sigpending()
    for which, number in enumerate((_signal.SIGALRM, _signal.SIGVTALRM, _signal.SIGPROF)):
        kernel.plain("setitimer", which, bytes(_SPEC), 0)
        if number in pending or number in _signal.sigpending():
            before = _signal.signal(number, _signal.SIG_IGN)    # that discards it
            _signal.signal(number, before if before is not None else _signal.SIG_DFL)
    process.alarms = False


def setitimer(process: Process, which: int, new_value: int, old_value: int) -> int:
    """setitimer(2)."""
    at = kernel.pointer
    process.alarms = True
    return kernel.plain("setitimer", which, at(process, new_value, _SPEC), at(process, old_value, _SPEC))


def getitimer(process: Process, which: int, curr_value: int) -> int:
    """getitimer(2)."""
    return kernel.plain("getitimer", which, kernel.pointer(process, curr_value, _SPEC))
