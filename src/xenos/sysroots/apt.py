"""The archive that this host's apt is configured with, through apt: its proxies, its credentials, its checks of signatures.

apt gets lists, a state and a cache of its own: what the host has installed, and for which architectures, does not count and
is not touched.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence

from xenos.errors import SysrootError
from xenos.sysroots import signature
from xenos.sysroots.index import Index, Package
from xenos.sysroots.mirror import kept_as
from xenos.sysroots.progress import Progress

_SOURCES = "/etc/apt"
_FRESH = 24 * 3600      # seconds for which lists are not read again
_PR_SET_PDEATHSIG, _SIGTERM = 1, 15
_ONE_LINE = re.compile(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+\S+")


def available() -> bool:
    """Whether this host has apt, with a mirror of Debian."""
    return bool(shutil.which("apt-get") and shutil.which("apt-cache") and _configured())


def _configured() -> str | None:
    """The first mirror of Debian's main archive that the host's apt names."""
    files = [os.path.join(_SOURCES, "sources.list")]
    parts = os.path.join(_SOURCES, "sources.list.d")
    if os.path.isdir(parts):
        files += sorted(os.path.join(parts, name) for name in os.listdir(parts) if name.endswith((".sources", ".list")))
    for path in files:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        for line in text.splitlines():
            match = _ONE_LINE.match(line)
            uris = [match[1]] if match else line.split()[1:] if line.lower().startswith("uris:") else []
            for uri in uris:
                # A mirror keeps Debian in a folder of that name; security and third parties are elsewhere.
                if uri.rstrip("/").endswith("/debian"):
                    return uri
    return None


class Apt:
    """One suite for one architecture, by the host's apt. `folder` is where lists and packages are kept."""

    def __init__(self, suite: str, architecture: str, folder: str, keyring: str | None) -> None:
        uri = _configured()
        if uri is None:
            raise SysrootError("this host's apt names no mirror of Debian; name one with --mirror URL")
        self.suite = suite
        self.architecture = architecture
        self.folder = folder
        signed_by = signature.find_keyring(keyring)
        for name in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        line = f"deb [arch={architecture} signed-by={signed_by}] {uri} {suite} main\n"
        sources = os.path.join(folder, "sources.list")
        self.changed = not os.path.exists(sources) or open(sources).read() != line
        with open(sources, "w") as file:
            file.write(line)
        with open(os.path.join(folder, "status"), "w"):
            pass    # an empty one: nothing is installed
        settings = {
            "Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null", "Dir::State": folder,
            "Dir::State::Lists": f"{folder}/lists", "Dir::State::status": f"{folder}/status", "Dir::Cache": folder,
            "Dir::Cache::archives": f"{folder}/archives", "APT::Architecture": architecture,
            "APT::Architectures": architecture, "APT::Sandbox::User": pwd.getpwuid(os.geteuid()).pw_name,
            "Debug::NoLocking": "true", "Acquire::Retries": "3", "Acquire::Languages": "none",
        }
        self.options = ["-qq", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]

    def index(self, progress: Progress) -> Index:
        """The list of packages. It is read from the mirror when it is older than a day."""
        progress.stage("reading the lists of packages")
        stamp = os.path.join(self.folder, "read")
        try:
            old = self.changed or time.time() - os.path.getmtime(stamp) > _FRESH
        except FileNotFoundError:
            old = True
        if old:
            self._apt("apt-get", "update", "-o", "APT::Update::Error-Mode=any")
        index = Index(self._apt("apt-cache", "dumpavail"), f"{self.suite} for {self.architecture}")
        if not len(index):
            raise SysrootError(f"{self.suite} has nothing for `{self.architecture}`, as Debian calls instruction sets")
        if old:
            with open(stamp, "w"):
                pass
        return index

    def fetch(self, packages: Sequence[Package], progress: Progress) -> dict[str, str]:
        """The files of these packages by their names, fetched unless they are there."""
        folder = os.path.join(self.folder, "archives")
        found = {package.name: kept_as(folder, package) for package in packages}
        missing = [package for package in packages if not _whole(found[package.name], package.size)]
        total = sum(package.size for package in packages)
        progress.stage(f"fetching {len(packages)} packages", total)
        if not missing:
            return found
        words = [f"{package.name}={package.version}" for package in missing]
        with subprocess.Popen(["apt-get", *self.options, "download", *words], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=_end_with_us()) as child:
            try:
                said, seen = _follow(child, list(found.values()), progress)
            except BaseException:
                child.terminate()
                raise
        if child.returncode != 0 or any(not _whole(found[package.name], package.size) for package in missing):
            raise SysrootError(f"apt could not fetch the packages{_last(said)}")
        progress.advance(total - seen)
        return found

    def _apt(self, program: str, *words: str) -> str:
        done = subprocess.run([program, *self.options, *words], stdin=subprocess.DEVNULL, capture_output=True,
                              preexec_fn=_end_with_us(), env={**os.environ, "LC_ALL": "C.UTF-8"})
        if done.returncode != 0:
            raise SysrootError(f"{program} {words[0]} failed{_last(done.stderr.decode(errors='replace'))}")
        return done.stdout.decode("utf-8", "replace")


def _end_with_us() -> Callable[[], object]:
    """What makes a child end when we are killed: it would go on, beside the next one that is started."""
    prctl = ctypes.CDLL(None).prctl     # looked up before the fork
    return lambda: prctl(_PR_SET_PDEATHSIG, _SIGTERM, 0, 0, 0)


def _follow(child: subprocess.Popen[bytes], paths: list[str], progress: Progress) -> tuple[str, int]:
    """Wait for apt, and show how much of the files is there; what it said, and how much that was in bytes."""
    seen = 0
    while True:
        try:
            _, said = child.communicate(timeout=0.3)
            return said.decode(errors="replace"), seen
        except subprocess.TimeoutExpired:
            now = sum(os.path.getsize(path) for path in paths if os.path.exists(path))
            progress.advance(now - seen)
            seen = now


def _whole(path: str, size: int) -> bool:
    return os.path.exists(path) and os.path.getsize(path) == size


def _last(said: str) -> str:
    """What apt complained of, in short, to put behind a message."""
    lines = [line for line in said.splitlines() if line.startswith(("E:", "Err:", "W:"))]
    return f": {lines[0].partition(':')[2].strip()}" if lines else ""
