"""What a mirror, or whoever stands between it and us, may do: only what was signed is unpacked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sysroots import kit
from sysroots.kit import ISA, Archive, Behaviour, Made, file
from xenos.errors import SysrootError
from xenos.sysroots import make
from xenos.sysroots.progress import Progress
from xenos.sysroots.record import Record, read

pytestmark = pytest.mark.skipif(bool(kit.NO_GPG), reason=kit.NO_GPG)
BIG = bytes(range(256)) * 400


@pytest.fixture(scope="module", autouse=True)
def keys() -> Iterator[None]:
    yield
    kit.end_keys()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    import random

    return Archive(tmp_path / "debian", [
        Made("one", [file("./usr/bin/one", random.Random(1).randbytes(100_000), 0o755)], {"Depends": "two (>= 1)"}),
        Made("two", [file("./usr/lib/two", random.Random(2).randbytes(50_000))])])


@pytest.fixture
def server(archive: Archive) -> Iterator[tuple[str, Behaviour]]:
    with kit.served(archive.root) as started:
        yield started


def create(url: str, folder: Path, *names: str, key: str = "good", suite: str = "trixie", isa: str = ISA) -> Path:
    """Make a sysroot; where it is."""
    record = Record(isa, suite, url, str(kit.keyring(key)), True, list(names), {})
    make.create(str(folder / "sysroots" / "it"), record, str(folder / "packages"), Progress())
    return folder / "sysroots" / "it"


def refused(url: str, folder: Path, *names: str, key: str = "good", suite: str = "trixie", isa: str = ISA) -> str:
    """Why no sysroot is made. Nothing is left of it."""
    with pytest.raises(SysrootError) as caught:
        create(url, folder, *names, key=key, suite=suite, isa=isa)
    assert list((folder / "sysroots").iterdir()) == [] and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_signed_archive_is_unpacked(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    made = create(server[0], tmp_path, "one")
    assert (made / "usr/bin/one").stat().st_size == 100_000 and (made / "etc/debian_version").exists()
    assert read(str(made)).packages == {"base-files": "1.0-1", "one": "1.0-1", "two": "1.0-1"}
    assert [path.name for path in made.parent.iterdir()] == ["it"]


def test_a_folder_is_a_mirror_too(archive: Archive, tmp_path: Path) -> None:
    assert (create(archive.root.as_uri(), tmp_path, "one") / "usr/bin/one").exists()


def test_an_armored_keyring_is_read(archive: Archive, tmp_path: Path) -> None:
    armored = kit.gpg(kit.keyring().parent, "--armor", "--export", "good")
    kit.keyring().with_name("armored.gpg").write_bytes(armored)
    assert (create(archive.root.as_uri(), tmp_path, "two", key="armored") / "usr/lib/two").exists()


def test_one_known_signature_of_two_is_enough(archive: Archive, tmp_path: Path) -> None:
    text = (archive.dist / "Release").read_bytes()
    (archive.dist / "InRelease").write_bytes(kit.gpg(kit.keyring().parent, "-u", "other", "-u", "good", "--clearsign", data=text))
    create(archive.root.as_uri(), tmp_path, "two")


def test_another_key_is_refused(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    assert "none of the keys that signed it is trusted here" in refused(server[0], tmp_path, "one", key="other")


def test_a_changed_release_is_refused(archive: Archive, tmp_path: Path) -> None:
    path = archive.dist / "InRelease"
    path.write_text(path.read_text().replace("Origin: Debian", "Origin: Debiam"))
    assert "its signature is wrong" in refused(archive.root.as_uri(), tmp_path, "one")


def test_what_stands_beside_the_signed_part_does_not_count(archive: Archive, tmp_path: Path) -> None:
    path = archive.dist / "InRelease"
    archive.dist.with_name("forged").symlink_to("trixie")
    path.write_text("Architectures: all extra\nSuite: forged\n\n" + path.read_text() + "\nSuite: forged\n")
    try:
        create(archive.root.as_uri(), tmp_path, "one", suite="forged")
    except SysrootError as error:
        assert "gives trixie for `forged`" in str(error) or "is refused" in str(error)
    else:
        pytest.fail("it was taken")


@pytest.mark.parametrize("content", [b"", b"Suite: trixie\nCodename: trixie\n", b"-----BEGIN PGP SIGNED MESSAGE-----\n", bytes(9)])
def test_an_unsigned_release_is_refused(archive: Archive, tmp_path: Path, content: bytes) -> None:
    (archive.dist / "InRelease").write_bytes(content)
    assert "it is not signed" in refused(archive.root.as_uri(), tmp_path, "one")


def test_changed_lists_are_refused(archive: Archive, tmp_path: Path) -> None:
    for path in archive.dist.glob("main/*/Packages.xz"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert "not what the signed release file says" in refused(archive.root.as_uri(), tmp_path, "one")


def test_a_changed_package_is_refused_and_not_kept(archive: Archive, server: tuple[str, Behaviour], tmp_path: Path) -> None:
    whole = archive.pool("two").read_bytes()
    archive.pool("two").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "its SHA-256 is not what the signed list of packages says" in refused(server[0], tmp_path, "one")
    archive.pool("two").write_bytes(whole)
    create(server[0], tmp_path, "one")


def test_a_package_changed_after_it_was_fetched_is_refused(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    create(server[0], tmp_path, "two").rename(tmp_path / "first")
    kept = next((tmp_path / "packages").glob("*/two_*.deb"))
    kept.write_bytes(kept.read_bytes()[:-1] + b"\0")
    assert "its SHA-256 is not" in refused(server[0], tmp_path, "two")
    create(server[0], tmp_path, "two")


@pytest.mark.parametrize(("change", "wrong", "says"), [
    ({}, {"suite": "sid"}, "has no InRelease: no signed suite `sid`"),
    ({"Codename": "woody"}, {}, "gives woody for `trixie`"),
    ({"Valid_Until": "Sat, 01 Feb 2003 04:05:06 UTC"}, {}, "valid until Sat, 01 Feb 2003"),
    ({"Valid_Until": "tomorrow"}, {}, "cannot read how long"),
    ({}, {"isa": "m68k"}, f"trixie has nothing for `m68k`; it has {ISA}"),
    ({"Architectures": "all m68k"}, {"isa": "m68k"}, "has no packages for m68k"),
])
def test_another_suite_than_the_one_asked_for(
    archive: Archive, tmp_path: Path, change: dict[str, str], wrong: dict[str, str], says: str,
) -> None:
    archive.sign(**change)
    assert says in refused(archive.root.as_uri(), tmp_path, "one", **wrong)


def test_a_release_that_is_still_valid(archive: Archive, tmp_path: Path) -> None:
    archive.sign(Valid_Until="Sat, 01 Feb 2103 04:05:06 UTC")
    create(archive.root.as_uri(), tmp_path, "one")


def test_what_broke_off_is_gone_on_with(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    behaviour.cut_after, behaviour.cuts = 60_000, 1
    assert (create(url, tmp_path, "one") / "usr/bin/one").stat().st_size == 100_000
    assert ("/pool/one.deb", "bytes=60000-") in behaviour.asked
    assert not list(tmp_path.glob("packages/*/*.part"))


def test_a_server_without_ranges_is_asked_for_all_of_it(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    behaviour.cut_after, behaviour.cuts, behaviour.ranges = 60_000, 2, False
    assert (create(url, tmp_path, "one") / "usr/bin/one").stat().st_size == 100_000


def test_rubbish_in_a_half_fetched_package_is_fetched_again(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    folder = tmp_path / "packages" / f"trixie-{ISA}"
    folder.mkdir(parents=True)
    (folder / f"one_1.0-1_{ISA}.deb.part").write_bytes(bytes(1000))
    (folder / f"two_1.0-1_{ISA}.deb.part").write_bytes(bytes(1_000_000))
    create(server[0], tmp_path, "one")


def test_packages_are_fetched_once(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    create(server[0], tmp_path, "one").rename(tmp_path / "first")
    server[1].asked.clear()
    create(server[0], tmp_path, "one")
    assert [path for path, _ in server[1].asked] == ["/dists/trixie/InRelease"]


def test_a_missing_package_is_named(archive: Archive, server: tuple[str, Behaviour], tmp_path: Path) -> None:
    archive.pool("two").unlink()
    assert "/pool/two.deb: the server says 404" in refused(server[0], tmp_path, "one")


def test_nobody_answers(tmp_path: Path) -> None:
    assert "Connection refused" in refused("http://127.0.0.1:9", tmp_path, "one")


@pytest.mark.parametrize("url", ["ftp://host/debian", "/srv/debian", "debian", "", "file://host/debian"])
def test_what_is_no_mirror(tmp_path: Path, url: str) -> None:
    (tmp_path / "sysroots").mkdir()
    assert "a mirror is a URL that begins with" in refused(url, tmp_path, "one")


def test_sqv_is_asked_where_there_is_no_gpgv(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    sqv = shutil.which("sqv")
    if sqv is None:
        pytest.skip("sqv is missing")
    monkeypatch.setattr(shutil, "which", lambda name: sqv if name == "sqv" else None)
    create(archive.root.as_uri(), tmp_path, "two").rename(tmp_path / "first")
    assert "is refused" in refused(archive.root.as_uri(), tmp_path, "two", key="other")
    (archive.dist / "Release").write_text((archive.dist / "Release").read_text() + "More: of it\n")
    assert "is refused" in refused(archive.root.as_uri(), tmp_path, "two")


def test_without_a_verifier_nothing_is_taken(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "install gpgv or sqv" in refused(archive.root.as_uri(), tmp_path, "two")
