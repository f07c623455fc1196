"""sys/inotify.h: events are read as bytes, which are the same for every ISA."""

from __future__ import annotations

from xenos.linux import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

IN_CLOEXEC = 0o2000000


def inotify_init1(process: Process, flags: int) -> int:
    """inotify_init1(2)."""
    return process.opened(libc.call("inotify_init1", flags | IN_CLOEXEC), flags & IN_CLOEXEC != 0)


def inotify_add_watch(process: Process, fd: int, pathname: bytes, mask: int) -> int:
    """inotify_add_watch(2)."""
    host, dir_fd = process.locate(-100, pathname)
    if dir_fd is not None:
        host = b"/proc/self/fd/%d/%s" % (dir_fd, host)
    return libc.call("inotify_add_watch", fd, host, mask)


def inotify_rm_watch(process: Process, fd: int, wd: int) -> int:
    """inotify_rm_watch(2)."""
    return libc.call("inotify_rm_watch", fd, wd)
