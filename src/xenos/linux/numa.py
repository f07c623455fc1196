"""numaif.h: which memory node pages come from. Nodes are the host's."""

from __future__ import annotations

from xenos.linux import kernel, passing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EFAULT = 14


def get_mempolicy(process: Process, mode: int, nodemask: int, maxnode: int, addr: int, flags: int) -> int:
    """get_mempolicy(2)."""
    where = kernel.pointer(process, addr)
    return kernel.call(
        process, "get_mempolicy", passing.address(process, mode), passing.address(process, nodemask), maxnode, where,
        flags,
    )


def mbind(process: Process, addr: int, length: int, mode: int, nodemask: int, maxnode: int, flags: int) -> int:
    """mbind(2), of memory that the guest has mapped."""
    memory = process.memory
    with memory.lock:
        if addr + length > memory.size or (length and not memory.regions.covered(addr, addr + length)):
            return -EFAULT
        where = kernel.pointer(process, addr)
        mask = passing.address(process, nodemask)
        return kernel.call(process, "mbind", where, length, mode, mask, maxnode, flags)
