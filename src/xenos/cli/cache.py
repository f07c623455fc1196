"""`xenos cache`: what the folder of translated code and compiled libraries holds, whether it is sound, and making room in it."""

from __future__ import annotations

import io
import json
import os
import sys
import time

from xenos.engines import choose
from xenos.engines.code import stock
from xenos.engines.code.store import DEFAULT_LIMIT
from xenos.errors import CacheError, UsageError
from xenos.linux.policy.terms import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = f"""\
xenos cache [show] [--json]         what is in the cache, by kind, and how much of it this version can use
xenos cache where                   the folder
xenos cache verify [--keep]         read every file whole; remove those that are damaged (--keep: only name them)
xenos cache prune [OPTION...]       remove what only other versions could use, then:
  --older-than DAYS                   what was not used for so long
  --to SIZE                           what was not used for longest, until SIZE is left: 200M, 1G
  --all                               everything

The folder is $XENOS_CACHE, else $XDG_CACHE_HOME/xenos, else ~/.cache/xenos. It may be deleted, copied and pruned at any
time, also while programs run. By itself it keeps to {DEFAULT_LIMIT >> 20} MiB of code and as much of libraries. Packages that
`xenos sysroot` fetched lie there, too, and are left alone.

Exit status: 0; of `verify` 1 if a file was found that cannot be used; 1 if the folder cannot be read or changed.
"""
_LAST = 253_402_214_400     # in the year 9999
_COMMANDS = ("show", "where", "verify", "prune")
# What users call the kinds that files are saved with. What has none is of a version that did not tell.
_NAMES = {"segment": "translated code", "profile": "profiles", "head": "libraries", "book": "libraries", "guests": "libraries",
          "bridge": "libraries", "modules": "for starts", "stamps": "for starts"}
_OLD = {"packs": "libraries", "code": "translated code", "confined": "translated code", "starts": "for starts"}


def main(words: list[str]) -> int:
    """The subcommand; gives the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")    # folders have any name
    if "--help" in words or "-h" in words or words[:1] == ["help"]:
        sys.stdout.write(HELP)
        return 0
    named = bool(words) and not words[0].startswith("-")
    command, rest = (words[0], words[1:]) if named else ("show", words)
    if command not in _COMMANDS:
        raise UsageError(f"xenos cache has no command `{command}`; there are: {', '.join(_COMMANDS)}")
    try:
        return {"show": _show, "where": _where, "verify": _verify, "prune": _prune}[command](rest)
    except BrokenPipeError:
        raise       # whoever reads what is printed has seen enough
    except OSError as error:
        raise CacheError(f"{error.filename or choose.cache_folder()}: {error.strerror}") from error


def folders(cache: str) -> list[str]:
    """Those below the cache folder whose files are made anew when they are gone. OSError if they cannot be read."""
    confined = os.path.join(cache, "confined")
    own = sorted(os.path.join(confined, name) for name in os.listdir(confined)) if os.path.isdir(confined) else []
    return [*(os.path.join(cache, name) for name in ("packs", "code", "starts")), *own]


def _found() -> list[stock.File]:
    """All files; OSError if something cannot be read."""
    cache = choose.cache_folder()
    if not os.path.lexists(cache):
        return []
    with os.scandir(cache):
        pass        # one clear error for all that can be wrong with it
    makers, keys = choose.in_use()
    return [file for folder in folders(cache) for file in stock.files(folder, makers, keys)]


def _options(command: str, words: list[str], flags: tuple[str, ...], values: tuple[str, ...] = ()) -> dict[str, str]:
    """The options given, by name; UsageError for all others."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        name, given, value = rest.pop(0).partition("=")
        if name in values:
            if not given and not rest:
                raise UsageError(f"{name} wants a value; see xenos cache --help")
            found[name] = value if given else rest.pop(0)
        elif name in flags and not given:
            found[name] = ""
        else:
            raise UsageError(f"xenos cache {command} has no argument {name}{given}{value}; see xenos cache --help")
    return found


def _where(words: list[str]) -> int:
    _options("where", words, ())
    print(choose.cache_folder())
    return 0


