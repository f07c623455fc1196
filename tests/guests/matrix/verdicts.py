"""Whether an errand did what it must: its output line by line, or the failures of Python's tests by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from guests.matrix.errands import PROGRAMS, Errand

# What fails natively as well, in the same room, on Debian's own Python of that version: one name per line.
NATIVE_FAILURES = PROGRAMS.parent / "python-native-failures"
_FAILED = re.compile(r"^(?:FAIL|ERROR): (\S+) \(([^)]*)\)", re.MULTILINE)
_RAN = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """How one run ended. Times in seconds."""

    status: int
    output: str
    wall: float
    cpu: float
    hung: bool


@dataclass(frozen=True)
class Verdict:
    """One word for the table, and the reason if it is not `ok`."""

    word: str
    reason: str = ""

    @property
    def good(self) -> bool:
        return self.word.startswith("ok")


def judge(errand: Errand, run: Run) -> Verdict:
    """What to say of a run."""
    if run.hung:
        return Verdict("HANGS", f"still running after {errand.limit} seconds; its last words: {_tail(run.output)}")
    if errand.tests:
        return _tests(errand, run)
    if run.status:
        return Verdict(f"status {run.status}", _tail(run.output))
    if errand.expected is not None and run.output != errand.expected:
        return Verdict("DIFFERS", difference(errand.expected, run.output))
    return Verdict("ok")


def _tests(errand: Errand, run: Run) -> Verdict:
    failed = failures(run.output)
    ran = sum(map(int, _RAN.findall(run.output)))
    new = failed - native_failures(errand.name)
    if new:
        return Verdict(f"{len(new)} of {ran}", "fail, and not natively: " + ", ".join(sorted(new)))
    if not ran or run.status and not failed:
        return Verdict(f"status {run.status}", _tail(run.output))
    return Verdict(f"ok, {ran}")


def failures(output: str) -> set[str]:
    """The names of the tests that failed; those of one with parameters count once."""
    return {f"{where}.{name}" if not where.endswith(name) else where for name, where in _FAILED.findall(output)}


def native_failures(name: str, path: Path = NATIVE_FAILURES) -> set[str]:
    """Those of this module of tests that fail natively."""
    lines = path.read_text().splitlines() if path.exists() else []
    module = name.removeprefix("python-")
    return {line for line in lines if f"test_{module}." in line}


def difference(expected: str, got: str) -> str:
    """The first line that is not as it must be."""
    right, wrong = expected.splitlines(), got.splitlines()
    for number in range(max(len(right), len(wrong))):
        there = [lines[number] if number < len(lines) else "(nothing)" for lines in (right, wrong)]
        if there[0] != there[1]:
            return f"line {number + 1} is `{there[1][:200]}`, not `{there[0][:200]}`"
    return "the end of its last line differs"


def _tail(output: str) -> str:
    return " / ".join(line for line in output.splitlines()[-4:])[-400:]
