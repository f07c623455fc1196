"""poll.h and sys/select.h: waiting for descriptors, with another signal mask where one is given."""

from __future__ import annotations

import ctypes
import struct

from xenos.linux import kernel, passing
from xenos.linux.passing import EINVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

_SET = 8        # sizeof(sigset_t) of the kernel
_FDS_MAX = 1 << 20


def mask_at(process: Process, sigmask: int, size: int) -> bytes | None:
    """The signal mask at a guest address, or none; OSError (EINVAL) for one of another size."""
    if not sigmask:
        return None
    if size != _SET:
        raise OSError(EINVAL, "no signal mask")
    return process.memory.read(sigmask, _SET)


def masked(process: Process, mask: bytes | None, make: Callable[[bytes | int], int]) -> int:
    """A wait that the host does with a signal mask of its own, or with none; `make` is given the host's set."""
    if mask is None:
        return make(0)
    return kernel.call_masked(process, int.from_bytes(mask, "little"), make)


def ppoll(process: Process, fds: int, nfds: int, timeout: int, sigmask: int, sigsetsize: int) -> int:
    """ppoll(2): struct pollfd and struct timespec are the same everywhere, so that the host fills in the guest's own."""
    mask = mask_at(process, sigmask, sigsetsize)
    entries = kernel.pointer(process, fds, 8 * min(nfds, _FDS_MAX))
    limit = passing.address(process, timeout)
    return masked(process, mask, lambda host: kernel.call(process, "ppoll", entries, nfds, limit, host, _SET))


def pselect6(
    process: Process, nfds: int, readfds: int, writefds: int, exceptfds: int, timeout: int, sigmask: int,
) -> int:
    """pselect(2); `sigmask` points to a pointer and a size."""
    mask = None
    if sigmask:
        mask = mask_at(process, *struct.unpack("<QQ", process.memory.read(sigmask, 16)))
    size = min(max(nfds, 0), _FDS_MAX) // 8 + 8
    sets = [kernel.pointer(process, at, size) for at in (readfds, writefds, exceptfds)]
    limit = passing.address(process, timeout)

    def wait(host: bytes | int) -> int:
        held = ctypes.create_string_buffer(host or b"", _SET)
        argument = struct.pack("<QQ", ctypes.addressof(held) if host else 0, _SET)
        return kernel.call(process, "pselect6", nfds, *sets, limit, argument)

    return masked(process, mask, wait)
