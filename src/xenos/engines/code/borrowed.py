"""A cache that is read, with a small one of its own to write: for runs whose writing nobody else should trust."""

from __future__ import annotations

import os

from xenos.engines.code.store import Store, digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LIMIT = 128 << 20
_FOLDERS_MAX = 16   # the most recently used stay


class Borrowed(Store):
    """What `lender` has, and over that what is saved here, in `folder` (None: nothing is kept)."""

    def __init__(self, lender: Store, folder: str | None) -> None:
        super().__init__(folder or os.devnull, _LIMIT, lender.maker)
        self.lender = lender
        self.writable = folder is not None

    def has(self, key: bytes) -> bool:
        """Whether either has something under a key."""
        return super().has(key) or self.lender.has(key)

    def load(self, key: bytes) -> memoryview | None:
        """Our own, or the lender's."""
        found = super().load(key)
        return self.lender.load(key) if found is None else found

    def head(self, key: bytes, size: int) -> bytes:
        """Of what `load` gives."""
        return super().head(key, size) or self.lender.head(key, size)

    def save(self, key: bytes, parts: Sequence[bytes | bytearray | memoryview], kind: str = "") -> bool:
        """Into our own."""
        return self.writable and super().save(key, parts, kind)


def make_room(parent: str, name: str) -> str | None:
    """The folder for runs of that name, made if need be; of others below `parent` only the latest stay. None: no place."""
    own = digest(name.encode("utf-8", "surrogateescape")).hex()[:32]
    path = os.path.join(parent, own)
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        if os.stat(path).st_uid != os.geteuid():
            return None
        os.utime(path)
        with os.scandir(parent) as entries:
            known = sorted(((entry.stat().st_mtime, entry.path) for entry in entries), reverse=True)
    except OSError:
        return None
    for _, old in known[_FOLDERS_MAX:]:
        import shutil

        shutil.rmtree(old, ignore_errors=True)
    return path
