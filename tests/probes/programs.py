"""The probes as programs: how one is built for host and guest, what its checks are called, how one is run."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOST_COMPILER, GUEST_COMPILER = "gcc", "riscv64-linux-gnu-gcc"
FLAGS = ("-O1", "-g", "-w", "-static", "-pthread")
BUILT = ROOT / ".cache" / "probes"


@functools.cache
def names() -> list[str]:
    """All probes, as folder/file."""
    return sorted(str(path.relative_to(HERE).with_suffix("")) for path in HERE.glob("*/*.c"))


@functools.cache
def build(name: str, guest: bool) -> Path:
    """The static program of a probe, kept until its source or the header changes."""
    source = HERE / f"{name}.c"
    compiler = GUEST_COMPILER if guest else HOST_COMPILER
    key = hashlib.sha256(repr((compiler, FLAGS)).encode() + source.read_bytes() + (HERE / "probe.h").read_bytes())
    made = BUILT / f"{name.replace('/', '-')}-{'guest' if guest else 'host'}-{key.hexdigest()[:12]}"
    if not made.exists():
        BUILT.mkdir(parents=True, exist_ok=True)
        partial = made.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, *FLAGS, "-o", str(partial), str(source), "-lm"], check=True)
        partial.rename(made)
    return made


def contender(name: str) -> list[str]:
    """What stands before the name of a guest program: nothing, a qemu-user, or Xenos from this checkout."""
    if name == "native":
        return []
    if name == "xenos":
        start = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from xenos.cli.main import main; sys.exit(main())"
        return [sys.executable, "-c", start, "run"]
    found = os.environ.get("XENOS_QEMU_RISCV64", "") if name == "qemu10" else shutil.which("qemu-riscv64")
    return [found] if found else []


@dataclass(frozen=True)
class Shown:
    """What a run printed and how it ended: an exit status, minus a signal, or None where it hung."""

    text: str
    status: int | None
    errors: str

    @property
    def checks(self) -> dict[str, str]:
        """Lines under each check's name."""
        found: dict[str, str] = {}
        name = ""
        for line in self.text.splitlines(keepends=True):
            if line.startswith("  "):
                found[name] = found.get(name, "") + line
            else:
                name = line.strip()
                found[name] = ""
        return found


def plainly() -> None:
    """Ignore nothing that whoever started us ignores, as shells do for what they put into the background."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def run(command: list[str], seconds: float) -> Shown:
    """Run in a folder and process group of its own, with nothing left of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder, tempfile.TemporaryFile() as output, \
            tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=folder, process_group=0, preexec_fn=plainly,
            env={"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"),
                 **{name: value for name, value in os.environ.items() if name.startswith("XENOS_")}},
        )
        try:
            status: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        output.seek(0)
        errors.seek(0)
        return Shown(output.read().decode(errors="replace"), status, errors.read().decode(errors="replace"))
