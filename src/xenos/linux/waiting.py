"""Waiting for descriptors or time so that a signal for the guest ends it, whenever that comes."""

from __future__ import annotations

import struct
import time

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

POLLIN, POLLOUT = 1, 4
BILLION = 10**9


def poll(process: Process, entries: int, count: int, timeout: int | None) -> int:
    """poll(2) on `count` struct pollfd at host address `entries`, for `timeout` ns; OSError (EINTR, EFAULT)."""
    spec = 0 if timeout is None else struct.pack("<qq", *divmod(max(0, timeout), BILLION))
    result = kernel.call(process, "ppoll", entries, count, spec, 0, 8)
    if result < 0:
        raise OSError(-result, "")
    return result


def until_ready(process: Process, fd: int, events: int) -> None:
    """Before a call on `fd` that may wait."""


def sleep(process: Process, nanoseconds: int) -> int:
    """Sleep; returns the nanoseconds that a signal left of it, or 0."""
    end = time.monotonic_ns() + nanoseconds
    try:
        poll(process, 0, 0, nanoseconds)
    except InterruptedError:
        return max(1, end - time.monotonic_ns())
    return 0
