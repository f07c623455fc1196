"""A guest program under control: run it a while, stop it at a symbol, read and change its registers and memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from xenos.api.breakpoint import Breakpoint
from xenos.api.find import find
from xenos.api.policy import Policy
from xenos.api.profile import Profile, profile_of
from xenos.api.result import Result
from xenos.api.start import start
from xenos.cpu import layout
from xenos.cpu.exits import Breakpoint as BreakpointExit
from xenos.cpu.exits import Budget, Exit
from xenos.cpu.state import Cpu
from xenos.engines import choose
from xenos.errors import UsageError
from xenos.isa import find_guest
from xenos.linux.process import FOREVER
from xenos.linux.process import Process as LinuxProcess
from xenos.memory.flat import FlatMemory

# Engines are kept for the next process: making one costs more than the whole run of a small program.
_engines: dict[tuple[str, str], Any] = {}


class _Reached(Exception):
    """The guest has come to the address that `run_until` waits for."""


class _Linux(LinuxProcess):
    """A process that stops at one address instead of dying of the breakpoint there."""

    wanted = -1

    def handle(self, exit: Exit) -> None:
        if type(exit) is BreakpointExit and self.cpu.pc == self.wanted:
            raise _Reached
        super().handle(exit)


class _Stepper:
    """The reference engine, remembering why it stopped."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.reference = getattr(engine, "reference", engine)
        self.last: Exit = Budget()

    def run(self, cpu: Cpu, memory: FlatMemory, budget: int) -> Exit:
        self.last = self.reference.run(cpu, memory, budget)
        return self.last

    def invalidate(self, start: int, end: int) -> None:
        """Guest code in this range was changed: the engine that goes on after the step must know as well."""
        self.engine.invalidate(start, end)
        self.reference.invalidate(start, end)


