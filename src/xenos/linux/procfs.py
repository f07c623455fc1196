"""/proc as the guest finds it: itself instead of its host, and nothing of Xenos's own. What it says is in `proctexts`."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

    Place = tuple[int, list[bytes]]

ENOENT, EACCES, ENOTDIR = 2, 13, 20
O_ACCMODE, O_CLOEXEC, O_PATH, O_DIRECTORY, O_NOFOLLOW = 3, 0o2000000, 0o10000000, 0o200000, 0o400000
_AT_FDCWD = -100
_SET_PIPE_SIZE, _PIPE_SIZE = 1031, 1 << 16  # F_SETPIPE_SZ; how much a pipe holds without it
# Links that every system has outside of /proc or in it, and that lead to the process's own files.
_ALIASES = {
    b"dev/fd": [b"proc", b"self", b"fd"],
    b"dev/stdin": [b"proc", b"self", b"fd", b"0"],
    b"dev/stdout": [b"proc", b"self", b"fd", b"1"],
    b"dev/stderr": [b"proc", b"self", b"fd", b"2"],
    b"proc/mounts": [b"proc", b"self", b"mounts"],
    b"proc/net": [b"proc", b"self", b"net"],
}
# Files of the process that `proctexts` writes, in functions of these names.
_MADE = frozenset((
    b"maps", b"smaps", b"smaps_rollup", b"numa_maps", b"cmdline", b"environ", b"auxv", b"stat", b"statm", b"status",
    b"limits",
))
# What would show or change the host's side of it.
_CLOSED = frozenset((b"mem", b"pagemap", b"map_files", b"clear_refs", b"syscall", b"stack", b"ptrace"))


def _text(process: Process, dirfd: int, path: bytes) -> list[bytes] | None:
    """The parts of a path below /proc, without /proc itself; None if it leads elsewhere."""
    if not path.startswith(b"/"):
        base = process.descriptors.listings.get(dirfd)
        if base is None:
            if dirfd != _AT_FDCWD or b"proc" not in path:
                return None
            base = os.getcwdb() if process.cwd_fd is None else os.readlink(b"/proc/self/fd/%d" % process.cwd_fd)
        path = base + b"/" + path
    elif b"proc" not in path and b"/dev" not in path:
        return None
    parts: list[bytes] = []
    todo = [part for part in path.split(b"/") if part not in (b"", b".")]
    while todo:
        part = todo.pop(0)
        if part == b"..":
            del parts[-1:]
            continue
        parts.append(part)
        parts = list(_ALIASES.get(b"/".join(parts), parts))
        if parts[:1] == [b"proc"] and _leaves(parts[2:]):
            return parts[1:] + todo     # what is up from there only the kernel knows
    return parts[1:] if parts[:1] == [b"proc"] else None


def _leaves(parts: list[bytes]) -> bool:
    """Whether this, below a process's folder, is a link out of /proc."""
    if parts[:1] == [b"task"]:
        parts = parts[2:]
    return parts in ([b"cwd"], [b"root"]) or (len(parts) == 2 and parts[0] == b"fd")


def own(process: Process, dirfd: int, path: bytes) -> Place | None:
    """A path as the number of the thread that it is about and the parts below its folder; None if it is not our own."""
    parts = _text(process, dirfd, path)
    if not parts:
        return None
    who, rest = parts[0], parts[1:]
    tid = pid = os.getpid()
    if who == b"thread-self":
        tid = thread_id()
    elif who != b"self":
        if not who.isdigit() or not os.path.isdir(b"/proc/self/task/" + who):
            return None
        tid = int(who)
    if rest[:1] == [b"task"] and len(rest) > 1:
        if not rest[1].isdigit() or not shows(process, b"task", rest[1]):
            raise OSError(ENOENT, os.strerror(ENOENT))
        return int(rest[1]), rest[2:]
    return tid if who == b"thread-self" else pid if who == b"self" else tid, rest


def thread_id() -> int:
    """The number of the calling thread."""
    from _thread import get_native_id

    return get_native_id()


def shows(process: Process, listing: bytes, name: bytes) -> bool:
    """Whether the guest sees an entry of one of its folders in /proc."""
    folder = listing.rsplit(b"/", 1)[-1]
    if not name.isdigit():
        return folder != b"self" or name not in _CLOSED
    if folder in (b"fd", b"fdinfo"):
        return process.descriptors.theirs(int(name))
    if folder == b"task":
        # The first thread stays until the last has ended, as one that is dead and not waited for.
        return int(name) == os.getpid() or any(thread.tid == int(name) for thread in process.threads)
    return True


