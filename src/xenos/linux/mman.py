"""sys/mman.h and brk: mapping memory."""

from __future__ import annotations

import os

from xenos.linux import kernel, shortcuts
from xenos.memory.flat import BASE, page_up
from xenos.memory.host import PAGE
from xenos.memory.placement import IDENTITY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process
    from xenos.memory.regions import Region

EPERM, EAGAIN, ENOMEM, EACCES, EFAULT, EEXIST, EINVAL, ENOSPC, EOPNOTSUPP = 1, 11, 12, 13, 14, 17, 22, 28, 95
PROT_ALL = 7
PROT_GROWSDOWN, PROT_GROWSUP = 0x01000000, 0x02000000
MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_TYPE = 1, 2, 3, 15
MAP_FIXED, MAP_ANONYMOUS, MAP_GROWSDOWN, MAP_HUGETLB, MAP_FIXED_NOREPLACE = 0x10, 0x20, 0x100, 0x40000, 0x100000
_VALIDATED = 0xFC07F933 # flags that MAP_SHARED_VALIDATE knows (LEGACY_MAP_MASK)
MCL_ALL = 7
MADV_DONTNEED = 4
RLIMIT_DATA, RLIMIT_STACK, RLIMIT_AS = 2, 3, 9
_LOWEST = 0x10000       # vm.mmap_min_addr, as Linux sets it
_REGIONS_MAX = 30000    # with as many holes between them, what a host's vm.max_map_count leaves to us
_STACK = 33 * PAGE      # bytes of a stack that Linux makes at once
_GUARD = 256 * PAGE     # what stays free below memory that grows (stack_guard_gap)
# madvise(2): advice that the host is given; that which is nothing to a guest; that which harms the host's memory.
_ADVICE = frozenset((*range(5), 8, 9, 14, 15, 18, 19, 20, 21, 22, 23, 24, 25))
_ADVICE_IGNORED = frozenset((10, 11, 12, 13, 16, 17))
_ADVICE_POISON = frozenset((100, 101))


def mmap(process: Process, addr: int, length: int, prot: int, flags: int, fd: int, offset: int) -> int:
    """mmap(2)."""
    memory = process.memory
    kind = flags & MAP_TYPE
    anonymous = flags & MAP_ANONYMOUS != 0
    if offset & PAGE - 1:
        return -EINVAL
    if not anonymous:
        os.get_inheritable(process.descriptors.check(fd))  # EBADF comes before all that follows
    if not length or kind not in (MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE) or offset < 0:
        return -EINVAL
    if length > memory.size:
        return -ENOMEM
    length = page_up(length)
    if anonymous:
        fd, offset = -1, 0
    elif kind == MAP_SHARED_VALIDATE and flags & ~_VALIDATED:
        return -EOPNOTSUPP
    if flags & MAP_HUGETLB:
        return -ENOMEM  # there are none for guests
    prot &= PROT_ALL
    with memory.lock:
        if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
            if addr & PAGE - 1:
                return -EINVAL
            if addr + length > memory.size - PAGE:
                return -ENOMEM
            if addr < _LOWEST:
                return -EPERM
            if flags & MAP_FIXED_NOREPLACE and memory.regions.between(addr, addr + length):
                return -EEXIST
        else:
            addr = _place(process, addr & -PAGE, length, fd, offset)
        if not allows(process, length, data=bool(prot & 2) and kind == MAP_PRIVATE and not flags & MAP_GROWSDOWN):
            return -ENOMEM
        memory.map(addr, length, prot, fd=fd, offset=offset, shared=kind != MAP_PRIVATE)
        if flags & MAP_GROWSDOWN and anonymous:
            process.signals.seen(True)      # a fault there is no end
            memory.growing.add(addr)
    if kind != MAP_PRIVATE and prot & 2 and not anonymous:     # what is anonymous is shared from the next fork on
        from xenos.linux import heir

        heir.of(process).appoint(process)
    return addr


