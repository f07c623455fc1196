"""A cache folder that is corrupt, foreign, read-only or absent changes how long a run takes, and nothing else."""

from __future__ import annotations

import os
import pty
import random
import shutil
import subprocess
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import kit
from cli.kit import EXIT, elf, printing, write, xenos
from xenos.engines import choose
from xenos.engines.code.segment import HEAD as SIZES
from xenos.engines.code.store import HEAD, WRITTEN, Store


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("program"), printing(b"hello\n", 3))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, hello: Path) -> tuple[Path, bytes]:
    """A cache folder that a run has filled, and what its terminal showed meanwhile."""
    folder = tmp_path_factory.mktemp("cache") / "made" / "on the way"
    keyboard, terminal = pty.openpty()
    run = subprocess.Popen(kit.command("run", hello), stdout=subprocess.PIPE, stderr=terminal,
                           env=kit.environment(XENOS_CACHE=str(folder)))
    os.close(terminal)
    shown = b""
    try:
        while data := os.read(keyboard, 1000):
            shown += data
    except OSError:     # closed at the other end
        pass
    os.close(keyboard)
    assert run.communicate(timeout=60)[0] == b"hello\n" and run.returncode == 3
    return folder, shown


@pytest.fixture
def cache(filled: tuple[Path, bytes], tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(filled[0], tmp_path / "cache"))


def check(hello: Path, folder: Path | str) -> str:
    """The program does the same whatever is in the folder; gives its statistics."""
    ended = xenos("run", "--stats", hello, XENOS_CACHE=str(folder))
    assert (ended.stdout, ended.status) == ("hello\n", 3), ended.stderr
    return ended.stderr


def run(program: Path, folder: Path) -> tuple[int, bool]:
    """The status of a program, and whether all its code came from the cache."""
    ended = xenos("run", "--stats", program, XENOS_CACHE=str(folder))
    return ended.status, "xenos: 0 units translated" in ended.stderr


