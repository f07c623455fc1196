"""The host's own mapping calls, through its C library: what `FlatMemory` is built of."""

from __future__ import annotations

import ctypes
import os

PAGE = 4096
READ, WRITE, EXEC = 1, 2, 4
SHARED, PRIVATE, FIXED, ANONYMOUS, NORESERVE = 0x1, 0x2, 0x10, 0x20, 0x4000
FIXED_NOREPLACE = 0x100000
MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP = 1, 2, 4
MADV_NORMAL = 0

_libc = ctypes.CDLL(None, use_errno=True)
_size, _int = ctypes.c_size_t, ctypes.c_int
_libc.mmap.argtypes = (_size, _size, _int, _int, _int, ctypes.c_int64)
_libc.mmap.restype = _size
_libc.munmap.argtypes = (_size, _size)
_libc.mprotect.argtypes = (_size, _size, _int)
_libc.mremap.argtypes = (_size, _size, _size, _int, _size)
_libc.mremap.restype = _size
_libc.madvise.argtypes = (_size, _size, _int)
_FAILED = (1 << ctypes.sizeof(ctypes.c_size_t) * 8) - 1


def _check(result: int, failed: int) -> int:
    if result == failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def protection(prot: int) -> int:
    """What the guest's protection is on the host: guest code is data there, read by the translator, never executed."""
    return prot & WRITE | (READ if prot else 0)


def mmap(address: int, length: int, prot: int, flags: int, fd: int = -1, offset: int = 0) -> int:
    """mmap(2); the host address of the mapping, or OSError."""
    return _check(_libc.mmap(address, length, prot, flags, fd, offset), _FAILED)


def munmap(address: int, length: int) -> None:
    """munmap(2), or OSError."""
    _check(_libc.munmap(address, length), -1)


def mprotect(address: int, length: int, prot: int) -> None:
    """mprotect(2), or OSError."""
    _check(_libc.mprotect(address, length, prot), -1)


def mremap(address: int, old: int, new: int, flags: int, target: int = 0) -> int:
    """mremap(2); the new host address, or OSError."""
    return _check(_libc.mremap(address, old, new, flags, target), _FAILED)


def madvise(address: int, length: int, advice: int) -> None:
    """madvise(2), or OSError."""
    _check(_libc.madvise(address, length, advice), -1)


class _Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_size_t), ("length", ctypes.c_size_t))


def copy_checked(target: int, source: int, length: int, *, write: bool) -> int:
    """Copy between host addresses of this process; the kernel looks at each page of the one that may fail.

    Returns the number of bytes copied (fewer than `length` where a page is missing). `write` says that `target` is the
    doubtful side.
    """
    here, there = (source, target) if write else (target, source)
    call = _libc.process_vm_writev if write else _libc.process_vm_readv
    call.restype = ctypes.c_ssize_t
    local, remote = _Span(here, length), _Span(there, length)
    done: int = call(os.getpid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    if done < 0:
        number = ctypes.get_errno()
        return 0 if number == 14 else _copy_by_file(target, source, length, write=write)  # EFAULT: not one is there
    return done


def _copy_by_file(target: int, source: int, length: int, *, write: bool) -> int:
    """The same where the host forbids that call altogether (seccomp)."""
    fd = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
    try:
        if write:
            return os.pwrite(fd, ctypes.string_at(source, length), target)
        data = os.pread(fd, length, source)
        ctypes.memmove(target, data, len(data))
        return len(data)
    except OSError:
        return 0
    finally:
        os.close(fd)
