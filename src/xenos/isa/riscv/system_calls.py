"""System calls that only RISC-V has (Documentation/arch/riscv/hwprobe.rst; riscv_flush_icache(2))."""

from __future__ import annotations

import os

from xenos.isa.riscv.extensions import CACHE_BLOCK, EXTENSIONS, TIME_FREQUENCY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL = 22
WHICH_CPUS = 1
LOCAL = 1

# Keys of riscv_hwprobe. Vendor, architecture and implementation are 0: not given.
BASE_BEHAVIOR, IMA_EXT_0, CPUPERF_0 = 3, 4, 5
ZICBOZ_BLOCK_SIZE, HIGHEST_VIRT_ADDRESS, TIME_CSR_FREQ = 6, 7, 8
MISALIGNED_SCALAR_PERF, MISALIGNED_VECTOR_PERF, ZICBOM_BLOCK_SIZE, ZICBOP_BLOCK_SIZE = 9, 10, 12, 15
MISALIGNED_FAST, MISALIGNED_UNSUPPORTED = 3, 4
_BITS = (BASE_BEHAVIOR, IMA_EXT_0)
_FD_AND_C = 0b11


def hardware(highest: int) -> dict[int, int]:
    """What riscv_hwprobe tells of this CPU, by key; `highest` is the highest address of a process."""
    return {
        0: 0, 1: 0, 2: 0,
        BASE_BEHAVIOR: 1,
        IMA_EXT_0: _FD_AND_C | sum(1 << bit for bit in EXTENSIONS.values() if bit is not None),
        CPUPERF_0: MISALIGNED_FAST,
        ZICBOZ_BLOCK_SIZE: CACHE_BLOCK,
        HIGHEST_VIRT_ADDRESS: highest,
        TIME_CSR_FREQ: TIME_FREQUENCY,
        MISALIGNED_SCALAR_PERF: MISALIGNED_FAST,
        MISALIGNED_VECTOR_PERF: MISALIGNED_UNSUPPORTED,
        ZICBOM_BLOCK_SIZE: CACHE_BLOCK,
        ZICBOP_BLOCK_SIZE: CACHE_BLOCK,
    }


def riscv_hwprobe(process: Process, pairs: int, count: int, size: int, cpus: int, flags: int) -> int:
    """Fill in the value of each {key, value} pair; with WHICH_CPUS, keep those CPUs that have all the values."""
    if flags not in (0, WHICH_CPUS) or (flags == WHICH_CPUS and not (size and cpus)):
        return -EINVAL
    memory = process.memory
    known = hardware(memory.top - 1)
    wanted = int.from_bytes(memory.read(cpus, size), "little") if cpus and size else 0
    online = sum(1 << cpu for cpu in os.sched_getaffinity(0))
    if flags == 0:
        if (cpus or size) and not wanted & online:
            return -EINVAL
        for at in range(pairs, pairs + 16 * count, 16):
            key = memory.load(at, 8)
            if key not in known:
                memory.store(at, 8, -1)
            memory.store(at + 8, 8, known.get(key, 0))
        return 0
    chosen = (wanted or online) & online
    for at in range(pairs, pairs + 16 * count, 16):
        key, value = memory.load(at, 8), memory.load(at + 8, 8)
        if key not in known:
            memory.store(at, 8, -1)
            memory.store(at + 8, 8, 0)
        has = known.get(key)
        if has is None or (has & value != value if key in _BITS else has != value):
            chosen = 0
    memory.write(cpus, (chosen & (1 << 8 * size) - 1).to_bytes(size, "little"))
    return 0


def riscv_flush_icache(process: Process, start: int, end: int, flags: int) -> int:
    """Make code that was written visible to execution; like the kernel, do so everywhere if the range is empty."""
    if flags & ~LOCAL:
        return -EINVAL
    process.engine.invalidate(*((start, end) if start < end else (0, 1 << 64)))
    return 0