def is_data(process: Process, region: Region) -> bool:
    """Whether Linux counts a region for RLIMIT_DATA: private, writable, and no stack (is_data_mapping of mm/internal.h)."""
    return bool(region.prot & 2) and not region.shared and not _is_stack(process, region)


def _is_stack(process: Process, region: Region) -> bool:
    return region.name == "[stack]" or region.start in process.memory.growing


def allows(process: Process, extra: int, *, data: bool) -> bool:
    """Whether the limits that the guest set itself, and the host's on mappings, leave room for `extra` bytes more."""
    regions = process.memory.regions
    if len(regions) >= _REGIONS_MAX:
        return False
    limits = process.limits
    if RLIMIT_AS in limits and sum(_size(process, region) for region in regions) + extra > limits[RLIMIT_AS][0]:
        return False
    return not data or RLIMIT_DATA not in limits or extra <= _room_for_data(process)


def _size(process: Process, region: Region) -> int:
    """Bytes of address space that Linux would count: its stack is as large as was needed so far, ours as it may become."""
    size = region.end - region.start
    if region.name == "[stack]":
        pointer = process.leader.cpu.read(*process.form.stack_pointer)
        if region.start <= pointer < region.end:
            return min(size, max(_STACK, region.end - (pointer & -PAGE)))
    return size


def _room_for_data(process: Process) -> int:
    used = sum(region.end - region.start for region in process.memory.regions if is_data(process, region))
    return process.limits[RLIMIT_DATA][0] - used


def _end_of_data(process: Process, start: int, end: int) -> int:
    """Up to where a range may become writable under the limit of data. Linux looks at one mapping of it after the other."""
    room = _room_for_data(process)
    for region in process.memory.regions.between(start, end):
        if not region.prot & 2 and not region.shared and not _is_stack(process, region):
            low = max(start, region.start)
            room -= min(end, region.end) - low
            if room < 0:
                return low
    return end


def _place(process: Process, wish: int, length: int, fd: int, offset: int) -> int:
    memory = process.memory
    if wish >= _LOWEST and wish + length <= memory.size - PAGE and not memory.regions.between(wish, wish + length):
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
        identity = os.pread(fd, IDENTITY, 0)
    except OSError:
        return b""
    return identity if identity[:4] == b"\x7fELF" else b""


def span(process: Process, addr: int, length: int) -> int:
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
    if prot & PROT_GROWSDOWN and prot & PROT_GROWSUP:
        return -EINVAL
    length = span(process, addr, length)
    if not length:
        return 0
    if prot & ~(PROT_ALL | PROT_GROWSDOWN | PROT_GROWSUP):
        return -EINVAL
    with memory.lock:
        if prot & (PROT_GROWSDOWN | PROT_GROWSUP):
            region = memory.regions.at(addr)
            if region is None:
                return -ENOMEM
            if prot & PROT_GROWSUP or (region.start not in memory.growing and region.name != "[stack]"):
                return -EINVAL
            addr, length = region.start, addr + length - region.start
        if len(memory.regions) >= _REGIONS_MAX:
            return -ENOMEM
        end = addr + length
        stop = _end_of_data(process, addr, end) if prot & 2 and RLIMIT_DATA in process.limits else end
        if stop > addr:
            memory.protect(addr, stop - addr, prot & PROT_ALL)
    return 0 if stop == end else -ENOMEM


def pkey_mprotect(process: Process, addr: int, length: int, prot: int, pkey: int) -> int:
    """pkey_mprotect(2) of a machine without protection keys."""
    return mprotect(process, addr, length, prot) if pkey in (-1, 0) else -EINVAL


def pkey_alloc(process: Process, flags: int, access_rights: int) -> int:
    """pkey_alloc(2), likewise."""
    return -EINVAL if flags or access_rights & ~3 else -ENOSPC


def pkey_free(process: Process, pkey: int) -> int:
    """pkey_free(2), likewise."""
    return -EINVAL


