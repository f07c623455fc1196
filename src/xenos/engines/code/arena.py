"""The arena that generated code lives in: the same pages twice, once writable and once executable.

A memfd is mapped at two addresses, so that no page is ever writable and executable and nothing is re-protected while code runs.
Where there can be none of that size (RLIMIT_FSIZE, which a guest may set for itself), shared memory without a name is mapped twice.
Where executable memory of both kinds is forbidden, one private mapping with all rights takes their place; `kind` says which.
"""

from __future__ import annotations

import ctypes
import os

from xenos.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Part = tuple[int, int]

_PROT_READ, _PROT_WRITE, _PROT_EXEC = 1, 2, 4
_SHARED, _PRIVATE, _FIXED, _ANONYMOUS, _NORESERVE = 1, 2, 0x10, 0x20, 0x4000
_MADV_REMOVE = 9
_MAYMOVE, _REMAP_FIXED = 1, 2
_ENOMEM, _EFBIG, _RLIMIT_FSIZE = 12, 27, 1
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.mremap.restype = ctypes.c_void_p
_libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p]


def _map(address: int, size: int, prot: int, flags: int, fd: int) -> int:
    return _mapped(_libc.mmap(address or None, size, prot, flags, fd, 0))


def _mapped(got: int | None) -> int:
    if got is None or got == _FAILED:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(got)


def _memfd(size: int, writable: int = 0, base: int = 0, view: memoryview | None = None, parts: Iterable[Part] = ()) -> Part:
    """Map a new memfd with these parts of `view` in it, at these addresses if they are not 0; where it is now."""
    limit = (ctypes.c_uint64 * 2)()
    if not _libc.getrlimit(_RLIMIT_FSIZE, limit) and limit[0] < size:
        raise OSError(_EFBIG, os.strerror(_EFBIG))      # to try would raise a signal, which the guest would get
    fixed = _FIXED if base else 0
    fd = os.memfd_create("xenos-code", os.MFD_CLOEXEC)
    try:
        os.ftruncate(fd, size)
        for start, length in parts:
            end = start + length
            while start < end and view is not None:
                start += os.pwrite(fd, view[start:end], start)
        return (_map(writable, size, _PROT_READ | _PROT_WRITE, _SHARED | fixed, fd),
                _map(base, size, _PROT_READ | _PROT_EXEC, _SHARED | fixed, fd))
    finally:
        os.close(fd)   # the mappings keep it; the guest's descriptors start low


def _nameless(size: int, writable: int = 0, base: int = 0, view: memoryview | None = None, parts: Iterable[Part] = ()) -> Part:
    """The same with shared memory that is no file, and so of any size. mremap(2) of nothing of it maps it once more."""
    made = _map(0, size, _PROT_READ | _PROT_WRITE, _SHARED | _ANONYMOUS | _NORESERVE, -1)
    try:
        if view is not None:
            new = memoryview((ctypes.c_char * size).from_address(made)).cast("B")
            for start, length in parts:
                new[start:start + length] = view[start:start + length]
            new.release()
        base = _mapped(_libc.mremap(made, 0, size, _MAYMOVE | (_REMAP_FIXED if base else 0), base or None))
        if _libc.mprotect(base, size, _PROT_READ | _PROT_EXEC):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return (_mapped(_libc.mremap(made, size, size, _MAYMOVE | _REMAP_FIXED, writable)) if writable else made), base
    except OSError:
        _libc.munmap(made, size)
        raise


class Room:
    """A stretch of `size` bytes from `start` on, in an arena, that parts are given out of, front to back."""

    def __init__(self, start: int, size: int) -> None:
        self.start = start
        self.size = size
        self.used = start   # where nothing was given out yet
        self._free: list[tuple[int, int]] = []   # (size, start) of parts given back

    def allocate(self, size: int, alignment: int = 4096) -> int:
        """Offset of fresh room in the arena; HostError if this is full."""
        size = (size + 4095) & -4096
        for number, (room, start) in enumerate(self._free):
            if room >= size:
                del self._free[number]
                if room > size:
                    self._free.append((room - size, start + size))
                    self._free.sort()
                return start
        start = (self.used + alignment - 1) & -alignment
        if start + size > self.start + self.size:
            raise HostError(f"the code arena of {self.size >> 20} MiB is full")
        self.used = start + size
        return start

    def free(self, start: int, size: int) -> None:
        """Give back what `allocate(size)` gave; neighbouring free parts are joined."""
        size = (size + 4095) & -4096
        for room, other in list(self._free):
            if other + room == start or start + size == other:
                self._free.remove((room, other))
                start, size = min(start, other), size + room
        self._free.append((size, start))
        self._free.sort()


class Arena(Room):
    """`size` bytes of code, allocated front to back. `view` writes it, `base` is where the host executes it."""

    def __init__(self, size: int = 1 << 30) -> None:
        super().__init__(0, size)
        self.dual = True
        self.kind = "memfd, mapped twice"
        try:
            try:
                self._writable, self.base = _memfd(size)
            except OSError:
                self._writable, self.base = _nameless(size)
                self.kind = "shared memory, mapped twice"
        except OSError:
            try:
                self.base = self._writable = _map(0, size, _PROT_READ | _PROT_WRITE | _PROT_EXEC,
                                                  _PRIVATE | _ANONYMOUS | _NORESERVE, -1)
            except OSError as error:
                why = "raise `ulimit -v`" if error.errno == _ENOMEM else (
                    "a security policy forbids it: only `--engine reference` can run")
                raise HostError(f"this host gives no executable memory ({error.strerror}); {why}") from error
            self.dual = False
            self.kind = "one mapping, writable and executable"
        self.view = memoryview((ctypes.c_char * size).from_address(self._writable)).cast("B")
        self.flush: Callable[[int, int], None] | None = None   # makes code in [first, behind) visible, where the host needs it

    def release(self, start: int, size: int) -> None:
        """Empty a part: its pages go back to the host and read as zeros."""
        first, last = (start + 4095) & -4096, (start + size + 4095) & -4096
        if last <= first:
            return
        if self.dual:
            _libc.madvise(self._writable + first, last - first, _MADV_REMOVE)
        else:
            _map(self.base + first, last - first, _PROT_READ | _PROT_WRITE | _PROT_EXEC,
                 _PRIVATE | _ANONYMOUS | _FIXED | _NORESERVE, -1)

    def own(self, parts: Iterable[tuple[int, int]]) -> None:
        """In a forked child: replace the pages shared with the parent by a copy of these (start, size), at the same addresses."""
        if not self.dual:
            return
        held = list(parts)
        try:
            _memfd(self.size, self._writable, self.base, self.view, held)
        except OSError:
            _nameless(self.size, self._writable, self.base, self.view, held)

    def close(self) -> None:
        """Unmap everything."""
        self.view.release()
        _libc.munmap(self.base, self.size)
        if self._writable != self.base:
            _libc.munmap(self._writable, self.size)
