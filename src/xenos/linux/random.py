"""sys/random.h."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
_ONCE = 1 << 20  # a call may be answered in part


def getrandom(process: Process, buf: int, buflen: int, flags: int) -> int:
    """getrandom(2)."""
    if flags & ~7 or flags & 6 == 6:
        return -EINVAL
    data = os.getrandom(min(buflen, _ONCE), flags)
    process.memory.write(buf, data)
    return len(data)
