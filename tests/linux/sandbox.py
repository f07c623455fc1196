"""Where wild system calls do no harm: a process without rights, in namespaces and a folder of its own, with limits."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

NOBODY = 65534
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
CLONE_NEWUSER = 0x10000000
_ALL = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG = 38, 1
_LIMITS = {
    resource.RLIMIT_FSIZE: 16 << 20, resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_MEMLOCK: 1 << 20, resource.RLIMIT_CPU: 600,
}
_libc = ctypes.CDLL(None, use_errno=True)


def available() -> bool:
    """Whether this host lets us build the sandbox: as root, or with namespaces for users."""
    pid = os.fork()
    if not pid:
        os._exit(0 if _unshare() else 1)
    return os.waitpid(pid, 0)[1] == 0


def _unshare() -> bool:
    user = 0 if os.geteuid() == 0 else CLONE_NEWUSER
    return _libc.unshare(_ALL | user) == 0


def enter(folder: str) -> None:
    """Become a process in the sandbox, whose parent waits for it and ends as it does. Never returns in that parent."""
    os.chmod(folder, 0o777)
    if not _unshare():
        raise OSError(ctypes.get_errno(), "no namespaces")
    # The first process in a namespace gets no signals that it does not handle: so there are two, and the second runs.
    for _ in range(2):
        pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            ended = os.waitstatus_to_exitcode(status)
            os._exit(ended if ended >= 0 else 128 - ended)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    os.chdir(folder)    # which lies where nobody else may look
    for number, limit in _LIMITS.items():
        resource.setrlimit(number, (limit, limit))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
