"""Running one errand under one engine, within its time, and leaving nothing of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from guests.matrix.errands import Errand
from guests.matrix.rooms import command, scratch
from guests.matrix.verdicts import Run


def run(errand: Errand, engine: str, system: Path | None = None) -> Run:
    """Run it in a folder of its own; `engine` is as `command` has it, `system` another sysroot than the matrix's."""
    with scratch() as folder:
        if errand.folder is not None:
            for path in errand.folder.iterdir():
                if path.name not in ("run.sh", "expected", "host.py"):
                    shutil.copy(path, folder)
        log = folder.with_name("log")
        with open(log, "wb") as out:
            start = time.monotonic()
            child = subprocess.Popen(command(engine, folder, errand.script, system), stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=subprocess.STDOUT, start_new_session=True)
            client = _Client(errand.host, folder, start + errand.limit) if errand.host else None
            hung, status, cpu = _wait(child, start + errand.limit)
            wall = time.monotonic() - start
        output = log.read_bytes().decode("utf-8", "backslashreplace")
        if client is not None:
            output += client.output()
    return Run(status, output, wall, cpu, hung)


def _wait(child: subprocess.Popen[bytes], end: float) -> tuple[bool, int, float]:
    """Wait for the child, and kill it and all that it started at the end of its time: (hung, status, CPU seconds)."""
    killer = threading.Timer(max(end - time.monotonic(), 0), _kill, [child.pid])
    killer.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:
        _kill(child.pid)
        os.waitpid(child.pid, 0)
        raise
    finally:
        killer.cancel()
        child.returncode = 0    # it is reaped: subprocess need not look for it
    code = os.waitstatus_to_exitcode(status)
    return time.monotonic() >= end, code if code >= 0 else 128 - code, usage.ru_utime + usage.ru_stime


def _kill(pid: int) -> None:
    """Kill what unshare runs, the init of its namespace. That ends when no other process of the namespace is left, and unshare
    after it (pid_namespaces(7)); one that is killed itself does not wait for them."""
    inits = _children(pid)
    try:
        for init in inits:
            os.kill(init, signal.SIGKILL)
        if not inits:   # it is not yet, or no more
            os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:     # the parent's, see proc(5)
                found.append(int(path.parent.name))
        except OSError:     # ended meanwhile
            pass
    return found


class _Client:
    """The program of the host's side: it starts when the guest is ready, and the guest goes on when it is done."""

    def __init__(self, program: Path, folder: Path, end: float) -> None:
        self._said = ""
        self._thread = threading.Thread(target=self._run, args=(program, folder, end))
        self._thread.start()

    def _run(self, program: Path, folder: Path, end: float) -> None:
        while not (folder / "ready").exists():
            if time.monotonic() > end or not folder.exists():
                self._said = "the guest was never ready\n"
                return
            time.sleep(0.05)
        try:
            done = subprocess.run([sys.executable, str(program)], cwd=folder, capture_output=True, text=True,
                                  timeout=max(end - time.monotonic(), 1))
            self._said = done.stdout + done.stderr[-500:]
        except subprocess.TimeoutExpired:
            self._said = "the client on the host was not answered\n"
        if folder.exists():
            (folder / "done").touch()

    def output(self) -> str:
        """What it printed."""
        self._thread.join()
        return self._said
