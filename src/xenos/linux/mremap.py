"""sys/mman.h: mremap, which resizes, moves and doubles mappings."""

from __future__ import annotations

from xenos.linux.mman import EFAULT, EINVAL, ENOMEM, allows, is_data
from xenos.memory.flat import page_up
from xenos.memory.host import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP = 1, 2, 4


def mremap(process: Process, old_address: int, old_size: int, new_size: int, flags: int, new_address: int) -> int:
    """mremap(2)."""
    memory = process.memory
    if flags & ~7 or (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) and not flags & MREMAP_MAYMOVE):
        return -EINVAL
    if flags & MREMAP_DONTUNMAP and old_size != new_size:
        return -EINVAL
    if old_address & PAGE - 1 or not page_up(new_size) or new_size > memory.size:
        return -EINVAL
    old_size, new_size = page_up(old_size), page_up(new_size)
    if old_size > memory.size or old_address + old_size > memory.size:
        return -EFAULT if old_address + 1 > memory.size else -EINVAL
    if flags & MREMAP_FIXED:
        new_end, old_end = new_address + new_size, old_address + old_size
        if new_address & PAGE - 1 or new_end > memory.size - PAGE or (old_address < new_end and new_address < old_end):
            return -EINVAL
        if new_address < 0x10000:
            return -1   # EPERM
    with memory.lock:
        return _mremap(process, old_address, old_size, new_size, flags, new_address)


def _mremap(process: Process, old_address: int, old_size: int, new_size: int, flags: int, new_address: int) -> int:
    memory = process.memory
    regions = memory.regions
    old_end = old_address + old_size
    first = regions.at(old_address)
    if first is None:
        return -EFAULT
    if not flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) and 0 < new_size <= old_size:
        if new_size < old_size:
            memory.unmap(old_address + new_size, old_size - new_size)
        return old_address
    if flags & MREMAP_FIXED and old_size > new_size:
        memory.unmap(old_address + new_size, old_size - new_size)
        old_size, old_end = new_size, old_address + new_size
    if first.end < old_end:
        return -EFAULT  # a hole, or another mapping: only one at a time can be moved
    if not old_size and (not first.shared or not flags & MREMAP_MAYMOVE):
        return -EINVAL
    keep = flags & MREMAP_DONTUNMAP != 0
    if new_size > old_size or keep:
        if not allows(process, new_size if keep else new_size - old_size, data=is_data(process, first)):
            return -ENOMEM
    if old_size and not flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        free = old_address + new_size <= memory.size - PAGE and not regions.between(old_end, old_address + new_size)
        if free:
            try:
                memory.extend(old_address, old_size, new_size)
                return old_address
            except OSError:
                pass
    if not flags & MREMAP_MAYMOVE:
        return -ENOMEM
    if flags & MREMAP_FIXED:
        target = new_address
    elif keep and new_address and not new_address & PAGE - 1 and not regions.between(new_address, new_address + new_size):
        target = new_address
    else:
        target = memory.find_free(new_size)
    memory.move(old_address, old_size, target, new_size, keep=keep)
    return target
