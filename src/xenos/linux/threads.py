"""The threads of a guest process: how they start and end, and how the first of them leads the others."""

from __future__ import annotations

import _thread
import ctypes

from xenos.cpu.layout import CALLS
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.linux.outcome import Outcome
    from xenos.linux.process import Process
    from xenos.linux.program import Program
    from xenos.linux.thread import Thread

EAGAIN, SIGKILL = 11, 9
_SWITCH = 50e-6         # seconds that a thread back from its code waits for another's Python
_SPARE_CPUS = 8
_C_LIBRARYS = 1 << 32 - 1 | 1 << 33 - 1     # signals whose handlers the host's C library sets as its first thread starts
_LATE = 0.02            # seconds after which news that nobody told are looked for
_STACK = 1 << 20        # bytes of the stack of a thread of Python's
SLICE = 1 << 25         # instructions between two looks at what the host's signals left, some 20 ms
_here: Threads | None = None    # those of the guest whose threads were started last
_told: Any = None


def _callback() -> int:
    """Host address of what threads call that need Python, or that have ended. It stays: they may be late."""
    global _told
    if _told is None:
        _told = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64)(_called)
    return ctypes.cast(_told, ctypes.c_void_p).value or 0


def _called(record: int, ended: int) -> None:
    assert _here is not None
    if ended:
        _here.look()
    else:
        _here.lead_on(record)


