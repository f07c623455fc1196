"""`xenos sysroot`: making, listing and removing guest systems that are unpacked from Debian packages."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from types import FrameType

from xenos.engines.choose import cache_folder
from xenos.errors import SysrootError, UsageError
from xenos.isa import GUESTS
from xenos.sysroots import apt, make, record, workshop
from xenos.sysroots.download import check_url
from xenos.sysroots.place import sysroots_folder
from xenos.sysroots.progress import Progress

HELP = """\
xenos sysroot create ISA [PACKAGE...] [OPTION...]   unpack Debian packages of that instruction set, with what they need
xenos sysroot add SYSROOT PACKAGE...                put more packages into one
xenos sysroot update SYSROOT                        put newer packages in place of older ones
xenos sysroot list [--json]
xenos sysroot remove SYSROOT

A sysroot is a folder with a guest's programs and libraries. One that `create` makes is used by `xenos run` without being
named. Packages come from the mirror that this host's apt is configured with, or from the one given; their signatures are
checked. Neither root nor dpkg is needed, and the host's own packages are not touched. ISA is called as Debian calls it:
{guests} can be run. SYSROOT is an ISA, or a folder that --into made.

  --suite NAME        Debian's name of the release, by default {suite}
  --mirror URL        an archive's root, of http://, https:// or file:///, where dists and pool are
  --keyring FILE      the keys that the archive may be signed with, by default Debian's as this host has them
  --into DIR          make the sysroot there, for `xenos run --sysroot DIR`
  --bare              only PACKAGEs and what they need, without a shell and what else every Debian has
"""
DEFAULT_SUITE = "trixie"
_VALUES = ("--suite", "--mirror", "--keyring", "--into")
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*")
_ISA = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def main(words: list[str]) -> int:
    """The subcommand; gives the exit status."""
    if not words or words[0] in ("--help", "-h", "help") or "--help" in words or "-h" in words:
        text = HELP.format(guests=", ".join(sorted(GUESTS)), suite=DEFAULT_SUITE)
        (sys.stdout if words else sys.stderr).write(text)
        return 0 if words else UsageError.status
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:      # nohup ignores one of them, and means it
            signal.signal(number, _end)
    workshop.sweep(sysroots_folder())
    command, rest = words[0], words[1:]
    if command == "create":
        return _create(rest)
    if command in ("add", "update"):
        return _extend(command, rest)
    if command == "list":
        return _list(rest)
    if command == "remove":
        return _remove(rest)
    raise UsageError(f"xenos sysroot has no command `{command}`; there are: create, add, update, list, remove")


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _create(words: list[str]) -> int:
    names: list[str] = []
    values: dict[str, str] = {}
    bare = False
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        name, equals, value = word.partition("=")
        if name in _VALUES:
            if not equals:
                if at == len(words):
                    raise UsageError(f"{name} wants a value; see xenos sysroot --help")
                value = words[at]
                at += 1
            values[name] = value
        elif word == "--bare":
            bare = True
        elif word.startswith("-"):
            raise UsageError(f"xenos sysroot create has no option {word}; see xenos sysroot --help")
        else:
            names.append(word)
    if not names:
        raise UsageError(f"xenos sysroot create wants an instruction set, as in `xenos sysroot create {_example()}`")
    isa, packages = names[0], names[1:]
    if not _ISA.fullmatch(isa):
        raise UsageError(f"`{isa}` is no name of an instruction set; as Debian calls it, as in {_example()}")
    if bare and not packages:
        raise UsageError("with --bare, name the packages")
    suite = values.get("--suite", DEFAULT_SUITE)
    if not _NAME.fullmatch(suite):
        raise UsageError(f"`{suite}` is no name of a suite; {DEFAULT_SUITE} is one")
    _check_packages(packages)
    mirror = values.get("--mirror")
    if mirror is not None:
        mirror = check_url(mirror)
    elif not apt.available():
        raise SysrootError("this host has no apt with a mirror of Debian: name one with --mirror URL")
    keyring = values.get("--keyring")
    into = values.get("--into")
    target = os.path.abspath(into) if into else os.path.join(sysroots_folder(), isa)
    if not into and os.path.exists(target):
        raise SysrootError(f"there is a sysroot for {isa}: add packages to it with `xenos sysroot add {isa} PACKAGE...`, "
                           f"or remove it with `xenos sysroot remove {isa}`")
    wanted = record.Record(isa, suite, mirror, os.path.abspath(keyring) if keyring else None, not bare, packages, {})
    progress = Progress()
    try:
        made = make.create(target, wanted, _packages_folder(), progress)
    finally:
        progress.finish()
    program = next((name for name in packages if os.path.exists(f"{target}/usr/bin/{name}")), "bash")
    where = f"--sysroot {into} " if into else ""
    _tell(progress, f"{target}: {len(made.packages)} packages"
                    + (f"; try: xenos run {where}{program}" if isa in GUESTS else ""))
    return 0


def _extend(command: str, words: list[str]) -> int:
    _no_options(command, words)
    if not words or (command == "add" and len(words) < 2):
        raise UsageError(f"xenos sysroot {command} wants a sysroot{' and packages' if command == 'add' else ''}")
    if command == "update" and len(words) > 1:
        raise UsageError("xenos sysroot update wants one sysroot")
    _check_packages(words[1:])
    target = _named(words[0])
    progress = Progress()
    try:
        made = make.extend(target, words[1:], _packages_folder(), progress)
    finally:
        progress.finish()
    _tell(progress, f"{target}: {len(made.packages)} packages")
    return 0


def _list(words: list[str]) -> int:
    if words not in ([], ["--json"]):
        raise UsageError(f"xenos sysroot list has no argument {words[-1]}; there is --json")
    found = {name: (path, record.read(path)) for name, path in record.all_named().items()}
    if words:
        json.dump([{"name": name, "path": path, "isa": made.architecture, "suite": made.suite, "mirror": made.mirror,
                    "asked": made.asked, "packages": made.packages} for name, (path, made) in found.items()],
                  sys.stdout, indent=1)
        sys.stdout.write("\n")
        return 0
    for name, (path, made) in found.items():
        print(f"{name:12} {path}: {made.suite}, {len(made.packages)} packages, asked for: {' '.join(made.asked) or 'none'}")
    if not found and sys.stdout.isatty():
        print(f"none; `xenos sysroot create {_example()}` makes one")
    return 0


def _remove(words: list[str]) -> int:
    _no_options("remove", words)
    if len(words) != 1:
        raise UsageError("xenos sysroot remove wants one sysroot")
    make.remove(_named(words[0]))
    return 0


def _named(word: str) -> str:
    """The folder of the sysroot that a user names: by its instruction set, or by its path."""
    named = record.all_named()
    if word in named:
        return named[word]
    if "/" in word or os.path.isdir(word):
        return os.path.abspath(word)
    raise SysrootError(f"there is no sysroot `{word}`; there is: {', '.join(named) or 'none'}")


def _check_packages(names: list[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(f"`{name}` is no name of a package")


def _no_options(command: str, words: list[str]) -> None:
    for word in words:
        if word.startswith("-"):
            raise UsageError(f"xenos sysroot {command} has no option {word}; see xenos sysroot --help")


def _packages_folder() -> str:
    return os.path.join(cache_folder(), "packages")


def _example() -> str:
    return next(iter(GUESTS))


def _tell(progress: Progress, text: str) -> None:
    if progress.shown:
        sys.stderr.write(f"xenos: {text}\n")
