"""sched.h: leaving what is shared. Scheduling itself is the host's."""

from __future__ import annotations

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EINVAL = 1, 22
CLONE_FS, CLONE_FILES, CLONE_SYSVSEM = 0x200, 0x400, 0x40000
_NAMESPACES = 0x80 | 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000


def unshare(process: Process, flags: int) -> int:
    """unshare(2): namespaces are not for guests; what a process does not share it need not leave."""
    if flags & ~(_NAMESPACES | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM):
        return -EINVAL
    if flags & _NAMESPACES:
        return -EPERM
    if process.descriptors.common or process.paths.in_step:
        return kernel.plain("unshare", flags)
    return 0
