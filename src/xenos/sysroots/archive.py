"""Unpacking a Debian package (deb(5)) below a folder, which nothing in it can leave."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from xenos.errors import SysrootError
from xenos.sysroots.place import resolve

_MAGIC = b"!<arch>\n"
_HEAD = 60
_LINKS_MAX = 100      # of those that dangle, in one package: more are a circle
_DEPTH_MAX = 100      # folders in a path
_MODES = {".xz": "r|xz", ".gz": "r|gz", ".bz2": "r|bz2", "": "r|"}


def unpack(deb: str, tree: str) -> dict[str, str]:
    """Put all files of a package below `tree`; gives its control files, of which `control` is one, as text.

    Owners are left away, and so are set-id bits and device nodes: a sysroot belongs to whoever made it.
    """
    name = os.path.basename(deb)
    control: dict[str, str] = {}
    try:
        with _member(deb, "control.tar") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is not None:
                    control[os.path.normpath(entry.name)] = content.read().decode("utf-8", "replace")
        with _member(deb, "data.tar") as archive:
            _Tree(tree, name).fill(archive)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise SysrootError(f"{name}: damaged: {error}") from None
    return control


@contextmanager
def _member(deb: str, wanted: str) -> Iterator[tarfile.TarFile]:
    """The tar archive of that name in the ar archive `deb`, to be read once through."""
    with open(deb, "rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("not a Debian package")
        while head := file.read(_HEAD):
            name = head[:16].decode("ascii", "replace").strip().rstrip("/")
            size = int(head[48:58])
            if name.startswith(wanted):
                ending = name.removeprefix(wanted)
                with _open(_Part(file, size), ending) as archive:
                    yield archive
                return
            file.seek(size + size % 2, os.SEEK_CUR)
    raise ValueError(f"it has no {wanted}")


def _open(part: _Part, ending: str) -> tarfile.TarFile:
    if ending in _MODES:
        return tarfile.open(fileobj=part, mode=_MODES[ending])  # type: ignore[call-overload,no-any-return]
    if ending == ".zst":
        try:
            from compression import zstd  # type: ignore[import-not-found]  # Python 3.14
        except ImportError:
            raise ValueError("it is compressed by zstd, which needs Python 3.14") from None
        return tarfile.open(fileobj=zstd.open(part), mode="r|")
    raise ValueError(f"it is compressed in a way that is not known here: {ending}")


class _Part(io.RawIOBase):
    """So many bytes of a file from where it stands."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file = file
        self.left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(data)
        return data

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Tree:
    """The folder being filled. Links are followed as inside a chroot, so that no path leads out of it."""

    def __init__(self, root: str, package: str) -> None:
        self.root = root
        self.package = package
        self.folders: dict[str, str] = {"": root}   # of the package -> of the host
        self._links = 0                             # followed that dangled

    def fill(self, archive: tarfile.TarFile) -> None:
        for entry in archive:
            parts = [part for part in entry.name.split("/") if part not in ("", ".")]
            if ".." in parts:
                raise SysrootError(f"{self.package}: refused, for it has a path that leads out of it: {entry.name[:200]}")
            if len(parts) > _DEPTH_MAX:
                raise SysrootError(f"{self.package}: refused, for it has a path of {len(parts)} folders")
            if not parts:
                continue
            if entry.isdir():
                self._folder("/".join(parts))
                continue
            path = f"{self._folder('/'.join(parts[:-1]))}/{parts[-1]}"
            if entry.isreg():
                self._clear(path)
                self._write(archive, entry, path)
            elif entry.issym():
                # Where one package has a link and another a folder, the folder stays: so does dpkg (Debian policy 6.6).
                if not os.path.isdir(path) or os.path.islink(path):
                    self._clear(path)
                    os.symlink(entry.linkname, path)
            elif entry.islnk():
                self._link(entry, path)

    def _folder(self, name: str) -> str:
        """The folder of that name, made if it is not there; where a link to a folder stands, what it points to."""
        if name in self.folders:
            return self.folders[name]
        parent, _, last = name.rpartition("/")
        path = f"{self._folder(parent)}/{last}"
        if os.path.islink(path):
            found = resolve(self.root, os.path.relpath(path, self.root))
            if found is None:   # nothing is there yet: the folder is made where the link leads
                link = os.readlink(path)
                self._links += 1
                if self._links > _LINKS_MAX:
                    raise SysrootError(f"{self.package}: /{name} is a link that leads nowhere")
                found = self._folder(os.path.normpath(f"/{link}" if link.startswith("/") else f"/{parent}/{link}").strip("/"))
            elif not os.path.isdir(found):
                raise SysrootError(f"{self.package}: /{name} is a link that leads to no folder")
            path = found
        elif not os.path.isdir(path):
            self._clear(path)
            os.mkdir(path, 0o755)
        self.folders[name] = path
        return path

    def _write(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str) -> None:
        source = archive.extractfile(entry)
        assert source is not None
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as out:
            left = entry.size
            while left:
                block = source.read(min(left, 1 << 20))
                if not block:
                    raise EOFError("it ends in the middle of a file")
                out.write(block)
                left -= len(block)
            os.fchmod(fd, entry.mode & 0o777 | 0o600)
        os.utime(path, (entry.mtime, entry.mtime))

    def _link(self, entry: tarfile.TarInfo, path: str) -> None:
        parts = [part for part in entry.linkname.split("/") if part not in ("", ".")]
        if ".." in parts or len(parts) > _DEPTH_MAX:
            raise SysrootError(f"{self.package}: refused, for it links to a path that leads out of it: {entry.linkname[:200]}")
        target = f"{self._folder('/'.join(parts[:-1]))}/{parts[-1]}" if parts else ""
        if os.path.islink(target):
            self._clear(path)
            os.symlink(os.readlink(target), path)
        elif not os.path.isfile(target):
            raise SysrootError(f"{self.package}: {entry.name[:200]} is a link to {entry.linkname[:200]}, which is not there")
        elif not (os.path.lexists(path) and os.path.samefile(path, target)):
            self._clear(path)
            os.link(target, path, follow_symlinks=False)

    def _clear(self, path: str) -> None:
        """Remove what is there, for something new: written into, it would change the other names that it has."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            raise SysrootError(f"{self.package}: {os.path.relpath(path, self.root)} is a folder of another package") from None
