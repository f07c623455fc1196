"""sys/sysinfo.h and sys/klog.h."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM = 1
_LOAD_UNIT = 1 << 16


def _meminfo() -> dict[str, int]:
    """/proc/meminfo in bytes."""
    with open("/proc/meminfo") as file:
        return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file}


def sysinfo(process: Process, info: int) -> int:
    """sysinfo(2)."""
    known = _meminfo()
    with open("/proc/uptime") as file:
        uptime = int(float(file.read().split()[0]))
    loads = [int(value * _LOAD_UNIT) for value in os.getloadavg()]
    data = struct.pack(
        "<q3Q6QHHxxxxQQI", uptime, *loads, known.get("MemTotal", 0), known.get("MemFree", 0), known.get("Shmem", 0),
        known.get("Buffers", 0), known.get("SwapTotal", 0), known.get("SwapFree", 0), 1, 0, 0, 0, 1,
    )
    process.memory.write(info, data.ljust(112, b"\0"))
    return 0


def syslog(process: Process, type: int, bufp: int, length: int) -> int:
    """syslog(2) is not for guests."""
    return -EPERM
