"""One run of a command: processor time of its whole process tree, wall time, output; and what many runs amount to."""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Run:
    """What one run cost, in seconds, and did. `status` is the exit status, or minus the signal that ended it."""

    cpu: float
    wall: float
    status: int
    output: bytes
    told: str = ""      # on standard error

    @property
    def digest(self) -> str:
        """Of the output and status: equal for runs that did the same."""
        return hashlib.sha256(self.output + b"%d" % self.status).hexdigest()


class Failed(Exception):
    """A command of a benchmark ended otherwise than it must."""


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent is gone, so that a worker left behind is counted as well."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(command: list[str], environment: Mapping[str, str] | None = None, check: bool = True) -> Run:
    """Run `command` with no input. `Failed` if `check` and it ends with another status than 0."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        start = time.perf_counter()
        child = os.posix_spawnp(command[0], command, environment or os.environ, file_actions=actions)
        _, status, used = os.wait4(child, 0)
        wall = time.perf_counter() - start
        cpu = used.ru_utime + used.ru_stime + _orphans()
        output.seek(0)
        errors.seek(0)
        done = Run(cpu, wall, os.waitstatus_to_exitcode(status), output.read(), errors.read().decode(errors="replace"))
        if check and done.status:
            last = done.told.strip().splitlines()[-1:]
            raise Failed(f"{' '.join(command)[:200]}: status {done.status}: {' '.join(last)}")
        return done


def _orphans() -> float:
    """Seconds of those that outlived the command; waits for them."""
    seconds = 0.0
    while True:
        try:
            _, _, used = os.wait4(-1, 0)
        except ChildProcessError:
            return seconds
        seconds += used.ru_utime + used.ru_stime


def median(values: Iterable[float]) -> float:
    """The middle one, or nan for none."""
    values = list(values)
    return statistics.median(values) if values else math.nan


def spread(values: Sequence[float]) -> float:
    """Half the range, from 8 values on of the middle half of them, as a fraction of the median: what +- means."""
    inner = sorted(values)
    if len(inner) >= 8:
        inner = inner[len(inner) // 4: -(len(inner) // 4)]
    return (inner[-1] - inner[0]) / 2 / median(values) if inner else math.nan


def geometric_mean(values: Iterable[float]) -> float:
    """Nan for none."""
    values = [value for value in values if not math.isnan(value)]
    return math.exp(sum(map(math.log, values)) / len(values)) if values and min(values) > 0 else math.nan


def conclude(measure: Callable[[], Mapping[str, object]], kept: Path | None) -> int:
    """A benchmark's command: its figures written to `kept`, if any, or one line on what failed; gives the exit status."""
    try:
        figures = measure()
    except Failed as failure:
        progress("")
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    if kept:
        kept.write_text(json.dumps(figures, indent=1))
    return 0


def progress(text: str) -> None:
    """What is going on, on a terminal only; an empty text clears it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()