class Threads:
    """Those that have not ended; iterate for them. `successor` is the program that execve(2) is about to put in their place."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._alive = [process.leader]
        self.successor: tuple[Program, list[bytes], int] | None = None  # with its environment and mask
        self.held = False               # whether all but the leader are to stand still
        self.last_status = 0            # of exit(2), by whichever thread ended last
        self._failure: BaseException | None = None      # of ours, in another thread than the leader
        self._counted = 0               # instructions that threads executed which have ended
        self._first = True              # whether no thread has been started yet
        self._spare: list[Cpu] = []     # of threads that have ended
        self._native: dict[int, tuple[Any, Thread]] = {}    # those that live without Python, with their records, by address
        self._launches: Any = None      # of an engine whose code can be entered without Python
        self._gate, self._news = _thread.allocate_lock(), _thread.allocate_lock()

    def __iter__(self) -> Iterator[Thread]:
        self._reap()
        return iter(list(self._alive))

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        if len(self._alive) > 1:
            self._reap()
        return len(self._alive) > 1

    @property
    def instructions(self) -> int:
        """Guest instructions executed so far, by all of them."""
        return self._counted + sum(thread.cpu.count for thread in self)

    # The leader.

    def lead(self, budget: int) -> Outcome | None:
        """What the first thread does: run, become a new program, and at the end see to it that the others have ended.

        None if its budget is used up; the others stand still then.
        """
        process = self._process
        leader = process.leader
        self._quiet(not leader.ended)
        self._go_on()
        while True:
            if not leader.ended:
                process.loop(leader, budget)
            if process.outcome is not None:
                break
            if self.successor is not None:
                self._succeed()
            elif not leader.ended:
                self._hold()            # its budget is used up
                return None
            elif leader in self._alive:
                self._quiet(False)
                leader.end()
                self._remove(leader)
                self._reap()            # those that did not see any more that their end is to be told
            else:
                self._news.acquire()    # until another thread ends the process, executes a program, or was the last
        self.stop()
        if self._failure is not None:
            raise self._failure
        if process.forked:
            process.end_child(None)
        return process.outcome

    def _quiet(self, quiet: bool) -> None:
        if self._process.bridge is not None:
            self._process.bridge.quiet = quiet

    def _hold(self) -> None:
        if self.several:
            self.held = self._gate.acquire()
            self.interrupt()

    def _go_on(self) -> None:
        if self.held:
            self.held = False
            self._gate.release()

    def stand_still(self) -> None:
        """On a thread that is not the leader: wait until that runs again."""
        with self._gate:
            pass

    def _succeed(self) -> None:
        """Become the program that execve(2) was asked for, as the only thread."""
        from xenos.linux import execute

        self.stop()
        assert self.successor is not None
        (found, environment, mask), self.successor = self.successor, None
        leader = self._process.leader
        leader.mask = mask
        if leader.ended:
            leader.ended = False
            leader.begin(main=True)
            self._alive.append(leader)
        execute.replace(self._process, found, environment)
        self._quiet(True)
        leader.apply_mask()

    # The others.

    def start(self, thread: Thread, tell: list[int]) -> int:
        """Let a new thread run; returns its id, which is stored at the addresses `tell`, too.

        OSError (EAGAIN) if the host has no more.
        """
        global _here
        process = self._process
        bridge = process.bridge
        if bridge is None:
            return self._start_here(thread, tell)
        self._reap()
        if bridge.full:
            raise OSError(EAGAIN, "no more threads")
        if not self.several:
            import sys

            sys.setswitchinterval(_SWITCH)
            self._launches = getattr(process.engine, "launches", None)
        _here = self
        cpu, caller = thread.cpu, process.thread
        code = 0
        if process.shortcuts is not None:
            cpu.set(CALLS, bridge.table_at(process.shortcuts))
            code = self._launches.start(cpu, process.memory, SLICE) if self._launches is not None else 0
        caller.block_all()              # the new one inherits that, and unblocks when it can be found
        try:
            made = bridge.start(cpu, code, thread.mask, _callback())
            if made is None:
                if code:
                    self._launches.lost(cpu)
                raise OSError(EAGAIN, "no more threads")
            record, thread.tid = made
            self._tell_id(thread, tell)
            self._native[ctypes.addressof(record)] = record, thread
            self._alive.append(thread)  # who stops all threads from here on stops this one, too
            if code and (self.held or process.outcome is not None or self.successor is not None):
                self._launches.lost(cpu)
                bridge.hold_back(record)
            bridge.go(record)
            if self._first:
                self._first = False
                process.signals.again(_C_LIBRARYS)
        finally:
            caller.apply_mask()
        return thread.tid

    def _start_here(self, thread: Thread, tell: list[int]) -> int:
        """The same where there is no bridge: a thread of Python's."""
        started = _thread.allocate_lock()
        started.acquire()

        def main() -> None:
            thread.begin()
            self._tell_id(thread, tell)
            started.release()
            self._run(thread, None)

        self._alive.append(thread)
        _thread.stack_size(_STACK)
        try:
            _thread.start_new_thread(main, ())
        except RuntimeError as error:
            self._alive.remove(thread)
            raise OSError(EAGAIN, "no more threads") from error
        started.acquire()
        return thread.tid

    def _tell_id(self, thread: Thread, tell: list[int]) -> None:
        for address in tell:
            try:
                self._process.memory.store(address, 4, thread.tid)
            except MemoryFault:     # as Linux: the thread runs all the same
                pass

    def lead_on(self, record: int) -> None:
        """On a thread that has lived without Python so far: go on with it until it ends."""
        words, thread = self._native.pop(record)
        self._process.here.thread = thread
        self._run(thread, words)

    def _run(self, thread: Thread, record: Any) -> None:
        """A thread's life with Python."""
        process = self._process
        try:
            process.loop(thread, exit=self._landed(thread, record))
            if process.forked and process.leader is thread:
                self.lead(1 << 62)      # it has become the leader of a forked child
        except BaseException as error:
            if process.forked and process.leader is thread:
                process.end_child(error)
            self._failure = self._failure or error
            process.die(SIGKILL)
        thread.end()
        self._remove(thread)

    def _landed(self, thread: Thread, record: Any) -> Exit | None:
        if record is None or not self._process.bridge.began(record):
            return None
        left: Exit | None = self._launches.land(thread.cpu)
        return left

    def look(self) -> None:
        """A thread has ended without Python: whoever waits for that looks."""
        self._reap()
        self._tell()

    def _reap(self) -> None:
        """Forget threads that have ended without Python."""
        process = self._process
        if process.bridge is None or not process.bridge.some_ended():
            return
        for at, (record, thread) in list(self._native.items()):
            if process.bridge.ended(record) and self._native.pop(at, None) is not None:
                self._launches.lost(thread.cpu)
                process.bridge.leave(thread.tid, thread.cpu)
                thread.ended = True
                self._remove(thread)

    def spare_cpu(self) -> Cpu | None:
        """The CPU of a thread that has ended: it still knows where translated code is."""
        return self._spare.pop() if self._spare else None

    def _remove(self, thread: Thread) -> None:
        self._alive.remove(thread)
        self._counted += thread.cpu.count
        if thread is not self._process.leader and len(self._spare) < _SPARE_CPUS:
            self._spare.append(thread.cpu)
        if not self._alive and self.successor is None:
            self._process.finish(self.last_status)
        self._tell()

    def _tell(self) -> None:
        """Let the leader look around, if it waits."""
        if self._news.locked():
            try:
                self._news.release()
            except RuntimeError:        # another thread was first
                pass

    def interrupt(self) -> None:
        """Make all but the calling thread look around, also if they wait in a call."""
        here = self._process.thread
        for thread in self:
            if thread is not here:
                thread.poke()
        self._tell()

    def stop(self) -> None:
        """On the leader: wait until no other is left. They end as they see that the process does, or gets a successor."""
        self._go_on()
        self._quiet(False)
        leader = self._process.leader
        while any(thread is not leader for thread in self):
            self.interrupt()
            self._news.acquire(timeout=_LATE)
        leader.let_go()
        if self._process.heirs is not None:
            self._process.heirs.dismiss()

    def after_fork(self, thread: Thread) -> None:
        """In a forked child: the thread that forked is the only one, and the leader."""
        self._alive = [thread]
        self._native.clear()
        self._quiet(True)
        self._counted = 0
        self.held = False
        self._gate, self._news = _thread.allocate_lock(), _thread.allocate_lock()
        self._process.leader = thread
