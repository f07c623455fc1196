"""sys/mman.h: mapping memory."""

from __future__ import annotations

import os
import struct

from xenos.memory.flat import BASE, page_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

ENOMEM, EFAULT, EEXIST, EINVAL = 12, 14, 17, 22
PAGE = 4096
PROT_ALL = 7
PROT_GROWSDOWN, PROT_GROWSUP = 0x01000000, 0x02000000
MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_TYPE = 1, 2, 3, 15
MAP_FIXED, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE = 0x10, 0x20, 0x100000
MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP = 1, 2, 4
_LOWEST = 0x10000  # vm.mmap_min_addr, as Linux sets it
# Advice that changes what the guest reads, or that a child sees; all other advice is about speed.
_ADVICE_DONE = frozenset((4, 8, 9, 10, 11, 18, 19))
_ADVICE_KNOWN = frozenset((*range(5), *range(8, 26)))


def mmap(process: Process, addr: int, length: int, prot: int, flags: int, fd: int, offset: int) -> int:
    """mmap(2)."""
    memory = process.memory
    kind = flags & MAP_TYPE
    if not length or offset & PAGE - 1 or kind not in (MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE) or offset < 0:
        return -EINVAL
    if length > memory.size:
        return -ENOMEM
    length = page_up(length)
    anonymous = flags & MAP_ANONYMOUS != 0
    if not anonymous:
        os.fstat(fd)  # EBADF comes before all that follows
    fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)
    if fixed:
        if addr & PAGE - 1:
            return -EINVAL
        if addr + length > memory.size:
            return -ENOMEM
        if addr < _LOWEST:
            return -1  # EPERM
        if flags & MAP_FIXED_NOREPLACE and memory.regions.between(addr, addr + length):
            return -EEXIST
    else:
        addr = _place(process, addr & -PAGE, length, -1 if anonymous else fd, offset)
    prot &= PROT_ALL
    if anonymous:
        fd, offset = -1, 0
    memory.map(addr, length, prot, fd=fd, offset=offset, shared=kind != MAP_PRIVATE)
    return addr


def _place(process: Process, wish: int, length: int, fd: int, offset: int) -> int:
    memory = process.memory
    if wish >= _LOWEST and wish + length <= memory.size and not memory.regions.between(wish, wish + length):
        return wish
    if fd >= 0 and offset == 0 and not wish:
        # The first mapping of a library reserves its whole length; it goes where it always goes.
        identity = _library(fd)
        if identity:
            return memory.find_slot(length, identity, program=False)
    return memory.find_free(length)


def _library(fd: int) -> bytes:
    """What names the ELF file behind a descriptor; nothing if it is another kind of file."""
    try:
        if os.pread(fd, 4, 0) != b"\x7fELF":
            return b""
        status = os.fstat(fd)
        path = os.readlink(b"/proc/self/fd/%d" % fd)
        return path + struct.pack("<qq", status.st_size, status.st_mtime_ns & (1 << 63) - 1)
    except OSError:
        return b""


def _range(process: Process, addr: int, length: int) -> int:
    """The length in whole pages; OSError for a range that no call takes."""
    if addr & PAGE - 1:
        raise OSError(EINVAL, "not a whole page")
    if addr + length > process.memory.size:
        raise OSError(ENOMEM, "outside of guest memory")
    return page_up(length)


def munmap(process: Process, addr: int, length: int) -> int:
    """munmap(2)."""
    if not length or addr & PAGE - 1 or addr + length > process.memory.size:
        return -EINVAL
    process.memory.unmap(addr, length)
    return 0


def mprotect(process: Process, addr: int, length: int, prot: int) -> int:
    """mprotect(2)."""
    memory = process.memory
    length = _range(process, addr, length)
    if prot & PROT_GROWSDOWN:
        region = memory.regions.at(addr)
        if region is not None:
            addr, length = region.start, addr + length - region.start
    if prot & ~(PROT_ALL | PROT_GROWSDOWN | PROT_GROWSUP):
        return -EINVAL
    if length:
        memory.protect(addr, length, prot & PROT_ALL)
    return 0


