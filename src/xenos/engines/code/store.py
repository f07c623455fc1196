"""The cache on disk: files named by what they were made from, written whole or not at all, checked before use, bounded in size.

Writers make a file under a name of their own and rename it: readers and other writers never see half of one, and a writer that
is killed leaves a file that the next tidying removes. Whatever is wrong with the folder, the cache is merely cold.
"""

from __future__ import annotations

import os
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MAGIC = b"XENOS\0C1"
_HEAD = len(_MAGIC) + 32 + 8 + 16
DEFAULT_LIMIT = 512 << 20


def digest(*parts: bytes) -> bytes:
    """32 bytes that name these parts, each taken with its length."""
    state = blake2b(digest_size=32)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


class Store:
    """One folder of cached data. `limit` is the number of bytes that it may hold, over which the oldest files go."""

    def __init__(self, folder: str, limit: int = DEFAULT_LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self.problem = ""

    def _path(self, key: bytes) -> str:
        return os.path.join(self.folder, key.hex())

    def has(self, key: bytes) -> bool:
        """Whether something was saved under a key; what it is worth, `load` says."""
        return os.path.exists(self._path(key))

    def load(self, key: bytes) -> memoryview | None:
        """What was saved under a key, or None: not there, not ours, cut short, or not what was written."""
        try:
            fd = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            if os.fstat(fd).st_uid != os.geteuid():
                return None
            size = os.fstat(fd).st_size
            data = bytearray(size)
            view, at = memoryview(data), 0
            while at < size:
                got = os.readv(fd, [view[at:]])
                if not got:
                    return None
                at += got
        except OSError:
            return None
        finally:
            os.close(fd)
        if size < _HEAD or data[:8] != _MAGIC or data[8:40] != key:
            return None
        body = memoryview(data)[_HEAD:]
        if int.from_bytes(data[40:48], "little") != len(body) or data[48:64] != _sum(body):
            return None
        return body

    def head(self, key: bytes, size: int) -> bytes:
        """The first bytes of what was saved under a key, unchecked; fewer or none if it is not there."""
        try:
            with open(self._path(key), "rb") as file:
                return file.read(_HEAD + size)[_HEAD:]
        except OSError:
            return b""

    def save(self, key: bytes, parts: Sequence[bytes | bytearray | memoryview]) -> bool:
        """Keep parts, joined, under a key; False, with `problem` saying why, if that cannot be done."""
        body = b"".join(parts)
        own = f"{self._path(key)}.{os.getpid()}"
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            fd = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                for part in (_MAGIC + key + len(body).to_bytes(8, "little") + _sum(body), body):
                    view = memoryview(part)
                    while view:
                        view = view[os.write(fd, view):]
            finally:
                os.close(fd)
            os.replace(own, self._path(key))
        except OSError as error:
            self.problem = error.strerror or str(error)
            try:
                os.unlink(own)
            except OSError:
                pass
            return False
        self.tidy()
        return True

    def tidy(self) -> None:
        """Remove what killed writers left (after an hour), and the oldest files until the folder is within its limit."""
        import time

        files: list[tuple[float, int, str]] = []
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    files.append((found.st_mtime, found.st_size, entry.path))
        except OSError:
            return
        total = sum(size for _, size, _ in files)
        for when, size, path in sorted(files):
            left_over = "." in os.path.basename(path) and time.time() - when > 3600
            if total <= self.limit and not left_over:
                continue
            try:
                os.unlink(path)
                total -= size
            except OSError:
                pass


def _sum(body: bytes | memoryview) -> bytes:
    return blake2b(body, digest_size=16).digest()
