"""`xenos sysroot` and the sysroot that `xenos run` finds, as a user types them."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kit import command, environment, printing, xenos
from sysroots import kit
from sysroots.kit import ISA, Archive, Made, file
from xenos.sysroots import apt
from xenos.sysroots.place import default_sysroot, find_program, needs_sysroot


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    if kit.NO_GPG:
        pytest.skip(kit.NO_GPG)
    program = printing(b"from the sysroot\n", 7)
    made = Archive(tmp_path_factory.mktemp("mirror") / "debian", [Made("greet", [
        file("./usr/bin/greet", program, 0o755), file("./usr/bin/plain", program),
        file("./usr/bin/script", b"#!/bin/greet\n", 0o755)])])
    yield made
    kit.end_keys()


def folders(folder: Path) -> dict[str, str]:
    return {"XENOS_DATA": str(folder / "data")}


def create(archive: Archive, folder: Path, *words: str) -> Path:
    """Make a sysroot as a user does; where it is."""
    ended = xenos("sysroot", "create", ISA, "greet", "--mirror", archive.root.as_uri(), "--keyring", kit.keyring(), *words,
                  XENOS_CACHE=str(folder / "cache"), **folders(folder))
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")
    return folder / "data" / "sysroots" / ISA


def test_run_finds_programs_of_the_default_sysroot(archive: Archive, tmp_path: Path) -> None:
    create(archive, tmp_path)
    for word in ("greet", "/usr/bin/greet", "/bin/greet", "script"):
        ended = xenos("run", word, **folders(tmp_path))
        assert (ended.status, ended.stdout) == (7, "from the sysroot\n"), word
    ended = xenos("run", "plain", **folders(tmp_path))
    assert ended.status == 127 and "plain: no such program" in ended.complaint
    ended = xenos("run", "--sysroot", "/", "greet", **folders(tmp_path))
    assert ended.status == 127


def test_run_finds_programs_of_the_sysroot_given(archive: Archive, tmp_path: Path) -> None:
    create(archive, tmp_path, "--into", str(tmp_path / "mine"))
    assert not (tmp_path / "data" / "sysroots" / ISA).exists()
    assert xenos("run", "greet", **folders(tmp_path)).status == 127
    assert xenos("run", "--sysroot", tmp_path / "mine", "greet", **folders(tmp_path)).stdout == "from the sysroot\n"


def test_so_does_python(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import xenos as front_door

    create(archive, tmp_path)
    monkeypatch.setenv("XENOS_DATA", str(tmp_path / "data"))
    result = front_door.run("greet", capture=True)
    assert (result.status, result.text) == (7, "from the sysroot\n")
    with front_door.Process("greet") as process:
        assert process.pc
    with pytest.raises(front_door.XenosError, match="greet: no such program"):
        front_door.run("greet", sysroot="/")


def test_a_file_of_the_current_directory_comes_first(archive: Archive, tmp_path: Path) -> None:
    create(archive, tmp_path)
    (tmp_path / "greet").write_bytes(printing(b"from here\n"))
    assert xenos("run", "greet", cwd=tmp_path, **folders(tmp_path)).stdout == "from the sysroot\n"   # it is not executable
    (tmp_path / "greet").chmod(0o755)
    assert xenos("run", "greet", cwd=tmp_path, **folders(tmp_path)).stdout == "from here\n"


def test_list(archive: Archive, tmp_path: Path) -> None:
    ended = xenos("sysroot", "list", **folders(tmp_path))
    assert (ended.status, ended.stdout) == (0, "")
    made = create(archive, tmp_path)
    text = xenos("sysroot", "list", **folders(tmp_path)).stdout
    assert text.startswith(ISA) and str(made) in text and "2 packages, asked for: greet" in text
    (found,) = json.loads(xenos("sysroot", "list", "--json", **folders(tmp_path)).stdout)
    assert found["name"] == found["isa"] == ISA and found["path"] == str(made) and found["suite"] == "trixie"
    assert found["packages"] == {"base-files": "1.0-1", "greet": "1.0-1"}


def test_progress_is_for_terminals(archive: Archive, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = command("sysroot", "create", ISA, "greet", "--mirror", archive.root.as_uri(), "--keyring", kit.keyring())
    done = subprocess.run(words, stderr=theirs, stdout=subprocess.PIPE,
                          env=environment(XENOS_CACHE=str(tmp_path / "cache"), **folders(tmp_path)))
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:
        pass    # all read, and nobody has the other end
    os.close(ours)
    assert done.returncode == 0 and done.stdout == b""
    assert b"reading the lists of packages" in said and b"fetching 2 packages" in said and b"unpacking 2 packages" in said
    assert said.rstrip().endswith(b"2 packages; try: xenos run greet")


@pytest.mark.parametrize(("words", "says"), [
    ((), ""), (("create",), "wants an instruction set"), (("create", "../x"), "is no name of an instruction set"),
    (("create", ISA, "A B"), "is no name of a package"), (("create", ISA, "--suite"), "--suite wants a value"),
    (("create", ISA, "--nothing"), "has no option --nothing"), (("create", ISA, "--suite=../x"), "is no name of a suite"),
    (("create", ISA, "--bare"), "name the packages"), (("wipe",), "has no command `wipe`"),
    (("add", ISA), "wants a sysroot and packages"),
    (("list", "all"), "has no argument all"), (("remove",), "wants one sysroot"), (("remove", "--all"), "has no option --all"),
    (("update", ISA, "x"), "wants one sysroot"),
])
def test_wrong_words(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    ended = xenos("sysroot", *words, **folders(tmp_path))
    assert ended.status == 2 and says in (ended.complaint if words else ended.stderr)


def test_there_is_one_already(archive: Archive, tmp_path: Path) -> None:
    create(archive, tmp_path)
    ended = xenos("sysroot", "create", ISA, "--mirror", archive.root.as_uri(), **folders(tmp_path))
    assert ended.status == 1 and f"xenos sysroot add {ISA} PACKAGE" in ended.complaint
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    ended = xenos("sysroot", "create", ISA, "--mirror", archive.root.as_uri(), "--into", tmp_path / "taken", **folders(tmp_path))
    assert ended.status == 1 and "taken is there already" in ended.complaint and (tmp_path / "taken" / "file").exists()
    assert xenos("sysroot", "remove", "nothing", **folders(tmp_path)).complaint.endswith(f"there is: {ISA}")


@pytest.mark.skipif(not shutil.which("apt-get"), reason="apt is missing")
def test_through_apt(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xenos.cli import sysroot

    (tmp_path / "etc").mkdir()
    monkeypatch.setattr(apt, "_SOURCES", str(tmp_path / "etc"))
    monkeypatch.setenv("XENOS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XENOS_CACHE", str(tmp_path / "cache"))
    assert not apt.available()
    (tmp_path / "etc" / "sources.list").write_text(f"# deb nothing\ndeb [arch=any] {archive.root.as_uri()} old main\n")
    assert apt.available()
    assert sysroot.main(["create", ISA, "greet", "--keyring", str(kit.keyring())]) == 0
    assert find_program("greet", str(default_sysroot(ISA))) == "/usr/bin/greet"
    with pytest.raises(Exception, match="apt-get update failed"):
        sysroot.main(["create", ISA, "greet", "--keyring", str(kit.keyring("other")), "--into", str(tmp_path / "other")])
    assert not (tmp_path / "other").exists()
    archive.pool("greet").rename(tmp_path / "away")
    shutil.rmtree(tmp_path / "cache")
    try:
        with pytest.raises(Exception, match="apt could not fetch the packages"):
            sysroot.main(["create", ISA, "greet", "--keyring", str(kit.keyring()), "--into", str(tmp_path / "other")])
    finally:
        (tmp_path / "away").rename(archive.pool("greet"))


def test_which_programs_need_a_sysroot(tmp_path: Path) -> None:
    for content, needs in ((printing(b""), False), (b"#!/bin/sh\n", True), (b"", False), (b"\x7fELF\2\1" + bytes(20), False),
                           (b"\x7fELF\2\1" + b"\xff" * 80, False)):
        (tmp_path / "it").write_bytes(content)
        assert needs_sysroot(str(tmp_path / "it")) is needs
    assert not needs_sysroot(str(tmp_path / "nothing"))
