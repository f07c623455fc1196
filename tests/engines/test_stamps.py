"""Hashes of many files that are kept: taken from the cache as long as no file has changed, worked out otherwise."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from xenos.engines.code import stamps
from xenos.engines.code.stamps import content, hashed, stamp
from xenos.engines.code.store import Store, digest

if TYPE_CHECKING:
    from xenos.engines.code.stamps import Stamp

KEY = digest(b"some files")


class Files:
    """Two files in a folder, and how often they were read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"
        self.folder.mkdir()
        self.store = Store(str(folder / "cache"))
        self.read = 0
        for name in "ab":
            (self.folder / name).write_text(name)

    def _read(self, found: list[tuple[str, Stamp]]) -> list[bytes]:
        self.read += 1
        found.append((str(self.folder), stamp(str(self.folder))))
        return [content(str(path), found) for path in sorted(self.folder.iterdir())]

    def look(self) -> tuple[bytes, int]:
        """The hash, and how often files were read for it."""
        self.read = 0
        found = hashed(self.store, KEY, self._read)
        assert found == digest(*(path.read_bytes() for path in sorted(self.folder.iterdir())))
        return found, self.read


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setattr(stamps, "SETTLED", 0)
    return Files(tmp_path)


def test_files_are_read_once(files: Files) -> None:
    first = files.look()
    assert first[1] == 1 and files.look() == (first[0], 0)


def test_a_change_is_seen_whatever_length_and_time_say(files: Files) -> None:
    files.look()
    path = files.folder / "a"
    status = path.stat()
    time.sleep(0.05)
    path.write_text("c")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert files.look()[1] == 1 and files.look()[1] == 0


@pytest.mark.parametrize("change", ["new", "gone", "other"])
def test_files_that_come_and_go_are_seen(files: Files, change: str) -> None:
    files.look()
    time.sleep(0.05)
    if change == "new":
        (files.folder / "c").write_text("c")
    elif change == "gone":
        (files.folder / "b").unlink()
    else:
        (files.folder / "b").rename(files.folder / "d")
    assert files.look()[1] == 1 and files.look()[1] == 0


def test_nothing_is_kept_of_files_that_were_changed_just_now(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next change may come within the same tick of the file system's clock."""
    monkeypatch.setattr(stamps, "SETTLED", 3600 * 10**9)
    assert files.look()[1] == 1 and files.look()[1] == 1


def test_what_was_kept_and_cannot_be_read_is_not_used(files: Files) -> None:
    files.look()
    for body in (b"", b"nonsense", bytes(100)):
        assert files.store.save(KEY, [body])
        assert files.look()[1] == 1 and files.look()[1] == 0


def test_without_a_store_they_are_read_each_time(files: Files) -> None:
    found = files.look()[0]
    assert hashed(None, KEY, files._read) == hashed(None, KEY, files._read) == found and files.read == 3
