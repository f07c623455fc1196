"""One guest process: its program, its files, its threads, and the loop that answers what their CPUs stop for."""

from __future__ import annotations

import _thread
import os
import time

from xenos.cpu.exits import Breakpoint, Budget, Fault, Illegal, Interrupted, Syscall
from xenos.cpu.layout import CALLS, CONTROL_SIZE, COUNT, WAKE
from xenos.errors import EngineError
from xenos.linux import dispatch, kernel, loader, program, shortcuts, stack
from xenos.linux.descriptors import Descriptors, Room, hidden, reserve
from xenos.linux.outcome import Outcome
from xenos.linux.paths import Paths
from xenos.linux.signals import HARMLESS, SIGBUS, SIGILL, SIGSEGV, SIGSTOP, SIGTRAP, STOPPING, Signals
from xenos.linux.thread import NOBODY, Thread
from xenos.linux.threads import SLICE, Threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.linux.form import LinuxForm
    from xenos.linux.heir import Heirs
    from xenos.linux.policy.enforcer import Enforcer
    from xenos.memory.flat import FlatMemory

    class Engine(Protocol):
        """What executes guest instructions."""

        def run(self, cpu: Cpu, memory: FlatMemory, budget: int) -> Exit:
            """Execute about `budget` instructions, or until something happens."""

        def invalidate(self, start: int, end: int) -> None:
            """The guest wrote code at [start, end)."""

FOREVER = 1 << 62
PR_SET_NAME = 15
TURN = 20_000  # instructions that a thread runs before the others may, where the engine runs one at a time
EINTR, EFAULT, ERESTARTSYS = 4, 14, 512
_MASK = (1 << 64) - 1
_WAKE = (CONTROL_SIZE + WAKE) // 8      # index of a CPU's word


