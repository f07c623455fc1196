"""What is compared: native code, qemu and Xenos, how each runs a program, and the header that says all this."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import Failed, adopt_orphans, run

HERE = Path(__file__).parent
BUILT = HERE.parent / ".cache" / "bench"
NATIVE_COMPILER = "gcc"
GUEST_COMPILER = "riscv64-linux-gnu-gcc"
NATIVE_FLAGS = ("-O2", "-static")
GUEST_FLAGS = ("-O2", "-march=rv64gc", "-static")
NAMES = ("native", "qemu", "xenos")


def cache_folder() -> Path:
    """Where `scripts/prepare-tests` puts guest programs and oracles."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenos"


def sysroot() -> Path:
    """The folder of unpacked guest programs."""
    return Path(os.environ.get("XENOS_TEST_SYSROOT") or cache_folder() / "sysroots" / "riscv64")


@dataclass
class Contender:
    """One way to run a program: what stands before its name, and the environment."""

    name: str
    prefix: list[str] = field(default_factory=list)
    sysroot_option: str = ""
    environment: dict[str, str] | None = None

    def with_engine(self, kind: str) -> Contender:
        """Xenos with another engine, and the same cache, in which each finds its own."""
        return Contender(kind, [*self.prefix[:-1], kind], self.sysroot_option, self.environment)

    def command(self, program: str | Path, *arguments: str, sysroot: Path | None = None) -> list[str]:
        """The whole command line; `sysroot` is where a dynamic guest finds its libraries."""
        return [*self.prefix, *([self.sysroot_option, str(sysroot)] if sysroot else []), str(program), *arguments]


def parser(description: str, rounds: int) -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--engines", default=",".join(NAMES), help="which to run, from native,qemu,xenos")
    made.add_argument("--rounds", type=int, default=rounds, help="how often each is run, in turn (%(default)s)")
    made.add_argument("--qemu", default="qemu-riscv64", metavar="COMMAND", help="(%(default)s)")
    made.add_argument("--xenos", metavar="COMMAND", default=shlex.join(xenos_command()), help="(%(default)s)")
    made.add_argument("--engine", default="region", metavar="KINDS", help="of Xenos (%(default)s)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures there as well")
    return made


def xenos_command() -> list[str]:
    """The installed command of this Python's environment, or this checkout's where it is not installed."""
    script = Path(sys.executable).with_name("xenos")
    path = str(HERE.parent / "src")
    start = f"import sys; sys.path.insert(0, {path!r}); from xenos.cli.main import main; sys.exit(main())"
    return [str(script)] if script.exists() else [sys.executable, "-c", start]


@contextmanager
def contenders(options: argparse.Namespace) -> Iterator[dict[str, Contender]]:
    """Those asked for, by name. Xenos has a cache folder of its own meanwhile, with nothing translated in it yet."""
    adopt_orphans()
    chosen = options.engines.split(",")
    if unknown := set(chosen) - set(NAMES):
        raise Failed(f"no such engine: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="xenos-bench-") as folder:
        own = {**os.environ, "XDG_CACHE_HOME": folder}
        # An installed package is compiled; a checkout would be anew at each start, where this says that nothing is to be kept.
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        made = {"native": Contender("native"), "qemu": Contender("qemu", [options.qemu], "-L"),
                "xenos": Contender("xenos", [*shlex.split(options.xenos), "run", "--engine", options.engine.split(",")[0]],
                                   "--sysroot", own)}
        if "xenos" in chosen:
            # Whatever Xenos builds once for a host (its stencil library, if that does not ship) is no program's cost.
            run(made["xenos"].command(build(HERE / "workloads" / "hello.c", guest=True)), own)
        yield {name: made[name] for name in NAMES if name in chosen}


def build(source: Path, guest: bool) -> Path:
    """The static program of a C file, kept until a source or flag changes."""
    compiler = GUEST_COMPILER if guest else NATIVE_COMPILER
    flags = GUEST_FLAGS if guest else NATIVE_FLAGS
    key = hashlib.sha256(repr((compiler, flags)).encode())
    for part in sorted({source, *source.parent.glob("*.h"), *source.parent.parent.glob("*.h")}):
        key.update(part.read_bytes())
    built = BUILT / f"{source.stem}-{'guest' if guest else 'native'}-{key.hexdigest()[:12]}"
    if not built.exists():
        if not shutil.which(compiler):
            raise Failed(f"{compiler} is missing: scripts/prepare-tests installs it")
        BUILT.mkdir(parents=True, exist_ok=True)
        partial = built.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, *flags, "-o", str(partial), str(source), "-lm"], check=True)
        partial.rename(built)
    return built


def header(options: argparse.Namespace, used: Mapping[str, Contender], baseline: str) -> dict[str, str]:
    """What the figures hang on, for people and for `--json`."""
    facts = {"host": f"{_processor()}, {os.cpu_count()} processors, {platform.system()} {platform.release()}",
             "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
             "baseline": baseline,
             "rounds": f"{options.rounds}, in turn; medians, +- half the range (from 8 on, of the middle half)"}
    for name, command in (("gcc", [NATIVE_COMPILER, "--version"]), ("guest gcc", [GUEST_COMPILER, "--version"])):
        facts[name] = _first_line(command)
    if "qemu" in used:
        facts["qemu"] = _first_line([options.qemu, "--version"])
    if "xenos" in used:
        commit = _first_line(["git", "-C", str(HERE), "log", "-1", "--format=%h %s"])
        facts["xenos"] = f"{commit}, Python {platform.python_version()}"
    return facts


def print_header(title: str, facts: Mapping[str, str]) -> None:
    """As lines, the title first."""
    print(title)
    for name, fact in facts.items():
        print(f"  {name:10} {fact}")
    print(flush=True)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _first_line(command: Sequence[str]) -> str:
    try:
        lines = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return "missing"
    return lines[0] if lines else "unknown"
