"""unistd.h: reading, writing, descriptors, names in directories, the heap's end, and ending."""

from __future__ import annotations

import os
import stat
import struct

from xenos.memory.flat import page_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EBADF, EAGAIN, EFAULT, EINVAL, ERANGE, EPIPE = 1, 9, 11, 14, 22, 34, 32
AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, AT_EACCESS, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH = 0x200, 0x100, 0x200, 0x400, 0x1000
MAX_COUNT = 0x7FFFF000  # what one read or write moves at most
O_CLOEXEC = 0o2000000


def span(process: Process, buffer: int, count: int) -> memoryview:
    """Guest bytes as the host's kernel may be given them: it finds out itself which are there (EFAULT if not)."""
    count = min(count, MAX_COUNT)
    if buffer + count > process.memory.size:
        raise OSError(EFAULT, "not in the guest's address space")
    return process.memory.view[buffer : buffer + count]


def read(process: Process, fd: int, buffer: int, count: int) -> int:
    """read(2)."""
    if process.signals.caught:
        from xenos.linux import waiting

        waiting.until_ready(process, fd, waiting.POLLIN)
    return os.readv(fd, (span(process, buffer, count),))


def write(process: Process, fd: int, buffer: int, count: int) -> int:
    """write(2)."""
    if process.signals.caught:
        from xenos.linux import waiting

        waiting.until_ready(process, fd, waiting.POLLOUT)
    try:
        return os.write(fd, span(process, buffer, count))
    except BrokenPipeError:
        return process.signals.broken_pipe()


def pread(process: Process, fd: int, buffer: int, count: int, offset: int) -> int:
    """pread(2)."""
    return os.preadv(fd, (span(process, buffer, count),), offset)


def pwrite(process: Process, fd: int, buffer: int, count: int, offset: int) -> int:
    """pwrite(2)."""
    return os.pwrite(fd, span(process, buffer, count), offset)


def lseek(process: Process, fd: int, offset: int, whence: int) -> int:
    """lseek(2)."""
    return os.lseek(fd, offset, whence)


def _foreign(process: Process, fd: int) -> bool:
    """Whether an open descriptor is Xenos's own: what a guest inherited survives exec, what we opened does not."""
    return fd not in process.descriptors and not os.get_inheritable(fd)


def close(process: Process, fd: int) -> int:
    """close(2)."""
    if fd not in process.descriptors and _foreign(process, fd):
        return -EBADF
    process.descriptors.pop(fd, None)
    os.close(fd)
    return 0


def close_range(process: Process, first: int, last: int, flags: int) -> int:
    """close_range(2)."""
    if first > last or flags & ~6:
        return -EINVAL
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if first <= fd <= last:
            try:
                if flags & 4:  # CLOSE_RANGE_CLOEXEC
                    if fd in process.descriptors or not _foreign(process, fd):
                        process.descriptors[fd] = True
                else:
                    close(process, fd)
            except OSError:  # the one that listed the directory
                pass
    return 0


def dup(process: Process, oldfd: int) -> int:
    """dup(2)."""
    return process.opened(os.dup(oldfd))


def dup3(process: Process, oldfd: int, newfd: int, flags: int) -> int:
    """dup3(2). A guest cannot take the number of one of Xenos's own descriptors: they lie above those in use."""
    if oldfd == newfd or flags & ~O_CLOEXEC:
        return -EINVAL
    if newfd not in process.descriptors:
        try:
            if _foreign(process, newfd):
                return -EBADF
        except OSError:  # not open: free to take
            pass
    os.dup2(oldfd, newfd, inheritable=False)
    return process.opened(newfd, flags & O_CLOEXEC != 0)


def pipe2(process: Process, pipefd: int, flags: int) -> int:
    """pipe2(2)."""
    from xenos.linux.fcntl import host_flags

    process.memory.read(pipefd, 8)
    ends = os.pipe2(host_flags(flags) | os.O_CLOEXEC)
    for fd in ends:
        process.opened(fd, flags & O_CLOEXEC != 0)
    process.memory.write(pipefd, struct.pack("<ii", *ends))
    return 0


