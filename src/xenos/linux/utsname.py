"""sys/utsname.h: the name of the system."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_FIELD = 65
# C libraries refuse kernels older than those they were built for; calls that this one should have say -ENOSYS.
_RELEASE = "6.12.0"


def uname(process: Process, buf: int) -> int:
    """uname(2): the host's names, the guest's machine."""
    host = os.uname()
    fields = ("Linux", host.nodename, _RELEASE, host.version, process.form.machine, "(none)")
    process.memory.write(buf, b"".join(os.fsencode(field)[: _FIELD - 1].ljust(_FIELD, b"\0") for field in fields))
    return 0
