"""Powers of the administrator that a confined process gives up, should it have them. See capabilities(7).

What a root guest does with its own files stays: CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_SETUID and their like. What goes is power
over the machine and over other processes; CAP_PERFMON, for one, reads every process's environment past Landlock.
"""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux.hosts import numbers

_VERSION = 0x20080522
# linux/capability.h: LINUX_IMMUTABLE, IPC_OWNER, SYS_MODULE, SYS_RAWIO, SYS_CHROOT, SYS_PTRACE, SYS_PACCT, SYS_ADMIN, SYS_BOOT,
# SYS_TIME, MKNOD, AUDIT_WRITE, AUDIT_CONTROL, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, WAKE_ALARM, BLOCK_SUSPEND, AUDIT_READ, PERFMON,
# BPF, CHECKPOINT_RESTORE; DAC_READ_SEARCH, which opens files by handle
_GIVEN_UP = (9, 15, 16, 17, 18, 19, 20, 21, 22, 25, 27, 29, 30, 32, 33, 34, 35, 36, 37, 38, 39, 40, 2)
_OF_NETWORKS = (12, 13)     # NET_ADMIN, NET_RAW


def give_up(*, network: bool) -> None:
    """Give them up, for good: no program that this process could execute would bring them back. OSError if that fails."""
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    header = ctypes.create_string_buffer(struct.pack("<Ii", _VERSION, 0))
    data = ctypes.create_string_buffer(24)  # twice effective, permitted, inheritable: the low halves, then the high
    _check(syscall(ctypes.c_long(numbers()["capget"]), header, data))
    mask = 0
    for capability in (*_GIVEN_UP, *(() if network else _OF_NETWORKS)):
        mask |= 1 << capability
    low, high = mask & 0xFFFFFFFF, mask >> 32
    words = struct.unpack("<6I", data.raw[:24])
    kept = [word & ~(low if index < 3 else high) for index, word in enumerate(words)]
    if tuple(kept) != words:
        data.raw = struct.pack("<6I", *kept)
        _check(syscall(ctypes.c_long(numbers()["capset"]), header, data))


def _check(result: int) -> None:
    if result < 0:
        problem = ctypes.get_errno()
        raise OSError(problem, os.strerror(problem))
