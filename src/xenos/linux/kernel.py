"""The host's kernel, called directly: what the guest asks for goes there nearly as it is, and comes back as a value or -errno."""

from __future__ import annotations

import ctypes

from xenos.linux.hosts import numbers
from xenos.memory.flat import BASE, MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

    Argument = int | bytes | ctypes.Array[ctypes.c_char]

ENOSYS, EINTR = 38, 4
NEVER_BLOCKED = 1 << 9 - 1 | 1 << 19 - 1        # SIGKILL, SIGSTOP
# Never blocked in the host: SIGBUS and SIGSEGV, which generated code raises; SIGSTKFLT, by which threads of ours wake each other.
RAISED = 1 << 7 - 1 | 1 << 11 - 1
NEVER_HELD = RAISED | 1 << 16 - 1
ERESTARTSYS = 512       # a signal is to be seen to first, then the call is to be made (again)
# Calls in which what a signalfd(2) shows can be seen.
LOOKING = frozenset(("read", "readv", "ppoll", "pselect6", "epoll_pwait", "epoll_pwait2"))
_SIG_SETMASK = 2
_numbers = numbers()
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_Words = ctypes.c_long * 6
# For calls that do not wait: Python's lock is held, so that all threads may share what they are given.
_quick = ctypes.PyDLL(None).syscall
_quick.restype = ctypes.c_long
_quick.argtypes = [ctypes.c_long] * 5
_masks = (ctypes.c_uint64 * 2)()
_masks_at = ctypes.addressof(_masks)


def has(name: str) -> bool:
    """Whether this host's table has a call of that name."""
    return name in _numbers


def number(name: str) -> int:
    """The host's number of a call."""
    return _numbers[name]


def call(process: Process, name: str, *arguments: Argument) -> int:
    """Make a system call of the host by name; gives its result, or -errno. Never raises OSError.

    Arguments are numbers (host addresses among them, see `pointer`), bytes or ctypes buffers. The GIL is released meanwhile.
    It may wait as long as it likes: a signal for the guest ends it with -EINTR, or with -ERESTARTSYS if nothing was done and it is
    to be made again, also where the signal comes just before it begins. Both go back to whoever asked for the system call.
    """
    bridge = process.bridge
    if bridge is None:
        return plain(name, *arguments)
    which = _numbers.get(name)
    if which is None:
        return -ENOSYS
    words = _Words(*[item if isinstance(item, int) else _address(item) for item in arguments])
    if process.signals.shown and name in LOOKING:
        from xenos.linux import signalfd

        return signalfd.looking(process, lambda: bridge.call(process.cpu.address, which, words))
    result: int = bridge.call(process.cpu.address, which, words)
    return result


def call_masked(process: Process, mask: int, make: Callable[[bytes], int]) -> int:
    """A call that waits with other signals blocked, which hold until a handler has been entered; `make` is given the host's set."""
    thread = process.thread
    if thread.keeps and not thread.noted:
        thread.block_all()
        thread.note_kept(mask)
        if thread.noted:        # it was pending already
            thread.temporary = mask & ~NEVER_BLOCKED
            return -EINTR
        thread.apply_mask()
    result = make((mask & ~NEVER_HELD | mask & process.signals.shown).to_bytes(8, "little"))
    if result in (-EINTR, -ERESTARTSYS) and thread.noted:
        thread.temporary = mask & ~NEVER_BLOCKED if result == -EINTR else None
    return result


def _address(item: bytes | ctypes.Array[ctypes.c_char]) -> int:
    if isinstance(item, bytes):
        return ctypes.cast(ctypes.c_char_p(item), ctypes.c_void_p).value or 0
    return ctypes.addressof(item)


def plain(name: str, *arguments: Argument) -> int:
    """The same for calls that do not wait, and where no guest is about."""
    which = _numbers.get(name)
    if which is None:
        return -ENOSYS
    words = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    result: int = _syscall(ctypes.c_long(which), *words)
    return -ctypes.get_errno() if result == -1 else result


def set_mask(mask: int) -> int:
    """Block these signals in the calling thread, and no others; gives those that were. Not by the C library, which keeps two."""
    _masks[0] = mask
    _quick(_numbers["rt_sigprocmask"], _SIG_SETMASK, _masks_at, _masks_at + 8, 8)
    return _masks[1]


def get_mask() -> int:
    """The signals that are blocked in the calling thread."""
    old = ctypes.create_string_buffer(8)
    plain("rt_sigprocmask", _SIG_SETMASK, 0, old, 8)
    return int.from_bytes(old.raw, "little")


def pointer(process: Process, address: int, size: int = 0) -> int:
    """The host address of guest bytes, for the kernel to read or write: it finds out itself which are there (-EFAULT if not).

    A null pointer stays one. MemoryFault if [address, address + size) leaves the guest's address space.
    """
    if not address:
        return 0
    if address + size > process.memory.size:
        raise MemoryFault(address, 1)
    return BASE + address
