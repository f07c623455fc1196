"""`--max-time`, and that nothing of a guest outlives its run under a policy."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import xenos
from cli.kit import EXIT, SPIN, command, elf, environment, printing, write
from cli.kit import xenos as run

# pause: ppoll without descriptors and timeout.
PAUSE = ["addi a0, zero, 0", "addi a1, zero, 0", "addi a2, zero, 0", "addi a3, zero, 0", "addi a7, zero, 73", "ecall"]
# A child, by clone(SIGCHLD), before what follows.
FORK = ["addi a0, zero, 17", "addi a1, zero, 0", "addi a2, zero, 0", "addi a3, zero, 0", "addi a4, zero, 0",
        "addi a7, zero, 220", "ecall"]
# The child becomes a session of its own, and pauses; the parent goes on.
DAEMON = [*FORK, "bne a0, zero, 36", "addi a7, zero, 157", "ecall", *PAUSE]


def children_of(pid: int) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                found += [int(name), *children_of(int(name))]
        except OSError:
            pass
    return found


def await_children(pid: int, count: int = 1, seconds: float = 30) -> list[int]:
    """The descendants of a process, once there are so many."""
    end = time.monotonic() + seconds
    while len(found := children_of(pid)) < count and time.monotonic() < end:
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("program", [SPIN, PAUSE, [*DAEMON, *SPIN]], ids=["spinning", "blocked", "with a daemon"])
def test_time_ends_it(tmp_path: Path, program: list[str]) -> None:
    path = write(tmp_path, elf(program))
    began = time.monotonic()
    child = subprocess.Popen(command("run", "--max-time=2.5", path), env=environment(), stderr=subprocess.PIPE)
    inside = await_children(child.pid, 2 if len(program) > 10 else 1, 2.4)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == 124 and 2.4 < time.monotonic() - began < 20
    assert stderr == b"xenos: killed after 2.5 seconds (--max-time)\n"
    assert inside and not [pid for pid in inside if os.path.exists(f"/proc/{pid}")]


def test_in_time(tmp_path: Path) -> None:
    ended = run("run", "--max-time", "60", write(tmp_path, printing(b"ready", 3)))
    assert (ended.status, ended.stdout, ended.stderr) == (3, "ready", "")


def test_what_a_guest_leaves_behind_is_killed(tmp_path: Path) -> None:
    path = write(tmp_path, elf([*DAEMON, "addi a0, zero, 5", *EXIT]))
    child = subprocess.Popen(command("run", "--no-exec", path), env=environment(), stdout=subprocess.PIPE)
    stdout, _ = child.communicate(timeout=60)   # the daemon holds the pipe's other end, if it lives
    assert (child.returncode, stdout) == (5, b"")


def test_signals_are_passed_on(tmp_path: Path) -> None:
    path = write(tmp_path, elf(PAUSE))
    for number in (signal.SIGTERM, signal.SIGINT):
        child = subprocess.Popen(command("run", "--no-exec", path), env=environment(), stderr=subprocess.PIPE)
        await_children(child.pid)
        time.sleep(0.7)
        inside = children_of(child.pid)
        child.send_signal(number)
        child.communicate(timeout=30)
        assert child.returncode == 128 + number
        assert not [pid for pid in inside if os.path.exists(f"/proc/{pid}")]


def test_death_by_signal_is_told(tmp_path: Path) -> None:
    ended = run("run", "--no-exec", write(tmp_path, elf([".word 0"])))
    assert ended.status == 128 + signal.SIGILL and "SIGILL" in ended.stderr


@pytest.mark.parametrize("value", ["0", "-3", "soon", "nan"])
def test_times_that_make_no_sense(tmp_path: Path, value: str) -> None:
    assert run("run", f"--max-time={value}", write(tmp_path, printing(b"x"))).status == 2


def test_by_the_api(tmp_path: Path) -> None:
    result = xenos.run(str(write(tmp_path, elf(SPIN))), policy=xenos.Policy(max_time=1))
    assert (result.status, result.signal) == (124, 0) and "killed after 1 seconds" in result.crash
    result = xenos.run(str(write(tmp_path, printing(b"hello", 4))), policy=xenos.Policy(max_time=60), capture=True)
    assert (result.status, result.stdout) == (4, b"hello")


def test_processes_of_the_caller_have_no_time(tmp_path: Path) -> None:
    with pytest.raises(xenos.XenosError, match="limit in instructions"):
        xenos.Process(str(write(tmp_path, printing(b"x"))), policy=xenos.Policy(max_time=1))


def test_a_supervisor_that_is_killed_takes_the_guest_along(tmp_path: Path) -> None:
    child = subprocess.Popen(command("run", "--no-exec", write(tmp_path, elf(SPIN))), env=environment())
    inside = await_children(child.pid)
    time.sleep(0.5)
    child.kill()
    child.wait()
    end = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in inside) and time.monotonic() < end:
        time.sleep(0.05)
    assert inside and not [pid for pid in inside if os.path.exists(f"/proc/{pid}")]