class Process:
    """A guest process. `load()` a program, then `run()` it; `reset()` makes it as new.

    Its first thread runs in the thread of the host that calls `run()`, others in threads of their own. `bridge` is the way to
    the host's kernel that signals can end (`engines.runtime.bridge`); without one the guest gets no signals from outside.

    `before_fork`, `after_fork` (in the child), `after_exec` (of a guest's program) and `before_end` (of a forked child) are lists
    of functions without arguments, called then.
    """

    policy: Enforcer | None = None  # what confines the guest, once its first program is loaded

    def __init__(
        self, form: LinuxForm, cpu: Cpu, memory: FlatMemory, engine: Engine, *,
        sysroot: str | bytes | None = None, strace: bool = False, bridge: Any = None,
    ) -> None:
        self.form = form
        self.memory = memory
        self.engine = engine
        self.bridge = bridge
        self.paths = Paths(sysroot)
        self.strace = strace
        self.before_fork: list[Callable[[], object]] = []
        self.after_fork: list[Callable[[], object]] = []
        self.after_exec: list[Callable[[], object]] = []
        self.before_end: list[Callable[[], object]] = []
        self.calls: dict[int, dispatch.Call] = {}
        self.needed: list[str] = []     # modules that the engine may import later, for `preload`
        self.forked = False             # this is a child that a guest's fork made
        self.here: Any = _thread._local()
        self.leader = Thread(self, cpu)
        places = [(CONTROL_SIZE + cpu.layout.offset(*at)) // 8 for at in (form.number, form.result, *form.arguments)]
        self._number, self._result, *self._arguments = places   # indices of a CPU's words
        self.shortcuts = shortcuts.table(self)
        self.signals = Signals(self)
        self._fresh()

    def _fresh(self) -> None:
        self.outcome: Outcome | None = None
        self.descriptors = Descriptors()        # those that the guest opened or inherited
        self.cwd_fd: int | None = None          # the guest's current directory, where it is not the host's
        self.name = b""                         # path of the program, as the guest calls it
        self.executable = b""                   # and on the host
        self.argv: list[bytes] = []
        self.env: list[bytes] = []
        self.auxv = b""
        self.arguments_at = (0, 0, 0)           # first argument, first environment string, behind them
        self.break_start = self.break_end = 0
        self.threads = Threads(self)
        self.timers: set[int] = set()           # those that timer_create(2) made
        self.alarms = False                     # whether setitimer(2) was called
        self.heirs: Heirs | None = None         # where memory is shared with other processes
        self.limits: dict[int, tuple[int, int]] = {}  # resource limits that are the guest's alone
        self.vfork_pipe, self.vfork_stack = -1, 0   # in a child of vfork until it executes a program; its parent's stack pointer
        self.vfork_before: bytes | None = None  # and what lay from there on, if that has other threads

    # The program.

    def load(self, path: str | bytes, argv: Iterable[str | bytes], env: Iterable[str | bytes] | dict[str, str]) -> None:
        """Put a program in place, ready to run. `argv` starts with its own name; `env` is a dict or NAME=VALUE strings.

        Raises LoadError or MissingFile, whose text is one line for the user.
        """
        items = [f"{name}={value}" for name, value in env.items()] if isinstance(env, dict) else env
        found = program.find(self, os.fsencode(path), [os.fsencode(text) for text in argv])
        environment = [os.fsencode(text) for text in items]
        try:
            stack.check_size(found.argv, environment)
            self.replace(found, environment)
        finally:
            found.close()

    def replace(self, found: program.Program, env: list[bytes]) -> None:
        """Map an opened program in place of whatever is there, and point the CPU at its start."""
        cpu, memory, form = self.leader.cpu, self.memory, self.form
        if memory.regions:
            memory.reset()
        executed, mask = cpu.count, self.leader.mask
        cpu.reset()
        cpu.set(COUNT, executed)
        self.leader.mask = mask
        self.leader.alternate_stack = NOBODY
        image = loader.load(self, found)
        pointer = stack.build(self, image, found.path, found.argv, env)
        cpu.write(*form.stack_pointer, pointer)
        cpu.pc = image.start
        if self.shortcuts is not None:
            cpu.set(CALLS, self.bridge.table_at(self.shortcuts))
        self.break_start = self.break_end = image.break_start
        self.executable = os.fsencode(found.elf.path)
        self.name = self.paths.guest(self.executable)
        self.argv, self.env = found.argv, env
        if self.bridge is not None:
            kernel.plain("prctl", PR_SET_NAME, os.path.basename(self.name)[:15] + b"\0", 0, 0, 0)
        for call in self.after_exec:
            call()

    def reset(self) -> None:
        """Forget the program: memory, registers, open files, signal actions. Then `load()` again."""
        self.descriptors.close_all()
        if self.cwd_fd is not None:
            os.close(self.cwd_fd)
        self.threads.stop()
        self.memory.reset()
        self.leader.cpu.reset()
        self.leader.fresh()
        self.signals.reset()
        self._fresh()

    # Running.

    @property
    def thread(self) -> Thread:
        """The guest's thread that the calling thread of the host is; the first one where that is none."""
        try:
            return self.here.thread  # type: ignore[no-any-return]
        except AttributeError:
            return self.leader

    @property
    def cpu(self) -> Cpu:
        """Its CPU."""
        return self.thread.cpu

    @property
    def comm(self) -> bytes:
        """The calling thread's name, if prctl(2) gave it one."""
        return self.thread.comm

    @comm.setter
    def comm(self, name: bytes) -> None:
        self.thread.comm = name

    @property
    def instructions(self) -> int:
        """Guest instructions executed so far, by all threads."""
        return self.threads.instructions

    def run(self, budget: int = FOREVER) -> Outcome | None:
        """Run until the guest ends (its Outcome) or its first thread has executed about `budget` instructions (None).

        In a child that the guest forked this never returns: the host process ends as the guest does.
        """
        before = kernel.get_mask() if self.bridge is not None else 0
        self.signals.listen()
        reserve(True)
        leader = self.leader
        try:
            leader.begin(main=True)
            return self.threads.lead(budget)
        except BaseException as error:
            if not self.forked:
                raise
            self.end_child(error)
        finally:
            if self.bridge is not None:
                leader.block_all()
                self.bridge.leave(leader.tid)
                if self.outcome is not None and (self.timers or self.alarms):
                    from xenos.linux import timers

                    timers.end(self)
                self.signals.restore(drop=~before if self.outcome is not None else 0)
                kernel.set_mask(before)
            reserve(False)
            del self.here.thread
        return self.outcome

    def loop(self, thread: Thread, budget: int = FOREVER, exit: Exit | None = None) -> None:
        """Run a thread until it or the process ends, or another program is to take over, or for a budget.

        `exit` is what its CPU has stopped for already, if anything.
        """
        cpu, memory, threads, words = thread.cpu, self.memory, self.threads, thread.cpu.words
        run, parallel = self.engine.run, getattr(self.engine, "parallel", False)
        if self.shortcuts is not None:
            cpu.set(CALLS, self.bridge.table_at(self.shortcuts))
        start, left = cpu.count, budget
        if exit is not None:
            self.handle(exit)
        while self.outcome is None and not thread.ended and threads.successor is None:
            if words[_WAKE]:
                self.wake(thread)
                continue
            if threads.held and thread is not self.leader:
                threads.stand_still()
                continue
            try:
                if parallel or not threads.several:
                    exit = run(cpu, memory, SLICE if left > SLICE else left)
                else:
                    with memory.lock:
                        exit = run(cpu, memory, min(left, TURN))
                    time.sleep(0)   # the lock is not handed on by itself
            except OSError as error:
                if error.errno != dispatch.EMFILE:
                    raise
                with Room():        # the guest has left none for what the engine has yet to open
                    exit = run(cpu, memory, min(left, TURN))
            if type(exit) is Syscall:
                self.system_call(thread)
            else:
                self.handle(exit)
            if budget < FOREVER:
                left = budget - ((cpu.count - start) & _MASK)
                if left <= 0:
                    break

    def wake(self, thread: Thread) -> None:
        """See to what a thread was woken for: a signal that was noted for it, or news of the process."""
        thread.unpoke()
        if thread.noted:
            from xenos.linux import delivery

            delivery.deliver(self)

    def system_call(self, thread: Thread) -> None:
        """Answer the call that the registers of the calling thread's CPU ask for."""
        words = thread.cpu.words
        number = words[self._number]
        call = self.calls.get(number)
        if call is None:
            call = self.calls[number] = dispatch.find(self, number)
            if not call.guarded:
                shortcuts.offer(self, number, call)
        raw = [words[at] for at in self._arguments]
        if self.strace:
            from xenos.linux import strace

            result = strace.traced(self, call, raw)
        else:
            result = call(self, raw)
        if result == -EFAULT and self.memory.watch and self.memory.watch.open(0, self.memory.size):
            result = call(self, raw)    # the host's kernel found memory of the guest read-only that it is not
        if result == -ERESTARTSYS or (result == -EINTR and thread.undisturbed):
            from xenos.linux import delivery

            delivery.rewind(self)
            return
        if thread.temporary is not None and not thread.noted:
            thread.temporary = None
        if result is not None:
            words[self._result] = result & _MASK

    def handle(self, exit: Exit) -> None:
        """Do what the kernel does for an exit."""
        kind = type(exit)
        if kind is Syscall:
            self.system_call(self.thread)
        elif kind is Budget or kind is Interrupted:     # what for the latter, stands in the WAKE word
            return
        elif isinstance(exit, Fault):
            if exit.mapped == Fault.NOTHING and self.memory.growing:
                from xenos.linux import mman

                if mman.grow(self, exit.address):
                    return
            self._trap(SIGSEGV if exit.mapped in (Fault.NOTHING, Fault.PROTECTED) else SIGBUS, exit)
        elif kind is Illegal:
            self._trap(SIGILL, exit)
        elif kind is Breakpoint:
            self._trap(SIGTRAP, exit)
        else:
            raise EngineError(f"the engine stopped with {exit!r}, which a Linux process has no answer for")

    def _trap(self, signal: int, cause: Exit) -> None:
        """The instruction at the pc raised a signal: to the guest's handler if it can be called now, else the end."""
        blocked = self.thread.mask >> signal - 1 & 1
        if self.signals.handler(signal) > 1 and not blocked and self.form.signal_frame:
            from xenos.linux import delivery

            delivery.trap(self, signal, cause)
        else:
            self.die(signal, cause)

    # Ending.

    def finish(self, status: int) -> None:
        """End with an exit status, as exit_group(2)."""
        self._end(Outcome(self, status & 0xFF, 0, None))

    def die(self, signal: int, cause: Exit | None = None) -> None:
        """End by a signal; `cause` is what the CPU stopped for, if it was that."""
        self._end(Outcome(self, 0, signal, cause))

    def default(self, signal: int) -> None:
        """Do what a signal does by default; one with a milder default comes here if its handler was taken away meanwhile."""
        if signal in STOPPING:
            os.kill(os.getpid(), SIGSTOP)
        elif signal not in HARMLESS:
            self.die(signal)

    def _end(self, outcome: Outcome) -> None:
        if self.outcome is None:
            self.outcome = outcome
        self.threads.interrupt()

    def end_child(self, error: BaseException | None) -> None:
        """End this host process as the guest in it has ended."""
        from xenos.linux.clone import leave_vfork

        outcome = self.outcome
        try:
            leave_vfork(self, executed=False)
            if error is not None and outcome is None:
                self.descriptors.complain(f"xenos: {type(error).__name__}: {error}\n")
            elif outcome is not None and outcome.cause is not None:
                self.descriptors.complain(f"xenos: {outcome.report()}\n")
            self.leave()
            if outcome is not None and outcome.signal:
                self.signals.really_die(outcome.signal)
        finally:
            os._exit(outcome.status if outcome is not None else 125)

    def leave(self) -> None:
        """Call those who want to know before the host process ends. What they keep for later is not worth a failure."""
        try:
            with Room():
                for call in self.before_end:
                    call()
        except OSError:
            pass

    # What system calls need of it.

    def locate(self, dirfd: int, path: bytes, *, follow: bool = True) -> tuple[bytes, int | None]:
        """A guest's (dirfd, path) as a host path and the `dir_fd` for functions of `os`: every path comes by here.

        What comes back is for one call of the host, made at once, which follows a link at its end only if `follow`.
        """
        if self.policy is not None and self.policy.files is not None:
            return self.policy.locate(self, dirfd, path, follow)
        if b"proc" in path or b"/dev/" in path or self.descriptors.listings:
            from xenos.linux import procfs

            found = procfs.locate(self, dirfd, path, follow=follow)
            if found is not None:
                return found
        if path.startswith(b"/"):
            return self.paths.host(path, follow=follow), None
        return path, self.cwd_fd if dirfd == -100 else dirfd

    def hide(self, fd: int) -> int:
        """Move a descriptor of our own above those that guests use; returns its new number."""
        return hidden(fd)

    def opened(self, fd: int) -> int:
        """Note a descriptor that the guest has got; returns it."""
        self.descriptors.add(fd)
        return fd
