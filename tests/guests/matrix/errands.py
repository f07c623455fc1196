"""What is run: scripts for the guest's shell, each in a folder with its files, and what they must print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Errand:
    """One row of the matrix. Times in seconds."""

    name: str
    script: str                     # for the guest's bash
    limit: int = 300                # after which it counts as hung
    folder: Path | None = None      # files that it finds beside it
    expected: str | None = None     # what it prints; None: only its status counts
    tests: bool = False             # it is a module of Python's own tests: failures are compared by name
    sample: bool = False            # for `make test` as well: short, and of programs that its sysroot has

    @property
    def host(self) -> Path | None:
        """What the host does meanwhile: a Python program, started when the guest makes a file `ready`."""
        path = self.folder / "host.py" if self.folder else None
        return path if path is not None and path.exists() else None


def _program(name: str, limit: int = 300, sample: bool = False) -> Errand:
    folder = PROGRAMS / name
    return Errand(name, (folder / "run.sh").read_text(), limit, folder, (folder / "expected").read_text(), sample=sample)


def _python(name: str, limit: int = 1800) -> Errand:
    # `-u all` without what needs the world outside, or gigabytes.
    return Errand(f"python-{name}", f"python3 -m test -v -u all,-network,-urlfetch,-largefile,-gui,-audio test_{name} 2>&1",
                  limit, tests=True)


def _stress(name: str, options: str) -> Errand:
    script = f"""
        stress-ng --temp-path . --verify --no-rand-seed --timeout 60 {options} >out 2>&1 || {{ tail -5 out; exit 1; }}
        sed -n 's/.*\\(skipped: .*\\|failed: .*\\)/\\1/p' out
    """
    return Errand(f"stress-{name}", script, 180, expected="skipped: 0\nfailed: 0\n")


ERRANDS = (
    *map(_python, ("threading", "signal", "subprocess", "socket", "os", "mmap", "select", "asyncio", "multiprocessing_spawn",
                   "time", "float", "math", "struct", "ctypes")),
    _program("node", 180),
    _program("java", 300),
    _program("go", 900),
    _program("rust", 300),
    _program("gcc", 180),
    _program("perl", 60, sample=True),
    _program("ruby", 60),
    _program("luajit", 60, sample=True),
    _program("pypy", 120),
    _program("sbcl", 120),
    _program("pcre2", 60),
    _program("redis", 120),
    _program("nginx", 120),
    _program("postgres", 300),
    _program("sqlite", 120, sample=True),
    _program("git", 120),
    _program("compress", 180, sample=True),
    _program("tmux", 120),
    _program("jobs", 60, sample=True),
    _stress("cpu", "--cpu 2 --cpu-ops 400"),
    _stress("vm", "--vm 2 --vm-bytes 16M --vm-ops 20000"),
    _stress("futex", "--futex 2 --futex-ops 40000"),
    _stress("signal", "--signal 2 --signal-ops 100000 --sigq 2 --sigq-ops 20000 --sigsegv 1 --sigsegv-ops 10000"),
    _stress("timer", "--timer 2 --timer-ops 5000 --timerfd 1 --timerfd-ops 2000 --itimer 1 --itimer-ops 2000"),
    _stress("pipe", "--pipe 2 --pipe-ops 100000"),
    _stress("mmap", "--mmap 2 --mmap-bytes 8M --mmap-ops 20"),
    _stress("fork", "--fork 2 --fork-ops 400"),
    _stress("clone", "--clone 2 --clone-ops 400"),
    _stress("socket", "--sock 2 --sock-ops 400"),
)
