"""A confined guest's system calls do what they do without a policy: some 250 of them, with the host's own answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.contenders import sysroot
from cli.kit import command, environment
from linux.test_against_host import CROSS, SOURCE

NEEDS = f"needs gcc, {CROSS} and the guests' sysroot: the program executes a shell"
SHELL = sysroot() / "usr" / "bin" / "sh"
ENOUGH = {"PATH": "/usr/bin:/bin", "HOME": os.path.expanduser("~")}


@pytest.mark.skipif(not shutil.which(CROSS) or not shutil.which("gcc") or not SHELL.exists(), reason=NEEDS)
def test_a_policy_changes_no_answer(tmp_path: Path) -> None:
    outputs = []
    for name, compiler in (("host", "gcc"), ("guest", CROSS)):
        program, folder = tmp_path / name, tmp_path / f"{name}-files"
        folder.mkdir()
        subprocess.run([compiler, "-O1", "-w", "-static", SOURCE, "-o", program], check=True)
        words = [str(program), str(folder)]
        if name == "guest":
            opened = [f"--rw={folder}", "--rw=/dev/shm", "--ro=/etc/passwd", "--max-time=100"]
            words = command("run", *opened, f"--sysroot={sysroot()}", *words)
        done = subprocess.run(words, capture_output=True, text=True, env=environment() | ENOUGH, timeout=120)
        assert done.returncode == 42, done.stderr
        outputs.append(done.stdout.splitlines())
    assert outputs[0] == outputs[1] and len(outputs[0]) > 240


AGAIN = "import subprocess, sys; print(sys.executable, subprocess.run([sys.executable, '-c', 'print(2)']).returncode)"


@pytest.mark.skipif(not (sysroot() / "usr" / "bin" / "python3").exists(), reason="needs the guests' sysroot")
def test_programs_of_the_sysroot_stay_its_own(tmp_path: Path) -> None:
    """The host has a program of that name, too: it must not take the place of the guest's."""
    words = command("run", f"--rw={tmp_path}", f"--sysroot={sysroot()}", "python3", "-c", AGAIN)
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=120, stdin=subprocess.DEVNULL)
    assert (done.stdout.split(), done.returncode) == (["2", "/usr/bin/python3", "0"], 0), done.stderr


@pytest.mark.skipif(not (sysroot() / "usr" / "bin" / "python3").exists(), reason="needs the guests' sysroot")
def test_a_script_can_be_read_by_its_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/usr/bin/python3\nprint('read')\n")
    script.chmod(0o755)
    done = subprocess.run(command("run", "--no-exec", "--ro=/dev/null", f"--sysroot={sysroot()}", script),
                          capture_output=True, text=True, env=environment(), timeout=120, stdin=subprocess.DEVNULL)
    assert (done.stdout, done.returncode) == ("read\n", 0), done.stderr
