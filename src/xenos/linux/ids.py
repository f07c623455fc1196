"""unistd.h: becoming another user, who may not read what we have not read yet. All else about ids the host says."""

from __future__ import annotations

from xenos.linux import kernel, preload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process


def setuid(process: Process, uid: int) -> int:
    """setuid(2)."""
    preload.if_private(process)
    return kernel.call(process, "setuid", uid)


def setreuid(process: Process, ruid: int, euid: int) -> int:
    """setreuid(2)."""
    preload.if_private(process)
    return kernel.call(process, "setreuid", ruid, euid)


def setresuid(process: Process, ruid: int, euid: int, suid: int) -> int:
    """setresuid(2)."""
    preload.if_private(process)
    return kernel.call(process, "setresuid", ruid, euid, suid)


def setfsuid(process: Process, fsuid: int) -> int:
    """setfsuid(2)."""
    preload.if_private(process)
    return kernel.call(process, "setfsuid", fsuid)
