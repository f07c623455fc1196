"""Packages that are hostile or damaged: nothing outside the sysroot changes, and what is said is one line."""

from __future__ import annotations

import random
import tarfile
from pathlib import Path

import pytest

from sysroots.kit import Entry, contents, deb, file, other
from xenos.errors import SysrootError
from xenos.sysroots.archive import unpack
from xenos.sysroots.settle import prepare, settle


def unpacked(folder: Path, *entries: Entry) -> Path:
    """A tree with a package of these entries in it; `outside` is a folder that nothing may touch."""
    tree = folder / "tree"
    tree.mkdir(exist_ok=True)
    (folder / "outside").mkdir(exist_ok=True)
    (folder / "package.deb").write_bytes(deb(entries))
    unpack(str(folder / "package.deb"), str(tree))
    return tree


def test_files_links_and_folders(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, other("./usr/bin", tarfile.DIRTYPE), file("./usr/bin/one", b"1", 0o6755),
                    other("./usr/bin/two", tarfile.LNKTYPE, "./usr/bin/one"), other("./usr/bin/three", tarfile.SYMTYPE, "one"),
                    other("./dev/null", tarfile.CHRTYPE), other("./run/pipe", tarfile.FIFOTYPE))
    one = (tree / "usr/bin/one").stat()
    assert one.st_mode & 0o7777 == 0o755 and one.st_nlink == 2 and one.st_mtime == 1_000_000_000
    assert (tree / "usr/bin/three").readlink() == Path("one")
    assert not (tree / "dev/null").exists() and not (tree / "run/pipe").exists()


def test_an_absolute_link_to_a_folder_stays_inside(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, other("./lib", tarfile.SYMTYPE, str(tmp_path / "outside")), file("./lib/x"))
    assert not contents(tmp_path / "outside")
    assert (tree / str(tmp_path / "outside").lstrip("/") / "x").is_file()


def test_a_link_upward_stays_inside(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, other("./a/b", tarfile.SYMTYPE, "../../../../outside"), file("./a/b/x"))
    assert not contents(tmp_path / "outside")
    assert (tree / "outside/x").is_file()


def test_links_to_links_of_an_earlier_package_stay_inside(tmp_path: Path) -> None:
    unpacked(tmp_path, other("./one", tarfile.SYMTYPE, "/two"), other("./two", tarfile.SYMTYPE, "../outside"))
    tree = unpacked(tmp_path, file("./one/x"))
    assert not contents(tmp_path / "outside") and (tree / "outside/x").is_file()


def test_a_file_does_not_go_through_a_link_of_its_name(tmp_path: Path) -> None:
    victim = tmp_path / "outside" / "victim"
    victim.parent.mkdir()
    victim.write_text("kept")
    tree = unpacked(tmp_path, other("./x", tarfile.SYMTYPE, str(victim)), file("./x", b"new"))
    assert victim.read_text() == "kept" and (tree / "x").read_bytes() == b"new"


def test_a_replaced_file_keeps_its_other_names(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, file("./x", b"old"))
    (tmp_path / "other").hardlink_to(tree / "x")
    unpacked(tmp_path, file("./x", b"new"))
    assert (tmp_path / "other").read_bytes() == b"old" and (tree / "x").read_bytes() == b"new"


@pytest.mark.parametrize("entries", [
    [file("../outside/x")], [file("./a/../../outside/x")], [other("./a/../../outside/d", tarfile.DIRTYPE)],
    [other("./x", tarfile.LNKTYPE, "../outside/victim")], [other("./x", tarfile.LNKTYPE, "./missing")],
    [other("./a", tarfile.SYMTYPE, "b"), other("./b", tarfile.SYMTYPE, "a"), file("./a/x")],
    [file("./x/y/z"), file("./x")], [file("a/" * 1500 + "x")], [other("./x", tarfile.LNKTYPE, "a/" * 1500 + "x")],
], ids=["file", "inner", "folder", "link", "missing link", "circle", "file for a folder", "deep", "deep link"])
def test_what_leads_out_or_nowhere_is_refused(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "victim").write_text("kept")
    with pytest.raises(SysrootError) as caught:
        unpacked(tmp_path, *entries)
    assert "package.deb" in str(caught.value) and "\n" not in str(caught.value)
    assert contents(tmp_path / "outside") == {"victim"} and (tmp_path / "outside/victim").stat().st_nlink == 1


def test_a_hard_link_to_a_link_does_not_reach_outside(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "victim").write_text("kept")
    tree = unpacked(tmp_path, other("./l", tarfile.SYMTYPE, str(tmp_path / "outside/victim")), other("./h", tarfile.LNKTYPE, "./l"))
    assert (tree / "h").is_symlink() and (tmp_path / "outside/victim").stat().st_nlink == 1


def test_damaged_packages_are_refused(tmp_path: Path) -> None:
    whole = deb([other("./usr", tarfile.DIRTYPE), file("./usr/x", random.Random(7).randbytes(5000))])
    source = random.Random(20260301)
    damaged = [whole[:length] for length in (0, 1, 7, 8, 9, 67, 68, 70, 130, 200, len(whole) // 2, len(whole) - 40)]
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(source.randint(1, 4)):
            content[source.randrange(len(content))] ^= 1 << source.randrange(8)
        damaged.append(bytes(content))
    refused = 0
    for number, content in enumerate(damaged):
        path, tree = tmp_path / f"{number}.deb", tmp_path / f"tree{number}"
        path.write_bytes(content)
        tree.mkdir()
        try:
            unpack(str(path), str(tree))
        except SysrootError as error:
            refused += 1
            assert str(error).startswith(path.name)
    assert refused > 100    # the others were damaged in the parts that say nothing


def test_merged_usr_and_alternatives(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    prepare(str(tree))
    (tmp_path / "outside").mkdir()
    script = """#!/bin/sh
        update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/mawk 5 \\
            --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz
        update-alternatives --install /usr/bin/gone gone /usr/bin/nothing 5
        update-alternatives --install /../outside/x x /usr/bin/mawk 5
        update-alternatives --install /usr/bin/$tool $tool /usr/bin/mawk 5
        update-alternatives --install "unfinished
    """
    (tmp_path / "p.deb").write_bytes(deb([
        file("./bin/mawk", mode=0o755), other("./dev", tarfile.DIRTYPE), other("./etc", tarfile.DIRTYPE), file("./home/u/x"),
        file("./usr/share/ca-certificates/a/b.crt", b"B\n"), file("./usr/share/ca-certificates/a/a.crt", b"A\n\n"),
        file("./usr/lib/jvm/java-99/bin/java", mode=0o755)], script))
    settle(str(tree), [unpack(str(tmp_path / "p.deb"), str(tree))["postinst"]])
    assert (tree / "usr/bin/mawk").is_file() and (tree / "bin").readlink() == Path("usr/bin")
    assert (tree / "usr/bin/awk").readlink() == Path("/usr/bin/mawk")
    assert (tree / "usr/bin/java").readlink() == Path("/usr/lib/jvm/java-99/bin/java")
    assert not {"gone", "$tool"} & {path.name for path in (tree / "usr/bin").iterdir()}
    assert not contents(tmp_path / "outside")
    assert (tree / "etc/ssl/certs/ca-certificates.crt").read_bytes() == b"A\nB\n"
    assert not (tree / "dev").exists() and (tree / "home/u/x").exists()
