"""sys/ioctl.h: terminals, files, pipes and interfaces. Numbers and structures are asm-generic's, on most hosts, too.

What a request points to the host's kernel reads and writes itself. Only requests are passed of which it is known that
no addresses stand in what they point to: those of a guest would lead astray. Their sizes alone do not tell.
"""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux import kernel, passing
from xenos.memory.flat import BASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EFAULT, ENOTTY = 1, 14, 25
TIOCGPTPEER = 0x5441
SIOCGIFCONF = 0x8912
FICLONE = 0x40049409

_POINTERS = frozenset((
    # struct termios, termios2, termio and winsize; the terminal's process group and session
    *range(0x5401, 0x5409), 0x802C542A, 0x402C542B, 0x402C542C, 0x402C542D, 0x540F, 0x5410, 0x5413, 0x5414, 0x5429,
    # TIOCOUTQ, modem lines, FIONREAD, FIONBIO, TIOCPKT, FIOASYNC, line discipline, FIOQSIZE, soft carrier
    0x5411, 0x5415, 0x5416, 0x5417, 0x5418, 0x541B, 0x5421, 0x5420, 0x5452, 0x5423, 0x5424, 0x5460, 0x5419, 0x541A,
    # pseudo-terminals: number, lock, signal, packet mode, exclusive mode
    0x80045430, 0x40045431, 0x80045432, 0x80045438, 0x80045439, 0x80045440,
    # FS_IOC_*: flags, version, extents, attributes, label; FICLONERANGE
    0x80086601, 0x40086602, 0x80087601, 0x40087602, 0xC020660B, 0x801C581F, 0x401C5820, 0x81009431, 0x41009432,
    0x4020940D,
    # BLKGETSIZE, BLKSSZGET, BLKGETSIZE64; RNDGETENTCNT
    0x1260, 0x1268, 0x80081272, 0x80045200,
    # SIOCATMARK and owners; SIOCGSTAMP
    *range(0x8901, 0x8908),
    # SIOCGIFNAME, SIOCGIFFLAGS, addresses, metric, MTU, hardware address, index, queue length, map
    0x8910, 0x8913, 0x8915, 0x8917, 0x8919, 0x891B, 0x891D, 0x8921, 0x8927, 0x8933, 0x8942, 0x8970,
))
# Requests whose argument is a number, or that have none.
_NUMBERS = frozenset((
    0x5409, 0x540A, 0x540B, 0x540C, 0x540D, 0x540E, 0x5422, 0x5425, 0x5427, 0x5428, 0x5450, 0x5451, 0x40045436,
    TIOCGPTPEER, FICLONE,
))
# TIOCSTI, TIOCCONS, TIOCVHANGUP and setting up interfaces or routes: not for guests.
_FORBIDDEN = frozenset((
    0x5412, 0x541D, 0x5437, 0x890B, 0x890C, 0x8914, 0x8916, 0x8918, 0x891A, 0x891C, 0x8922, 0x8923, 0x8924, 0x8943,
))


def ioctl(process: Process, fd: int, request: int, argp: int) -> int:
    """ioctl(2)."""
    if request in _POINTERS:
        return kernel.call(process, "ioctl", fd, request, passing.address(process, argp))
    if request in _NUMBERS:
        if request == FICLONE:
            process.descriptors.check(passing.signed(argp))
        result = kernel.call(process, "ioctl", fd, request, argp)
        return process.opened(result) if request == TIOCGPTPEER and result >= 0 else result
    if request == SIOCGIFCONF:
        return _interfaces(process, fd, argp)
    os.get_inheritable(fd)
    return -EPERM if request in _FORBIDDEN else -ENOTTY


def _interfaces(process: Process, fd: int, argp: int) -> int:
    """SIOCGIFCONF: struct ifconf is a length and a pointer."""
    memory = process.memory
    length, where = struct.unpack("<ixxxxQ", memory.read(argp, 16))
    if where and where + max(length, 0) > memory.size:
        return -EFAULT
    conf = ctypes.create_string_buffer(struct.pack("<ixxxxQ", length, where + BASE if where else 0), 16)
    result = kernel.call(process, "ioctl", fd, SIOCGIFCONF, conf)
    if result >= 0:
        memory.write(argp, conf.raw[:4])
    return result
