"""sys/signalfd.h: descriptors that read signals. They are the host's, which shows in them also what it never blocks otherwise."""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux import kernel
from xenos.linux.kernel import NEVER_HELD, RAISED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

EINVAL = 22
_SET = 8        # sizeof(sigset_t) of the kernel
_SI_QUEUE, _INFO = -1, 128
_AT_ONCE = bytes(16)


def signalfd4(process: Process, fd: int, mask: int, sizemask: int, flags: int) -> int:
    """signalfd(2). Nobody is to take the signal by which threads of ours wake each other."""
    if sizemask != _SET:
        return -EINVAL
    process.descriptors.check(fd)
    wanted = process.memory.load(mask, _SET) & ~(NEVER_HELD & ~RAISED)
    made = kernel.plain("signalfd4", fd, wanted.to_bytes(_SET, "little"), _SET, flags)
    if made >= 0:
        process.signals.shown |= wanted & RAISED
    return made if made < 0 or fd != -1 else process.opened(made)


def looking(process: Process, make: Callable[[], int]) -> int:
    """A call that may look into such a descriptor. No code of the guest's runs meanwhile, so that what that raises can be blocked,
    if the guest has blocked it. What came before is pending with the host again; what nobody reads is with us afterwards."""
    thread = process.thread
    held = process.signals.shown & thread.mask
    if not held:
        return make()
    kernel.set_mask(kernel.get_mask() | held)
    while (info := thread.take_kept(held)) is not None:
        number = int.from_bytes(info[:4], "little")
        to = os.getpid(), thread.tid, number
        if kernel.plain("rt_tgsigqueueinfo", *to, info) < 0:    # only the first thread may say that it comes from kill(2)
            kernel.plain("rt_tgsigqueueinfo", *to, info[:8] + struct.pack("<i", _SI_QUEUE) + info[12:])
    result = make()
    room = ctypes.create_string_buffer(_INFO)
    while (number := kernel.plain("rt_sigtimedwait", held.to_bytes(_SET, "little"), room, _AT_ONCE, _SET)) > 0:
        thread.keep(number, room.raw)
    thread.block_all()
    thread.apply_mask()
    return result
