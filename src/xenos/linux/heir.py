"""The heir of a process: lets a guest's robust mutexes go where SIGKILL ends it (set_robust_list(2)).

The host's kernel cannot walk a guest's list, whose pointers are the guest's. So a process that shares memory which it may write has
an heir: a process of the host in the same memory (clone(2), CLONE_VM), which waits for the guest's end without doing anything
else and then does what the kernel would have done (engines/runtime/heirs.py). Its end sends no signal, so that no wait of the guest
sees it but those that ask for such children, too; it holds no descriptors. Where there can be none, all else is as it was.
"""

from __future__ import annotations

import ctypes
import os

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.process import Process

CLONE_VM = 0x100
SIGKILL = 9
_WALL = 0x40000000      # wait4(2): children whose end sends no SIGCHLD, too
_CALLS = ("setsid", "prctl", "pidfd_open", "close_range", "ppoll", "futex")
_NAME = b"xenos-heir".ljust(16, b"\0")
_STACK = 48 << 10       # bytes: a handler of faults runs on it, whose frame has all of the host's vector registers
_CHILDREN_MAX = 4096    # whose heirs are kept in mind
_PATIENCE = 5000        # milliseconds that an heir gets
_POLLIN = 1


def of(process: Process) -> Heirs:
    """What a process has of heirs, from now on."""
    if process.heirs is None:
        process.heirs = Heirs()
    return process.heirs


class Heirs:
    """The heir of one process, and those of its children, as far as they are known."""

    def __init__(self) -> None:
        self._pid = 0                           # of the heir's process; 0 where the host gives none
        self._memory: Any = None                # of its own: a record, then its stack
        self._children: dict[int, int] = {}     # by the process id of the child

    def appoint(self, process: Process) -> int:
        """Give the process an heir if it has none; the heir's process id, or 0."""
        with process.memory.lock:
            if self._memory is None and process.bridge is not None and all(map(kernel.has, _CALLS)):
                self._make(process, process.bridge)
        return self._pid

    def _make(self, process: Process, bridge: Any) -> None:
        self._memory = (ctypes.c_uint64 * (_STACK // 8))()
        words = [*map(kernel.number, _CALLS), os.getpid(), bridge.address_of["raw"], bridge.address_of["move"],
                 process.memory.size, bridge.address, int.from_bytes(_NAME[:8], "little"), int.from_bytes(_NAME[8:], "little")]
        self._memory[: len(words)] = words
        record = ctypes.addressof(self._memory)
        make = ctypes.PyDLL(None).clone     # Python's lock is held: it comes back at once
        word = ctypes.c_void_p
        make.argtypes = word, word, ctypes.c_int, word
        process.thread.block_all()          # and its own are blocked for good
        try:
            self._pid = max(0, make(bridge.address_of["inherit"], record + _STACK & -64, CLONE_VM, record))
        finally:
            process.thread.apply_mask()

    def dismiss(self) -> None:
        """None is needed: the process has let its mutexes go. Or it shares nothing any more, or is about to wait for children of
        all kinds."""
        pid, self._pid = self._pid, 0
        if pid:
            try:
                os.kill(pid, SIGKILL)
                os.waitpid(pid, _WALL)
            except OSError:
                pass
        self._memory = None

    def note(self, child: int, pid: int) -> None:
        """The child has an heir with that process id."""
        if pid:
            if len(self._children) >= _CHILDREN_MAX:    # nobody waits for them
                self._children.clear()
            self._children[child] = pid

    def await_of(self, child: int) -> None:
        """A wait has told something of a child: if that is its end, its mutexes are to be free when the guest hears of it."""
        if child not in self._children:
            return
        try:
            os.kill(child, 0)
            return              # it lives, or is to be waited for once more
        except PermissionError:
            return
        except OSError:
            pid = self._children.pop(child)
        from select import poll

        from xenos.linux.descriptors import beyond_limit

        try:
            fd = beyond_limit(lambda: os.pidfd_open(pid))
        except OSError:         # it has ended already
            return
        try:
            ended = poll()
            ended.register(fd, _POLLIN)
            ended.poll(_PATIENCE)
        finally:
            os.close(fd)
