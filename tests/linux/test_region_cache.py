"""Regions in the cache are there for the next run. Files may be damaged and the disk full: results are the same, and it is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from array import array
from pathlib import Path

import pytest

from linux.hot_guests import CROSS, SOURCE, TRIES, build, empty_cache, end, regions, start, with_regions
from xenos.engines.code.segment import HEAD as SIZES
from xenos.engines.code.store import HEAD, MAGIC, WRITTEN

pytestmark = pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")


def kept(cache: Path) -> tuple[list[Path], list[Path]]:
    """Files of code with regions in it, and of what was seen of hot code."""
    code, seen = [], []
    for path in sorted((cache / "code").iterdir()):
        if path.name != WRITTEN:
            data = path.read_bytes()
            assert data.startswith(MAGIC)
            if data[56:64].strip(b"\0") == b"profile":
                seen.append(path)
            elif array("Q", data[HEAD:HEAD + SIZES])[4]:
                code.append(path)
    return code, seen


@pytest.fixture(scope="module")
def hot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("hot", tmp_path_factory.mktemp("hot"))


@pytest.fixture(scope="module")
def filled(hot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has regions of the program, all that are worth it."""
    cache = empty_cache(tmp_path_factory.mktemp("filled") / "cache")
    with_regions(lambda rounds: start(hot, rounds, XENOS_CACHE=str(cache)))
    for _ in range(TRIES):
        err = end(start(hot, XENOS_CACHE=str(cache)))
        if not regions(err) and all(kept(cache)):
            return cache
    raise AssertionError(f"it is compiled again and again: {err}")


@pytest.mark.parametrize("which", ["code", "profile"])
@pytest.mark.parametrize("damage", ["a bit", "half", "nothing left"])
def test_a_damaged_file(hot: Path, filled: Path, tmp_path: Path, which: str, damage: str) -> None:
    cache = Path(shutil.copytree(filled, tmp_path / "cache"))
    for path in kept(cache)[which == "profile"]:
        data = bytearray(path.read_bytes())
        if damage == "a bit":
            data[-40] ^= 4          # of a region, which are at the end
        else:
            del data[len(data) // 2 if damage == "half" else 0:]
        path.write_bytes(data)
    assert f"xenos: cache: {path} is damaged" in end(start(hot, XENOS_CACHE=str(cache)))
    assert "xenos: cache:" not in end(start(hot, XENOS_CACHE=str(cache)))


def test_a_full_disk(hot: Path, tmp_path: Path) -> None:
    """Code is put on a disk of 64 KiB, which somebody else has filled."""
    cache = empty_cache(tmp_path / "cache")
    (cache / "code").mkdir(mode=0o700)
    run = f'exec {sys.executable} -m xenos run --engine region --stats {hot} "$@"'
    script = f"mount -t tmpfs -o size=64k,mode=700 none {cache}/code && head -c 60000 /dev/zero >{cache}/code/other && {run}"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "XENOS_CACHE": str(cache)}
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system of his own")
    err = with_regions(lambda rounds: subprocess.Popen(
        [*unshare, "sh", "-c", script, "sh", str(rounds)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    assert f"xenos: cache: {cache}/code: No space left on device" in err, err
