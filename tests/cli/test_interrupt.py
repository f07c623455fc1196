"""Ctrl-C reaches the guest as SIGINT at once, also while it spins."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli import kit
from cli.kit import SPIN, WRITE, elf, write

# Says that it runs, and then does nothing for ever.
READY = [*WRITE, "addi a2, zero, 6", "ecall"]
SLEEP = ["addi a0, zero, 0", "addi a1, zero, 0", "addi a2, zero, 0", "addi a3, zero, 0", "addi a7, zero, 73", "ecall",
         "jal zero, -24"]   # ppoll(0, 0, 0, 0)


@pytest.mark.parametrize("engine", ["stencil", "reference"])
@pytest.mark.parametrize("body", [SPIN, SLEEP], ids=["spinning", "waiting"])
def test_ctrl_c_on_a_terminal_ends_the_guest_at_once(tmp_path: Path, engine: str, body: list[str]) -> None:
    program = write(tmp_path, elf([*READY, *body], b"ready\n"))
    keyboard, terminal = pty.openpty()
    run = subprocess.Popen(kit.command("run", "--engine", engine, program), stdin=terminal, stdout=terminal,
                           stderr=terminal, env=kit.environment(), start_new_session=True,
                           preexec_fn=_own_terminal)
    os.close(terminal)
    try:
        shown = _until(keyboard, b"ready\r\n")
        started = time.monotonic()
        os.write(keyboard, b"\x03")
        assert run.wait(20) == 128 + signal.SIGINT
        assert time.monotonic() - started < 3       # at once, on a busy machine too
        assert b"Traceback" not in shown + _rest(keyboard)
    finally:
        run.kill()
        run.wait()
        os.close(keyboard)


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _until(fd: int, wanted: bytes) -> bytes:
    """Read what the terminal shows until it ends with `wanted`."""
    shown = b""
    while not shown.endswith(wanted):
        shown += os.read(fd, 1000)
    return shown


def _rest(fd: int) -> bytes:
    try:
        return os.read(fd, 1000)
    except OSError:     # a terminal that nobody has open any more
        return b""


def test_sigint_from_another_process_does_the_same(tmp_path: Path) -> None:
    program = write(tmp_path, elf([*READY, *SPIN], b"ready\n"))
    run = subprocess.Popen(kit.command("run", program), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=kit.environment())
    assert run.stdout is not None
    assert run.stdout.readline() == b"ready\n"
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(("when", "ends"), [("warm.use()", -signal.SIGINT), ("warm.use(); warm.interruptible()", 1)])
def test_ctrl_c_during_the_start_ends_it_without_a_word(when: str, ends: int) -> None:
    code = f"import os; from xenos import warm; {when}; os.kill(os.getpid(), 2); import time; time.sleep(1)"
    done = subprocess.run([sys.executable, "-c", code], env=kit.environment(), capture_output=True, text=True)
    assert done.returncode in (ends, -signal.SIGINT) and ("Traceback" in done.stderr) == (ends == 1), done.stderr
