"""unistd.h: the ids of process, user, groups and session. They are the host's own."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EINVAL = 1, 22


def getpid(process: Process) -> int:
    """getpid(2)."""
    return os.getpid()


def gettid(process: Process) -> int:
    """gettid(2)."""
    return process.thread.tid


def getppid(process: Process) -> int:
    """getppid(2)."""
    return os.getppid()


def getuid(process: Process) -> int:
    """getuid(2)."""
    return os.getuid()


def geteuid(process: Process) -> int:
    """geteuid(2)."""
    return os.geteuid()


def getgid(process: Process) -> int:
    """getgid(2)."""
    return os.getgid()


def getegid(process: Process) -> int:
    """getegid(2)."""
    return os.getegid()


def _store(process: Process, ids: tuple[int, int, int], *where: int) -> int:
    for address, value in zip(where, ids, strict=False):
        process.memory.store(address, 4, value)
    return 0


def getresuid(process: Process, ruid: int, euid: int, suid: int) -> int:
    """getresuid(2)."""
    return _store(process, os.getresuid(), ruid, euid, suid)


def getresgid(process: Process, rgid: int, egid: int, sgid: int) -> int:
    """getresgid(2)."""
    return _store(process, os.getresgid(), rgid, egid, sgid)


def setuid(process: Process, uid: int) -> int:
    """setuid(2)."""
    os.setuid(uid)
    return 0


def setgid(process: Process, gid: int) -> int:
    """setgid(2)."""
    os.setgid(gid)
    return 0


def setreuid(process: Process, ruid: int, euid: int) -> int:
    """setreuid(2)."""
    os.setreuid(ruid, euid)
    return 0


def setregid(process: Process, rgid: int, egid: int) -> int:
    """setregid(2)."""
    os.setregid(rgid, egid)
    return 0


def setresuid(process: Process, ruid: int, euid: int, suid: int) -> int:
    """setresuid(2)."""
    os.setresuid(ruid, euid, suid)
    return 0


def setresgid(process: Process, rgid: int, egid: int, sgid: int) -> int:
    """setresgid(2)."""
    os.setresgid(rgid, egid, sgid)
    return 0


def setfsuid(process: Process, fsuid: int) -> int:
    """setfsuid(2): it follows the effective id, which is what it returns."""
    return os.geteuid()


def setfsgid(process: Process, fsgid: int) -> int:
    """setfsgid(2): likewise."""
    return os.getegid()


def getgroups(process: Process, size: int, groups: int) -> int:
    """getgroups(2)."""
    found = os.getgroups()
    if size < 0 or 0 < size < len(found):
        return -EINVAL
    if size:
        process.memory.write(groups, struct.pack(f"<{len(found)}I", *found))
    return len(found)


def setgroups(process: Process, size: int, groups: int) -> int:
    """setgroups(2)."""
    if size > 65536:
        return -EINVAL
    os.setgroups(struct.unpack(f"<{size}I", process.memory.read(groups, 4 * size)))
    return 0


def getpgid(process: Process, pid: int) -> int:
    """getpgid(2)."""
    return os.getpgid(pid)


def setpgid(process: Process, pid: int, pgid: int) -> int:
    """setpgid(2)."""
    os.setpgid(pid, pgid)
    return 0


def getsid(process: Process, pid: int) -> int:
    """getsid(2)."""
    return os.getsid(pid)


def setsid(process: Process) -> int:
    """setsid(2)."""
    os.setsid()
    return os.getsid(0)
