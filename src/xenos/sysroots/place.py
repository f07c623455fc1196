"""Where sysroots lie, and which one a program gets that names none. A run asks this, so it imports little."""

from __future__ import annotations

import os

# Where a guest's programs lie, in the order in which a Debian shell looks.
PATH = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin", "usr/games")
# What a sysroot says of itself, inside it: the last thing that is written before it gets its name.
RECORD = "var/lib/xenos/sysroot.json"
_PT_INTERP = 3
_LINKS_MAX = 40


def data_folder() -> str:
    """Where Xenos keeps what users made: $XENOS_DATA, else $XDG_DATA_HOME/xenos, else ~/.local/share/xenos."""
    environ = os.environ
    if environ.get("XENOS_DATA"):
        return environ["XENOS_DATA"]
    base = environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: relative paths are invalid and to be ignored
        base = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "xenos")


def sysroots_folder() -> str:
    """The folder of all sysroots that have no place of their own. May not exist."""
    return os.path.join(data_folder(), "sysroots")


def default_sysroot(guest: str) -> str | None:
    """The sysroot that programs of this guest get if none is named, or None if there is none."""
    folder = os.path.join(sysroots_folder(), guest)
    return folder if os.path.exists(os.path.join(folder, RECORD)) else None


def needs_sysroot(program: str) -> bool:
    """Whether a program is linked dynamically, or is a script: static programs see the host as it is."""
    if not os.path.isfile(program):     # a pipe would wait for somebody to write
        return False
    try:
        with open(program, "rb") as file:
            head = file.read(64)
            if head[:2] == b"#!":
                return True
            if head[:6] != b"\x7fELF\2\1" or len(head) < 64:
                return False
            file.seek(int.from_bytes(head[32:40], "little"))
            size, count = int.from_bytes(head[54:56], "little"), int.from_bytes(head[56:58], "little")
            headers = file.read(min(size * count, 1 << 16))
    except (OSError, OverflowError, ValueError):    # loading will say what is wrong with it
        return False
    return size > 0 and any(int.from_bytes(headers[at : at + 4], "little") == _PT_INTERP
                            for at in range(0, len(headers), size))


def find_program(name: str, sysroot: str) -> str | None:
    """The path, as the guest calls it, of the program that a shell of this sysroot would start; None if there is none."""
    for folder in PATH:
        inside = resolve(sysroot, f"{folder}/{name}")
        if inside is not None and os.path.isfile(inside) and os.access(inside, os.X_OK):
            return f"/{folder}/{name}"
    return None


def resolve(root: str, path: str) -> str | None:
    """The host path of what `path` names below `root`, links read as inside a chroot; None if nothing is there."""
    todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    here, links = root, 0
    while todo:
        part = todo.pop()
        if part == "..":
            if here != root:
                here = os.path.dirname(here)
            continue
        step = f"{here}/{part}"
        try:
            link = os.readlink(step)
        except FileNotFoundError:
            return None
        except OSError:     # it is there, and no link; or below what is no folder, and the next step finds nothing
            here = step
            continue
        links += 1
        if links > _LINKS_MAX:
            return None
        if link.startswith("/"):
            here = root
        todo.extend(part for part in reversed(link.split("/")) if part not in ("", "."))
    return here if os.path.lexists(here) else None
