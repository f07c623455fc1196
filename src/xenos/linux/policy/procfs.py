"""What a confined guest finds in /proc: itself, and numbers that say nothing of anybody else. Nothing can be written."""

from __future__ import annotations

import os
import stat

from xenos.linux.policy.namespace import LOOK, READ, WRITE, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.policy.namespace import Namespace
    from xenos.linux.process import Process

ENOENT, EACCES = 2, 13
# Readable for all: files, and folders with all below them.
_PUBLIC = frozenset((
    b"cpuinfo", b"meminfo", b"stat", b"uptime", b"loadavg", b"version", b"filesystems", b"cgroups",
))
_PUBLIC_BELOW = (b"sys/kernel", b"sys/vm", b"sys/fs", b"sys/net/core")
_WAYS = frozenset((b"", b"sys", b"sys/net"))    # to be walked through
# Of the guest itself. What speaks of the host's side of it (maps, environ, mem) is made up by `linux.procfs` or closed.
_OWN = frozenset((
    b"", b"status", b"stat", b"statm", b"limits", b"io", b"cgroup", b"cpuset", b"mounts", b"mountinfo", b"comm", b"fd",
    b"fdinfo", b"task", b"oom_score", b"oom_score_adj", b"wchan", b"schedstat", b"sched", b"loginuid", b"sessionid",
    b"uid_map", b"gid_map", b"setgroups", b"timerslack_ns", b"coredump_filter", b"children",
))


def look_up(process: Process, files: Namespace, text: bytes, itself: bool) -> bytes | Place:
    """An entry of /proc: its place, or where it leads. `itself` says that a link is meant, not what it names."""
    first, _, rest = text[6:].partition(b"/")
    if first in (b"self", b"thread-self", b"%d" % os.getpid()):
        return _own(process, files, rest, itself)
    if first.isdigit():
        raise OSError(ENOENT, os.strerror(ENOENT))   # other processes are not to be seen
    if first == b"mounts" and not rest:
        return b"/proc/self/mounts"
    name = text[6:]
    public = name in _PUBLIC or any(name == way or name.startswith(way + b"/") for way in _PUBLIC_BELOW)
    if not public and name not in _WAYS:
        raise OSError(EACCES, os.strerror(EACCES))
    return _entry(text, LOOK | READ if public else LOOK)


def _entry(text: bytes, rights: int) -> Place:
    return Place(text, rights, mode=os.lstat(text).st_mode, direct=text)


def _own(process: Process, files: Namespace, rest: bytes, itself: bool) -> bytes | Place:
    """An entry of /proc/self."""
    name, _, behind = rest.partition(b"/")
    if name == b"task" and behind:
        thread, _, behind = behind.partition(b"/")
        if not thread.isdigit() or not os.path.exists(b"/proc/self/task/" + thread):
            raise OSError(ENOENT, os.strerror(ENOENT))
        return b"/proc/self" + (b"/" + behind if behind else b"")
    text = b"/proc/self" + (b"/" + rest if rest else b"")
    if rest in (b"root", b"cwd", b"exe") or (name == b"fd" and behind):
        if name == b"fd":
            descriptor = _descriptor(process, behind)
        if itself:
            return Place(text, LOOK, mode=stat.S_IFLNK, direct=text)
        if rest == b"root":
            return b""
        if rest == b"cwd":
            return text_of(process, -100)
        if rest == b"exe":
            return process.paths.guest(process.executable)
        return _opened(process, files, descriptor)
    readable = rest in _OWN or (name == b"fdinfo" and behind.isdigit() and _descriptor(process, behind) >= 0)
    return _entry(text, LOOK | READ if readable else LOOK)


def _descriptor(process: Process, digits: bytes) -> int:
    """The guest's descriptor of that number; ENOENT if it has none such."""
    if digits.isdigit() and len(digits) < 10 and is_guests(process, int(digits)):
        return int(digits)
    raise OSError(ENOENT, os.strerror(ENOENT))


def is_guests(process: Process, fd: int) -> bool:
    """Whether a descriptor is open and the guest's own: one that it made, or inherited."""
    try:
        return os.get_inheritable(fd) or fd in process.descriptors
    except OSError:
        return False


def text_of(process: Process, fd: int) -> bytes:
    """The text under which the guest finds the directory `fd` (-100: its current one); OSError EBADF, ENOTDIR."""
    try:
        if fd == -100:
            host = os.getcwdb() if process.cwd_fd is None else os.readlink(b"/proc/self/fd/%d" % process.cwd_fd)
        else:
            host = os.readlink(b"/proc/self/fd/%d" % fd)
    except FileNotFoundError:
        problem = ENOENT if fd == -100 else 9
        raise OSError(problem, os.strerror(problem)) from None
    if not host.startswith(b"/"):
        raise NotADirectoryError(20, os.strerror(20))
    return process.paths.guest(host).rstrip(b"/")


def _opened(process: Process, files: Namespace, fd: int) -> bytes | Place:
    """What /proc/self/fd/N leads to: the text of an open file, or, where it has none that is open to the guest, the
    file by way of its descriptor, for no more than that can do already.
    """
    kept = files.keep_copy(fd)     # another thread may give the number to something else meanwhile
    try:
        host = os.readlink(b"/proc/self/fd/%d" % kept)
        status = os.fstat(kept)
        rights = LOOK | usable(kept)
        if host.startswith(b"/") and status.st_nlink:
            text = process.paths.guest(host).rstrip(b"/")
            if files.rights(text) & ~rights:
                os.close(kept)
                return text
    except BaseException:
        os.close(kept)
        raise
    if stat.S_ISDIR(status.st_mode):
        os.close(kept)
        raise OSError(EACCES, os.strerror(EACCES))
    if stat.S_ISFIFO(status.st_mode):
        rights |= READ | WRITE
    return Place(b"/proc/self/fd/%d" % fd, rights, kept, status.st_mode, b"/proc/self/fd/%d" % kept)


def usable(fd: int) -> int:
    """READ and WRITE as far as an open descriptor allows them by itself."""
    import fcntl

    flags: int = fcntl.fcntl(fd, fcntl.F_GETFL)
    if flags & os.O_PATH:
        return 0
    return (READ, WRITE, READ | WRITE, READ | WRITE)[flags & os.O_ACCMODE]
