"""A guest program that makes calls that make no sense (programs/wild.c), run by Xenos in a sandbox, and the verdict."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"
_BY_ITSELF = (42, 43)           # it came to its end, or to the end of what it had unmapped of itself
_KILLED = (129, 193)            # 128 and the number of a signal
_OURS = ("Traceback", "a bug of Xenos", "Error:")


def wrong_compiler() -> str:
    """Why the program cannot be built, or an empty string."""
    return "" if shutil.which(CROSS) else f"needs {CROSS}"


def build(folder: Path) -> Path:
    """Compile it, and run it once for nothing: a sandbox has no room for what Xenos keeps in its cache."""
    program = folder / "wild"
    subprocess.run([CROSS, "-O1", "-w", "-static", HERE / "programs" / "wild.c", "-o", program], check=True)
    run = [sys.executable, "-m", "xenos", "run", program, "1", "0"]
    subprocess.run(run, cwd=folder, env={**os.environ, "PYTHONPATH": str(HERE.parents[1] / "src")}, check=False)
    return program


def judge(program: Path, seed: int, count: int, folder: str) -> str:
    """Run it in a sandbox that may write to `folder`; what is wrong with how that ends, or an empty string.

    The guest may end itself by a signal, and Xenos then says by which. It must not take Xenos with it.
    """
    paths = f"{HERE.parents[1] / 'src'}:{HERE.parent}"
    run = subprocess.run(
        [sys.executable, "-m", "linux.sandbox", folder, sys.executable, "-m", "xenos", "run", program, str(seed), str(count)],
        capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": paths},
    )
    said = run.stderr
    killed = _KILLED[0] <= run.returncode < _KILLED[1] and "xenos: " in said
    if any(word in said for word in _OURS) or not (run.returncode in _BY_ITSELF or killed):
        return f"seed {seed}: status {run.returncode}\n{said}"
    return ""
