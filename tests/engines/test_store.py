"""The cache on disk: what was saved comes back whole or not at all, whatever happens to the folder."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from xenos.engines.code.store import HEAD, WRITTEN, Store, digest

DAY = 86400
KEY = digest(b"a key")
BODY = bytes(range(256)) * 400


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "cache"))


def kept(store: Store) -> list[str]:
    """The names of all files but that of the count."""
    return sorted(name for name in os.listdir(store.folder) if name != WRITTEN)


def size_of(store: Store) -> int:
    """Bytes of all files that were there while we looked."""
    total = 0
    for name in kept(store):
        try:
            total += os.stat(os.path.join(store.folder, name)).st_size
        except FileNotFoundError:
            pass
    return total


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


@pytest.mark.parametrize("at", [0, 8, 20, 41, 57, 65, 73, 88, 5000, -1])
def test_a_changed_byte_is_noticed(store: Store, at: int) -> None:
    store.save(KEY, [BODY])
    path = Path(store.folder) / KEY.hex()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert store.load(KEY) is None


@pytest.mark.parametrize("size", [0, 7, 87, 88, 1000, 1 << 42])
def test_a_file_cut_short_or_made_longer_is_not_used(store: Store, size: int) -> None:
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
    assert kept(store) == [KEY.hex()]
    assert bytes(store.load(KEY) or b"") == BODY


def test_a_writer_that_is_killed_harms_nobody(store: Store) -> None:
    store.save(KEY, [BODY])

    def die() -> None:
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        store.save(KEY, [b"half"])

    assert in_child(die) == signal.SIGKILL
    assert bytes(store.load(KEY) or b"") == BODY
    left_over = [name for name in kept(store) if "." in name]
    assert left_over
    old = time.time() - 7200
    os.utime(Path(store.folder) / left_over[0], (old, old))
    store.tidy()
    assert kept(store) == [KEY.hex()]


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


def test_those_that_were_not_used_for_longest_go_when_there_is_too_much(tmp_path: Path) -> None:
    size = len(BODY) + HEAD
    store = Store(str(tmp_path))
    keys = [digest(bytes([n])) for n in range(6)]
    for number, key in enumerate(keys):
        store.save(key, [BODY])
        os.utime(tmp_path / key.hex(), (1000 + number, 1000 + number))
    assert store.load(keys[0]) is not None      # written first, used last
    store.limit = 3 * size
    store.tidy()
    assert kept(store) == sorted(key.hex() for key in (keys[0], *keys[4:]))


@pytest.mark.parametrize("ago, noted", [(-100 * DAY, True), (100, False), (2 * DAY, True), (None, True)])
def test_the_time_of_use_is_noted_once_a_day(store: Store, ago: int | None, noted: bool) -> None:
    """Also in a file that comes from a clock that is ahead, or from an archive without times."""
    store.save(KEY, [BODY])
    path = Path(store.folder) / KEY.hex()
    when = 0 if ago is None else time.time() - ago
    os.utime(path, (when, when))
    before = path.stat().st_mtime_ns
    store.tidy()
    assert store.load(KEY) is not None
    assert (path.stat().st_mtime_ns != before) == noted
    assert abs(path.stat().st_mtime - time.time()) < 200


def test_a_damaged_file_makes_room_for_a_good_one(store: Store) -> None:
    store.save(KEY, [BODY])
    path = Path(store.folder) / KEY.hex()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert store.head(KEY, 10) == BODY[:10]     # which does not look
    assert store.load(KEY) is None and "damaged" in store.problem
    assert not store.has(KEY) and store.head(KEY, 10) == b""


def test_the_head_of_a_file_cut_short_is_not_used(store: Store) -> None:
    store.save(KEY, [BODY])
    os.truncate(Path(store.folder) / KEY.hex(), 5000)
    assert store.head(KEY, 10) == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file another user's")
def test_what_belongs_to_another_user_is_not_used_and_is_replaced(store: Store) -> None:
    store.save(KEY, [b"theirs"])
    path = Path(store.folder) / KEY.hex()
    os.chown(path, 65534, 65534)
    assert store.load(KEY) is None and store.head(KEY, 3) == b"" and path.exists()
    assert store.save(KEY, [BODY]) and bytes(store.load(KEY) or b"") == BODY


def test_a_guest_that_lets_nobody_read_what_it_makes(store: Store) -> None:
    def write() -> None:
        os.umask(0o777)
        assert store.save(KEY, [BODY])

    assert in_child(write) == 0
    folder = Path(store.folder)
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / KEY.hex(), folder / WRITTEN)] == [0o700, 0o600, 0o600]


def test_what_is_not_ours_is_not_counted_and_not_removed(store: Store) -> None:
    store.save(KEY, [BODY])
    (Path(store.folder) / "notes.txt").write_bytes(bytes(1000))
    os.mkfifo(Path(store.folder) / digest(b"pipe").hex())
    store.limit = len(BODY) + HEAD
    store.tidy()
    assert "notes.txt" in os.listdir(store.folder) and store.has(KEY)
    assert store.load(digest(b"pipe")) is None      # and does not wait for a writer


# The bound.


def test_the_folder_is_not_looked_through_at_each_save(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: looks.append(folder) or listdir(folder))
    for number in range(100):
        store.save(digest(bytes([number])), [BODY])
    assert len(looks) == 1      # the first writer did not know what was there
    store.limit = 8 * 100 * 1024
    store.save(KEY, [BODY])
    assert len(looks) == 2


def spoil_nothing(path: Path) -> None:
    path.unlink()


def spoil_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def spoil_size(path: Path) -> None:
    os.truncate(path, 1 << 40)


@pytest.mark.parametrize("spoil", [spoil_nothing, spoil_folder, spoil_size])
def test_the_bound_holds_whatever_becomes_of_the_count(store: Store, spoil: Callable[[Path], None]) -> None:
    for number in range(20):
        store.save(digest(bytes([number])), [BODY])
    spoil(Path(store.folder) / WRITTEN)
    store.limit = 5 * len(BODY)
    store.save(KEY, [BODY])
    assert size_of(store) <= store.limit and store.has(KEY)


def test_what_is_renamed_or_gone_while_the_folder_is_looked_through(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [digest(bytes([number])) for number in range(6)]
    for key in keys:
        store.save(key, [BODY])
    names = os.listdir(store.folder)
    names.remove(keys[0].hex())
    names[:0] = [digest(b"gone").hex(), f"{digest(b'gone too').hex()}.1.2", f"{keys[0].hex()}.1.2"]
    monkeypatch.setattr(os, "listdir", lambda folder: names)
    store.tidy(4 * (len(BODY) + HEAD))
    assert sum(store.has(key) for key in keys) == 4


def test_the_bound_holds_with_eight_writers_at_once(tmp_path: Path) -> None:
    """All the while, but for the files that they are writing; and exactly when they are done."""
    store = Store(str(tmp_path / "cache"), limit=4_000_000)
    largest = 200_000
    store.save(KEY, [BODY])
    writers = []
    for writer in range(8):
        pid = os.fork()
        if pid == 0:
            try:
                for number in range(60):
                    key = digest(bytes([writer, number]))
                    if not store.save(key, [bytes([writer]) * (largest - 3000 * number)]):
                        os._exit(2)
                os._exit(0)
            finally:
                os._exit(1)
        writers.append(pid)
    most = 0
    while writers:
        most = max(most, size_of(store))
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            assert status == 0
            writers.remove(pid)
    assert 3_000_000 < most <= store.limit + 8 * largest
    assert size_of(store) <= store.limit
    assert not [name for name in kept(store) if "." in name]
    for name in kept(store):
        assert store.load(bytes.fromhex(name)) is not None


def test_writers_that_are_killed_anywhere_leave_whole_files_only(store: Store) -> None:
    """And their halves go after an hour."""
    store.save(KEY, [BODY])
    draw = random.Random(1)
    for _ in range(40):
        pid = os.fork()
        if pid == 0:
            while True:
                store.save(KEY, [BODY[: draw.randrange(len(BODY))]])
        time.sleep(draw.random() / 100)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        body = store.load(KEY)
        assert body is not None and bytes(body) == BODY[: len(body)]
    for name in kept(store):
        if "." in name:
            os.utime(Path(store.folder) / name, (1, 1))
    store.tidy()
    assert kept(store) == [KEY.hex()]


def test_a_full_disk_leaves_nothing_behind() -> None:
    """On a file system of 256 KiB: what does not fit is not there, what was there stays, and when there is room it goes on."""
    code = """if True:
        import os, sys
        from xenos.engines.code.store import Store, digest
        store = Store(sys.argv[1] + "/cache")
        kept = []
        for number in range(30):
            key = digest(bytes([number]))
            if store.save(key, [bytes([number]) * 20_000]):
                kept.append(key)
            else:
                assert "No space" in store.problem, store.problem
        assert 5 < len(kept) < 20, len(kept)
        assert all(store.load(key) is not None for key in kept)
        assert len([name for name in os.listdir(store.folder) if name != "written"]) == len(kept)
        os.unlink(store.folder + "/" + kept[0].hex())
        assert store.save(kept[0], [bytes(20_000)])
        print("done")
    """
    inside = 'mount -t tmpfs -o size=256k none /mnt && exec "$@" /mnt'
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", inside, "sh", sys.executable, "-c", code]
    if subprocess.run([*command[:-3], "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system of his own")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.stdout == "done\n", done.stderr


def test_a_folder_that_cannot_be_made_is_only_cold(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(str(tmp_path / "file" / "cache"))
    assert not store.save(KEY, [BODY])
    assert store.problem and store.load(KEY) is None
