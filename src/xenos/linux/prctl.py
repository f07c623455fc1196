"""sys/prctl.h and sys/personality.h."""

from __future__ import annotations

from xenos.linux import kernel, passing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
PR_GET_TID_ADDRESS, PR_GET_AUXV = 40, 0x41555856
# What the host may be told or asked as the guest has it: signals on the parent's death, dumpable, capabilities,
# timer slack, subreaper, no new privileges, transparent huge pages, speculation, I/O flusher, ptracer.
_NUMBERS = frozenset((
    1, 3, 4, 7, 8, 23, 24, 27, 28, 29, 30, 36, 38, 39, 41, 42, 47, 52, 53, 57, 58, 0x59616D61,
))


# Those whose argument is an address: the signal on the parent's death, the thread's name, whether it is a subreaper.
_POINTERS = frozenset((2, 15, 16, 37))


def prctl(process: Process, option: int, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """prctl(2): what is about the process as Linux sees it. What is about how it executes (seccomp, the layout of its
    memory, the names of mappings) is refused as by a kernel that has not got it.
    """
    memory = process.memory
    if option in _NUMBERS:
        return kernel.call(process, "prctl", option, arg2, arg3, arg4, arg5)
    if option in _POINTERS:
        return kernel.call(process, "prctl", option, passing.address(process, arg2), arg3, arg4, arg5)
    if option == PR_GET_TID_ADDRESS:
        memory.store(arg2, 8, process.thread.clear_child_tid)
        return 0
    if option == PR_GET_AUXV:
        if arg4 or arg5:
            return -EINVAL
        memory.write(arg2, process.auxv[:arg3])
        return len(process.auxv)
    return -EINVAL


def personality(process: Process, persona: int) -> int:
    """personality(2): there is one, Linux's own; without randomising addresses, which ours are not."""
    return 0 if persona in (0, 0xFFFFFFFF, 0x0040000) else -EINVAL
