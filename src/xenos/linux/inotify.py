"""sys/inotify.h: events are read as bytes, which are the same for every ISA."""

from __future__ import annotations

from xenos.linux import kernel, passing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

IN_DONT_FOLLOW = 0x02000000


def inotify_add_watch(process: Process, fd: int, pathname: bytes, mask: int) -> int:
    """inotify_add_watch(2)."""
    host = passing.alone(process, pathname, follow=not mask & IN_DONT_FOLLOW)
    return kernel.call(process, "inotify_add_watch", fd, host, mask)
