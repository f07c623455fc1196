"""The stencil engine on an AArch64 host: a sample always, everything with XENOS_AARCH64=all (`make test-aarch64`)."""

from __future__ import annotations

import hashlib
import os

import pytest

from aarch64.inside import library
from aarch64.machine import ROOT, SYSROOT, inside, missing, missing_llvmlite

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
everything = pytest.mark.skipif(os.environ.get("XENOS_AARCH64") != "all", reason="only by make test-aarch64")
debian = pytest.mark.skipif(not (SYSROOT / "usr/bin/python3").exists(),
                            reason="no guest programs: scripts/prepare-tests fetches them")

LEVELS = (1, 2)
BUSYBOX = SYSROOT / "usr/bin/busybox"


def test_a_sample_of_instructions() -> None:
    done = inside(2, "instructions", 1, "integer", "multiply", "atomic", "float_double")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@debian
def test_a_dynamic_program() -> None:
    data = ROOT / "pyproject.toml"
    done = inside(2, "run", "--sysroot", SYSROOT, BUSYBOX, "sha256sum", data)
    assert done.stdout.split()[:1] == [hashlib.sha256(data.read_bytes()).hexdigest()], done.stderr


@pytest.mark.skipif(bool(missing_llvmlite()), reason=missing_llvmlite())
def test_a_library_built_there_is_the_one_built_here() -> None:
    names = ["addi", "lw", "beq", "jalr", "sraiw", "amoadd.w", "fsub.d"]
    done = inside(2, "library", *names)
    assert done.stdout.split() == [library(2, names, "aarch64")], done.stderr


@pytest.mark.skipif(bool(missing_llvmlite()), reason=missing_llvmlite())
def test_a_sample_of_regions() -> None:
    """Of both levels: regions are compiled inside. What else is quick is with it."""
    done = inside(2, "pytest", "-q", "-p", "no:cacheprovider", "tests/aarch64/test_region_atomics.py", "tests/linux/test_vdso.py",
                  "tests/aarch64/test_coherence.py", "-k", "test_each_fails_at_each_border or vdso or coherence")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@everything
@pytest.mark.skipif(bool(missing_llvmlite()), reason=missing_llvmlite())
def test_atomics_in_regions() -> None:
    done = inside(2, "pytest", "-q", "-p", "no:cacheprovider", "tests/aarch64/test_region_atomics.py")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@everything
@pytest.mark.parametrize("level", LEVELS)
def test_all_instructions(level: int) -> None:
    done = inside(level, "instructions", 12, timeout=3600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@everything
@pytest.mark.parametrize("level", LEVELS)
def test_exits_are_exact(level: int) -> None:
    done = inside(level, "pytest", "-q", "-p", "no:cacheprovider", "tests/isa/test_engine_exits.py",
                  "tests/aarch64/test_top_byte.py", timeout=3600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@everything
@pytest.mark.parametrize("level", LEVELS)
def test_a_static_program(level: int) -> None:
    done = inside(level, "run", "examples/tour")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "all as it must be"), done.stderr


@everything
def test_every_placement() -> None:
    done = inside(2, "pytest", "-q", "-p", "no:cacheprovider", "tests/engines/test_placements.py",
                  "tests/engines/test_lockstep.py", "tests/engines/test_units.py", timeout=7200)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@everything
@debian
def test_forks_pipes_and_signals() -> None:
    script = 'a=$(expr 3 \\* 14); echo $a; for i in 1 2 3; do echo $i; done | sort -r | tr "\\n" " "; kill -SEGV $$'
    done = inside(2, "run", "--sysroot", SYSROOT, BUSYBOX, "sh", "-c", script)
    assert (done.returncode, done.stdout) == (139, "42\n3 2 1 "), done.stderr


@everything
@debian
@pytest.mark.parametrize("time", ["first", "second"])
def test_python(time: str) -> None:
    """The second time its code comes from the cache."""
    program = "import json, math; print(json.dumps([math.floor(1e9 * math.sin(i)) for i in range(5)]), 3**80 % 1000007)"
    done = inside(2, "run", "--sysroot", SYSROOT, SYSROOT / "usr/bin/python3", "-c", program)
    assert done.stdout == "[0, 841470984, 909297426, 141120008, -756802496] " + f"{3**80 % 1000007}\n", done.stderr