def mremap(process: Process, old_address: int, old_size: int, new_size: int, flags: int, new_address: int) -> int:
    """mremap(2)."""
    memory = process.memory
    if old_address & PAGE - 1 or not new_size or flags & ~7:
        return -EINVAL
    if (flags & MREMAP_FIXED and not flags & MREMAP_MAYMOVE) or flags & MREMAP_DONTUNMAP or not old_size:
        return -EINVAL
    if new_size > memory.size:
        return -ENOMEM
    old_size, new_size = page_up(old_size), page_up(new_size)
    old_end = old_address + old_size
    if old_end > memory.size or not memory.regions.covered(old_address, old_end):
        return -EFAULT
    if flags & MREMAP_FIXED:
        new_end = new_address + new_size
        if new_address & PAGE - 1 or new_end > memory.size or (old_address < new_end and new_address < old_end):
            return -EINVAL
        if old_size > new_size:
            memory.unmap(old_address + new_size, old_size - new_size)
            old_size = new_size
        memory.move(old_address, old_size, new_address, new_size)
        return new_address
    if new_size <= old_size:
        if new_size < old_size:
            memory.unmap(old_address + new_size, old_size - new_size)
        return old_address
    region = memory.regions.at(old_end - 1)
    assert region is not None
    extra = new_size - old_size
    free = old_end + extra <= memory.size and not memory.regions.between(old_end, old_end + extra)
    if free and region.file is None and not region.shared:
        memory.map(old_end, extra, region.prot, name=region.name)
        return old_address
    if not flags & MREMAP_MAYMOVE:
        return -ENOMEM
    target = memory.find_free(new_size)
    memory.move(old_address, old_size, target, new_size)
    return target


def madvise(process: Process, addr: int, length: int, advice: int) -> int:
    """madvise(2)."""
    if addr & PAGE - 1 or advice not in _ADVICE_KNOWN:
        return -EINVAL
    length = _range(process, addr, length)
    if length and advice in _ADVICE_DONE:
        process.memory.discard(addr, length, advice)
    return 0 if process.memory.regions.covered(addr, addr + length) or not length else -ENOMEM


def msync(process: Process, addr: int, length: int, flags: int) -> int:
    """msync(2)."""
    length = _range(process, addr, length)
    if flags & ~7 or flags & 5 == 5:
        return -EINVAL
    if length and not process.memory.regions.covered(addr, addr + length):
        return -ENOMEM
    if length:
        from xenos.linux import libc

        libc.call("msync", BASE + addr, length, flags)
    return 0


def mincore(process: Process, addr: int, length: int, vec: int) -> int:
    """mincore(2)."""
    length = _range(process, addr, length)
    if not length:
        return 0
    if not process.memory.regions.covered(addr, addr + length):
        return -ENOMEM
    import ctypes

    from xenos.linux import libc

    data = ctypes.create_string_buffer(length // PAGE)
    libc.call("mincore", BASE + addr, length, ctypes.addressof(data))
    process.memory.write(vec, data.raw)
    return 0


def mlock(process: Process, addr: int, length: int) -> int:
    """mlock(2), munlock(2): pages stay where the host keeps them."""
    end = page_up(addr + length)
    start = addr & -PAGE
    if end > process.memory.size or not process.memory.regions.covered(start, end):
        return -ENOMEM
    return 0


def mlockall(process: Process) -> int:
    """mlockall(2), munlockall(2): as mlock."""
    return 0


def memfd_create(process: Process, name: bytes, flags: int) -> int:
    """memfd_create(2)."""
    close_on_exec = flags & 1 != 0
    return process.opened(os.memfd_create(os.fsdecode(name), flags | os.MFD_CLOEXEC), close_on_exec)
