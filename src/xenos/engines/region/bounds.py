"""How much memory a worker takes: what it may, what it has, and what it gives back before its first job."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource

MOST = 192 << 20        # bytes of its own: what wants more fails, and is one job
_DONTNEED = 4           # of madvise(2)


def limit(most: int = MOST) -> None:
    """Let this process have at most so many bytes of its own from now on, if it may not have less already."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    given = [bound for bound in (soft, hard, most) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(given), hard))


def own() -> int:
    """Bytes in memory that are this process's own: not of files, not shared."""
    with open("/proc/self/statm", "rb") as file:
        _, resident, shared, *_ = map(int, file.read().split())
    return (resident - shared) * mmap.PAGESIZE


def let_go(library: str) -> None:
    """Give back the code of a library that was needed to begin with; what of it is needed again is still in the host's memory.

    Only what can be executed is: all else of it may be written to, and would be lost.
    """
    madvise = ctypes.CDLL(None).madvise
    with open("/proc/self/maps", "rb") as file:
        for line in file:
            words = line.split()
            if len(words) > 5 and words[1] == b"r-xp" and os.path.basename(words[5]).startswith(library.encode()):
                start, end = (int(word, 16) for word in words[0].split(b"-"))
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)
