"""Waiting for descriptors, time or children so that a signal for the guest ends it, whenever that comes.

A signal that comes between the last look and the wait itself must not be lost. So while a guest handles signals, those
are blocked in the host, looked for, and let through only by the host's ppoll, which waits and unblocks in one step.
"""

from __future__ import annotations

import _signal as host  # see `signals`
import ctypes
import struct
import time

from xenos.linux import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

EINTR = 4
O_NONBLOCK = 0o4000
POLLIN, POLLOUT = 1, 4
BILLION = 10**9
_SIGCHLD = 17
_SET = 128  # sizeof(sigset_t) in C libraries
_one = ctypes.create_string_buffer(8)


def poll(process: Process, entries: int, count: int, timeout: int | None) -> int:
    """poll(2) on `count` struct pollfd at host address `entries`, for `timeout` ns; OSError (EINTR, EFAULT)."""
    signals = process.signals
    end = None if timeout is None else time.monotonic_ns() + timeout
    held = host.pthread_sigmask(host.SIG_BLOCK, signals.caught | {_SIGCHLD}) if signals.caught else None
    mask: int | bytes = 0 if held is None else _set(held)
    try:
        while True:
            if signals.ready or process.outcome is not None:
                raise InterruptedError(EINTR, "a signal for the guest")
            left = 0 if end is None else max(0, end - time.monotonic_ns())
            spec = 0 if end is None else struct.pack("<qq", *divmod(left, BILLION))
            try:
                return libc.call("ppoll", entries, count, spec, mask)
            except InterruptedError:
                continue  # the host's handler has run when we are back at the top
    finally:
        if held is not None:
            host.pthread_sigmask(host.SIG_SETMASK, held)


def _set(numbers: set[int]) -> bytes:
    return sum(1 << number - 1 for number in numbers).to_bytes(_SET, "little")


def until_ready(process: Process, fd: int, events: int) -> None:
    """Before a call on `fd` that may wait: do the waiting here, if the guest handles signals. OSError (EINTR)."""
    if not process.signals.caught:
        return
    struct.pack_into("<ihh", _one, 0, fd, events, 0)
    entry = ctypes.addressof(_one)
    if libc.call("poll", entry, 1, 0):
        return
    import fcntl

    if not fcntl.fcntl(fd, fcntl.F_GETFL) & O_NONBLOCK:
        poll(process, entry, 1, None)


def sleep(process: Process, nanoseconds: int) -> int:
    """Sleep; returns the nanoseconds that a signal left of it, or 0."""
    end = time.monotonic_ns() + nanoseconds
    try:
        poll(process, 0, 0, nanoseconds)
    except InterruptedError:
        return max(1, end - time.monotonic_ns())
    return 0


def until(process: Process, look: Callable[[], bool], timeout: int | None = None) -> bool:
    """Wait until `look`, asked after each signal, says yes; False after `timeout` ns; OSError (EINTR)."""
    signals = process.signals
    end = None if timeout is None else time.monotonic_ns() + timeout
    held = host.pthread_sigmask(host.SIG_BLOCK, signals.caught | {_SIGCHLD})
    try:
        mask = _set(held)
        while not look():
            if signals.ready or process.outcome is not None:
                raise InterruptedError(EINTR, "a signal for the guest")
            left = 0 if end is None else end - time.monotonic_ns()
            if left < 0:
                return False
            try:
                libc.call("ppoll", 0, 0, 0 if end is None else struct.pack("<qq", *divmod(left, BILLION)), mask)
            except InterruptedError:
                continue
        return True
    finally:
        host.pthread_sigmask(host.SIG_SETMASK, held)
