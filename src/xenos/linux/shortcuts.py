"""System calls that generated code makes of the host's kernel itself, once Python has answered the first of their kind.

They mean the same there, with guest addresses as host addresses. The letters stand for the arguments: d a descriptor (not one of
Xenos's own), p a pointer, - a number; a word behind them says what else there is to do, see `bridge.shortcut`.
"""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.dispatch import Call
    from xenos.linux.process import Process

SHORTCUTS = {
    "read": "dp-",
    "write": "dp-",
    "pread64": "dp--",
    "pwrite64": "dp--",
    "readv": "dp- vector",
    "writev": "dp- vector",
    "lseek": "d--",
    "recvfrom": "dp--pp unnamed",
    "sendto": "dp--pp unnamed",
    "epoll_pwait": "dp---- events",
    "ppoll": "p-pp- unmasked",
    "clock_gettime": "-p time",
    "clock_getres": "-p",
    "gettimeofday": "pp",
    "nanosleep": "pp",
    "clock_nanosleep": "--pp",
    "futex": "p---p- futex",
    "rt_sigprocmask": "-pp- masks",
    "sched_yield": "",
    "getrandom": "p--",
    "getrusage": "-p",
    "times": "p",
    "getcpu": "ppp",
    "sched_getaffinity": "--p",
    "getpgid": "-",
    "getsid": "-",
    "getpid": "",
    "getppid": "",
    "gettid": "",
    "getuid": "",
    "geteuid": "",
    "getgid": "",
    "getegid": "",
    "rt_sigreturn": " return",
    "exit": "- end",
    "set_robust_list": "-- robust",
    "madvise": "p-- advice",
}


def table(process: Process) -> Any:
    """An empty table for `Process.shortcuts`; None where all calls are to go through Python."""
    if process.bridge is None or process.strace:
        return None
    from xenos.linux.hosts import vdso

    memory = process.memory
    return process.bridge.table(process.form, process.leader.cpu.layout, memory.size, vdso.function("clock_gettime"),
                                ctypes.addressof(memory.changes), ctypes.addressof(memory.watched))


def offer(process: Process, number: int, call: Call) -> None:
    """From now on generated code may make this call itself, if it is of that kind and nothing is to look at its arguments."""
    from xenos.linux import kernel

    error = getattr(call, "error", 0)
    if error and process.shortcuts is not None:
        process.bridge.refuse(process.shortcuts, number, error)
        return
    letters, _, kind = SHORTCUTS.get(call.name, "?").partition(" ")
    if call.name in kernel.LOOKING and process.signals.showing:
        return
    if letters != "?" and process.shortcuts is not None and kernel.has(call.name):
        pointers = sum(1 << at for at, letter in enumerate(letters) if letter == "p")
        process.bridge.shortcut(process.shortcuts, number, kernel.number(call.name), pointers, letters[:1] == "d", kind)


def withdraw_looks(process: Process) -> None:
    """From now on Python makes the calls that may look into a signalfd(2), for there is something that only it can show there."""
    from xenos.linux import kernel

    if process.signals.showing:
        return
    process.signals.showing = True
    for number, call in process.calls.items():
        if call.name in kernel.LOOKING and process.shortcuts is not None:
            process.bridge.shortcut(process.shortcuts, number, 0, 0, False, "")


def may_give_up(process: Process, start: int, end: int) -> None:
    """From now on generated code may give memory in that range up (madvise(2)), until what is mapped anywhere changes.

    The guest has just done so, and it is private, without a file, and not executable.
    """
    if process.shortcuts is not None:
        process.bridge.give_up(process.shortcuts, start, end)
