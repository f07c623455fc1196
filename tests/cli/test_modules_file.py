"""The file that starts take their modules from: used while it is right, made anew when it is not, and never in the way."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli import kit
from cli.kit import ROOT, Ended, printing, write
from xenos.engines.code.store import HEAD, is_key

SETTLED = 2.1       # seconds after which a source counts as one that nobody is changing
ORIGINS = ("from xenos import warm; warm.use(); import sys, xenos.cli.run; "
           "print(*(type(sys.modules[n].__loader__).__name__ for n in ('xenos.cli.main', 'xenos.cli.run', 'xenos.errors')))")


class Tree:
    """A copy of the package that may be changed, a program, and a cache that has the library."""

    def __init__(self, folder: Path) -> None:
        self.source, self.starts = folder / "src" / "xenos", folder / "cache" / "starts"
        shutil.copytree(ROOT / "src" / "xenos", self.source, ignore=shutil.ignore_patterns("__pycache__"))
        self.hello = write(folder, printing(b"hello\n", 3))
        self.environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONPYCACHEPREFIX": str(folder / "pyc"),
                            "XENOS_CACHE": str(kit.with_library(folder / "cache", self.hello))}
        time.sleep(SETTLED)
        self.run()

    def python(self, *words: str) -> Ended:
        return Ended(subprocess.run([sys.executable, "-P", *words], env=self.environment, capture_output=True, timeout=120))

    def run(self) -> None:
        """Run the program: whatever the file is like, it does what it does."""
        ended = self.python("-m", "xenos", "run", str(self.hello))
        assert (ended.stdout, ended.stderr, ended.status) == ("hello\n", "", 3)

    def used(self) -> bool:
        """Whether all modules come from the file."""
        ended = self.python("-c", ORIGINS)
        assert not ended.stderr
        return ended.stdout.split() == ["_Loader"] * 3

    @property
    def file(self) -> Path:
        found = [path for path in self.starts.iterdir() if path.read_bytes()[56:64] == b"modules\0"]
        assert len(found) == 1 and found[0].stat().st_mode & 0o777 == 0o600
        return found[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture
def tree(made: Tree) -> Tree:
    """As it is after one run."""
    if not made.starts.is_dir():
        made.starts.unlink()
    made.run()
    assert made.used()
    return made


def test_what_is_in_it_is_found_by_tracebacks_and_by_inspect(tree: Tree) -> None:
    ended = tree.python("-c", "from xenos import warm; warm.use(); import inspect, xenos.cli.run as r; "
                              "assert 'def parse' in inspect.getsource(r); r.parse(['--nonsense'])")
    path = re.escape(str(tree.source / "cli" / "run.py"))
    assert re.search(rf'File "{path}", line \d+, in parse\n +raise UsageError', ended.stderr), ended.stderr


@pytest.mark.parametrize("size, changed", [(False, False), (True, True)])
def test_a_changed_source_is_seen_at_once(tree: Tree, size: bool, changed: bool) -> None:
    """Also where its length and its time stay what they were: when it was changed, nobody can hide."""
    source = tree.source / "cli" / "main.py"
    old, status = source.read_text(), source.stat()
    new = old.replace("Xenos runs programs", "Soxen runs programs" + " now" * size, 1)
    try:
        source.write_text(new)
        if not changed:
            os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        shutil.rmtree(tree.environment["PYTHONPYCACHEPREFIX"], ignore_errors=True)  # which Python itself trusts then
        assert tree.python("-m", "xenos", "--help").stdout.startswith("Soxen")
        tree.run()
        assert not tree.used()      # it may be changed again within the same tick of the clock
        time.sleep(SETTLED)
        tree.run()
        assert tree.used()
        assert tree.python("-m", "xenos", "--help").stdout.startswith("Soxen")
    finally:
        source.write_text(old)
        shutil.rmtree(tree.environment["PYTHONPYCACHEPREFIX"], ignore_errors=True)
        time.sleep(SETTLED)


def test_the_rooms_that_read_and_write_it_are_part_of_its_name(tree: Tree) -> None:
    """What one of them has written, another version of them would take for something else."""
    before = tree.file
    (tree.source / "warm.py").touch()
    assert not tree.used()
    before.unlink()
    tree.run()
    assert tree.used() and tree.file != before


@pytest.mark.parametrize("where", [0, 9, HEAD - 1, HEAD, HEAD + 8, HEAD + 40, HEAD + 41, -100_000, -1])
def test_a_damaged_file_is_not_used_and_made_anew(tree: Tree, where: int) -> None:
    whole = tree.file.read_bytes()
    tree.file.write_bytes(whole[:where])
    assert not tree.used()
    tree.run()
    assert tree.used() and tree.file.read_bytes() == whole
    if abs(where) > HEAD - 1 or where == -1:        # the store's own head is not looked at
        broken = bytearray(whole)
        broken[where] ^= 4
        tree.file.write_bytes(broken)
        assert not tree.used()
        tree.run()
        assert tree.used() and tree.file.read_bytes() == whole


def test_what_is_no_file_is_not_waited_for(tree: Tree) -> None:
    path = tree.file
    path.unlink()
    os.mkfifo(path)
    assert not tree.used()
    tree.run()      # and replaces it
    assert tree.used()
    path.unlink()
    path.symlink_to(tree.hello)
    assert not tree.used()
    path.unlink()
    path.mkdir()
    tree.run()
    assert not tree.used()
    path.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_file_is_not_used(tree: Tree) -> None:
    os.chown(tree.file, 65534, 65534)
    assert not tree.used()
    tree.run()
    assert tree.used()


def test_a_folder_that_cannot_be_written_changes_nothing(tree: Tree) -> None:
    shutil.rmtree(tree.starts)
    tree.starts.write_text("in the way")
    tree.run()
    assert not tree.used()


def test_another_python_has_another_file(tree: Tree) -> None:
    ended = tree.python("-O", "-c", ORIGINS)
    assert set(ended.stdout.split()) == {"SourceFileLoader"}


def test_several_writers_at_once(tree: Tree) -> None:
    for _ in range(2):
        shutil.rmtree(tree.starts)
        command = [sys.executable, "-P", "-m", "xenos", "run", str(tree.hello)]
        running = [subprocess.Popen(command, env=tree.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                   for _ in range(5)]
        for one in running:
            assert one.communicate(timeout=120) == (b"hello\n", b"") and one.returncode == 3
        assert tree.used()
        assert all(is_key(path.name) or path.name == "written" for path in tree.starts.iterdir())


def test_it_is_known_to_the_cache_command(tree: Tree) -> None:
    shown = tree.python("-m", "xenos", "cache").stdout
    assert re.search(r"for starts +\d", shown), shown
    assert tree.python("-m", "xenos", "cache", "verify").status == 0
    tree.python("-m", "xenos", "cache", "prune")
    assert tree.used()
    tree.python("-m", "xenos", "cache", "prune", "--all")
    assert not tree.used()
    shutil.rmtree(tree.starts, ignore_errors=True)
    kit.with_library(tree.starts.parent / "again", tree.hello)
    shutil.rmtree(tree.starts.parent / "packs")
    (tree.starts.parent / "again" / "packs").rename(tree.starts.parent / "packs")
