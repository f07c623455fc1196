"""sys/eventfd.h."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
EFD_SEMAPHORE, EFD_NONBLOCK, EFD_CLOEXEC = 1, 0o4000, 0o2000000


def eventfd(process: Process, initval: int, flags: int) -> int:
    """eventfd(2)."""
    if flags & ~(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC):
        return -EINVAL
    return process.opened(os.eventfd(initval, flags | EFD_CLOEXEC), flags & EFD_CLOEXEC != 0)
