"""Runs a case under qemu or under Xenos: the same files, the same environment, and programs that find each other."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import cache_folder, sysroot, xenos_command
from guests.cases import PREPARED, Case, write_inputs

# Seconds for one run: only a hang reaches it.
TIMEOUT = 300


@dataclass(frozen=True)
class Outcome:
    """What a run printed, left and ended with. `seconds` by the clock."""

    status: int
    output: bytes
    files: tuple[bytes | None, ...]
    errors: bytes
    seconds: float


def missing() -> str:
    """Why no case can run here, or an empty string."""
    if not (sysroot() / "usr" / "bin" / "python3").exists():
        return f"no guest programs in {sysroot()}: scripts/prepare-tests fetches them"
    if not qemu():
        return "qemu-riscv64 is missing: scripts/prepare-tests fetches it"
    return ""


@functools.cache
def qemu() -> str | None:
    """qemu 10 where it was fetched, or the one on the path."""
    for name in (os.environ.get("XENOS_QEMU_RISCV64"), str(cache_folder() / "oracles" / "qemu-riscv64")):
        if name and os.access(name, os.X_OK):
            return name
    return shutil.which("qemu-riscv64")


def xenos(engine: str) -> list[str]:
    """The command that runs a guest on that engine."""
    return [*xenos_command(), "run", "--engine", engine, "--sysroot", str(sysroot())]


@functools.cache
def _scratch() -> Path:
    # Kept for the whole session; a folder for each process, as tests run in several.
    return Path(tempfile.mkdtemp(prefix="xenos-guests-"))


def remove_scratch() -> None:
    """At the end of a session."""
    if _scratch.cache_info().currsize:
        shutil.rmtree(_scratch(), ignore_errors=True)
        _scratch.cache_clear()


@functools.cache
def _program_folder(engine: str, applets_first: bool) -> Path:
    """A PATH on which a guest finds the sysroot's programs and busybox's applets; for busybox, the applets first.

    Under qemu, execve(2) is the host kernel's, which runs no foreign program: scripts start qemu again. Xenos does it
    itself, and gets links.
    """
    folder = _scratch() / f"programs-{engine}-{applets_first}"
    folder.mkdir()
    busybox = sysroot() / "usr" / "bin" / "busybox"
    emulator = [str(qemu()), "-L", str(sysroot())]
    listed = subprocess.run([*emulator, str(busybox), "--list"], capture_output=True, text=True, check=True).stdout
    applets = {name: [str(busybox), name] for name in listed.split()}
    programs = {path.name: [str(path)] for path in busybox.parent.iterdir() if os.access(path, os.X_OK)}
    for name, target in (programs | applets if applets_first else applets | programs).items():
        if engine == "qemu":
            (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join([*emulator, *target])} "$@"\n')
            (folder / name).chmod(0o755)
        else:
            (folder / name).symlink_to(target[0])
    return folder


@functools.cache
def _prepared(name: str) -> bytes:
    """A file that every run must find the same, made once under qemu."""
    with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
        command = [str(qemu()), "-L", str(sysroot()), str(sysroot() / "usr" / "bin" / "openssl"), *PREPARED[name]]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=TIMEOUT)
        return (Path(folder) / name).read_bytes()


@functools.cache
def expected(case: Case) -> Outcome:
    """What qemu makes of a case."""
    return run(case, "qemu")


def run(case: Case, engine: str) -> Outcome:
    """Run a case in a folder of its own."""
    emulator = [str(qemu()), "-L", str(sysroot())] if engine == "qemu" else xenos(engine)
    programs = _program_folder("qemu" if engine == "qemu" else "xenos", applets_first=case.program == "busybox")
    environment = {"PATH": str(programs), "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC",
                   "OPENSSL_CONF": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("XDG_CACHE_HOME", "XENOS_CACHE"):
        if os.environ.get(name):
            environment[name] = os.environ[name]
    environment.setdefault("XDG_CACHE_HOME", str(cache_folder().parent))
    with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
        write_inputs(Path(folder))
        for name in case.needs:
            (Path(folder) / name).write_bytes(_prepared(name))
        command = [*emulator, str(sysroot() / "usr" / "bin" / case.program), *case.arguments]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=environment, input=case.stdin, capture_output=True,
                              timeout=TIMEOUT)
        seconds = time.perf_counter() - start
        files = tuple(_content(Path(folder) / name) for name in case.files)
    return Outcome(done.returncode, done.stdout, files, done.stderr, seconds)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
