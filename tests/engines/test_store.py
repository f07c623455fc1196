"""The cache on disk: what was saved comes back whole or not at all, whatever happens to the folder."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import pytest

from xenos.engines.code.store import Store, digest

KEY = digest(b"a key")
BODY = bytes(range(256)) * 400


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "cache"))


def in_child(action: object) -> int:
    """Run a function in a forked child; gives its wait status."""
    assert callable(action)
    pid = os.fork()
    if pid == 0:
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def test_what_is_saved_comes_back(store: Store) -> None:
    assert store.load(KEY) is None
    assert store.save(KEY, [BODY[:1000], BODY[1000:]])
    assert bytes(store.load(KEY) or b"") == BODY
    assert store.head(KEY, 10) == BODY[:10]


@pytest.mark.parametrize("at", [0, 8, 20, 41, 50, 64, 5000, -1])
def test_a_changed_byte_is_noticed(store: Store, at: int) -> None:
    store.save(KEY, [BODY])
    path = Path(store.folder) / KEY.hex()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert store.load(KEY) is None


@pytest.mark.parametrize("size", [0, 7, 63, 64, 1000])
def test_a_file_cut_short_is_not_used(store: Store, size: int) -> None:
    store.save(KEY, [BODY])
    os.truncate(Path(store.folder) / KEY.hex(), size)
    assert store.load(KEY) is None


def test_a_file_under_another_name_is_not_used(store: Store) -> None:
    store.save(KEY, [BODY])
    other = digest(b"another")
    os.rename(Path(store.folder) / KEY.hex(), Path(store.folder) / other.hex())
    assert store.load(other) is None


def test_no_room_leaves_nothing_behind(store: Store) -> None:
    store.save(KEY, [BODY])

    def write() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        assert not store.save(digest(b"large"), [BODY])
        assert store.problem

    assert in_child(write) == 0
    assert os.listdir(store.folder) == [KEY.hex()]
    assert bytes(store.load(KEY) or b"") == BODY


def test_a_writer_that_is_killed_harms_nobody(store: Store) -> None:
    store.save(KEY, [BODY])

    def die() -> None:
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        store.save(KEY, [b"half"])

    assert in_child(die) == signal.SIGKILL
    assert bytes(store.load(KEY) or b"") == BODY
    left_over = [name for name in os.listdir(store.folder) if "." in name]
    assert left_over
    old = time.time() - 7200
    os.utime(Path(store.folder) / left_over[0], (old, old))
    store.tidy()
    assert os.listdir(store.folder) == [KEY.hex()]


def test_two_writers_and_a_reader_see_whole_files(store: Store) -> None:
    bodies = [bytes([letter]) * 300_000 for letter in b"ab"]
    store.save(KEY, [bodies[0]])
    writers = []
    for body in bodies:
        pid = os.fork()
        if pid == 0:
            for _ in range(60):
                store.save(KEY, [body])
            os._exit(0)
        writers.append(pid)
    for _ in range(200):
        assert bytes(store.load(KEY) or b"") in bodies
    assert [os.waitpid(pid, 0)[1] for pid in writers] == [0, 0]


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path) -> None:
    store = Store(str(tmp_path), limit=3 * len(BODY) + 1000)
    keys = [digest(bytes([n])) for n in range(6)]
    for number, key in enumerate(keys):
        store.save(key, [BODY])
        os.utime(tmp_path / key.hex(), (1000 + number, 1000 + number))
    store.tidy()
    assert sorted(os.listdir(tmp_path)) == sorted(key.hex() for key in keys[3:])


def test_a_folder_that_cannot_be_made_is_only_cold(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(str(tmp_path / "file" / "cache"))
    assert not store.save(KEY, [BODY])
    assert store.problem and store.load(KEY) is None
