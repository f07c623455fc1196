"""Hashes of many files, kept until one of them changes: a look at when each was changed is a tenth of the work of reading it.

The kernel notes when a file was changed last (ctime), and nobody can set that. A change within the same tick of its clock as
the one before it would not be seen: nothing is kept of files that are younger than that.
"""

from __future__ import annotations

import marshal
import os
import time

from xenos.engines.code.store import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.engines.code.store import Store

    Stamp = tuple[int, int, int]

_LARGE = 1 << 16    # bytes: no source comes near that
SETTLED = 2_000_000_000     # nanoseconds after which a file's next change is told from its last: some file systems count in seconds


def stamp(path: str) -> Stamp:
    """What tells one state of a file or folder from all others; OSError if it is not there."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def hashed(store: Store | None, key: bytes, read: Callable[[list[tuple[str, Stamp]]], list[bytes]]) -> bytes:
    """A hash of what `read` gives, which puts the stamps of all that it looks at into a list: each before it looks.

    Without a store it is worked out each time; otherwise only if a stamp has changed since it was noted there under `key`.
    """
    known = _recall(store, key) if store is not None else None
    if known is not None:
        return known
    noted: list[tuple[str, Stamp]] = []
    found = digest(*read(noted))
    if store is not None and time.time_ns() - max(max(one[:2]) for _, one in noted) > SETTLED:
        store.save(key, [marshal.dumps((found, noted))], "stamps")
    return found


def _recall(store: Store, key: bytes) -> bytes | None:
    kept = store.load(key)
    if kept is None:
        return None
    stat = os.stat
    try:
        value, files = marshal.loads(kept)
        for path, (changed, noted, size) in files:
            now = stat(path)
            if now.st_mtime_ns != changed or now.st_ctime_ns != noted or now.st_size != size:
                return None
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return value  # type: ignore[no-any-return]


def content(path: str, stamps: list[tuple[str, Stamp]]) -> bytes:
    """A file's bytes, by few calls of the kernel: some hundred files are read at once."""
    stamps.append((path, stamp(path)))
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(fd, _LARGE)
        while len(data) % _LARGE == 0 and (more := os.read(fd, _LARGE)):
            data += more
        return data
    finally:
        os.close(fd)