def ftruncate(process: Process, fd: int, length: int) -> int:
    """ftruncate(2)."""
    os.ftruncate(fd, length)
    return 0


def truncate(process: Process, path: bytes, length: int) -> int:
    """truncate(2)."""
    host, dir_fd = process.locate(-100, path)
    fd = os.open(host, os.O_WRONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        os.ftruncate(fd, length)
    finally:
        os.close(fd)
    return 0


def fsync(process: Process, fd: int) -> int:
    """fsync(2)."""
    os.fsync(fd)
    return 0


def fdatasync(process: Process, fd: int) -> int:
    """fdatasync(2)."""
    os.fdatasync(fd)
    return 0


def sync(process: Process) -> int:
    """sync(2)."""
    os.sync()
    return 0


def syncfs(process: Process, fd: int) -> int:
    """syncfs(2)."""
    from xenos.linux import libc

    return libc.call("syncfs", fd)


def faccessat(process: Process, dirfd: int, pathname: bytes, mode: int, flags: int = 0) -> int:
    """faccessat(2) and faccessat2(2)."""
    if mode & ~7 or flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        return -EINVAL
    if not pathname and flags & AT_EMPTY_PATH:
        host, dir_fd = b"/proc/self/fd/%d" % dirfd, None
    else:
        host, dir_fd = process.locate(dirfd, pathname, follow=not flags & AT_SYMLINK_NOFOLLOW)
    os.stat(host, dir_fd=dir_fd, follow_symlinks=not flags & AT_SYMLINK_NOFOLLOW)
    if flags & AT_SYMLINK_NOFOLLOW:
        return 0  # a link itself may be used by all
    allowed = os.access(host, mode, dir_fd=dir_fd, effective_ids=flags & AT_EACCESS != 0)
    return 0 if allowed else -13


def readlinkat(process: Process, dirfd: int, pathname: bytes, buffer: int, size: int) -> int:
    """readlinkat(2). Links in /proc name files as the guest calls them."""
    if size == 0 or size >> 31:
        return -EINVAL
    if not pathname:
        target = os.readlink(b"", dir_fd=dirfd)
    elif pathname.startswith(b"/proc/"):
        from xenos.linux import procfs

        target = process.name if procfs.is_own(pathname, b"exe") else process.paths.guest(os.readlink(pathname))
    else:
        host, dir_fd = process.locate(dirfd, pathname, follow=False)
        target = os.readlink(host, dir_fd=dir_fd)
    target = target[:size]
    process.memory.write(buffer, target)
    return len(target)


def unlinkat(process: Process, dirfd: int, pathname: bytes, flags: int) -> int:
    """unlinkat(2)."""
    if flags & ~AT_REMOVEDIR:
        return -EINVAL
    host, dir_fd = process.locate(dirfd, pathname, follow=False)
    if flags:
        os.rmdir(host, dir_fd=dir_fd)
    else:
        os.unlink(host, dir_fd=dir_fd)
    return 0


def linkat(process: Process, olddirfd: int, oldpath: bytes, newdirfd: int, newpath: bytes, flags: int) -> int:
    """linkat(2)."""
    follow = flags & AT_SYMLINK_FOLLOW != 0
    old, old_fd = process.locate(olddirfd, oldpath, follow=follow)
    if not oldpath and flags & AT_EMPTY_PATH:
        old, old_fd, follow = b"/proc/self/fd/%d" % olddirfd, None, True
    new, new_fd = process.locate(newdirfd, newpath, follow=False)
    os.link(old, new, src_dir_fd=old_fd, dst_dir_fd=new_fd, follow_symlinks=follow)
    return 0


def symlinkat(process: Process, target: bytes, newdirfd: int, linkpath: bytes) -> int:
    """symlinkat(2)."""
    host, dir_fd = process.locate(newdirfd, linkpath, follow=False)
    os.symlink(target, host, dir_fd=dir_fd)
    return 0


def _id(value: int) -> int:
    return -1 if value == 0xFFFFFFFF else value


def fchown(process: Process, fd: int, owner: int, group: int) -> int:
    """fchown(2)."""
    os.fchown(fd, _id(owner), _id(group))
    return 0


def fchownat(process: Process, dirfd: int, pathname: bytes, owner: int, group: int, flags: int) -> int:
    """fchownat(2)."""
    if not pathname and flags & AT_EMPTY_PATH:
        return fchown(process, dirfd, owner, group)
    follow = not flags & AT_SYMLINK_NOFOLLOW
    host, dir_fd = process.locate(dirfd, pathname, follow=follow)
    os.chown(host, _id(owner), _id(group), dir_fd=dir_fd, follow_symlinks=follow)
    return 0


def getcwd(process: Process, buffer: int, size: int) -> int:
    """getcwd(2): the length with the zero byte."""
    path = os.getcwdb() if process.cwd_fd is None else os.readlink(b"/proc/self/fd/%d" % process.cwd_fd)
    name = process.paths.guest(path) + b"\0"
    if len(name) > size:
        return -ERANGE
    process.memory.write(buffer, name)
    return len(name)


def chdir(process: Process, path: bytes) -> int:
    """chdir(2): for the guest alone, the host process stays where it is."""
    host, dir_fd = process.locate(-100, path)
    return _enter(process, os.open(host, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd))


def fchdir(process: Process, fd: int) -> int:
    """fchdir(2)."""
    return _enter(process, os.open(b"/proc/self/fd/%d" % fd, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


def _enter(process: Process, fd: int) -> int:
    if not os.access(b"/proc/self/fd/%d" % fd, os.X_OK):
        os.close(fd)
        return -13
    if process.cwd_fd is not None:
        os.close(process.cwd_fd)
    process.cwd_fd = process.hide(fd)
    return 0


def chroot(process: Process, path: bytes) -> int:
    """chroot(2) is not for guests."""
    return -EPERM


def vhangup(process: Process) -> int:
    """vhangup(2) is not for guests."""
    return -EPERM


def copy_file_range(
    process: Process, fd_in: int, off_in: int, fd_out: int, off_out: int, length: int, flags: int,
) -> int:
    """copy_file_range(2)."""
    if flags:
        return -EINVAL
    memory = process.memory
    start = memory.load(off_in, 8) if off_in else None
    target = memory.load(off_out, 8) if off_out else None
    done = os.copy_file_range(fd_in, fd_out, min(length, MAX_COUNT), start, target)
    if start is not None:
        memory.store(off_in, 8, start + done)
    if target is not None:
        memory.store(off_out, 8, target + done)
    return done


def brk(process: Process, address: int) -> int:
    """brk(2) as the kernel has it: the new end of the heap, or the old one where that cannot be."""
    memory, old = process.memory, process.break_end
    if address < process.break_start or address > memory.size:
        return old
    old_page, new_page = page_up(old), page_up(address)
    try:
        if new_page > old_page:
            if memory.regions.between(old_page, new_page + 4096):
                return old  # a page is kept free between the heap and what follows
            memory.map(old_page, new_page - old_page, 3, name="[heap]")
        elif new_page < old_page:
            memory.unmap(new_page, old_page - new_page)
    except OSError:
        return old
    process.break_end = address
    return address


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
    """execveat(2)."""
    from xenos.linux import execute

    if not pathname and flags & AT_EMPTY_PATH:
        pathname = os.readlink(b"/proc/self/fd/%d" % dirfd)
        pathname = process.paths.guest(pathname)
    elif not pathname.startswith(b"/") and dirfd != -100:
        if not stat.S_ISDIR(os.fstat(dirfd).st_mode):
            return -20
        pathname = process.paths.guest(os.readlink(b"/proc/self/fd/%d" % dirfd)) + b"/" + pathname
    return execute.execute(process, pathname, argv, envp)
