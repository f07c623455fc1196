"""The signals of a guest process: what it asked for, what the host must know of it, and what happens by default."""

from __future__ import annotations

import os

from xenos.linux import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenos.linux.process import Process

SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL = 1, 2, 3, 4, 5, 6, 7, 8, 9
SIGSEGV, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP = 11, 13, 14, 15, 17, 18, 19
SIGTSTP, SIGTTIN, SIGTTOU = 20, 21, 22
SIGURG, SIGXFSZ, SIGWINCH, SIGSYS = 23, 25, 28, 31
NAMES = (
    "", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
    "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
)
LAST = 64
DEFAULT, IGNORE = 0, 1  # handlers that are no addresses
HARMLESS = frozenset((SIGCHLD, SIGCONT, SIGURG, SIGWINCH))
STOPPING = frozenset((SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU))
# Dispositions of these belong to the engines, to Python and its C library; a guest's wish for them is kept here only.
_OURS = frozenset((SIGBUS, SIGSEGV, SIGKILL, SIGSTOP))
_FAULTS = (SIGSEGV, SIGBUS)
_PYTHONS = frozenset((SIGPIPE, SIGXFSZ))    # Python ignores them for its own sake
_PASSED = 0x10000000 | 1 | 2                # SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT: for the host's kernel, too
_ACTION = 32                                # its struct sigaction


def name(number: int) -> str:
    """SIGSEGV for 11."""
    return NAMES[number] if 0 < number < len(NAMES) else f"signal {number}"


