"""sys/file.h: flock."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process


def flock(process: Process, fd: int, operation: int) -> int:
    """flock(2)."""
    import fcntl as host

    host.flock(fd, operation)
    return 0
