"""sched.h: leaving what is shared. Scheduling itself is the host's."""

from __future__ import annotations

import time

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EINVAL = 1, 22
_MOMENT = 0.02      # seconds
CLONE_FS, CLONE_FILES, CLONE_SYSVSEM = 0x200, 0x400, 0x40000
_NAMESPACES = 0x80 | 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000


def unshare(process: Process, flags: int) -> int:
    """unshare(2): namespaces are not for guests; what a process does not share it need not leave. All threads of one have the same
    files and directory here, which is better said than found out."""
    if flags & ~(_NAMESPACES | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM):
        return -EINVAL
    if flags & _NAMESPACES:
        return -EPERM
    if flags & (CLONE_FS | CLONE_FILES) and _with_others(process):
        return -EPERM
    if process.descriptors.common or process.paths.in_step:
        return kernel.plain("unshare", flags)
    return 0


def _with_others(process: Process) -> bool:
    """Whether there are other threads; one that has been joined may be there for a moment."""
    until = time.monotonic() + _MOMENT
    while process.threads.several:
        if time.monotonic() > until:
            return True
        time.sleep(_MOMENT / 20)
    return False