class Process:
    """A Linux program of a foreign instruction set, loaded and standing before its first instruction.

    It lives in this process: it shares its files, its current directory and its standard streams, and what it does to
    them is done. Only one may be open at a time; `close()` it, or use it in a `with` statement. `xenos.run` has neither
    limit. Registers are read and set by name: `process["a0"]`; addresses and registers are unsigned numbers.
    """

    def __init__(
        self, program: str | os.PathLike[str], *arguments: str | os.PathLike[str],
        sysroot: str | os.PathLike[str] | None = None, env: Mapping[str, str] | None = None, engine: str = "region",
        strace: bool = False, policy: Policy | None = None,
    ) -> None:
        """`sysroot`, `env`, `engine` and `strace` are those of `xenos.run`, and so are the errors raised.

        `policy` holds at the guest's system calls only: the host's kernel cannot confine it without confining the
        caller. A `max_time` is a UsageError; `run` takes a limit.
        """
        if policy is not None and policy.max_time is not None:
            raise UsageError("a Process has no max_time: run() takes a limit in instructions, or use xenos.run")
        self._open = self._loaded = False
        self._result: Result | None = None
        path, name, root = find(os.fspath(program), None if sysroot is None else os.fspath(sysroot))
        self._guest = find_guest(name)
        self._env = env
        self._policy = None if policy is None or policy.empty else policy
        kept = _engines.get((engine, name))
        linux = start(name, engine, sysroot=root, strace=strace, engine=kept, make=_Linux)
        assert isinstance(linux, _Linux)
        self._linux = linux
        self._open = True
        _engines[engine, name] = linux.engine
        self._stepper: _Stepper | None = None
        try:
            self.load(path, *arguments)
        except BaseException:
            self.close()
            raise

    def load(self, program: str | os.PathLike[str], *arguments: str | os.PathLike[str]) -> None:
        """Put another program of the same guest in place of whatever is there."""
        self._argv = [os.fspath(word) for word in (program, *arguments)]
        self.reset()

    def reset(self) -> None:
        """Start the program anew: fresh memory and registers, open files closed."""
        self._check(loaded=False)
        self._result = None
        self._loaded = False
        self._lift()
        self._linux.reset()
        self._linux.load(self._argv[0], self._argv, dict(os.environ if self._env is None else self._env))
        self._loaded = True
        if self._policy is not None:
            from xenos.linux.policy.confine import enforce

            files = [os.path.abspath(os.fsencode(self._argv[0])), self._linux.executable]
            enforce(self._linux, self._policy, files, os.getpid())

    def _lift(self) -> None:
        """Take the policy away: what follows is ours to do, not the guest's."""
        if self._linux.policy is not None:
            self._linux.policy.lift(self._linux)

    # Running.

    def run(self, limit: int | None = None) -> Result | None:
        """Run to the program's end, or about `limit` instructions: then the result is None, and it can go on."""
        self._check()
        self._linux.run(FOREVER if limit is None else limit)
        return self.result

    def step(self, count: int = 1) -> Exit:
        """Execute exactly `count` instructions, in the reference engine; says why the CPU stopped last.

        That is `Budget()` after a plain instruction. A system call, a fault or a signal has been seen to by then;
        `result` tells whether that was the program's end.
        """
        self._check()
        if self.result is not None:
            raise UsageError("the program has ended; reset() starts it anew")
        if count < 1:
            raise UsageError(f"cannot step {count} instructions")
        engine = self._linux.engine
        if self._stepper is None:
            self._stepper = _Stepper(engine)
        self._linux.engine = self._stepper
        try:
            self._linux.run(count)
        finally:
            self._linux.engine = engine
        return self._stepper.last

    def run_until(self, where: int | str, limit: int | None = None) -> bool:
        """Run until the pc is at an address, or at a symbol. False if the program ended, or executed `limit` first.

        A pc that is there already counts when it comes there again.
        """
        self._check()
        address = self.symbols[where] if isinstance(where, str) else where
        if self.pc == address and self.result is None:
            self.step()
            if self.pc == address:
                return True
        if self.result is not None:
            return False
        with Breakpoint(self._linux, self._guest, address):
            self._linux.wanted = address
            try:
                self._linux.run(FOREVER if limit is None else limit)
            except _Reached:
                return True
            finally:
                self._linux.wanted = -1
        return False

    @property
    def result(self) -> Result | None:
        """How the program ended; None while it has not."""
        outcome = self._linux.outcome
        if self._result is None and outcome is not None:
            crash = outcome.report() if outcome.signal else ""
            self._result = Result(outcome.status, outcome.signal, self.instructions, crash)
        return self._result

    @property
    def instructions(self) -> int:
        """Guest instructions executed so far."""
        return self._linux.instructions

    @property
    def profile(self) -> Profile:
        """Which loops were hot so far, and with the region engine what was decided about them and which ways they took."""
        self._check()
        return profile_of(self._linux)

    # Looking and changing.

    @property
    def pc(self) -> int:
        """Address of the next instruction; may be set."""
        return self._cpu.pc

    @pc.setter
    def pc(self, address: int) -> None:
        self._cpu.pc = address

    def __getitem__(self, register: str) -> int:
        return self._cpu.read(*self._register(register))

    def __setitem__(self, register: str, value: int) -> None:
        self._cpu.write(*self._register(register), value)

    @property
    def flags(self) -> int:
        """Floating-point exceptions since the flags were cleared: 1 inexact, 2 underflow, 4 overflow, 8 divide by zero, 16 invalid;
        may be set."""
        return self._cpu.get(layout.FLAGS)

    @flags.setter
    def flags(self, value: int) -> None:
        self._cpu.set(layout.FLAGS, value & 31)

    @property
    def _cpu(self) -> Cpu:
        self._check()
        return self._linux.cpu

    def _register(self, name: str) -> tuple[str, int]:
        try:
            return self._guest.names[name]
        except KeyError:
            raise KeyError(f"{self._guest.name} has no register {name!r}") from None

    @property
    def registers(self) -> dict[str, int]:
        """A copy of all registers, by their best-known names."""
        read = self._cpu.read
        return {name: read(*register) for name, register in choose.register_names(self._guest.name).items()}

    @property
    def memory(self) -> FlatMemory:
        """The guest's memory: `read(address, length)`, `write(address, data)`, `load`, `store`, `cstring`, `regions`.

        What is not mapped raises `xenos.memory.flat.MemoryFault`.
        """
        self._check()
        return self._linux.memory

    @property
    def symbols(self) -> dict[str, int]:
        """Addresses by name, of the program and of the libraries that are mapped by now; the program's own win."""
        from xenos.api.symbols import mapped_symbols

        self._check()
        return mapped_symbols(self._linux.memory, os.fsdecode(self._linux.executable))

    # Ending.

    def close(self) -> None:
        """Give the guest's memory and files back. Only `result` can still be read."""
        if self._open:
            self._result = self.result  # the report on a crash looks into memory
            self._open = False
            choose.keep(self._linux.engine)
            self._lift()
            self._linux.reset()
            self._linux.memory.close()

    def _check(self, loaded: bool = True) -> None:
        if not self._open:
            raise UsageError("this process is closed")
        if loaded and not self._loaded:
            raise UsageError(f"no program is loaded: {self._argv[0]} could not be; load() another")

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self.close()

    def __repr__(self) -> str:
        state = repr(self.result) if self.result is not None else f"pc={self._linux.cpu.pc:#x}" if self._open else "closed"
        return f"Process({self._argv[0]!r}, {state})"
