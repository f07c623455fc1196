"""`xenos doctor`: what this host offers, what is missing and how to get it."""

from __future__ import annotations

import json
import os
import sys

from xenos import __version__
from xenos.engines import choose
from xenos.errors import UsageError, XenosError

HELP = """\
xenos doctor [--json]

Looks at this host and says what Xenos found: processor level, engines, memory, caches. What is missing is listed last,
each with how to get it. Exit status 0 if programs can run with the default engine, 1 if not.
"""

Facts = dict[str, dict[str, object]]


def main(words: list[str]) -> int:
    """The subcommand; gives the exit status."""
    if words and words[0] in ("--help", "-h"):
        sys.stdout.write(HELP)
        return 0
    if words not in ([], ["--json"]):
        raise UsageError(f"xenos doctor has no argument {words[-1]}; see xenos doctor --help")
    facts, missing, usable = examine()
    if words:
        json.dump({**facts, "missing": missing, "usable": usable}, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        for title, part in facts.items():
            print(title)
            for name, value in part.items():
                print(f"  {name:16} {value}")
        print("missing")
        for line in missing or ["nothing"]:
            print(f"  {line}")
    return 0 if usable else 1


def examine() -> tuple[Facts, list[str], bool]:
    """The facts by subject, what is missing, and whether the default engine can run."""
    missing: list[str] = []
    engines, usable = _engines(missing)
    facts: Facts = {
        "xenos": {"version": __version__, "package": os.path.dirname(os.path.dirname(os.path.abspath(__file__)))},
        "host": _host(), "engines": engines, "guest memory": _memory(missing), "confinement": _confinement(missing),
        "cache": _cache(missing),
        "sysroots": _sysroots(),
    }
    return facts, missing, usable


def _host() -> dict[str, object]:
    import platform

    system = os.uname()
    facts: dict[str, object] = {
        "machine": system.machine, "kernel": f"{system.sysname} {system.release}",
        "python": f"{platform.python_implementation()} {platform.python_version()}", "processors": os.cpu_count() or 1,
    }
    try:
        from xenos.engines.hosts import host

        lowered = os.environ.get("XENOS_HOST_LEVEL")
        facts["feature level"] = f"{host().level()} of {max(host().CPUS)}" + (
            f" (XENOS_HOST_LEVEL is {lowered})" if lowered else "")
    except (OSError, XenosError, ImportError) as error:
        facts["feature level"] = f"unknown: {error}"
    return facts


def _engines(missing: list[str]) -> tuple[dict[str, object], bool]:
    """What can be said of each engine without compiling anything."""
    from importlib import metadata

    from xenos.isa import GUESTS

    facts: dict[str, object] = {"guests": ", ".join(sorted(GUESTS)), "reference": "ready"}
    try:
        facts["llvmlite"] = metadata.version("llvmlite")
    except metadata.PackageNotFoundError:
        facts["llvmlite"] = "not installed"
    usable = True
    try:
        from xenos.engines.hosts import host

        if os.uname().machine != host().NAME:
            raise XenosError(f"there is no host form for {os.uname().machine}; use --engine reference")
        arena = _arena()
        facts["code arena"] = arena
        for guest in sorted(GUESTS):
            built = choose.pack_ready(guest)
            if built:
                facts["stencil"] = f"ready; library for {guest} in the cache"
            elif facts["llvmlite"] == "not installed":
                raise XenosError("its library must be compiled once, which needs llvmlite: pip install llvmlite")
            else:
                facts["stencil"] = f"ready; the library for {guest} is compiled at the first run (some seconds)"
    except (OSError, XenosError, ImportError) as error:
        usable = False
        facts["stencil"] = f"cannot run: {error}"
        missing.append(f"stencil engine: {error}")
    facts["lockstep"] = "ready" if usable else "needs the stencil engine"
    facts["region"] = facts["lockstep"] if facts["llvmlite"] != "not installed" else "needs llvmlite: pip install llvmlite"
    return facts, usable


def _arena() -> str:
    from xenos.engines.code.arena import Arena

    arena = Arena(1 << 16)
    kind = arena.kind
    arena.close()
    return kind


def _memory(missing: list[str]) -> dict[str, object]:
    from xenos.memory.flat import BASE, FlatMemory

    try:
        memory = FlatMemory()
    except XenosError as error:
        missing.append(f"guest memory: {error}")
        return {"arena": f"cannot be reserved: {error}"}
    size = memory.size
    memory.close()
    return {"arena": f"{_bytes(size)} at {BASE:#x}"}


def _confinement(missing: list[str]) -> dict[str, object]:
    """Which levels of a policy (--ro, --no-network and so on) this host has."""
    from xenos.linux.policy import landlock, seccomp
    from xenos.linux.policy.beneath import by_openat2

    facts: dict[str, object] = {
        "system calls": "kept by Xenos; paths " + ("by openat2" if by_openat2() else "step by step: this host has no openat2"),
    }
    version = landlock.version()
    if version:
        facts["Landlock"] = f"version {version}: {', '.join(what for since, what in landlock.LEVELS if since <= version)}"
        lacking = [what for since, what in landlock.LEVELS if since > version]
        if lacking:
            facts["Landlock"] = f"{facts['Landlock']}; not {', '.join(lacking)}"
    else:
        facts["Landlock"] = "none"
        missing.append("confinement: no Landlock (Linux 5.13, with `landlock` among lsm= if that is given): policies are kept "
                       "by Xenos and seccomp alone")
    facts["seccomp"] = "ready" if seccomp.available() else "none"
    if not seccomp.available():
        missing.append("confinement: no seccomp filters (CONFIG_SECCOMP_FILTER)")
    return facts


def _cache(missing: list[str]) -> dict[str, object]:
    folder = choose.cache_folder()
    facts: dict[str, object] = {"folder": folder}
    try:
        os.makedirs(folder, exist_ok=True)
        probe = os.path.join(folder, f"doctor.{os.getpid()}")  # only trying tells: root may do what permissions forbid
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(probe)
    except OSError as error:
        facts["state"] = f"cannot be written ({error.strerror}): what is not there is made anew in each run"
        missing.append(f"cache: {folder} cannot be written; name another folder with XENOS_CACHE=DIR")
    else:
        facts["state"] = "writable"
    if os.path.isdir(folder):
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                facts[entry.name] = _bytes(_size(entry.path))
        own = [os.path.join(folder, name) for name in ("code", "confined", "packs")]
        facts["in all"] = _bytes(sum(_size(path) for path in own if os.path.isdir(path))) + "; see `xenos cache`"
    return facts


def _sysroots() -> dict[str, object]:
    from xenos.sysroots.record import all_named, read

    facts: dict[str, object] = {}
    for name, path in all_named().items():
        try:
            made = read(path)
            facts[name] = f"{path}: {made.suite}, {len(made.packages)} packages"
        except XenosError as error:
            facts[name] = str(error)
    return facts or {"none": "`xenos sysroot create` makes one"}


def _size(path: str) -> int:
    """Bytes on the disk of a file, or of all files below a folder."""
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                pass
    return total if os.path.isdir(path) else os.lstat(path).st_blocks * 512


def _bytes(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} TiB"
