"""Where wild system calls do no harm: a process without rights, in namespaces and a folder of its own, with limits.

    python -m linux.sandbox FOLDER PROGRAM...       run a program there, by the name of its user, able to write FOLDER only
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import struct
import sys
import tempfile

from xenos.linux.hosts import numbers

NOBODY = 65534
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
CLONE_NEWUSER = 0x10000000
_ALL = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 38, 1, 24
MS_RDONLY, MS_BIND, MS_REC, MS_PRIVATE = 1, 0x1000, 0x4000, 0x40000
AT_RECURSIVE, MOUNT_ATTR_RDONLY = 0x8000, 1
_LIMITS = {
    resource.RLIMIT_FSIZE: 16 << 20, resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_MEMLOCK: 1 << 20, resource.RLIMIT_CPU: 600,
}
_libc = ctypes.CDLL(None, use_errno=True)


def available() -> bool:
    """Whether this host lets us build the sandbox: as root, or with namespaces for users."""
    pid = os.fork()
    if not pid:
        try:
            ready = _unshare()
            _only_this_is_writable(tempfile.gettempdir())
        except OSError:
            ready = False
        os._exit(0 if ready else 1)
    return os.waitpid(pid, 0)[1] == 0


def _unshare() -> bool:
    user = 0 if os.geteuid() == 0 else CLONE_NEWUSER
    return _libc.unshare(_ALL | user) == 0


def _check(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)


def _only_this_is_writable(folder: str) -> None:
    """Of all files of the host, what is in `folder`; and /proc of this namespace's own processes."""
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
    where = os.fsencode(folder)
    _check(_libc.mount(where, where, None, MS_BIND, None), "a mount of the folder")
    read_only, writable = struct.pack("<4Q", MOUNT_ATTR_RDONLY, 0, 0, 0), struct.pack("<4Q", 0, MOUNT_ATTR_RDONLY, 0, 0)
    number = numbers()["mount_setattr"]
    _check(_libc.syscall(number, -100, b"/", AT_RECURSIVE, read_only, 32), "mounts that are read only")
    _check(_libc.syscall(number, -100, where, 0, writable, 32), "a folder that is not")


def _give_up_rights() -> None:
    for capability in range(64):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = struct.pack("<Ii", 0x20080522, 0)
    _check(_libc.capset(header, bytes(24)), "no capabilities")


def _leave_files_behind(keep: int) -> None:
    """Open files still are where they were opened: their mode and owner could be changed through them."""
    for fd in (1, 2):
        if not stat.S_ISFIFO(os.fstat(fd).st_mode):
            os.dup2(os.open("/dev/null", os.O_WRONLY), fd)     # as it is in here
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    for fd in [int(name) for name in os.listdir("/proc/self/fd")]:
        if fd > 2 and fd != keep:
            try:
                os.close(fd)
            except OSError:     # the one that listed the others
                pass


def enter(folder: str, *, user: int = NOBODY, keep: int = -1) -> None:
    """Become a process in the sandbox, whose parent waits for it and ends as it does. Never returns in that parent.

    What it prints arrives only if that goes into pipes; besides those, `keep` stays open.
    """
    os.chmod(folder, 0o777)
    if not _unshare():
        raise OSError(ctypes.get_errno(), "no namespaces")
    _only_this_is_writable(folder)
    _leave_files_behind(keep)
    # The first process in a namespace gets no signals that it does not handle: so there are two, and the second runs.
    for step in range(2):
        pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            ended = os.waitstatus_to_exitcode(status)
            os._exit(ended if ended >= 0 else 128 - ended)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if not step:
            _libc.mount(b"proc", b"/proc", b"proc", MS_RDONLY, None)    # where it may not be, that of the host is still there
    os.setsid()
    os.chdir(folder)    # which lies where nobody else may look
    for number, limit in _LIMITS.items():
        resource.setrlimit(number, (limit, limit))
    if os.geteuid() == 0 and user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _give_up_rights()


if __name__ == "__main__":
    enter(sys.argv[1], user=0)
    os.execvp(sys.argv[2], sys.argv[2:])
