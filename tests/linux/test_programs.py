"""C programs that print each system call and what came of it: a guest must see what the host shows, line by line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CROSS = "riscv64-linux-gnu-gcc"
pytestmark = pytest.mark.skipif(
    not shutil.which(CROSS) or not shutil.which("gcc"), reason=f"needs gcc and {CROSS}",
)


@pytest.mark.parametrize(("name", "least"), [("descriptors", 400), ("sockets", 190), ("mappings", 180)])
def test_guest_sees_what_the_host_shows(name: str, least: int, tmp_path: Path) -> None:
    shown = {}
    for who, compiler in (("host", "gcc"), ("guest", CROSS)):
        program = tmp_path / who / name
        (tmp_path / who / "room").mkdir(parents=True)
        subprocess.run([compiler, "-O1", "-w", "-static", HERE / "programs" / f"{name}.c", "-o", program], check=True)
        start = [sys.executable, "-m", "xenos", "run"] if who == "guest" else []
        run = subprocess.run(
            [*start, str(program), str(program.parent / "room")], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=100, check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE.parents[1] / "src"),
                 **{key: os.environ[key] for key in ("XENOS_CACHE", "HOME") if key in os.environ}},
        )
        shown[who] = run.stdout.splitlines()
        assert run.returncode == 42, run.stderr
    assert shown["guest"] == shown["host"]
    assert len(shown["host"]) > least
