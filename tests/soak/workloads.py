"""What is soaked: how each workload is made ready once, what is run each time, and what that must print."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import sysroot
from guests.matrix.errands import PROGRAMS
from guests.matrix.rooms import guests
from probes.known import KNOWN
from probes.programs import build, contender
from probes.programs import run as run_once

HERE = Path(__file__).parent / "programs"


@dataclass
class Workload:
    """A command for each run. Where `expected` is None the first run says what the others must print."""

    name: str
    command: list[str]
    expected: str | None = None
    once: bool = False              # takes long: it is run a hundredth as often
    files: list[Path] = field(default_factory=list)     # each run finds copies of them in its folder


class Missing(Exception):
    """Why a workload cannot be run here."""


def probe(name: str) -> Workload:
    """A C program of the probes, with threads."""
    checks = run_once([str(build(name, guest=False)), "-l"], 10).text.split()
    wanted = [check for check in checks if f"{name}:{check}" not in KNOWN]
    expected = run_once([str(build(name, guest=False)), *wanted], 60).text
    return Workload(name, [*contender("xenos"), str(build(name, guest=True)), *wanted], expected)


def script(name: str, program: str, once: bool = False) -> Workload:
    """A script for one of the guest's interpreters."""
    root = sysroot()
    if not (root / "usr" / "bin" / program).exists():
        raise Missing(f"no {program} in {root}: scripts/prepare-tests fetches it")
    command = [*contender("xenos"), "--sysroot", str(root), str(root / "usr" / "bin" / program), str(HERE / name)]
    return Workload(f"{program} {name}", command, once=once)


def compiled(name: str, folder: Path, make: str, words: list[str]) -> Workload:
    """A program that the guest's own compiler makes, once, in `folder`."""
    root = guests()
    needed = {"go": "usr/bin/go", "java": "usr/bin/javac"}[name]
    if not os.path.lexists(root / needed):      # a link of Debian's alternatives leads nowhere on the host
        raise Missing(f"no {needed} in {root}: scripts/prepare-tests guests fetches it")
    for source in (PROGRAMS / name).iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    shell = [*contender("xenos"), "--sysroot", str(root), str(root / "usr" / "bin" / "bash"), "-c"]
    done = subprocess.run([*shell, make], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"{name} could not be compiled: {(done.stderr.splitlines() or ['no reason given'])[-1]}")
    return Workload(name, [*contender("xenos"), "--sysroot", str(root), *words], files=[*folder.iterdir()])


def go(folder: Path) -> Workload:
    """Goroutines, channels, preemption by signals."""
    make = ("export GOCACHE=$PWD/cache GOPATH=$PWD/path GOTOOLCHAIN=local GO111MODULE=off CGO_ENABLED=0 GOTELEMETRY=off; "
            "go build -o program main.go && rm -rf cache path")
    return compiled("go", folder, make, ["./program"])


def java(folder: Path) -> Workload:
    """Threads, the collector, code compiled while it runs."""
    return compiled("java", folder, "javac -d . Main.java", ["java", "-Xmx256m", "Main", "quick"])
