"""sys/prctl.h, sys/personality.h and sys/capability.h."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL, EFAULT = 22, 14
PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 2, 3, 4
PR_GET_KEEPCAPS, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ = 7, 15, 16, 23
PR_SET_TIMERSLACK, PR_GET_TIMERSLACK = 29, 30
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS = 36, 38, 39, 40
_CAPABILITIES_VERSION = 0x20080522
_NAME_MAX = 15


def prctl(process: Process, option: int, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """prctl(2), as much of it as ordinary programs need."""
    memory = process.memory
    if option == PR_SET_NAME:
        process.comm = memory.cstring(arg2, _NAME_MAX)
        return 0
    if option == PR_GET_NAME:
        name = process.comm or os.path.basename(process.name)
        memory.write(arg2, name[:_NAME_MAX].ljust(16, b"\0"))
        return 0
    if option in (PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER):
        from xenos.linux import libc

        return libc.call("prctl", option, arg2, 0, 0, 0)
    if option in (PR_GET_DUMPABLE, PR_CAPBSET_READ):
        return 1
    if option in (PR_SET_DUMPABLE, PR_GET_KEEPCAPS, PR_SET_TIMERSLACK, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS):
        return 0
    if option == PR_GET_TIMERSLACK:
        return 50000
    if option == PR_GET_PDEATHSIG:
        memory.store(arg2, 4, 0)
        return 0
    if option == PR_GET_TID_ADDRESS:
        memory.store(arg2, 8, process.thread.clear_child_tid)
        return 0
    return -EINVAL  # PR_SET_VMA (0x53564D41) among them: names of regions are only for show


def personality(process: Process, persona: int) -> int:
    """personality(2): there is one, Linux's own."""
    return 0 if persona in (0, 0xFFFFFFFF) else -EINVAL


def capget(process: Process, header: int, data: int) -> int:
    """capget(2): none of them."""
    version, _ = struct.unpack("<Ii", process.memory.read(header, 8))
    if version != _CAPABILITIES_VERSION:
        process.memory.store(header, 4, _CAPABILITIES_VERSION)
        return -EINVAL if data else 0
    if data:
        process.memory.write(data, bytes(24))
    return 0
