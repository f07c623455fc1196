"""A cache folder that is corrupt, foreign, read-only or absent changes how long a run takes, and nothing else."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import kit
from cli.kit import printing, write, xenos
from xenos.engines import choose


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


def files(folder: Path) -> list[Path]:
    """Smallest first."""
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


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
