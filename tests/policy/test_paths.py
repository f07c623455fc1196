"""Finding places by paths: what the guest sees where, with and without a sysroot, and with and without openat2."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from xenos.linux.policy import beneath
from xenos.linux.policy.namespace import LOOK, READ, WRITE, Namespace, Place
from xenos.linux.policy.terms import Policy


@pytest.fixture(params=["openat2", "step by step"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "openat2":
        monkeypatch.setattr(beneath, "_number", -1)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("work/deep/er", "work/ro", "other", "elsewhere", "root/usr/bin", "root/etc", "root/home"):
        (tmp_path / name).mkdir(parents=True)
    files = ("work/file", "work/deep/file", "work/ro/file", "other/file", "elsewhere/program", "root/usr/bin/tool", "root/etc/conf")
    for name in files:
        (tmp_path / name).write_text(name)
    (tmp_path / "root/bin").symlink_to("usr/bin")
    (tmp_path / "root/etc/abs").symlink_to("/usr/bin/tool")
    (tmp_path / "root/etc/up").symlink_to("../../../../../../etc/conf")
    (tmp_path / "work/out").symlink_to(tmp_path / "other/file")
    (tmp_path / "work/inside").symlink_to("deep/../file")
    (tmp_path / "work/loop").symlink_to("loop")
    (tmp_path / "work/to").symlink_to(tmp_path / "work/deep")
    return tmp_path


class View:
    """A namespace, asked in few words."""

    def __init__(self, tree: Path, *, root: bool = False, **words: list[Path]) -> None:
        self.tree = tree
        self.fds = os.listdir("/proc/self/fd")
        where = os.fsencode(tree / "root") if root else b""
        program = [os.fsencode(tree / "elsewhere" / "program")]
        self.files = Namespace(Policy(**words), where, program, lambda fd: fd)  # type: ignore[arg-type]

    def place(self, path: str | Path, *, follow: bool = True, here: str = "") -> Place:
        def special(text: bytes, itself: bool) -> bytes | Place:
            raise AssertionError(text)

        place = self.files.find(here.encode(), os.fsencode(path), follow=follow, special=special)
        self.files.drop(place)
        return place

    def text(self, path: str | Path, **how: str) -> str:
        return os.fsdecode(self.place(path, **how).path)  # type: ignore[arg-type]

    def rights(self, path: str | Path) -> int:
        return self.place(path).rights

    def close(self) -> None:
        self.files.close()
        assert os.listdir("/proc/self/fd") == self.fds, "descriptors are left"


@pytest.fixture
def bare(tree: Path) -> Iterator[View]:
    view = View(tree, rw=[tree / "work"], ro=[tree / "work/ro"])
    yield view
    view.close()


@pytest.fixture
def with_root(tree: Path) -> Iterator[View]:
    view = View(tree, root=True, rw=[tree / "work"], ro=[Path("/etc/passwd")])
    yield view
    view.close()


def test_rights_by_the_longest_mount(bare: View, tree: Path) -> None:
    assert bare.rights(tree / "work/file") == bare.rights(tree / "work/deep/er") == LOOK | READ | WRITE
    assert bare.rights(tree / "work/ro/file") == bare.rights(tree / "work/ro") == LOOK | READ
    assert bare.rights("/dev/null") == LOOK | READ | WRITE
    assert bare.rights(tree) == bare.rights("/") == LOOK    # on the way


@pytest.mark.parametrize("path", ["other/file", "other", "nothing", "work/out", "work/../other/file", "workshop"])
def test_what_is_closed(bare: View, tree: Path, path: str) -> None:
    with pytest.raises(PermissionError):    # whether or not it is there
        bare.place(tree / path)
    with pytest.raises(PermissionError):
        bare.place("/etc/passwd")


def test_links_are_read_as_text(bare: View, tree: Path) -> None:
    assert bare.text(tree / "work/inside") == str(tree / "work/file")
    assert bare.text(tree / "work/to/er/../file") == str(tree / "work/deep/file")
    assert stat.S_ISLNK(bare.place(tree / "work/out", follow=False).mode)
    with pytest.raises(OSError, match="symbolic links"):
        bare.place(tree / "work/loop")
    with pytest.raises(NotADirectoryError):
        bare.place(tree / "work/file/more")
    with pytest.raises(NotADirectoryError):
        bare.place(f"{tree}/work/file/")
    with pytest.raises(FileNotFoundError):
        bare.place(tree / "work/nothing/more")
    assert bare.place(tree / "work/nothing").mode == 0


def test_relative_paths(bare: View, tree: Path) -> None:
    here = str(tree / "work/deep")
    assert bare.text("file", here=here) == f"{here}/file"
    assert bare.text("../file", here=here) == str(tree / "work/file")
    assert bare.text("../../../../../../../../../..", here=here) == ""
    with pytest.raises(PermissionError):
        bare.place("../../other/file", here=here)


def test_the_sysroot_lies_at_the_root(with_root: View, tree: Path) -> None:
    for path in ("/usr/bin/tool", "/bin/tool", "/etc/abs", "/../../usr/bin/tool"):
        assert with_root.text(path) == "/usr/bin/tool" and with_root.rights(path) == LOOK | READ
    assert with_root.text("/etc/up") == "/etc/conf"
    assert with_root.rights(f"{tree}/root/usr/bin/tool") == LOOK | READ     # under its host's name, too
    assert with_root.rights(tree / "work/file") == LOOK | READ | WRITE
    assert with_root.rights(tree / "elsewhere/program") == LOOK | READ      # what was started
    assert with_root.rights("/etc/passwd") == LOOK | READ       # the host's: the sysroot has none
    assert not with_root.place("/etc/shadow").mode      # the host's, which is not opened, is not to be seen
    with pytest.raises(FileNotFoundError):
        with_root.place(tree / "other/file")
    with pytest.raises(FileNotFoundError):
        with_root.place(tree / "work/out")


def test_what_leads_to_a_mount(with_root: View, bare: View, tree: Path) -> None:
    for view in (with_root, bare):
        for folder in (tree, tree.parent):
            place = view.place(folder)
            assert stat.S_ISDIR(place.mode) and not place.rights & WRITE
        assert view.files.fixed(os.fsencode(tree)) and view.files.fixed(os.fsencode(tree / "work"))
        assert not view.files.fixed(os.fsencode(tree / "work/deep"))


def test_the_root_itself_may_be_opened(tree: Path) -> None:
    view = View(tree, ro=[Path("/")], rw=[tree / "work"])
    assert view.rights("/etc/passwd") == view.rights(tree / "other/file") == LOOK | READ
    assert view.rights(tree / "work/file") == LOOK | READ | WRITE
    view.close()
    view = View(tree, root=True, ro=[Path("/")])
    assert view.text("/bin/tool") == "/usr/bin/tool" and view.rights(tree / "other/file") == LOOK | READ
    view.close()


def test_a_part_is_read_only_by_every_name(tree: Path) -> None:
    (tree / "by").symlink_to("work")
    view = View(tree, rw=[tree / "by"], ro=[tree / "work/ro"])
    for name in ("work", "by", "by/../work", "work/deep/../../by"):
        assert view.rights(tree / name / "file") == LOOK | READ | WRITE
        assert view.rights(tree / name / "ro/file") == LOOK | READ
        assert view.text(tree / name / "ro/file") == str(tree / "work/ro/file")
    view.close()
    view = View(tree, rw=[tree / "work"], ro=[tree / "by/ro"])
    for name in ("work", "by"):
        assert view.place(tree / name / "ro/file").rights == LOOK | READ
    assert view.rights(tree / "work/file") == LOOK | READ | WRITE
    view.close()


def test_a_part_of_the_sysroot(tree: Path) -> None:
    view = View(tree, root=True, rw=[tree / "root/home"], ro=[tree / "work"])
    for name in ("/home", tree / "root/home", "/home/x", "/usr/../home"):
        assert view.rights(name) == LOOK | READ | WRITE
    assert view.rights("/usr") == view.rights("/") == LOOK | READ
    view.close()
    view = View(tree, root=True, rw=[tree / "root"], ro=[tree / "root/etc"])
    assert view.rights("/usr/bin/tool") == view.rights(tree / "root/usr") == LOOK | READ | WRITE
    assert view.rights("/etc/conf") == view.rights(tree / "root/etc/conf") == LOOK | READ
    view.close()


def test_a_file_alone(tree: Path) -> None:
    view = View(tree, rw=[tree / "work/file"], ro=[tree / "work/to"])
    assert view.rights(tree / "work/file") == LOOK | READ | WRITE and view.files.fixed(os.fsencode(tree / "work/file"))
    assert view.rights(tree / "work/to/file") == view.rights(tree / "work/deep/file") == LOOK | READ    # both names
    with pytest.raises(PermissionError):
        view.place(tree / "work/ro/file")
    with pytest.raises(NotADirectoryError):
        view.place(tree / "work/file/x")
    view.close()
