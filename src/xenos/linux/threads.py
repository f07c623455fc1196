"""The threads of a guest process: how they start and end, and how the first of them leads the others."""

from __future__ import annotations

import _thread

from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenos.cpu.state import Cpu
    from xenos.linux.outcome import Outcome
    from xenos.linux.process import Process
    from xenos.linux.program import Program
    from xenos.linux.thread import Thread

EAGAIN, SIGKILL = 11, 9
_SWITCH = 50e-6         # seconds that a thread back from its code waits for another's Python
_SPARE_CPUS = 8
_C_LIBRARYS = 1 << 32 - 1 | 1 << 33 - 1     # signals whose handlers the host's C library sets as its first thread starts
_STACK = 1 << 20        # bytes of the host's stack for a thread: Python's own needs, not the guest's


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
        self._gate, self._news = _thread.allocate_lock(), _thread.allocate_lock()

    def __iter__(self) -> Iterator[Thread]:
        return iter(list(self._alive))

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
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
                leader.end()
                self._remove(leader)
            else:
                self._news.acquire()    # until another thread ends the process, executes a program, or was the last
        self.stop()
        leader.let_go()
        if self._failure is not None:
            raise self._failure
        if process.forked:
            process.end_child(None)
        return process.outcome

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
        leader.apply_mask()

    # The others.

    def start(self, thread: Thread, tell: list[int]) -> int:
        """Let a new thread run; returns its id, which is stored at the addresses `tell`, too.

        OSError (EAGAIN) if the host has no more.
        """
        process = self._process
        if process.bridge is not None and process.bridge.full:
            raise OSError(EAGAIN, "no more threads")
        if not self.several:
            import sys

            sys.setswitchinterval(_SWITCH)
            _thread.stack_size(_STACK)
        started = _thread.allocate_lock()
        started.acquire()
        caller = process.thread
        caller.block_all()              # the new one inherits that, and unblocks when it can be found
        self._alive.append(thread)
        try:
            _thread.start_new_thread(self._main, (thread, started, tell))
            started.acquire()
            if self._first:
                self._first = False
                process.signals.again(_C_LIBRARYS)
        except RuntimeError as error:
            self._alive.remove(thread)
            raise OSError(EAGAIN, "no more threads") from error
        finally:
            caller.apply_mask()
        return thread.tid

    def _main(self, thread: Thread, started: _thread.LockType, tell: list[int]) -> None:
        process = self._process
        try:
            thread.begin()
            for address in tell:
                try:
                    process.memory.store(address, 4, thread.tid)
                except MemoryFault:     # as Linux: the thread runs all the same
                    pass
            started.release()
            process.loop(thread)
            if process.forked and process.leader is thread:
                self.lead(1 << 62)      # it has become the leader of a forked child
        except BaseException as error:
            if process.forked and process.leader is thread:
                process.end_child(error)
            self._failure = self._failure or error
            process.die(SIGKILL)
        thread.end()
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
        leader = self._process.leader
        while any(thread is not leader for thread in self._alive):
            self.interrupt()
            self._news.acquire(timeout=0.02)

    def after_fork(self, thread: Thread) -> None:
        """In a forked child: the thread that forked is the only one, and the leader."""
        self._alive = [thread]
        self._counted = 0
        self.held = False
        self._gate, self._news = _thread.allocate_lock(), _thread.allocate_lock()
        self._process.leader = thread
