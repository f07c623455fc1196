"""One C program makes some 250 system calls; what it prints must be the same on the host and in a guest."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE / "programs" / "calls.c"
CROSS = "riscv64-linux-gnu-gcc"
RUN = """
import sys
from xenos.engines.choose import bridge
from xenos.cpu.state import Cpu
from xenos.engines.reference import ReferenceEngine
from xenos.isa.riscv.guest import GUEST
from xenos.linux.process import Process
from xenos.memory.flat import FlatMemory
process = Process(GUEST.linux, Cpu(GUEST.layout), FlatMemory(), ReferenceEngine(GUEST), bridge=bridge())
process.load(sys.argv[1], sys.argv[1:], {"PATH": "/usr/bin:/bin"})
sys.exit(process.run().exit_status)
"""


@pytest.mark.skipif(not shutil.which(CROSS) or not shutil.which("gcc"), reason=f"needs gcc and {CROSS}")
def test_guest_sees_what_the_host_shows(tmp_path: Path) -> None:
    source = str(HERE.parents[1] / "src")
    builds = []
    for name, compiler in (("host", "gcc"), ("guest", CROSS)):
        (tmp_path / name).mkdir()
        program = str(tmp_path / f"{name}.x")
        builds.append(subprocess.Popen([compiler, "-O1", "-w", "-static", str(SOURCE), "-o", program]))
    assert [build.wait() for build in builds] == [0, 0]
    starts = {
        "host": [str(tmp_path / "host.x")], "guest": [sys.executable, "-c", RUN, str(tmp_path / "guest.x")],
    }
    runs = {
        name: subprocess.Popen(
            [*start, str(tmp_path / name)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": source}, stdin=subprocess.DEVNULL,
        )
        for name, start in starts.items()
    }
    outputs = {name: run.communicate(timeout=120)[0].splitlines() for name, run in runs.items()}
    assert outputs["guest"] == outputs["host"]
    assert len(outputs["host"]) > 240
    assert [run.returncode for run in runs.values()] == [42, 42]
