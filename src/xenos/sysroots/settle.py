"""What maintainer scripts would have done, as far as programs need it: none of them is run.

Users and groups are left to the host: a guest has the host's user numbers, and finds the host's /etc/passwd where the
sysroot has none. For the same reason empty folders go away that would hide the host's own, as /dev, /proc and /home would.
"""

from __future__ import annotations

import glob
import os
import shlex

from xenos.sysroots.place import resolve

# Laid by base-files or by packages, and filled by the system that boots: those of the host are meant.
_OF_THE_HOST = ("dev", "proc", "sys", "run", "tmp", "home", "root", "mnt", "media", "srv", "boot", "var/tmp")
# Copied by a postinst where it is not there yet.
_COPIES = {"etc/nsswitch.conf": ("usr/share/libc-bin/nsswitch.conf", "usr/share/base-files/nsswitch.conf"),
           "etc/profile": ("usr/share/base-files/profile",)}
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def prepare(tree: str) -> None:
    """Lay the links that Debian's merged /usr begins with: packages of older suites do not have them."""
    for name in ("bin", "sbin", "lib"):
        os.makedirs(os.path.join(tree, "usr", name), exist_ok=True)
        if not os.path.lexists(os.path.join(tree, name)):
            os.symlink(f"usr/{name}", os.path.join(tree, name))


def settle(tree: str, scripts: list[str]) -> None:
    """Make the tree ready for use. `scripts` are the postinst scripts of what was unpacked; they are read, not run."""
    for target, sources in _COPIES.items():
        for source in sources:
            if os.path.isfile(f"{tree}/{source}") and not os.path.lexists(f"{tree}/{target}"):
                with open(f"{tree}/{source}", "rb") as old, open(f"{tree}/{target}", "wb") as new:
                    new.write(old.read())
    for script in scripts:
        for link, path in _alternatives(script):
            _lay(tree, link, path)
    # The scripts of Java's packages name their programs in loops.
    for path in sorted(glob.glob(f"{glob.escape(tree)}/usr/lib/jvm/*/bin/*")):
        _lay(tree, f"/usr/bin/{os.path.basename(path)}", "/" + os.path.relpath(path, tree))
    _certificates(tree)
    for name in _OF_THE_HOST:
        try:
            os.rmdir(f"{tree}/{name}")
        except OSError:
            pass    # not there, or something is in it


def _alternatives(script: str) -> list[tuple[str, str]]:
    """The links that a script has update-alternatives(1) lay: (link, what it leads to), as far as they are literal."""
    found = []
    for line in script.replace("\\\n", " ").splitlines():
        if "update-alternatives" not in line or "--install" not in line:
            continue
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        for at, word in enumerate(words):
            if word == "--install" and len(words) > at + 3:
                found.append((words[at + 1], words[at + 3]))
            elif word == "--slave" and len(words) > at + 3:
                found.append((words[at + 1], words[at + 3]))
    return [(link, path) for link, path in found if link.startswith("/") and path.startswith("/")
            and not any(sign in link + path for sign in "$`*") and ".." not in (link + path).split("/")]


def _lay(tree: str, link: str, path: str) -> None:
    """A link, unless something is there or nothing is where it leads."""
    if resolve(tree, path) is None:
        return
    folder = resolve(tree, os.path.dirname(link))
    if folder is None or not os.path.isdir(folder):
        return
    place = f"{folder}/{os.path.basename(link)}"
    if os.path.islink(place) and resolve(tree, link) is None:
        os.unlink(place)
    if not os.path.lexists(place):
        os.symlink(path, place)


def _certificates(tree: str) -> None:
    """All certificates of authorities in one file, as update-ca-certificates(8) makes it."""
    found = sorted(glob.glob(f"{glob.escape(tree)}/usr/share/ca-certificates/**/*.crt", recursive=True))
    if found:
        os.makedirs(os.path.dirname(f"{tree}/{_BUNDLE}"), exist_ok=True)
        with open(f"{tree}/{_BUNDLE}", "wb") as bundle:
            for path in found:
                with open(path, "rb") as file:
                    bundle.write(file.read().rstrip(b"\n") + b"\n")
