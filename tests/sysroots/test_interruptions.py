"""Killed, crowded or out of room: a sysroot is whole in its place or not there, and the next command clears up."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.kit import Ended, command, environment
from sysroots import kit
from sysroots.kit import ISA, Archive, Behaviour, Made, file, other
from xenos.errors import SysrootError
from xenos.sysroots import make, workshop
from xenos.sysroots.progress import Progress
from xenos.sysroots.record import Record

pytestmark = pytest.mark.skipif(bool(kit.NO_GPG), reason=kit.NO_GPG)
FILES = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Behaviour]]:
    source = random.Random(5)
    archive = Archive(tmp_path_factory.mktemp("mirror") / "debian", [
        Made("many", [file(f"./usr/share/many/{n}", source.randbytes(500)) for n in range(FILES)], {"Depends": "big"}),
        Made("big", [file("./usr/lib/big", source.randbytes(2_000_000))], {"Installed-Size": "2000"}),
        Made("more", [file("./usr/bin/more", b"#!/bin/sh\n", 0o755)]),
        Made("vast", [file("./vast")], {"Installed-Size": str(1 << 40)})])
    with kit.served(archive.root) as started:
        yield started
    kit.end_keys()


class Place:
    """A user's folders, and the command run with them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = environment(XENOS_DATA=str(folder / "data"), XENOS_CACHE=str(folder / "cache"))
        self.create = ["create", ISA, "many", "--mirror", url, "--keyring", str(kit.keyring())]

    @property
    def sysroot(self) -> Path:
        return self.folder / "data" / "sysroots" / ISA

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command("sysroot", *words), env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def run(self, *words: str) -> Ended:
        return Ended(subprocess.run(command("sysroot", *words), env=self.environment, capture_output=True, timeout=120))

    def check_whole(self) -> None:
        assert len(list((self.sysroot / "usr/share/many").iterdir())) == FILES
        assert (self.sysroot / "usr/lib/big").stat().st_size == 2_000_000
        assert [path.name for path in self.sysroot.parent.iterdir()] == [ISA]


@pytest.fixture
def place(server: tuple[str, Behaviour], tmp_path: Path) -> Iterator[Place]:
    yield Place(tmp_path, server[0])
    server[1].slow = 0
    server[1].stuck = False


def test_killed_at_any_moment(place: Place) -> None:
    source, kills, started = random.Random(11), 0, time.monotonic()
    assert place.run(*place.create).status == 0
    shutil.rmtree(place.folder / "cache")
    whole = time.monotonic() - started
    for _ in range(12):
        shutil.rmtree(place.sysroot, ignore_errors=True)
        child = place.start(*place.create)
        try:
            child.communicate(timeout=source.uniform(0.05, whole))
        except subprocess.TimeoutExpired:
            kills += 1
            child.kill()
            child.communicate()
        if place.sysroot.exists():
            place.check_whole()
    assert kills > 3
    shutil.rmtree(place.sysroot, ignore_errors=True)
    ended = place.run(*place.create)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")
    place.check_whole()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_end_it_leaves_nothing_but_what_was_fetched(
    place: Place, server: tuple[str, Behaviour], number: signal.Signals,
) -> None:
    server[1].slow = 0.005
    child = place.start(*place.create)
    part = place.folder / "cache" / "packages" / f"trixie-{ISA}" / f"big_1.0-1_{ISA}.deb.part"
    for _ in range(1000):
        if part.exists() and part.stat().st_size > 100_000:
            break
        time.sleep(0.01)
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 128 + number and said == b""
    assert list(place.sysroot.parent.iterdir()) == []
    server[1].slow = 0
    server[1].asked.clear()
    assert place.run(*place.create).status == 0
    assert any(path == "/pool/big.deb" and asked for path, asked in server[1].asked)    # from where it broke off


def test_a_server_that_does_not_go_on_is_left_at_once(place: Place, server: tuple[str, Behaviour]) -> None:
    server[1].stuck = True
    child = place.start(*place.create)
    part = place.folder / "cache" / "packages" / f"trixie-{ISA}" / f"big_1.0-1_{ISA}.deb.part"
    for _ in range(1000):
        if part.exists():
            break
        time.sleep(0.01)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    started = time.monotonic()
    child.communicate(timeout=25)
    assert child.returncode == 130 and time.monotonic() - started < 5
    assert list(place.sysroot.parent.iterdir()) == []


def test_of_several_makers_one_makes_it(place: Place) -> None:
    children = [place.start(*place.create) for _ in range(4)]
    ended = [(child.communicate(timeout=120), child.returncode) for child in children]
    assert sorted(status for _, status in ended) == [0, 1, 1, 1]
    for (_, said), status in ended:
        if status:
            assert b"is at work on it" in said or b"there is a sysroot" in said or b"is there already" in said
            assert said.count(b"\n") == 1
    place.check_whole()