def files(folder: Path) -> list[Path]:
    """Smallest first."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != WRITTEN]
    return sorted(found, key=lambda path: path.stat().st_size)


def test_progress_shows_on_a_terminal_while_the_library_is_compiled(filled: tuple[Path, bytes]) -> None:
    """And is wiped away before the program starts."""
    _, shown = filled
    assert b"compiling the stencil library" in shown and b"%" in shown and shown.endswith(b"\r\x1b[K")


def test_a_second_run_takes_its_code_from_the_cache(hello: Path, cache: Path) -> None:
    assert "xenos: 0 units translated" in check(hello, cache)


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:50], lambda data: data[:-1], lambda data: bytes(len(data)),
    lambda data: data[:-9] + b"?" + data[-8:], lambda data: data + b"?",
], ids=["empty", "head", "cut", "zeros", "one_byte", "longer"])
def test_damaged_code(hello: Path, cache: Path, damage: Callable[[bytes], bytes]) -> None:
    found = files(cache / "code")
    assert found
    for path in found:
        path.write_bytes(damage(path.read_bytes()))
    assert "damaged" in check(hello, cache)
    assert "xenos: 0 units translated" in check(hello, cache)   # what was damaged does not stand in the way of the new


def test_damage_in_every_structure(hello: Path, cache: Path) -> None:
    """A changed bit in each part of the head, in each size, in the first and last row of each list, in constants and code."""
    program = write(cache.parent, elf(["addi a0, zero, 3", "bne a0, zero, 12", "ecall", "ecall", *EXIT]), "program")
    before = files(cache / "code")
    assert run(program, cache) == (3, False) and run(program, cache) == (3, True)
    path, = set(files(cache / "code")) - set(before)
    data = path.read_bytes()
    sizes = list(array("Q", data[HEAD:HEAD + SIZES]))
    assert all(sizes[:4])
    parts = [0, 7, 8, 39, 40, 56, 64, 72, 87, *range(HEAD, HEAD + SIZES, 8)]
    at = HEAD + SIZES
    for count in sizes[1:]:
        width = 16 if at == HEAD + SIZES else 24     # of a row: blocks, then links, units and whatever more there is
        parts += [at, at + width * count - 1] if count else []
        at += width * count
    parts += [at, len(data) - 1]
    assert at + sizes[0] == len(data)
    for at in parts:
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:])
        assert run(program, cache) == (3, False), at
        assert path.read_bytes() == data, at


@pytest.mark.parametrize("word", range(4))
@pytest.mark.parametrize("value", [0, 1, (1 << 64) - 1, 1 << 60])
def test_sizes_that_cannot_be_with_a_right_checksum(hello: Path, cache: Path, word: int, value: int) -> None:
    """How much code, how many blocks, links and units: what does not add up is not taken up."""
    path = files(cache / "code")[-1]
    data = path.read_bytes()
    sizes = array("Q", data[HEAD:HEAD + SIZES])
    sizes[word] = value if value != sizes[word] else 2
    body = sizes.tobytes() + data[HEAD + SIZES:]
    assert Store(str(path.parent), maker=data[40:56]).save(bytes.fromhex(path.name), [body], "segment")
    check(hello, cache)


def test_a_damaged_library(hello: Path, cache: Path) -> None:
    """Both are damaged, so that code is to be translated and there are no stencils for it."""
    for path in (files(cache / "packs")[-1], *files(cache / "code")):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + b"damage" + data[len(data) // 2 + 6 :])
    check(hello, cache)


def test_files_that_belong_elsewhere(hello: Path, cache: Path) -> None:
    """Every file but those of the library holds what belongs to another one."""
    found = [*files(cache / "packs")[:-2], *files(cache / "code")]
    assert len(found) > 1
    contents = [path.read_bytes() for path in found]
    for path, content in zip(found, contents[1:] + contents[:1], strict=True):
        path.write_bytes(content)
    check(hello, cache)


def test_eight_runs_at_once_on_an_empty_cache(hello: Path, cache: Path) -> None:
    shutil.rmtree(cache / "code")
    running = [subprocess.Popen(kit.command("run", hello), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=kit.environment(XENOS_CACHE=str(cache))) for _ in range(8)]
    for process in running:
        assert process.communicate(timeout=100) == (b"hello\n", b"") and process.returncode == 3
    assert len(files(cache / "code")) == 1 and "xenos: 0 units translated" in check(hello, cache)


def test_runs_that_are_killed_anywhere(hello: Path, cache: Path) -> None:
    """In the middle of a save among others: the next one finds all of the code or none of it."""
    draw = random.Random(4)
    for _ in range(12):
        shutil.rmtree(cache / "code", ignore_errors=True)
        process = subprocess.Popen(kit.command("run", hello), stdout=subprocess.DEVNULL,
                                   env=kit.environment(XENOS_CACHE=str(cache)))
        time.sleep(0.08 + draw.random() / 8)
        process.kill()
        process.wait()
        whole = [path for path in files(cache / "code") if "." not in path.name] if (cache / "code").exists() else []
        assert ("xenos: 0 units translated" in check(hello, cache)) == bool(whole)


@pytest.mark.parametrize("spoil, says", [
    ("head -c 9000000 /dev/zero >/mnt/filling || true", "cache: /mnt/code: No space left on device"),
    ("mount -o remount,ro /mnt", "cache: /mnt/code: Read-only file system"),
    ("ulimit -f 1", "cache: /mnt/code: File too large"),
], ids=["full", "read-only", "limited"])
def test_a_disk_that_takes_nothing(hello: Path, cache: Path, spoil: str, says: str) -> None:
    """A file system of its own holds the library and nothing more; what was begun is not left there."""
    script = f'''mount -t tmpfs -o size=4m none /mnt && cp -r "$1/packs" /mnt && rm -rf /mnt/code && {{ {spoil}; }} 2>/dev/null
        shift; "$@"; status=$?; ls -A /mnt/code 2>/dev/null; exit $status'''
    prefix = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if subprocess.run([*prefix, "mount -t tmpfs none /mnt"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system of his own")
    ended = kit.Ended(subprocess.run([*prefix, script, "sh", str(cache), *kit.command("run", "--stats", hello)], timeout=120,
                                     capture_output=True, env=kit.environment(XENOS_CACHE="/mnt")))
    assert ended.status == 3 and ended.stdout.split() in (["hello"], ["hello", "written"]), ended.stderr
    assert f"xenos: {says}" in ended.stderr


def test_a_folder_that_cannot_be_made(hello: Path) -> None:
    check(hello, "/dev/null/below")


def test_a_read_only_folder(hello: Path, cache: Path) -> None:
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    check(hello, cache)
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o755)


def test_folders_and_links_in_place_of_files(hello: Path, cache: Path) -> None:
    *_, last = files(cache / "code")
    content = last.read_bytes()
    last.unlink()
    last.mkdir()
    check(hello, cache)
    last.rmdir()
    elsewhere = cache / "elsewhere"
    elsewhere.write_bytes(content)
    last.symlink_to(elsewhere)
    check(hello, cache)


def test_nothing_can_be_changed_by_others(cache: Path) -> None:
    """Code that others could change would be theirs to run."""
    assert not [path for path in files(cache) if path.stat().st_mode & 0o022]


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENOS_CACHE", "/one")
    assert choose.cache_folder() == "/one"
    monkeypatch.delenv("XENOS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    assert choose.cache_folder() == "/two/xenos"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/three")
    assert choose.cache_folder() == "/three/.cache/xenos"
