"""System calls that make no sense, without end: the first part of `make fuzz`. Stops at the first run that goes wrong.

    python -m tests.calls_forever [SEED] [--runs N]

One run in two is made by `linux.wild_calls`, which asks the process that plays the kernel directly; the other by a guest
program, programs/wild.c, in generated code. Both in a sandbox.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from linux import sandbox  # noqa: E402
from linux.wild_guest import build, judge, wrong_compiler  # noqa: E402

COUNT = 20000


def direct(seed: int, folder: str) -> str:
    """What is wrong with one run of wild_calls, or nothing."""
    run = subprocess.run(
        [sys.executable, "-m", "linux.wild_calls", folder, str(seed), str(COUNT)], capture_output=True, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"},
    )
    return "" if run.stdout == b"ok\n" else (run.stdout + run.stderr).decode(errors="replace") or f"ends {run.returncode}"


def main() -> int:
    """Run until something goes wrong, or so many times."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    ask.add_argument("seed", nargs="?", type=int, default=random.SystemRandom().randrange(1 << 32))
    ask.add_argument("--runs", type=int, default=0, help="stop after so many; without end if 0")
    wanted = ask.parse_args()
    if not sandbox.available():
        print("calls that make no sense: left out, this host allows no sandbox (namespaces)")
        return 0
    with tempfile.TemporaryDirectory() as room:
        program = None if wrong_compiler() else build(Path(room))
        done = 0
        while not wanted.runs or done < wanted.runs:
            seed = wanted.seed + done // 2
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                wrong = direct(seed, folder) if done % 2 == 0 or program is None else judge(program, seed, COUNT, folder)
            if wrong:
                print(f"\n{wrong}\nagain: python -m tests.calls_forever {seed} --runs 2")
                return 1
            done += 1
            print(f"\rseed {seed}: {done * COUNT} calls, all survived", end="", flush=True)
    print()
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        print()
        raise SystemExit(130) from None