def test_makers_of_two_places_share_what_is_fetched(place: Place) -> None:
    children = [place.start(*place.create, "--into", str(place.folder / name)) for name in ("one", "two")]
    assert [(child.communicate(timeout=120), child.returncode)[1] for child in children] == [0, 0]
    for name in ("one", "two"):
        assert len(list((place.folder / name / "usr/share/many").iterdir())) == FILES


def test_no_room(place: Place) -> None:
    ended = place.run(*place.create, "vast")
    assert ended.status == 1 and "no room" in ended.complaint and "MiB are needed" in ended.complaint
    assert list(place.sysroot.parent.iterdir()) == []


def test_files_may_not_grow(place: Place) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    done = subprocess.run(command("sysroot", *place.create), env=place.environment, capture_output=True, preexec_fn=limit)
    assert done.returncode == 1 and Ended(done).complaint
    assert list(place.sysroot.parent.iterdir()) == []


def test_a_full_disk(place: Place) -> None:
    disk = place.folder / "data"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        # The list says less than what is in the package: only the disk itself tells.
        ended = place.run("create", ISA, "big", *place.create[3:])
        assert ended.status == 1 and ("the disk is full" in ended.complaint or "no room" in ended.complaint)
        ended = place.run("create", ISA, "many", *place.create[3:])
        assert ended.status == 1 and "no room" in ended.complaint
        assert list(place.sysroot.parent.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_cannot_be_written(place: Place) -> None:
    (place.folder / "data").write_text("a file")
    ended = place.run(*place.create)
    assert ended.status == 1 and "data" in ended.complaint


def test_add_keeps_what_is_there(place: Place) -> None:
    assert place.run(*place.create).status == 0
    mine = place.sysroot / "etc" / "mine"
    mine.write_text("my own")
    big = (place.sysroot / "usr/lib/big").stat().st_ino
    assert place.run("add", ISA, "more").status == 0
    assert (place.sysroot / "usr/bin/more").exists() and mine.read_text() == "my own"
    assert (place.sysroot / "usr/lib/big").stat().st_ino == big
    place.check_whole()
    ended = place.run("add", ISA, "nothing")
    assert ended.status == 1 and "there is no package `nothing`" in ended.complaint
    place.check_whole()
    assert place.run("remove", ISA).status == 0 and list(place.sysroot.parent.iterdir()) == []


def test_update_takes_what_is_newer(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "debian", [Made("it", [file("./it", b"old"), file("./usr/etc/x")])])
    place = Place(tmp_path, archive.root.as_uri())
    place.create[2] = "it"
    assert place.run(*place.create).status == 0
    (tmp_path / "debian" / "pool" / "it.deb").unlink()
    archive.put([Made("it", [file("./it", b"new")], version="1.0-2")])
    assert place.run("update", ISA).status == 0
    assert (place.sysroot / "it").read_bytes() == b"new"


def test_add_killed_at_any_moment(place: Place) -> None:
    assert place.run(*place.create).status == 0
    source = random.Random(3)
    for _ in range(6):
        child = place.start("add", ISA, "more")
        try:
            child.communicate(timeout=source.uniform(0.05, 0.5))
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
        assert len(list((place.sysroot / "usr/share/many").iterdir())) == FILES
    assert place.run("add", ISA, "more").status == 0
    place.check_whole()


def test_remove_takes_what_a_guest_left(place: Place) -> None:
    assert place.run(*place.create).status == 0
    (place.sysroot / "locked" / "inner").mkdir(parents=True)
    (place.sysroot / "locked" / "inner").chmod(0)
    (place.sysroot / "locked").chmod(0o500)
    outside = place.folder / "outside"
    outside.mkdir(mode=0o750)
    (place.sysroot / "link").symlink_to(outside)
    assert place.run("remove", ISA).status == 0
    assert list(place.sysroot.parent.iterdir()) == [] and outside.exists()
    assert outside.stat().st_mode & 0o777 == 0o750


def test_only_sysroots_are_removed(place: Place) -> None:
    (place.folder / "mine").mkdir()
    ended = place.run("remove", str(place.folder / "mine"))
    assert ended.status == 1 and "is no sysroot" in ended.complaint and (place.folder / "mine").exists()


def test_a_package_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "debian", [Made("bad", [file("./ok"), other("./x", tarfile.LNKTYPE, "../../../etc/passwd")])])
    place = Place(tmp_path, archive.root.as_uri())
    place.create[2] = "bad"
    ended = place.run(*place.create)
    assert ended.status == 1 and "refused" in ended.complaint and list(place.sysroot.parent.iterdir()) == []


def test_what_another_made_just_before_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, held = tmp_path / "sysroots" / ISA, workshop.held

    @contextmanager
    def late(place: str) -> Iterator[str]:
        (target / "usr").mkdir(parents=True)    # by a maker that held it until now
        with held(place) as tree:
            yield tree

    monkeypatch.setattr(workshop, "held", late)
    with pytest.raises(SysrootError, match="is there already"):
        make.create(str(target), Record(ISA, "stable", None, None, False, ["many"], {}), str(tmp_path), Progress())
    assert [*target.iterdir()] == [target / "usr"] and [*target.parent.iterdir()] == [target]
