"""Signals from outside reach a guest: kill, Ctrl-C, a terminal's job control; and its death is told as a native one's."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.programs import FLAGS, GUEST_COMPILER, contender

pytestmark = pytest.mark.skipif(not shutil.which(GUEST_COMPILER), reason=f"needs {GUEST_COMPILER}")

WITH = os.environ.get("PROBES_WITH", "xenos")    # or qemu, or qemu10, to see what those make of it

WAITS = r"""
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
static volatile int got;
static void note(int number) { got = number; }
static void *spins(void *unused) { for (;;) ; }
int main(int count, char **words) {
    pthread_t thread;
    struct sigaction action = {0};
    sigset_t all, none;
    action.sa_handler = note;
    sigfillset(&all); sigemptyset(&none);
    sigfillset(&action.sa_mask);
    if (strchr(words[1], 'h')) for (int n = 1; n < 65; n++) sigaction(n, &action, 0);
    sigprocmask(SIG_BLOCK, &all, 0);
    if (strchr(words[1], 't')) pthread_create(&thread, 0, spins, 0);
    printf("ready\n"); fflush(stdout);
    if (strchr(words[1], 's')) {
        sigprocmask(SIG_SETMASK, &none, 0);
        while (!got) ;
        sigprocmask(SIG_BLOCK, &all, 0);
    }
    for (;;) {
        while (!got) sigsuspend(&none);
        int number = got;
        got = 0;
        printf("got %d\n", number); fflush(stdout);
        if (number == SIGTERM) return 7;
        if (number == SIGTSTP) {
            signal(SIGTSTP, SIG_DFL); raise(SIGTSTP);
            sigprocmask(SIG_SETMASK, &none, 0); sigprocmask(SIG_BLOCK, &all, 0);
            sigaction(SIGTSTP, &action, 0);
            printf("back\n"); fflush(stdout);
        }
    }
}
"""


@pytest.fixture(scope="module")
def program() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "waits.c"
        source.write_text(WAITS)
        built = Path(folder) / "waits"
        subprocess.run([GUEST_COMPILER, *FLAGS, "-o", str(built), str(source)], check=True)
        yield str(built)


@pytest.fixture
def killed() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Guests that must not outlive a test that fails."""
    guests: list[subprocess.Popen[bytes]] = []
    yield guests
    for guest in guests:
        guest.kill()
        guest.wait()


@pytest.mark.parametrize("how", ["p", "s", "tp", "ts"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGUSR1, signal.SIGQUIT, signal.SIGHUP])
def test_killed_as_a_native_program(
    program: str, how: str, number: signal.Signals, killed: list[subprocess.Popen[bytes]],
) -> None:
    guest = subprocess.Popen([*contender(WITH), program, how], stdout=subprocess.PIPE, preexec_fn=no_core)
    killed.append(guest)
    assert guest.stdout and guest.stdout.readline() == b"ready\n"
    os.kill(guest.pid, number)
    assert guest.wait(10) in told(number)
    guest.stdout.close()


SENT = (signal.SIGUSR1, signal.SIGINT, signal.SIGALRM, signal.SIGRTMIN, signal.SIGCHLD)
RAISED = (signal.SIGSEGV, signal.SIGFPE, signal.SIGBUS)    # by faults, as a rule


@pytest.mark.parametrize("how", ["hp", "hs", "htp", "hts"])
@pytest.mark.parametrize("numbers", [SENT, RAISED], ids=["sent", "raised"])
def test_handlers_are_called(
    program: str, how: str, numbers: tuple[signal.Signals, ...], killed: list[subprocess.Popen[bytes]],
) -> None:
    guest = subprocess.Popen([*contender(WITH), program, how], stdout=subprocess.PIPE)
    killed.append(guest)
    assert guest.stdout and guest.stdout.readline() == b"ready\n"
    for number in numbers:
        os.kill(guest.pid, number)
        ready, _, _ = select.select([guest.stdout], [], [], 10)
        assert ready, f"no handler for {number!r}"
        assert guest.stdout.readline() == b"got %d\n" % number
    os.kill(guest.pid, signal.SIGTERM)
    assert guest.stdout.read() == b"got 15\n"
    assert guest.wait(10) == 7
    guest.stdout.close()


def test_many_from_outside_all_at_once(program: str, killed: list[subprocess.Popen[bytes]]) -> None:
    """Nothing of Xenos dies of a crowd of signals, and the guest still answers."""
    guest = subprocess.Popen([*contender(WITH), program, "hts"], stdout=subprocess.PIPE)
    killed.append(guest)
    assert guest.stdout and guest.stdout.readline() == b"ready\n"
    for _ in range(2000):
        os.kill(guest.pid, signal.SIGUSR2)
    os.kill(guest.pid, signal.SIGTERM)
    assert guest.stdout.read().endswith(b"got 15\n")
    assert guest.wait(10) == 7
    guest.stdout.close()