class Signals:
    """What a guest process wants done with each signal, and the host's dispositions, which are made to say the same.

    The host's kernel does the rest: which thread a signal goes to, what is pending, what is dropped. One for which the guest has
    a handler, or that ends a process by default, comes to the native handler of `bridge`; `delivery` does what is due.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self.kept: dict[int, bytes] = {}    # pending for any thread, of those that the host never blocks, with their siginfo
        self.shown, self.showing = 0, False     # of those, as bits, what some signalfd(2) is to show; whether one came
        self._before: Any = None        # the host's dispositions of old, while ours are in force
        # Told whether the guest has a handler for faults, who sees its registers: before it has one, and when it has none any more.
        self.when_seen: list[Callable[[bool], object]] = []
        self.reset()

    def reset(self) -> None:
        """Everything as in a new process."""
        self.restore()
        self.kept.clear()
        self._tell_native(bytes(24))
        self.actions: dict[int, bytes] = {}     # struct sigaction as the guest gave it; its first word is the handler

    def clear_handlers(self) -> None:
        """Back to the default where there was a handler; what was ignored stays so. (execve(2), CLONE_CLEAR_SIGHAND)"""
        for number in [number for number in self.actions if self.handler(number) != IGNORE]:
            self.set_action(number, bytes(24))
            del self.actions[number]

    def handler(self, number: int) -> int:
        """Guest address of a signal's handler, DEFAULT or IGNORE."""
        action = self.actions.get(number)
        return DEFAULT if action is None else int.from_bytes(action[:8], "little")

    def set_action(self, number: int, action: bytes) -> None:
        """Record what the guest wants done, and let the host's kernel know."""
        if number in _FAULTS and int.from_bytes(action[:8], "little") > IGNORE:
            self.seen(True)
        self.actions[number] = action
        if number in _FAULTS and not any(self.handler(one) > IGNORE for one in _FAULTS):
            self.seen(False)
        if number == SIGSEGV:
            self._tell_native(action)
        if self._before is not None and number not in _OURS:
            at = _ACTION * (number - 1)     # the others are not looked at
            self._process.bridge.dispose(1 << number - 1, bytes(at) + self._wish(number), None)

    def seen(self, by_guest: bool) -> None:
        """The guest sees the registers where it faults from now on, or no longer."""
        for tell in self.when_seen:
            tell(by_guest)

    def _tell_native(self, action: bytes) -> None:
        """Native code calls the handler of faults that it knows."""
        process = self._process
        if process.shortcuts is not None:
            handler, flags, mask = (int.from_bytes(action[at : at + 8], "little") for at in (0, 8, 16))
            process.bridge.handle(process.shortcuts, handler if handler != IGNORE else DEFAULT, flags, mask)

    def _wish(self, number: int) -> Any:
        """The host's disposition, as the struct of its kernel."""
        bridge = self._process.bridge
        assert bridge is not None
        handler = self.handler(number)
        if handler == IGNORE and number != bridge.POKE:
            return bridge.action(IGNORE, 0)
        if handler == DEFAULT and number in HARMLESS | STOPPING:
            return bridge.action(DEFAULT, 0)
        flags = int.from_bytes(self.actions[number][8:16], "little") if number in self.actions else 0
        return bridge.action(None, flags & _PASSED)

    def _dispose(self, which: int) -> None:
        bridge = self._process.bridge
        assert bridge is not None
        new = b"".join(self._wish(number) if which >> number - 1 & 1 else bytes(_ACTION) for number in range(1, LAST + 1))
        bridge.dispose(which, new, None)

    def listen(self) -> None:
        """From now on the host's signals are the guest's."""
        bridge = self._process.bridge
        if bridge is None or self._before is not None:
            return
        import ctypes

        which = sum(1 << number - 1 for number in range(1, LAST + 1) if number not in _OURS)
        self._before = ctypes.create_string_buffer(_ACTION * LAST)
        bridge.dispose(which, None, self._before)
        for number in range(1, LAST + 1):
            start = _ACTION * (number - 1)
            ignored = int.from_bytes(self._before.raw[start : start + 8], "little") == IGNORE
            if ignored and number not in _PYTHONS and number not in self.actions and number not in _OURS:
                self.actions[number] = IGNORE.to_bytes(8, "little") + bytes(16)     # inherited, as by nohup
        self._which = which
        self._dispose(which)

    def again(self, which: int) -> None:
        """Somebody may have changed the host's dispositions of these signals: make them what the guest's are."""
        if self._before is not None:
            self._dispose(which & self._which)

    def by_default(self) -> None:
        """What has a handler is to be done by default, as an exec leaves it: none that comes before that is noted in vain."""
        bridge = self._process.bridge
        if self._before is not None and bridge is not None:
            which = sum(1 << number - 1 for number in range(1, LAST + 1)
                        if self.handler(number) != IGNORE and number != bridge.POKE)
            bridge.dispose(which & self._which, bytes(_ACTION * LAST), None)

    def restore(self, drop: int = 0) -> None:
        """Give the host's dispositions back to whoever had them before. Of signals in `drop`, none that the guest left pending
        comes to him: it ends with the guest."""
        before, self._before = getattr(self, "_before", None), None
        bridge = self._process.bridge
        if before is not None and bridge is not None:
            drop &= self._which & ~(1 << SIGCHLD - 1)       # those that end meanwhile may be his children
            if drop:
                bridge.dispose(drop, bridge.action(IGNORE, 0) * LAST, None)     # sigaction(2): what is pending is discarded
            bridge.dispose(self._which, before, None)

    def really_die(self, number: int) -> None:
        """End the host process by this signal, so that its parent sees the status it waits for."""
        if number in (SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS):
            _small_core()
        bridge = self._process.bridge
        if bridge is not None and number not in (SIGKILL, SIGSTOP):
            bridge.dispose(1 << number - 1, bytes(_ACTION * LAST), None)
        os.kill(os.getpid(), number)
        kernel.set_mask(0)


def _small_core() -> None:
    """A core dump of Xenos is of no use to the guest's user. Where one is wanted, there is no memory in it."""
    try:
        with open("/proc/self/coredump_filter", "w", encoding="ascii") as file:
            file.write("0")
    except OSError:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
