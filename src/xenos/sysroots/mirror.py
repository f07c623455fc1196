"""An archive at a URL: its release file, whose signature is checked, and the lists and packages that this vouches for."""

from __future__ import annotations

import hashlib
import lzma
import os
import zlib
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

from xenos.errors import SysrootError
from xenos.sysroots import download, signature
from xenos.sysroots.index import Index, Package, parse
from xenos.sysroots.progress import Progress

_COMPONENT = "main"


class Mirror:
    """One suite of the archive at a URL, for one architecture. `folder` is where packages are kept."""

    def __init__(self, url: str, suite: str, architecture: str, folder: str, keyring: str | None) -> None:
        self.url = download.check_url(url)
        self.suite = suite
        self.architecture = architecture
        self.folder = folder
        self.keyring = keyring

    def index(self, progress: Progress) -> Index:
        """The list of packages, fetched unless the one kept is the one that the release file names."""
        progress.stage("reading the lists of packages")
        base = f"{self.url}/dists/{self.suite}"

        def beside(name: str) -> bytes:
            content = download.read(f"{base}/{name}")
            if content is None:
                raise SysrootError(f"{base} has no {name}: no signed suite `{self.suite}` is there")
            return content

        keyring = signature.find_keyring(self.keyring)
        text = signature.signed_release(beside, keyring, f"the release file of {base}")
        release = parse(text.decode("utf-8", "replace"))
        self._check(release)
        sums = _sums(release.get("sha256", ""))
        for ending, unpack in ((".xz", lzma.decompress), (".gz", lambda data: zlib.decompress(data, 31)), ("", bytes)):
            name = f"{_COMPONENT}/binary-{self.architecture}/Packages{ending}"
            if name in sums:
                try:
                    content = unpack(self._list(base, name, *sums[name], by_hash=release.get("acquire-by-hash") == "yes"))
                except (lzma.LZMAError, zlib.error) as error:
                    raise SysrootError(f"{base}/{name}: damaged: {error}") from None
                return Index(content.decode("utf-8", "replace"), f"{self.suite} for {self.architecture}")
        raise SysrootError(f"{base} has no packages for {self.architecture}")

    def _check(self, release: dict[str, str]) -> None:
        names = {release.get("suite"), release.get("codename")}
        if self.suite not in names:     # an old suite, signed as well, in place of the one asked for
            raise SysrootError(f"{self.url} gives {release.get('codename', 'something unnamed')} for `{self.suite}`; "
                               f"name the suite with --suite")
        architectures = release.get("architectures", "").split()
        if self.architecture not in architectures:
            others = ", ".join(name for name in architectures if name != "all")
            raise SysrootError(f"{self.suite} has nothing for `{self.architecture}`; it has {others}")
        if "valid-until" in release:
            import datetime

            try:
                until = parsedate_to_datetime(release["valid-until"])
            except ValueError:
                raise SysrootError(f"{self.url}: cannot read how long its release file is valid") from None
            if until.tzinfo is not None and until < datetime.datetime.now(datetime.UTC):
                raise SysrootError(f"{self.url}: its release file was valid until {release['valid-until']} only: "
                                   "the mirror is out of date, or someone shows us an old state of it")

    def _list(self, base: str, name: str, sha256: str, size: int, *, by_hash: bool) -> bytes:
        kept = os.path.join(self.folder, "Packages." + sha256)
        try:
            with open(kept, "rb") as file:
                content = file.read()
            if hashlib.sha256(content).hexdigest() == sha256:
                return content
        except FileNotFoundError:
            pass
        found = download.read(f"{base}/{os.path.dirname(name)}/by-hash/SHA256/{sha256}", size) if by_hash else None
        if found is None:
            found = download.read(f"{base}/{name}", size)
        if found is None or hashlib.sha256(found).hexdigest() != sha256:
            raise SysrootError(f"{base}/{name}: not what the signed release file says; "
                               "if the mirror is being updated, try again later")
        for old in os.listdir(self.folder):
            if old.startswith("Packages."):
                os.unlink(os.path.join(self.folder, old))
        with open(kept + ".part", "wb") as file:
            file.write(found)
        os.replace(kept + ".part", kept)
        return found

    def fetch(self, packages: Sequence[Package], progress: Progress) -> dict[str, str]:
        """The files of these packages by their names, fetched unless they are there."""
        wanted = {package.name: download.Wanted(f"{self.url}/{package.filename}", kept_as(self.folder, package),
                                                package.size, package.sha256) for package in packages}
        progress.stage(f"fetching {len(wanted)} packages", sum(file.size for file in wanted.values()))
        download.fetch_all(wanted.values(), progress.advance)
        return {name: file.path for name, file in wanted.items()}


def kept_as(folder: str, package: Package) -> str:
    """Where a package is kept, as apt calls it: the same for all who fetch it."""
    architecture = package.fields.get("architecture", "all")
    return os.path.join(folder, f"{package.name}_{package.version.replace(':', '%3a')}_{architecture}.deb".replace("/", "_"))


def _sums(text: str) -> dict[str, tuple[str, int]]:
    """The files of a release: name -> (SHA-256, size)."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdecimal():
            found[words[2]] = words[0].lower(), int(words[1])
    return found