def told(number: int) -> tuple[int, int]:
    """How a command's death by a signal may be told: by dying of it, or as shells tell it (`xenos run` says which program)."""
    return -number, 128 + number


def no_core() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Terminal:
    """A guest in the foreground of a terminal, started by something like a shell: without one, nobody could be stopped by keys."""

    def __init__(self, command: list[str]) -> None:
        reader, writer = os.pipe()
        self.shell, self.fd = pty.fork()
        if not self.shell:
            lead(command, writer)
        os.close(writer)
        self.told = reader
        self.seen = b""
        self.pid = self.status()

    def expect(self, text: bytes) -> None:
        """Wait until it has printed that."""
        limit = time.monotonic() + 10
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, limit - time.monotonic()))
            assert ready, f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.fd, 4096)
        self.seen = self.seen.partition(text)[2]

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def status(self) -> int:
        """The next thing that its parent was told of it."""
        ready, _, _ = select.select([self.told], [], [], 10)
        assert ready, "nothing was told"
        return int.from_bytes(os.read(self.told, 4), "little")

    def close(self) -> None:
        for pid in (self.pid, self.shell):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.waitpid(self.shell, 0)
        os.close(self.fd)
        os.close(self.told)


def lead(command: list[str], tell: int) -> None:
    """What a shell does: start a program in the foreground, and hear of its stops and its end."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.close(tell)
        os.execv(command[0], command)
    os.write(tell, child.to_bytes(4, "little"))
    status = 0
    while not (status and (os.WIFEXITED(status) or os.WIFSIGNALED(status))):
        status = os.waitpid(child, os.WUNTRACED | os.WCONTINUED)[1]
        os.write(tell, status.to_bytes(4, "little"))
        if os.WIFEXITED(status):
            break
    os._exit(0)


@pytest.mark.parametrize("how", ["p", "s", "ts"])
def test_control_c_and_backslash(program: str, how: str) -> None:
    for key, number in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)):
        terminal = Terminal([*contender(WITH), program, how])
        try:
            terminal.expect(b"ready")
            terminal.type(key)
            assert os.waitstatus_to_exitcode(terminal.status()) in told(number)
        finally:
            terminal.close()


@pytest.mark.parametrize("how", ["hp", "hs", "htp"])
def test_keys_call_handlers(program: str, how: str) -> None:
    terminal = Terminal([*contender(WITH), program, how])
    try:
        terminal.expect(b"ready")
        terminal.type(b"\x03")
        terminal.expect(b"got 2\r\n")
        terminal.type(b"\x1c")
        terminal.expect(b"got 3\r\n")
        terminal.type(b"\x1a")
        terminal.expect(b"got 20\r\n")
        assert os.WIFSTOPPED(terminal.status())     # by its own hand
        os.kill(terminal.pid, signal.SIGCONT)
        assert os.WIFCONTINUED(terminal.status())
        terminal.expect(b"back\r\n")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.expect(b"got 15\r\n")
        assert os.waitstatus_to_exitcode(terminal.status()) == 7
    finally:
        terminal.close()


@pytest.mark.parametrize("how", ["p", "s", "ts"])
def test_stopped_and_continued_by_the_terminal(program: str, how: str) -> None:
    terminal = Terminal([*contender(WITH), program, how])
    try:
        terminal.expect(b"ready")
        for _ in range(3):
            terminal.type(b"\x1a")
            status = terminal.status()
            assert os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTSTP
            os.kill(terminal.pid, signal.SIGCONT)
            assert os.WIFCONTINUED(terminal.status())
        os.kill(terminal.pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(terminal.status()) in told(signal.SIGTERM)
    finally:
        terminal.close()


def test_nothing_is_left_of_a_killed_guest_with_children(program: str) -> None:
    """Killed in the middle, Xenos leaves no process behind that the guest did not leave."""
    guest = subprocess.Popen([*contender(WITH), program, "ts"], stdout=subprocess.PIPE, start_new_session=True)
    assert guest.stdout and guest.stdout.readline() == b"ready\n"
    guest.kill()
    guest.wait(10)
    guest.stdout.close()
    left = [path for path in Path("/proc").glob("[0-9]*/stat") if session_of(path) == guest.pid]
    assert not left


def session_of(stat: Path) -> int:
    """Of a process that may be gone meanwhile."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return 0


