"""How a child process is made: by fork(2), or with what clone(2) has beyond that; and what it tells its parent as it begins."""

from __future__ import annotations

import _thread
import ctypes
import os
import time

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.process import Process

CLONE_FS, CLONE_FILES, CLONE_VFORK, CLONE_PARENT = 0x200, 0x400, 0x4000, 0x8000
SIGCHLD, EINVAL = 17, 22
_PR_GET_TID_ADDRESS = 40
_POLLIN = 1
_PATIENCE = 1.0     # seconds: an import takes milliseconds


def beyond_fork(process: Process, flags: int, signal: int) -> int:
    """What the host's clone is to be given instead of a fork: flags and the signal at the child's end; 0 if a fork is all.

    Descriptors and a directory are copied for a child of vfork, which shares them only until it executes a program; where there
    are rules about files, which look at them; and where workers hold some, which end with a fork.
    """
    shared = flags & (CLONE_FS | CLONE_FILES)
    if flags & CLONE_VFORK or process.policy is not None or getattr(getattr(process.engine, "pool", None), "workers", None):
        shared = 0
    if process.bridge is None or (signal == SIGCHLD and not shared and not flags & CLONE_PARENT):
        return 0
    return shared | flags & CLONE_PARENT | signal | 1 << 63


def _let_imports_end() -> None:
    """Wait until no other thread is in the middle of importing a module: a child would wait for that thread for ever."""
    import _frozen_importlib

    locks: Any = getattr(_frozen_importlib, "_module_locks", {})
    mine, until = _thread.get_ident(), time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        held = [lock for one in list(locks.values()) if (lock := one()) is not None]
        if all(getattr(lock, "owner", None) in (None, mine) for lock in held):
            return
        time.sleep(0)


class Birth:
    """The making of one child. Until it has its own copy of what engines share by memfd (translated code), its parent waits."""

    def __init__(self, process: Process, wanted: int) -> None:
        self._process = process
        self._wanted = wanted & (1 << 63) - 1 if wanted else SIGCHLD
        self._by_fork = not wanted
        self._common = self._wanted & CLONE_FILES != 0   # what one of the two closes is closed
        self._ends = os.pipe()

    def fork(self) -> int:
        """As os.fork."""
        _let_imports_end()
        if self._by_fork:
            return os.fork()
        process = self._process
        if self._common:
            process.descriptors.common = True
        if self._wanted & CLONE_FS:
            process.paths.keep_step(process)
        tid_at = ctypes.c_uint64()
        kernel.plain("prctl", _PR_GET_TID_ADDRESS, ctypes.addressof(tid_at), 0, 0, 0)
        api = ctypes.pythonapi
        after = ctypes.cast(api.PyOS_AfterFork_Child, ctypes.c_void_p).value
        word = ctypes.c_long
        part = ctypes.PYFUNCTYPE(word, word, word, word, word)(process.bridge.address_of["part"])
        api.PyOS_BeforeFork()
        made: int = part(process.bridge.address_of["raw"], kernel.number("clone"), self._wanted, after)
        if made == 0:
            if tid_at.value:    # where the C library keeps this thread's id
                ctypes.c_int.from_address(tid_at.value).value = os.getpid()
            return 0
        api.PyOS_AfterFork_Parent()
        if made == -EINVAL:     # a host that is an emulator itself may have no more than forks
            self._common = False
            return os.fork()
        if made < 0:
            raise OSError(-made, os.strerror(-made))
        return made

    def wait(self, child: int) -> int:
        """In the parent: until the child has begun. The number that it told, or 0."""
        if not self._common:
            os.close(self._ends[1])
            return int.from_bytes(os.read(self._ends[0], 4), "little")
        from select import poll

        fd = os.pidfd_open(child)       # our own end stays open, and tells nothing of the child's end
        try:
            begun = poll()
            for end in self._ends[0], fd:
                begun.register(end, _POLLIN)
            ready = {end for end, _ in begun.poll()}
            return int.from_bytes(os.read(self._ends[0], 4), "little") if self._ends[0] in ready else 0
        finally:
            os.close(fd)
            os.close(self._ends[1])

    def begun(self, number: int) -> None:
        """In the child: let the parent go on."""
        os.write(self._ends[1], number.to_bytes(4, "little"))
        if not self._common:
            os.close(self._ends[1])

    def close(self, child: int) -> None:
        """In both, with what `fork` gave, or -1 if that failed."""
        if child or not self._common:
            os.close(self._ends[0])
        if child < 0:
            os.close(self._ends[1])