def locate(process: Process, dirfd: int, path: bytes, *, follow: bool) -> tuple[bytes, int | None] | None:
    """As `Process.locate`, for the process's own files in /proc; None for all others. OSError for what is hidden."""
    found = own(process, dirfd, path)
    if found is None:
        return None
    tid, parts = found
    name, more = (parts[0], b"/".join(parts[1:])) if parts else (b"", b"")
    if name in _CLOSED:
        raise OSError(EACCES, os.strerror(EACCES))
    if name == b"exe" and not more and follow:
        return process.executable, None
    if name == b"cwd" and (more or follow):
        return process.locate(_AT_FDCWD, more or b".", follow=follow)
    if name == b"root" and (more or follow):
        return process.locate(_AT_FDCWD, b"/" + more, follow=follow)
    if name in (b"fd", b"fdinfo") and more:
        number, _, below = more.partition(b"/")
        if not number.isdigit() or not process.descriptors.theirs(int(number)):
            raise OSError(ENOENT, os.strerror(ENOENT))
        if below and name == b"fd":
            return process.locate(int(number), below, follow=follow)
    text = b"/".join((b"/proc/self/task/%d" % tid if tid != os.getpid() else b"/proc/self", *parts))
    return text + b"/" if path.endswith(b"/") else text, None


def entered(process: Process, fd: int) -> None:
    """The guest's current directory is now that behind `fd`: relative paths may lead into /proc, or no longer."""
    here = os.readlink(b"/proc/self/fd/%d" % fd)
    if here == b"/proc" or here.startswith(b"/proc/"):
        process.descriptors.listings[_AT_FDCWD] = here
    else:
        process.descriptors.listings.pop(_AT_FDCWD, None)


def link(process: Process, dirfd: int, path: bytes) -> bytes | None:
    """Where one of the process's own links leads, as the guest calls it; None if it is no such link."""
    if not path:
        return None
    parts = _text(process, dirfd, path)
    if parts == [b"self"] or parts == [b"thread-self"] or (parts and path.startswith(b"/dev")):
        return None if path.startswith(b"/dev") else os.readlink(b"/proc/" + parts[0])
    found = own(process, dirfd, path)
    if found is None:
        return None
    _, parts = found
    if parts == [b"exe"]:
        return process.name
    if parts == [b"root"]:
        return b"/"
    if parts == [b"cwd"]:
        here = b"/proc/self/cwd" if process.cwd_fd is None else b"/proc/self/fd/%d" % process.cwd_fd
        return process.paths.guest(os.readlink(here))
    if len(parts) == 2 and parts[0] == b"fd" and parts[1].isdigit() and process.descriptors.theirs(int(parts[1])):
        return process.paths.guest(os.readlink(b"/proc/self/fd/" + parts[1]))
    return None


def opened(process: Process, dirfd: int, path: bytes, flags: int) -> int | None:
    """Open what the guest reads in a file of /proc; None where the host's own file is right. OSError."""
    parts = _text(process, dirfd, path)
    if parts is None:
        return None
    if parts == [b"cpuinfo"]:
        from xenos.linux import proctexts

        return _give(process, proctexts.cpuinfo(process), b"cpuinfo", flags)
    found = own(process, dirfd, path)
    if found is None:
        return _open_folder(process, b"/proc", flags) if not parts and flags & O_DIRECTORY else None
    tid, rest = found
    if len(rest) == 1 and rest[0] in _MADE and not flags & O_PATH:
        from xenos.linux import proctexts

        make: Callable[[Process, int], bytes] = getattr(proctexts, rest[0].decode())
        return _give(process, make(process, tid), rest[0], flags)
    folder = b"/proc/self" if tid == os.getpid() else b"/proc/self/task/%d" % tid
    if rest in ([], [b"fd"], [b"fdinfo"], [b"task"]):
        return _open_folder(process, b"/".join((folder, *rest)), flags)
    return None


def _open_folder(process: Process, text: bytes, flags: int) -> int:
    fd = process.opened(os.open(text, flags & ~O_CLOEXEC | os.O_CLOEXEC))
    os.set_inheritable(fd, not flags & O_CLOEXEC)
    process.descriptors.listings[fd] = text
    return fd


def _give(process: Process, data: bytes, name: bytes, flags: int) -> int:
    if flags & O_ACCMODE:
        raise OSError(EACCES, os.strerror(EACCES))
    if flags & O_DIRECTORY:
        raise OSError(ENOTDIR, os.strerror(ENOTDIR))
    fd = process.opened(open_content(data, name))
    os.set_inheritable(fd, not flags & O_CLOEXEC)
    return fd


def _through_pipe(data: bytes) -> int:
    """The same where the guest may have no file of that size: its program can read, but not seek."""
    import fcntl

    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if len(data) > _PIPE_SIZE:
            fcntl.fcntl(writer, _SET_PIPE_SIZE, len(data))
        while data:
            data = data[os.write(writer, data) :]
        os.set_blocking(reader, True)
    except OSError:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    return reader


def open_content(data: bytes, name: bytes) -> int:
    """A descriptor that reads these bytes from the start."""
    import resource

    if 0 <= resource.getrlimit(resource.RLIMIT_FSIZE)[0] < len(data):
        return _through_pipe(data)
    writer = os.memfd_create(os.fsdecode(name), os.MFD_CLOEXEC)
    try:
        os.write(writer, data)
        os.fchmod(writer, 0o444)
        return os.open(f"/proc/self/fd/{writer}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(writer)
