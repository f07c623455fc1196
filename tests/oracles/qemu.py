"""The outside oracle: qemu's user emulation, running all cases in one process through `riscv_driver.c`."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from oracles.cases import Case, OracleError, Result, ended_by

COMPILER = "riscv64-linux-gnu-gcc"
FLAGS = ("-O2 -Wall -Wextra -Werror -march=rv64imac_zifencei -mabi=lp64 -static -nostdlib -nostartfiles -ffreestanding "
         "-fno-stack-protector -fno-strict-aliasing -fno-tree-loop-distribute-patterns -fno-pie -no-pie "
         "-mno-relax").split()

# Seconds for one process: only a hang of the oracle itself reaches it, as the driver gives up on a case after 0.4 s.
TIMEOUT = 300

_HEADER = struct.Struct("<II Q 31Q 32Q")
_RESULT = struct.Struct("<II QQ 31Q 32Q")


@functools.cache
def find_qemu(least_version: int = 0) -> str | None:
    """A qemu-riscv64 of at least that major version.

    The first of: the one that XENOS_QEMU_RISCV64 names, the one in Xenos's cache folder, the one on the path.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cached = os.path.join(cache, "xenos", "oracles", "qemu-riscv64")
    for name in (os.environ.get("XENOS_QEMU_RISCV64"), cached, shutil.which("qemu-riscv64")):
        if name and _version(name) >= least_version:
            return name
    return None


@functools.cache
def _version(qemu: str) -> int:
    try:
        text = subprocess.run([qemu, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return -1
    found = re.search(r"version (\d+)", text)
    return int(found[1]) if found else -1


def missing(least_version: int = 0) -> str:
    """What is missing for `run_words` with such a qemu, or an empty string."""
    if not shutil.which(COMPILER):
        return f"{COMPILER} is missing"
    if not find_qemu(least_version):
        return f"qemu-riscv64 {least_version or ''}".rstrip() + " is missing"
    return ""


@functools.cache
def _driver() -> str:
    folder = tempfile.mkdtemp(prefix="xenos-oracle-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "riscv_driver")
    source = Path(__file__).with_name("riscv_driver.c")
    built = subprocess.run([COMPILER, *FLAGS, "-o", path, str(source)], capture_output=True, text=True)
    if built.returncode:
        raise OracleError(f"{source.name} does not compile: {built.stderr}")
    return path


def _pack(case: Case, code: bytes) -> bytes:
    x = [0] * 32
    for number, value in case.x.items():
        x[number] = value
    f = [0] * 32
    for number, value in case.f.items():
        f[number] = value
    memory = case.memory
    return b"".join((_HEADER.pack(len(code), len(memory), case.fcsr, *x[1:], *f),
                     code, bytes(-len(code) % 8), memory, bytes(-len(memory) % 8)))


def run_words(cases: Sequence[Case], least_version: int = 0) -> list[Result]:
    """Run every case, in one process, on a qemu of at least that major version; OracleError if none or if it dies.

    From version 8 on every extension qemu has is switched on; before, those of its default processor and Zfh.
    """
    if reason := missing(least_version):
        raise OracleError(reason)
    qemu = find_qemu(least_version)
    assert qemu is not None
    cpu = "max" if _version(qemu) >= 8 else "rv64,Zfh=true"
    codes = [case.code() for case in cases]
    ran = subprocess.run([qemu, "-cpu", cpu, _driver()], input=b"".join(map(_pack, cases, codes)), capture_output=True,
                         timeout=TIMEOUT)
    results = _unpack(ran.stdout, cases, codes)
    if ran.returncode or len(results) != len(cases):
        raise OracleError(f"qemu-riscv64 ended with status {ran.returncode} in or after case {len(results)}: "
                          f"{ran.stderr.decode(errors='replace').strip()}")
    return results


def _unpack(output: bytes, cases: Sequence[Case], codes: list[bytes]) -> list[Result]:
    results = []
    offset = 0
    for case, code in zip(cases, codes, strict=True):
        if offset + _RESULT.size + len(case.memory) > len(output):
            break
        signal, fcsr, pc, fault_address, *registers = _RESULT.unpack_from(output, offset)
        offset += _RESULT.size
        memory = output[offset:offset + len(case.memory)]
        offset += len(memory) + -len(memory) % 8
        signal = ended_by(signal, pc, len(code))
        results.append(Result(signal, pc, (0, *registers[:31]), tuple(registers[31:]), fcsr, memory,
                              fault_address if signal else 0))
    return results
