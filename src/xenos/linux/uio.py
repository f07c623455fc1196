"""sys/uio.h: reading and writing the memory of another process; linux/kcmp.h: comparing what two have."""

from __future__ import annotations

import os

from xenos.linux import kernel, passing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, ESRCH, EINVAL = 1, 3, 22
KCMP_EPOLL_TFD = 7


def _guest(pid: int) -> bool:
    """Whether a process is a Xenos, whose guest memory lies where ours does."""
    if pid == os.getpid():
        return True
    own, other = os.stat("/proc/self/exe"), os.stat(f"/proc/{pid}/exe")
    return (own.st_dev, own.st_ino) == (other.st_dev, other.st_ino)


def _copy(
    process: Process, name: str, pid: int, local: int, local_count: int, remote: int, remote_count: int, flags: int,
) -> int:
    if flags or local_count > passing.IOV_MAX or remote_count > passing.IOV_MAX:
        return -EINVAL
    here = passing.vector(process, local, local_count)
    there = passing.vector(process, remote, remote_count)
    try:
        if not _guest(pid):
            return -EPERM
    except FileNotFoundError:
        return -ESRCH
    return kernel.call(process, name, pid, here, local_count, there, remote_count, 0)


def process_vm_readv(
    process: Process, pid: int, local: int, local_count: int, remote: int, remote_count: int, flags: int,
) -> int:
    """process_vm_readv(2), between guests."""
    return _copy(process, "process_vm_readv", pid, local, local_count, remote, remote_count, flags)


def process_vm_writev(
    process: Process, pid: int, local: int, local_count: int, remote: int, remote_count: int, flags: int,
) -> int:
    """process_vm_writev(2), between guests."""
    return _copy(process, "process_vm_writev", pid, local, local_count, remote, remote_count, flags)


def kcmp(process: Process, pid1: int, pid2: int, type: int, idx1: int, idx2: int) -> int:
    """kcmp(2): with one of its types, the last argument is an address."""
    if type == KCMP_EPOLL_TFD:
        idx2 = passing.address(process, idx2)
    return kernel.call(process, "kcmp", pid1, pid2, type, idx1, idx2)
