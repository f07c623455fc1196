"""What was found out by reading many files, kept until one of them changes: a look at when each was changed is a tenth of the work.

The kernel notes when a file was changed last (ctime), and nobody can set that. A change within the same tick of its clock as
the one before it would not be seen: nothing is kept of files that are younger than that.
"""

from __future__ import annotations

import marshal
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenos.engines.code.store import Store

    Stamp = tuple[int, int, int]

SETTLED = 2_000_000_000     # nanoseconds after which a file's next change is told from its last: some file systems count in seconds


def stamp(path: str) -> Stamp:
    """What tells one state of a file or folder from all others; OSError if it is not there."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def recall(store: Store, key: bytes) -> bytes | None:
    """What was noted under a key, if all files are still what they were."""
    kept = store.load(key)
    if kept is None:
        return None
    try:
        value, files = marshal.loads(kept)
        for path, old in files:
            if stamp(path) != old:
                return None
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return value  # type: ignore[no-any-return]


def note(store: Store, key: bytes, value: bytes, files: Iterable[tuple[str, Stamp]]) -> None:
    """Keep a value that was made from these files and folders, whose stamps were taken before they were read."""
    noted = list(files)
    now = time.time_ns()
    if all(now - max(one[:2]) > SETTLED for _, one in noted):
        store.save(key, [marshal.dumps((value, noted))], "stamps")
