"""unistd.h: descriptors, links, the current directory, and ending. Reading and writing the host's kernel does itself."""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux import kernel
from xenos.linux.descriptors import HIDDEN, beyond_limit
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EBADF, EACCES, EFAULT, ENOTDIR, EINVAL, ERANGE, ELOOP = 9, 13, 14, 20, 22, 34, 40
AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH = 0x100, 0x1000
CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC = 2, 4
O_CLOEXEC = 0o2000000
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def close(process: Process, fd: int) -> int:
    """close(2). It is not made again after a signal: the number may be another file's by then."""
    process.descriptors.forget(fd)
    return kernel.plain("close", fd)


def close_range(process: Process, first: int, last: int, flags: int) -> int:
    """close_range(2), of the guest's own descriptors only."""
    if first > last or flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC):
        return -EINVAL
    descriptors = process.descriptors
    for fd in descriptors.numbers():
        if first <= fd <= last:
            if flags & CLOSE_RANGE_CLOEXEC:
                os.set_inheritable(fd, False)
            else:
                close(process, fd)
    return 0


def dup(process: Process, oldfd: int) -> int:
    """dup(2)."""
    new = kernel.call(process, "dup", oldfd)
    if new >= 0:
        process.descriptors.copy_of(oldfd, new)
    return new


def dup3(process: Process, oldfd: int, newfd: int, flags: int) -> int:
    """dup3(2). Of Xenos's own descriptors, the guest's current directory moves out of its way; others cannot be taken."""
    if newfd == process.cwd_fd and newfd != oldfd:
        process.cwd_fd = process.hide(beyond_limit(lambda: os.dup(newfd)))
        os.close(newfd)
    if oldfd != newfd and not process.descriptors.free(newfd):
        return -EBADF
    new = kernel.call(process, "dup3", oldfd, newfd, flags)
    if new >= 0:
        process.descriptors.copy_of(oldfd, new)
    return new


def pipe2(process: Process, pipefd: int, flags: int) -> int:
    """pipe2(2)."""
    from xenos.linux.fcntl import host_flags

    ends = ctypes.create_string_buffer(8)
    result = kernel.call(process, "pipe2", ends, host_flags(flags))
    return result if result < 0 else give_pair(process, ends.raw, pipefd)


def give_pair(process: Process, ends: bytes, address: int) -> int:
    """Hand two new descriptors to the guest; they are closed again where it has no memory for them."""
    both = struct.unpack("<ii", ends)
    process.descriptors.update(both)
    try:
        process.memory.write(address, ends)
    except MemoryFault:
        for fd in both:
            close(process, fd)
        raise
    return 0


def pidfd_getfd(process: Process, pidfd: int, targetfd: int, flags: int) -> int:
    """pidfd_getfd(2): a copy of another process's descriptor, if that is not a Xenos's own."""
    with open(f"/proc/self/fdinfo/{pidfd}") as file:
        target = [int(line.split()[1]) for line in file if line.startswith("Pid:")]
    if not target:
        return -EBADF
    if target[0] == os.getpid():
        process.descriptors.check(targetfd)
    elif targetfd >= HIDDEN:
        return -EBADF
    new = kernel.call(process, "pidfd_getfd", pidfd, targetfd, flags)
    return process.opened(new) if new >= 0 else new


def readlinkat(process: Process, dirfd: int, pathname: bytes, buffer: int, size: int) -> int:
    """readlinkat(2). Links in /proc name files as the guest calls them."""
    if size <= 0:
        return -EINVAL
    from xenos.linux import procfs

    target = procfs.link(process, dirfd, pathname)
    if target is None:
        host, dir_fd = process.locate(dirfd, pathname, follow=False)
        target = os.readlink(host, dir_fd=dir_fd)
    process.memory.write(buffer, target[:size])
    return min(len(target), size)


def getcwd(process: Process, buffer: int, size: int) -> int:
    """getcwd(2): the length with the zero byte."""
    path = os.getcwdb() if process.cwd_fd is None else os.readlink(b"/proc/self/fd/%d" % process.cwd_fd)
    name = process.paths.guest(path) + b"\0"
    if len(name) > size:
        return -ERANGE
    process.memory.write(buffer, name)
    return len(name)


def chdir(process: Process, path: bytes) -> int:
    """chdir(2): for the guest alone, the host process stays where it is, as a rule (`Paths.keep_step`)."""
    host, dir_fd = process.locate(-100, path)
    return _enter(process, beyond_limit(lambda: os.open(host, _FOLDER, dir_fd=dir_fd)))


def fchdir(process: Process, fd: int) -> int:
    """fchdir(2)."""
    return _enter(process, beyond_limit(lambda: os.open(b"/proc/self/fd/%d" % fd, _FOLDER)))


def _enter(process: Process, fd: int) -> int:
    try:
        if not os.access(b"/proc/self/fd/%d" % fd, os.X_OK, effective_ids=True):
            os.close(fd)
            return -EACCES
        new = process.hide(fd)
    except OSError:  # no number left
        os.close(fd)
        raise
    from xenos.linux import procfs

    procfs.entered(process, new)
    if process.paths.in_step:
        os.fchdir(new)
        os.close(new)
        return 0
    old, process.cwd_fd = process.cwd_fd, new
    if old is not None:
        os.close(old)
    return 0


def exit(process: Process, status: int) -> None:
    """_exit(2) of the system call's own meaning: this thread ends, and with the last one the process."""
    process.threads.last_status = status & 0xFF
    process.thread.ended = True


def exit_group(process: Process, status: int) -> None:
    """exit_group(2): the process ends."""
    process.finish(status)


def execve(process: Process, pathname: bytes, argv: int, envp: int) -> int | None:
    """execve(2)."""
    from xenos.linux import execute

    return execute.execute(process, pathname, argv, envp)


def execveat(process: Process, dirfd: int, pathname: bytes, argv: int, envp: int, flags: int) -> int | None:
    """execveat(2): the program is named by where its directory or its own descriptor leads."""
    from xenos.linux import execute

    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        return -EINVAL
    if not pathname and flags & AT_EMPTY_PATH:
        pathname = b"/proc/self/fd/%d" % dirfd
    elif not pathname.startswith(b"/") and dirfd != -100:
        os.stat(pathname, dir_fd=dirfd)
        pathname = process.paths.guest(os.readlink(b"/proc/self/fd/%d" % dirfd)) + b"/" + pathname
    if flags & AT_SYMLINK_NOFOLLOW:
        host, dir_fd = process.locate(-100, pathname, follow=False)
        if os.path.islink(host if dir_fd is None else b"/proc/self/fd/%d/%s" % (dir_fd, host)):
            return -ELOOP
    return execute.execute(process, pathname, argv, envp)
