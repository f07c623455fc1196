"""The process above a guest under a policy: it keeps the time, passes signals on, and leaves nothing behind."""

from __future__ import annotations

import os
import time

from xenos.linux.policy.processes import living
from xenos.linux.policy.terms import TIMED_OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SI_KERNEL = 0x80
_PASSED_ON = (1, 2, 3, 10, 12, 14, 15, 18, 20, 21, 22, 28)   # all that a terminal or a user commonly sends
_SIGCHLD, _SIGCONT, _SIGSTOP, _SIGKILL = 17, 18, 19, 9
_PATIENCE = 30.0        # seconds to wait for processes that were killed


def supervise(run: Callable[[], int], max_time: float | None = None) -> tuple[int, bool]:
    """Call `run` in a child; gives its exit status, 128 + N if signal N killed it, and whether its time ran out.

    All processes that the child leaves are killed when it ends, and all with it when `max_time` seconds are over: then
    the status is 124. In the child this does not return.
    """
    import _signal as signals

    from xenos.linux import libc

    end = None if max_time is None else time.monotonic() + max_time
    watched = (_SIGCHLD, *_PASSED_ON)
    before = signals.pthread_sigmask(signals.SIG_BLOCK, watched)
    libc.call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # so that orphans become ours
    us = os.getpid()
    child = os.fork()
    if not child:
        _become(run, us, before)
    status = None
    while status is None:
        left = None if end is None else max(end - time.monotonic(), 0.0)
        came = signals.sigwaitinfo(watched) if left is None else signals.sigtimedwait(watched, left)
        if came is None:
            break
        if came.si_signo == _SIGCHLD:
            status = _reap(child)
        elif came.si_code != SI_KERNEL:     # a terminal sends to the guest by itself
            _send(child, came.si_signo)
    _clear()
    signals.pthread_sigmask(signals.SIG_SETMASK, before)
    if status is None:
        return TIMED_OUT, True
    code = os.waitstatus_to_exitcode(status)
    return (code if code >= 0 else 128 - code), False


def _become(run: Callable[[], int], parent: int, mask: Iterable[int]) -> None:
    import _signal as signals
    import sys

    from xenos.linux import libc

    status = 125
    try:
        libc.call("prctl", PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(status)
        signals.pthread_sigmask(signals.SIG_SETMASK, mask)
        status = run()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    finally:
        os._exit(status)


def _reap(child: int) -> int | None:
    """Bury whoever has ended, and stand still while the child does; its status if it has ended."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return found
        if not pid:
            return found
        if pid == child:
            if not os.WIFSTOPPED(status):
                found = status
            elif _state(child) == b"T":     # still: a shell may have let it go on already
                os.kill(os.getpid(), _SIGSTOP)
                _send(child, _SIGCONT)


def _state(pid: int) -> bytes:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0]


def _send(child: int, signal: int) -> None:
    try:
        os.kill(child, signal)
    except ProcessLookupError:
        pass


def _clear() -> None:
    """Kill and bury all descendants, those that they make meanwhile as well."""
    us = os.getpid()
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        for pid in living(us):
            _send(pid, _SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)
