"""The AArch64 machine of these tests: qemu-aarch64 10 with an arm64 Python, and packs built for it on this one."""

from __future__ import annotations

import fcntl
import marshal
import os
import subprocess
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenos"
GUEST = "riscv64"
SYSROOT = CACHE / "sysroots" / GUEST


def missing() -> str:
    """What the machine lacks; empty if it is whole."""
    for file in (CACHE / "oracles" / "qemu-aarch64", CACHE / "sysroots" / "arm64" / "usr" / "bin" / "python3"):
        if not file.exists():
            return f"{file.name} for AArch64 is missing: scripts/prepare-tests and scripts/prepare-aarch64 fetch it"
    return ""


def missing_llvmlite() -> str:
    """Why nothing can be built on the machine; empty if it can."""
    modules = CACHE / "sysroots" / "arm64" / "usr" / "lib" / "python3" / "dist-packages"
    return missing() or ("" if (modules / "llvmlite").exists() else "llvmlite for AArch64 is missing")


def pack(level: int) -> Path:
    """The file of a pack for that level, built if these sources have none yet (15 s). Only the newest is kept."""
    from xenos.engines.stencil.pack import build, made_from

    folder = CACHE / "aarch64"
    folder.mkdir(parents=True, exist_ok=True)
    key = made_from(GUEST, level)
    file = folder / f"v{level}-{key.hex()[:16]}"
    with open(folder / f"v{level}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)   # tests run in parallel
        if not file.exists():
            for old in folder.glob(f"v{level}-*"):
                old.unlink()
            head, stencils = build(GUEST, level, machine="aarch64")
            head["made_from"] = key
            partial = file.with_suffix(".partial")
            partial.write_bytes(marshal.dumps((head, stencils)))
            partial.rename(file)
    return file


def inside(level: int, *arguments: str | Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """`inside.py` on the machine, with these arguments behind the pack of that level. Its code cache is its own."""
    environment = {**os.environ, "XENOS_CACHE": str(CACHE / "aarch64" / "cache"), "XENOS_HOST_LEVEL": str(level),
                   "XENOS_SITE": sysconfig.get_path("purelib"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                   "PYTHONDONTWRITEBYTECODE": "1"}
    own = "-" if arguments[0] == "library" else pack(level)
    command = [ROOT / "scripts" / "on-aarch64", Path(__file__).with_name("inside.py"), own, *arguments]
    return subprocess.run([str(word) for word in command], env=environment, cwd=ROOT, capture_output=True, text=True,
                          timeout=timeout)
