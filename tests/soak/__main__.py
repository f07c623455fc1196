"""`python -m soak [-n RUNS] [-j JOBS] [WORKLOAD]`: run each again and again; tell of every hang and every wrong result."""

from __future__ import annotations

import argparse
import concurrent.futures
import difflib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from soak import workloads
from soak.workloads import Missing, Workload


@dataclass(frozen=True)
class Done:
    """How a run ended; `where` tells of each thread of one that hung."""

    status: int | None
    output: str
    errors: str
    seconds: float
    where: str = ""


def threads_of(group: int) -> str:
    """What the processes of a group wait for, thread by thread."""
    lines = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[2]) != group:
                continue
            for task in sorted(stat.parent.glob("task/*")):
                fields = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines() if ":" in line)
                signals = " ".join(f"{name}={fields[name].strip()}" for name in ("SigPnd", "ShdPnd", "SigBlk"))
                waits = (task / "wchan").read_text()
                lines.append(f"      {stat.parent.name}/{task.name} {fields['State'].strip()} in {waits} {signals}")
        except (OSError, KeyError, ValueError, IndexError):
            continue
    return "\n".join(lines)


def run(workload: Workload, limit: float) -> Done:
    """Once, in a folder of its own; killed with all that it started after `limit` seconds."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, tempfile.TemporaryFile() as output, \
            tempfile.TemporaryFile() as errors:
        for path in workload.files:
            if path.is_file():
                shutil.copy(path, folder)
        start = time.monotonic()
        child = subprocess.Popen(workload.command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=folder,
                                 process_group=0)
        where = ""
        try:
            status: int | None = child.wait(limit)
        except subprocess.TimeoutExpired:
            status, where = None, threads_of(child.pid)
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
        output.seek(0)
        errors.seek(0)
        return Done(status, output.read().decode(errors="replace"), errors.read().decode(errors="replace"),
                    time.monotonic() - start, where)


def differences(expected: str, output: str) -> str:
    """The lines that are not as they must be, and their last ones if there are many."""
    lines = difflib.unified_diff(expected.splitlines(), output.splitlines(), lineterm="", n=1)
    return "\n".join(list(lines)[2:])[-500:]


def soak(workload: Workload, times: int, jobs: int, limit: float) -> int:
    """Run it so often; prints a line, and more for each failure. Returns how many failed."""
    times = max(1, times // 100) if workload.once else times
    first = run(workload, limit * (20 if workload.once else 1))
    expected = workload.expected if workload.expected is not None else first.output
    longest, hung, wrong = first.seconds, 0, 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        rest = [pool.submit(run, workload, limit * (20 if workload.once else 1)) for _ in range(times - 1)]
        for number in range(1, times + 1):
            done = first if number == 1 else rest[number - 2].result()
            longest = max(longest, done.seconds)
            if done.status is None:
                hung += 1
                print(f"    run {number} hangs after {limit:.0f} s; its last words: {done.output[-200:]!r}")
                print(done.where, flush=True)
            elif done.status or done.output != expected:
                wrong += 1
                wrong_lines = differences(expected, done.output)
                print(f"    run {number} ends with {done.status}: {wrong_lines!r} {done.errors[-500:]!r}", flush=True)
    print(f"{workload.name:24} {times} runs: {hung} hung, {wrong} wrong; the longest took {longest:.1f} s", flush=True)
    return hung + wrong


def main() -> int:
    """The command; status 1 if a run hung or was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", metavar="WORKLOAD", help="those whose name has it; all without")
    parser.add_argument("-n", "--runs", type=int, default=200, help="of each (%(default)s)")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="at once (%(default)s)")
    parser.add_argument("-t", "--seconds", type=float, default=60, help="after which a run hangs (%(default)s)")
    chosen = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="soak-made-") as made:
        def in_folder(name: str, make: Callable[[Path], Workload]) -> Callable[[], Workload]:
            def ready() -> Workload:
                folder = Path(made) / name
                folder.mkdir()
                return make(folder)
            return ready

        choices: dict[str, Callable[[], Workload]] = {
            **{name: (lambda name=name: workloads.probe(name)) for name in    # type: ignore[misc]
               ("threads/pthreads", "threads/futexes", "threads/ends", "order/atomics", "signals/hammer")},
            "python": lambda: workloads.script("threads.py", "python3"),
            "children": lambda: workloads.script("children.bash", "bash", once=True),
            "go": in_folder("go", workloads.go),
            "java": in_folder("java", workloads.java),
        }
        for name, make in choices.items():
            if chosen.only and not any(text in name for text in chosen.only):
                continue
            try:
                failed += soak(make(), chosen.runs, chosen.jobs, chosen.seconds)
            except Missing as missing:
                print(f"{name:24} not run: {missing}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