def _show(words: list[str]) -> int:
    as_json = _options("show", words, ("--json",))
    cache = choose.cache_folder()
    kinds: dict[str, dict[str, Any]] = {}
    for file in _found():
        part = os.path.relpath(file.path, cache).split(os.sep)[0]
        name = _NAMES.get(file.kind, file.kind) if file.kind else _OLD[part]
        if part == "confined":
            name += ", confined"
        kind = kinds.setdefault(name, {"files": 0, "bytes": 0, "oldest": file.used, "newest": file.used,
                                       "stale_files": 0, "stale_bytes": 0, "unusable_files": 0})
        kind["files"] += 1
        kind["bytes"] += file.size
        kind["oldest"], kind["newest"] = min(kind["oldest"], file.used), max(kind["newest"], file.used)
        if file.state == stock.STALE:
            kind["stale_files"] += 1
            kind["stale_bytes"] += file.size
        elif file.state not in (stock.IN_USE, stock.HALF):
            kind["unusable_files"] += 1
    others = sorted(name for name in os.listdir(cache) if name not in _OLD) if os.path.isdir(cache) else []
    if as_json:
        json.dump({"folder": cache, "limit": DEFAULT_LIMIT, "kinds": kinds, "others": others}, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return 0
    print(cache)
    _table(kinds)
    if others:
        print(f"also there, and not looked at: {', '.join(others)}")
    if any(kind["stale_files"] for kind in kinds.values()):
        print("stale is what only other versions could use; `xenos cache prune` removes it")
    if any(kind["unusable_files"] for kind in kinds.values()):
        print("bad is what cannot be used; `xenos cache verify` says why")
    return 0


def _table(kinds: dict[str, dict[str, Any]]) -> None:
    if not kinds:
        print("nothing is kept there yet; `xenos run` does that")
        return
    rows: list[tuple[str, ...]] = [("", "files", "size", "stale", "size", "bad", "last used", "")]
    for name, kind in sorted(kinds.items()):
        rows.append((name, f"{kind['files']:,}", bytes_(kind["bytes"]), f"{kind['stale_files']:,}", bytes_(kind["stale_bytes"]),
                     f"{kind['unusable_files']:,}", _day(kind["oldest"]), _day(kind["newest"])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for name, *cells, first, last in rows:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=False))
        print(f"{name:{widths[0]}}  {numbers}  {f'{first} to {last}' if last else first}")


def _day(when: float) -> str:
    """A file system's times may lie beyond those that have a name."""
    return time.strftime("%Y-%m-%d", time.localtime(min(max(when, 0), _LAST)))


def _verify(words: list[str]) -> int:
    keep = "--keep" in _options("verify", words, ("--keep",))
    found, verifier, bad = _found(), stock.Verifier(), 0
    for file in found:
        try:
            fault = verifier.fault(file)
        except FileNotFoundError:
            continue        # another process tidies
        if not fault:
            continue
        bad += 1
        done = "" if keep or file.state == stock.FOREIGN else f"; {_remove(file)}"
        print(f"{file.path} {fault}{done}")
    print(f"{len(found):,} files, {bytes_(sum(file.size for file in found))}: {f'{bad:,} not usable' if bad else 'all is well'}")
    return 1 if bad else 0


def _remove(file: stock.File) -> str:
    """Says what came of it."""
    try:
        os.unlink(file.path)
    except OSError as error:
        return f"cannot be removed: {error.strerror}"
    return "removed"


def _prune(words: list[str]) -> int:
    given = _options("prune", words, ("--all",), ("--to", "--older-than"))
    most = size(given["--to"]) if "--to" in given else None
    days = _days(given["--older-than"]) if "--older-than" in given else None
    if most is not None and most < 0:
        raise UsageError(f"`{given['--to']}` is no size; say 512M or 2G")
    found = _found()
    gone = stock.surplus(found, most=most, days=days, everything="--all" in given)
    freed = removed = 0
    for file in gone:
        try:
            os.unlink(file.path)
        except FileNotFoundError:
            continue        # another process tidies
        removed += 1
        freed += file.size
    left = set(found) - set(gone)
    print(f"removed {removed:,} files, {bytes_(freed)}; left {len(left):,}, {bytes_(sum(file.size for file in left))}")
    return 0


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1
    if not 0 <= days < 1e6:
        raise UsageError(f"`{text}` is no number of days")
    return days


def bytes_(number: int) -> str:
    """A number of bytes as people read it."""
    if number < 1024:
        return f"{number} B"
    value, unit = number / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if value >= 1024:
            value, unit = value / 1024, larger
    return f"{value:.1f} {unit}"
