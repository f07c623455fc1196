"""sys/shm.h and its family: shared memory inside of guest memory, and the structures in which hosts differ."""

from __future__ import annotations

import ctypes
import struct

from xenos.linux import heir, kernel, passing
from xenos.memory import host
from xenos.memory.flat import BASE, page_up
from xenos.memory.host import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL, ENOMEM, EFAULT = 22, 12, 14
IPC_SET, IPC_STAT, SHM_STAT, SEM_STAT, SEM_STAT_ANY = 1, 2, 13, 18, 20
IPC_INFO, SEM_INFO, GETALL, SETALL, SETVAL = 3, 19, 13, 17, 16
SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC = 0o10000, 0o20000, 0o40000, 0o100000
SIGEV_THREAD = 2
_SEGMENT_SIZE_AT = 48   # shm_segsz in struct shmid64_ds, behind its struct ipc64_perm
_PERM = 48              # sizeof(struct ipc64_perm)
_KEY_AT = 0
_NAME = "/SYSV"


def shmat(process: Process, shmid: int, shmaddr: int, shmflg: int) -> int:
    """shmat(2)."""
    memory = process.memory
    status = ctypes.create_string_buffer(256)
    result = kernel.call(process, "shmctl", shmid, IPC_STAT, status)
    if result < 0:
        return result
    key, = struct.unpack_from("<I", status, _KEY_AT)
    size, = struct.unpack_from("<Q", status, _SEGMENT_SIZE_AT)
    length = page_up(size)
    prot = (1 if shmflg & SHM_RDONLY else 3) | (4 if shmflg & SHM_EXEC else 0)
    with memory.lock:
        if shmaddr:
            if shmflg & SHM_RND:
                shmaddr &= -PAGE
            if shmaddr & PAGE - 1 or shmaddr < 0x10000 or shmaddr + length > memory.size - PAGE:
                return -EINVAL
            if not shmflg & SHM_REMAP and memory.regions.between(shmaddr, shmaddr + length):
                return -EINVAL
        elif shmflg & SHM_REMAP:
            return -EINVAL
        else:
            shmaddr = memory.find_free(length)

        def attach() -> None:
            flags = shmflg & SHM_RDONLY | SHM_REMAP
            done = kernel.call(process, "shmat", shmid, BASE + shmaddr, flags)
            if done < 0:
                raise OSError(-done, "shmat")
            if not prot & 2:
                host.mprotect(BASE + shmaddr, length, host.READ)

        memory.place(shmaddr, length, prot, attach, name=f"{_NAME}{key:08x}")
    if prot & 2:
        heir.of(process).appoint(process)
    return shmaddr


def shmdt(process: Process, shmaddr: int) -> int:
    """shmdt(2)."""
    memory = process.memory
    with memory.lock:
        region = memory.regions.at(shmaddr)
        if region is None or region.start != shmaddr or not region.name.startswith(_NAME):
            return -EINVAL
        memory.unmap(region.start, region.end - region.start)
    return 0


def semctl(process: Process, semid: int, semnum: int, cmd: int, arg: int) -> int:
    """semctl(2): of one structure hosts have a layout of their own, with a reserved word behind each time."""
    cmd &= ~0x100  # IPC_64 is what all 64-bit kernels mean
    if cmd == SETVAL:
        return kernel.call(process, "semctl", semid, semnum, cmd, arg)
    if cmd in (IPC_INFO, SEM_INFO, GETALL, SETALL):
        return kernel.call(process, "semctl", semid, semnum, cmd, passing.address(process, arg))
    if cmd not in (IPC_STAT, IPC_SET, SEM_STAT, SEM_STAT_ANY):
        return kernel.call(process, "semctl", semid, semnum, cmd, 0)
    buffer = ctypes.create_string_buffer(128)
    if cmd == IPC_SET:
        ctypes.memmove(buffer, process.memory.read(arg, _PERM), _PERM)
    result = kernel.call(process, "semctl", semid, semnum, cmd, buffer)
    if result < 0 or cmd == IPC_SET:
        return result
    words = struct.unpack_from("<7Q", buffer, _PERM)
    # The time of the last change is never zero: where it is not the second word, a reserved one stands there.
    times = words[:3] if words[1] else (words[0], words[2], words[4])
    process.memory.write(arg, buffer.raw[:_PERM] + struct.pack("<5Q", *times, 0, 0))
    return result


def mq_notify(process: Process, mqdes: int, sevp: int) -> int:
    """mq_notify(2): a struct sigevent whose value may be a pointer."""
    if not sevp:
        return kernel.call(process, "mq_notify", mqdes, 0)
    event = bytearray(process.memory.read(sevp, 64))
    value, _, notify = struct.unpack_from("<Qii", event)
    if notify == SIGEV_THREAD:
        struct.pack_into("<Q", event, 0, passing.address(process, value))
    return kernel.call(process, "mq_notify", mqdes, bytes(event))
