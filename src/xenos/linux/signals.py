"""The signals of a guest process: what it asked for, what the host must know of it, and what happens by default."""

from __future__ import annotations

import _signal as host  # `signal` would import enum on the way to a running guest
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
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
EPIPE = 32
DEFAULT, IGNORE = 0, 1  # handlers that are no addresses
_HARMLESS = frozenset((SIGCHLD, SIGCONT, SIGURG, SIGWINCH))
_STOPPING = frozenset((SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU))
# Dispositions of these belong to the engines, to Python and its C library; a guest's wish for them is kept here only.
_OURS = frozenset((SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGKILL, SIGSTOP, SIGPIPE, SIGXFSZ, 32, 33))


def name(number: int) -> str:
    """SIGSEGV for 11."""
    return NAMES[number] if 0 < number < len(NAMES) else f"signal {number}"


class HostSignal(Exception):
    """A signal that ends the guest has come from the host; raised by the host's handler, wherever Python was."""

    def __init__(self, number: int) -> None:
        self.number = number


class Signals:
    """Actions, mask and alternate stack of one guest process, and the host's dispositions that follow from them.

    A signal for which the guest has a handler becomes a bit of `pending`; `delivery` calls the handler between two
    instructions. `caught` are those that the host tells us of.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._frames = bool(process.form.signal_frame)
        self._changed: dict[int, object] = {}   # host dispositions before we touched them
        self.reset()

    def reset(self) -> None:
        """Everything as in a new process."""
        self.restore()
        self.actions: dict[int, bytes] = {}     # struct sigaction as the guest gave it; its first word is the handler
        self.caught: set[int] = set()
        self.mask = 0                           # blocked signals, bit N-1 for signal N
        self.saved_mask: int | None = None      # what to go back to after the handler that a sigsuspend waits for
        self.pending = 0                        # those that arrived and have not been acted on
        self.poked = False                      # the CPU was interrupted to look at `pending`
        self.alternate_stack = (0, 2, 0)        # ss_sp, ss_flags (SS_DISABLE), ss_size

    def after_exec(self) -> None:
        """Handlers are gone with the program they were part of."""
        self.clear_handlers()
        self.alternate_stack = (0, 2, 0)

    def clear_handlers(self) -> None:
        """Back to the default where there was a handler; what was ignored stays so."""
        for number in [number for number in self.actions if self.handler(number) != IGNORE]:
            self.set_action(number, bytes(24))
            del self.actions[number]

    def handler(self, number: int) -> int:
        """Guest address of a signal's handler, DEFAULT or IGNORE."""
        action = self.actions.get(number)
        if action is not None:
            return int.from_bytes(action[:8], "little")
        return IGNORE if number not in _OURS and host.getsignal(number) == host.SIG_IGN else DEFAULT

    def set_action(self, number: int, action: bytes) -> None:
        """Record what the guest wants done, and let the host know where it must."""
        self.actions[number] = action
        self._apply(number)
        if self.handler(number) == IGNORE:
            self.pending &= ~(1 << number - 1)

    def _apply(self, number: int) -> None:
        """Set the host's disposition to what the guest's action needs."""
        if number in _OURS or number > LAST:
            return
        wish = self.handler(number)
        self.caught.discard(number)
        if wish == IGNORE:
            self._set_host(number, host.SIG_IGN)
        elif wish != DEFAULT and self._frames:
            if not self.caught and number != SIGCHLD and self.handler(SIGCHLD) == DEFAULT:
                self._set_host(SIGCHLD, self._arrived)  # so that a child's end interrupts `waiting`
            if self._set_host(number, self._arrived):
                self.caught.add(number)
        elif number == SIGINT:
            self._set_host(number, self._interrupted)
        else:
            self._set_host(number, self._arrived if number == SIGCHLD and self.caught else host.SIG_DFL)

    def listen(self) -> None:
        """From now on Ctrl-C, and what else the guest handles, is for the guest."""
        self._set_host(SIGINT, self._interrupted)
        for number in self.actions:
            self._apply(number)

    def restore(self) -> None:
        """Give the host's dispositions back to whoever had them before."""
        changed, self._changed = self._changed, {}
        for number, before in changed.items():
            host.signal(number, before)

    def _set_host(self, number: int, action: object) -> bool:
        try:
            before = host.signal(number, action)
        except ValueError:  # not in the main thread: the host's dispositions stay as they are
            return False
        if number not in self._changed and before is not None:
            self._changed[number] = before
        return True

    def arrive(self, number: int) -> None:
        """A signal has come from outside, or from the guest itself: act on it, or remember it."""
        wish = self.handler(number) if number not in (SIGKILL, SIGSTOP) else DEFAULT
        blocked = self.mask >> number - 1 & 1
        if wish == IGNORE or (wish == DEFAULT and number in _HARMLESS and not blocked):
            return
        if blocked or (wish != DEFAULT and self._frames):
            self.pending |= 1 << number - 1
        elif number in _STOPPING and wish == DEFAULT:
            os.kill(os.getpid(), SIGSTOP)
        elif wish == DEFAULT or number == SIGINT:
            self._process.die(number)

    @property
    def ready(self) -> int:
        """The pending signals that are not blocked."""
        return self.pending & ~self.mask

    def set_mask(self, mask: int) -> None:
        """Block the signals of `mask` and no others; what was pending and is no longer blocked arrives."""
        self.mask = mask
        ready = self.pending & ~mask
        while ready:
            bit = ready & -ready
            ready ^= bit
            self.pending &= ~bit
            self.arrive(bit.bit_length())

    def expect(self, bits: int) -> None:
        """The guest waits for these blocked signals: the host must tell us of them, whatever they do by default."""
        for number in range(1, LAST + 1):
            if bits >> number - 1 & 1 and number not in _OURS and self._set_host(number, self._arrived):
                self.caught.add(number)

    def broken_pipe(self) -> int:
        """What a write to a pipe that nobody reads comes to: death by SIGPIPE, or -EPIPE where that is not fatal."""
        self.arrive(SIGPIPE)
        return -EPIPE

    def _interrupted(self, number: int, frame: object) -> None:
        """The host's handler of Ctrl-C while the guest has none."""
        if self.mask >> number - 1 & 1:
            self.pending |= 1 << number - 1
            return
        self._process.cpu.interrupt()
        self.poked = True
        raise HostSignal(number)

    def _arrived(self, number: int, frame: object) -> None:
        """The host's handler of signals that the guest handles. It raises nothing: a call may have had its effect."""
        self.arrive(number)
        if self.ready:
            self.poked = True
            self._process.cpu.interrupt()

    def really_die(self, number: int) -> None:
        """End the host process by this signal, so that its parent sees the status it waits for."""
        if number in (SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump of Xenos is of no use to the guest's user
        if number not in (SIGKILL, SIGSTOP):
            host.signal(number, host.SIG_DFL)
            host.pthread_sigmask(host.SIG_UNBLOCK, (number,))
        os.kill(os.getpid(), number)

    def before_host_exec(self) -> None:
        """Python ignores SIGPIPE and SIGXFSZ, and so would a host program executed from here."""
        for number in (SIGPIPE, SIGINT, SIGXFSZ):
            host.signal(number, host.SIG_IGN if self.handler(number) == IGNORE else host.SIG_DFL)

