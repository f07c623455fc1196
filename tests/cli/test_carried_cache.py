"""A cache folder that is carried to another machine is as good there: no path, time or owner of the first one decides anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from bench.contenders import sysroot
from cli import kit
from cli.kit import EXIT, elf, write
from xenos.engines.code.store import WRITTEN
from xenos.linux.mman import _library

LIBRARIES = ("libc.so.6", "libm.so.6", "libreadline.so.8", "libtinfo.so.6", "ld-linux-riscv64-lp64d.so.1")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first machine's cache is, which has the library already."""
    folder = tmp_path_factory.mktemp("first")
    return kit.with_library(folder / "cache", write(folder, elf(EXIT)))


def movable(lines: list[str]) -> bytes:
    """A program that is placed by Xenos: in ELF's words a shared object."""
    program = bytearray(elf(lines))
    program[16] = 3
    return bytes(program)


def translated(program: Path | str, cache: Path, *words: str, source: Path = kit.ROOT / "src") -> int:
    """How many units a run had to translate."""
    done = subprocess.run(kit.command("run", "--stats", *words[:2], program, *words[2:]), capture_output=True, text=True,
                          timeout=120, env=kit.environment(XENOS_CACHE=str(cache), PYTHONPATH=str(source)))
    assert done.returncode == 7, done.stderr
    line = next(line for line in done.stderr.splitlines() if "units translated" in line)
    return int(line.split()[1].replace(",", ""))


def carried(cache: Path, to: Path, *, times: bool) -> Path:
    """The folder in a tar archive, and that unpacked elsewhere; without times all files are of 1970."""
    def strip(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime = entry.mtime if times else 0
        return entry

    with tarfile.open(to / "cache.tar", "w") as archive:
        archive.add(cache, "cache", filter=strip)
    with tarfile.open(to / "cache.tar") as archive:
        archive.extractall(to / "somewhere else", filter="data")
    return to / "somewhere else" / "cache"


@pytest.mark.parametrize("times", [True, False])
def test_another_path_time_and_place_of_everything(first: Path, tmp_path: Path, times: bool) -> None:
    """Of the cache, of the program, and of Xenos itself."""
    content = movable([f"addi a1, zero, {int(times)}", "addi a0, zero, 7", *EXIT])
    program = write(first.parent, content, "built")
    assert translated(program, first) > 0 and translated(program, first) == 0
    cache = carried(first, tmp_path, times=times)
    later = write(tmp_path, content, "built again")
    os.utime(later, (1, 1))
    source = Path(shutil.copytree(kit.ROOT / "src", tmp_path / "installed", ignore=shutil.ignore_patterns("__pycache__"),
                                  copy_function=shutil.copyfile))
    assert translated(later, cache, source=source) == 0
    # And what was used is the last to go.
    used = [path for path in (cache / "code").iterdir() if path.name != WRITTEN and path.stat().st_mtime > time.time() - 600]
    assert len(used) == 1 or times


def test_a_sysroot_unpacked_anew(first: Path, tmp_path: Path) -> None:
    """The dynamic linker and all libraries are where they were: in another folder, and of another time."""
    given = sysroot()
    if not (given / "usr/bin/lua5.4").exists():
        pytest.skip(f"no guest programs in {given}: scripts/prepare-tests fetches them")
    counts = []
    for name, when in ("one", 1_000_000_000), ("another/place", 1_700_000_000):
        root = tmp_path / name
        libraries = root / "usr/lib/riscv64-linux-gnu"
        libraries.mkdir(parents=True)
        (root / "usr/bin").mkdir()
        (root / "lib").symlink_to("usr/lib")
        shutil.copy(given / "usr/bin/lua5.4", root / "usr/bin")
        for library in LIBRARIES:
            shutil.copyfile(given / "usr/lib/riscv64-linux-gnu" / library, libraries / library)
        (root / "usr/lib" / LIBRARIES[-1]).symlink_to(f"riscv64-linux-gnu/{LIBRARIES[-1]}")
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                os.utime(path, (when, when))
        counts.append(translated("lua5.4", first, "--sysroot", str(root), "-e", "os.exit(7)"))
    assert counts[0] > 1000 and counts[1] < 10     # how long a path is decides about a branch or two


def test_only_what_is_in_a_library_decides_where_it_goes(tmp_path: Path) -> None:
    names = []
    for name, content in ("a", movable(EXIT)), ("b", movable(EXIT)), ("c", movable([*EXIT, *EXIT])), ("d", b"text"), ("e", b""):
        path = write(tmp_path, content, name)
        os.utime(path, (len(names), len(names)))
        with open(path, "rb") as file:
            names.append(_library(file.fileno()))
    assert names[0] == names[1] != names[2] and names[3:] == [b"", b""]
    reader, writer = os.pipe()
    assert _library(reader) == b""
    os.close(reader)
    os.close(writer)
