"""sys/sendfile.h: copying between descriptors."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process


def sendfile(process: Process, out_fd: int, in_fd: int, offset: int, count: int) -> int:
    """sendfile(2)."""
    memory = process.memory
    start = memory.load(offset, 8) if offset else None
    try:
        done = os.sendfile(out_fd, in_fd, start, min(count, 0x7FFFF000))
    except BrokenPipeError:
        return process.signals.broken_pipe()
    if start is not None:
        memory.store(offset, 8, start + done)
    return done