def madvise(process: Process, addr: int, length: int, advice: int) -> int:
    """madvise(2). What no guest can tell from nothing is nothing: a child of fork has all memory, too."""
    if addr & PAGE - 1 or advice not in _ADVICE | _ADVICE_IGNORED | _ADVICE_POISON:
        return -EINVAL
    if advice in _ADVICE_POISON:
        return -EPERM
    if addr + length > 1 << 64:
        return -EINVAL
    length = span(process, addr, length)
    if not length:
        return 0
    memory = process.memory
    with memory.lock:
        if advice in _ADVICE:
            memory.discard(addr, length, advice)
        if not memory.regions.covered(addr, addr + length):
            return -ENOMEM
        if advice == MADV_DONTNEED and all(region.file is None and not region.shared and not region.prot & 4
                                           for region in memory.regions.between(addr, addr + length)):
            shortcuts.may_give_up(process, addr, addr + length)
    return 0


def _mapped(process: Process, addr: int, length: int, name: str, *arguments: int) -> int:
    """A call of the host on a range, all of which must be mapped."""
    with process.memory.lock:
        if length and not process.memory.regions.covered(addr, addr + length):
            return -ENOMEM
    # Without the lock, for it may take its time. What is unmapped meanwhile is empty memory to the host.
    return kernel.call(process, name, BASE + addr, length, *arguments)


def msync(process: Process, addr: int, length: int, flags: int) -> int:
    """msync(2)."""
    return _mapped(process, addr, span(process, addr, length), "msync", flags)


def mincore(process: Process, addr: int, length: int, vec: int) -> int:
    """mincore(2)."""
    length = span(process, addr, length)
    return _mapped(process, addr, length, "mincore", kernel.pointer(process, vec, length // PAGE))


def mlock(process: Process, addr: int, length: int) -> int:
    """mlock(2)."""
    start = addr & -PAGE
    return _mapped(process, start, span(process, start, addr - start + length), "mlock")


def mlock2(process: Process, addr: int, length: int, flags: int) -> int:
    """mlock2(2)."""
    start = addr & -PAGE
    return _mapped(process, start, span(process, start, addr - start + length), "mlock2", flags)


def munlock(process: Process, addr: int, length: int) -> int:
    """munlock(2)."""
    start = addr & -PAGE
    return _mapped(process, start, span(process, start, addr - start + length), "munlock")


def mlockall(process: Process, flags: int) -> int:
    """mlockall(2): for the host all of guest memory is one mapping, most of it empty; what is used stays where it is."""
    return 0 if flags and not flags & ~MCL_ALL and flags != 4 else -EINVAL


def munlockall(process: Process) -> int:
    """munlockall(2)."""
    return 0


def brk(process: Process, address: int) -> int:
    """brk(2) as the kernel has it: the new end of the heap, or the old one where that cannot be."""
    memory = process.memory
    with memory.lock:
        old = process.break_end
        if address < process.break_start or address > memory.size:
            return old
        old_page, new_page = page_up(old), page_up(address)
        try:
            if new_page > old_page:
                if memory.regions.between(old_page, new_page + PAGE):
                    return old  # a page is kept free between the heap and what follows
                if not allows(process, new_page - old_page, data=True):
                    return old
                memory.map(old_page, new_page - old_page, 3, name="[heap]")
            elif new_page < old_page:
                memory.unmap(new_page, old_page - new_page)
        except OSError:
            return old
        process.break_end = address
        return address


def grow(process: Process, address: int) -> bool:
    """After a fault below memory that grows downwards: make it larger, if there is room and the limit allows."""
    memory = process.memory
    with memory.lock:
        start = address & -PAGE
        above = memory.regions.between(start, memory.size)[:1]
        if not above or above[0].start not in memory.growing or above[0].start <= start:
            return False
        region = above[0]
        limit = process.limits.get(RLIMIT_STACK, (8 << 20, 0))[0]
        if region.end - start > limit or start < _LOWEST + _GUARD:
            return False
        if memory.regions.between(start - _GUARD, start):
            return False
        if not allows(process, region.start - start, data=False):
            return False
        before = region.start
        try:
            memory.map(start, before - start, region.prot, name=region.name)
        except OSError:
            return False
        memory.growing.discard(before)
        memory.growing.add(start)
    return True
