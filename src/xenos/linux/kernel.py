"""The host's kernel, called directly: what the guest asks for goes there nearly as it is, and comes back as a value or -errno."""

from __future__ import annotations

import ctypes

from xenos.linux.hosts import numbers
from xenos.memory.flat import BASE, MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

ENOSYS = 38
_numbers = numbers()
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


def has(name: str) -> bool:
    """Whether this host's table has a call of that name."""
    return name in _numbers


def call(process: Process, name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Make a system call of the host by name; gives its result, or -errno. Never raises OSError.

    Arguments are numbers (host addresses among them, see `pointer`), bytes or ctypes buffers. The GIL is released meanwhile.
    It may wait as long as it likes: a signal for the guest ends it with -EINTR, also one that comes just before it begins.
    """
    number = _numbers.get(name)
    if number is None:
        return -ENOSYS
    words = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    result: int = _syscall(ctypes.c_long(number), *words)
    return -ctypes.get_errno() if result == -1 else result


def pointer(process: Process, address: int, size: int = 0) -> int:
    """The host address of guest bytes, for the kernel to read or write: it finds out itself which are there (-EFAULT if not).

    A null pointer stays one. MemoryFault if [address, address + size) leaves the guest's address space.
    """
    if not address:
        return 0
    if address + size > process.memory.size:
        raise MemoryFault(address, 1)
    return BASE + address
