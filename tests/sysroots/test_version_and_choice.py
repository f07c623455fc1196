"""Versions in Debian's order, and which packages are chosen."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from xenos.errors import SysrootError
from xenos.sysroots.index import Index
from xenos.sysroots.resolve import resolve
from xenos.sysroots.version import compare

ORDER = ["~~", "~", "0", "0.1~rc1-1", "0.1-1", "0.1-1+b1", "0.1-1.1", "0.1a-1", "0.1+x-1", "0.1.1", "1.0~~", "1.0~beta", "1.0",
         "1.0-0+deb1", "1.0-1", "1.0-1ubuntu1", "1.0-10", "1.0a", "1.0+", "1.00.1", "1.2-3-4", "2024.1", "1:0", "1:0.0.1", "2:0"]


def test_versions_are_ordered() -> None:
    for (i, one), (j, other) in itertools.product(enumerate(ORDER), repeat=2):
        assert compare(one, other) == (i > j) - (i < j), (one, other)


@pytest.mark.parametrize(("one", "other"), [("1.0", "1.0-0"), ("0:1", "1"), ("1.01", "1.1"), ("1.0-00", "1.0")])
def test_versions_that_are_the_same(one: str, other: str) -> None:
    assert compare(one, other) == compare(other, one) == 0


@pytest.mark.skipif(not shutil.which("dpkg"), reason="dpkg is missing")
def test_versions_as_dpkg_orders_them() -> None:
    names = [name for name in ORDER if name[0].isdigit()]   # it does not take the others
    for one, other in itertools.pairwise(names):
        assert subprocess.run(["dpkg", "--compare-versions", one, "lt", other]).returncode == 0, (one, other)


def index(**packages: str) -> Index:
    """Packages with these further lines of their stanzas; underscores stand for hyphens."""
    return Index("\n\n".join(f"Package: {name.replace('_', '-')}\nVersion: 1.0\n{lines}" for name, lines in packages.items()),
                 "a suite")


def chosen(offer: Index, *wanted: str) -> list[str]:
    return [package.name for package in resolve(offer, wanted)]


def test_what_is_needed_comes_along() -> None:
    offer = index(a="Depends: b (>= 1.0), c\n", b="Pre-Depends: d:any\n", c="Recommends: e\n", d="Depends: a\n", e="")
    assert chosen(offer, "a") == ["a", "b", "c", "d"]


def test_base_files_is_unpacked_first() -> None:
    assert chosen(index(a="", base_files=""), "a", "base-files") == ["base-files", "a"]


def test_of_alternatives_the_one_asked_for_is_taken() -> None:
    offer = index(a="Depends: b | c\n", b="", c="")
    assert chosen(offer, "a") == ["a", "b"]
    assert chosen(offer, "a", "c") == ["a", "c"]


def test_a_name_that_several_provide_is_met_by_the_most_important() -> None:
    offer = index(a="Depends: awk\n", gawk="Provides: awk\nPriority: optional\n", mawk="Provides: awk\nPriority: required\n")
    assert chosen(offer, "a") == ["a", "mawk"]
    assert chosen(offer, "a", "gawk") == ["a", "gawk"]
    with pytest.raises(SysrootError, match="provided by several packages, name one of them: mawk, gawk"):
        chosen(offer, "awk")


def test_provided_versions_count() -> None:
    offer = index(a="Depends: api (>= 2)\n", old="Provides: api (= 1)\n", none="Provides: api\n", new="Provides: api (= 2.1)\n")
    assert chosen(offer, "a") == ["a", "new"]


def test_of_two_versions_the_later_is_taken() -> None:
    offer = Index("Package: a\nVersion: 9\n\nPackage: a\nVersion: 10\n", "a suite")
    assert resolve(offer, ["a"])[0].version == "10"


def test_those_that_refuse_each_other_do_not_come_together() -> None:
    offer = index(a="Depends: b | c\n", b="Conflicts: d\n", c="", d="")
    assert chosen(offer, "d", "a") == ["a", "c", "d"]
    with pytest.raises(SysrootError, match="b and d refuse each other"):
        chosen(offer, "d", "b")
    assert chosen(index(mta="Provides: mail\nConflicts: mail\n"), "mta") == ["mta"]


@pytest.mark.parametrize(("wanted", "says"), [
    ("nothing", "there is no package `nothing` in a suite"),
    ("a", r"a needs b \(>= 2\), which is not in a suite"),
    ("c", "c needs x | y, which is not in a suite"),
])
def test_what_cannot_be_had_is_named(wanted: str, says: str) -> None:
    with pytest.raises(SysrootError, match=says.replace("|", r"\|")):
        chosen(index(a="Depends: b (>= 2)\n", b="", c="Depends: x | y\n"), wanted)


@pytest.mark.parametrize("text", ["", "\n\n\n", "Package: \n", "Package: a\nDepends:\n", "garbage\n\nmore: of it", "\0" * 50])
def test_strange_lists_are_read(text: str) -> None:
    with pytest.raises(SysrootError, match="there is no package"):
        chosen(Index(text, "a suite"), "wanted")


def test_a_relation_that_is_none_is_refused() -> None:
    with pytest.raises(SysrootError, match="a relation that is none"):
        chosen(index(a="Depends: b (((\n"), "a")
