"""Code in memory that the guest may write, and of which it says nothing when it does: pages of it are watched for writes.

A guest is to say when it has written code (by an instruction or a call). Some compilers at run time never do: PyPy's
rewrites its own code in place, and gets away with it on processors that throw their instruction caches out often enough. So a page
from which code was translated is made read-only on the host if the guest may write there, until the guest does write there: then
what was translated of it is forgotten, and the page is the guest's again until code is translated from it anew.

A page of which the guest once said that it wrote code there is not watched: compilers that tell pay nothing. What is written by way
of another mapping of the same memory, no page protection sees. The host's kernel gives EFAULT for a watched page: then all are
opened, and the call is made again (linux/process.py).
"""

from __future__ import annotations

from xenos.memory import host
from xenos.memory.host import EXEC, PAGE, READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.memory.flat import FlatMemory

_EVERYWHERE = 1 << 30       # bytes: who says of more than that that there is new code does not know where it is


class Watch:
    """The watched pages of one address space, which begins at host address `base`; `changed` has code in a range forgotten."""

    def __init__(self, base: int, memory: FlatMemory, changed: Callable[[int, int, bool, bool], None]) -> None:
        self._base = base
        self._memory = memory
        self._changed = changed
        self._pages: set[int] = set()       # by number; the guest may write in all of them
        self._told: set[int] = set()        # pages of which the guest said that it wrote code there

    def told(self, start: int, end: int) -> None:
        """The guest says that it wrote code in this range."""
        memory = self._memory
        with memory.lock:
            if end - start > _EVERYWHERE:
                start, end, known = 0, memory.size, frozenset(self._pages)
            else:
                known = frozenset(range(start // PAGE, (end - 1) // PAGE + 1))
            if not known <= self._told:
                self._told |= known
                self.open(start, end)

    def tells(self, start: int, end: int) -> bool:
        """Whether the guest said of all pages in this range that it wrote code there."""
        return all(page in self._told for page in range(start // PAGE, (end - 1) // PAGE + 1))

    def guard(self, start: int, end: int) -> bool:
        """Code was read from this range: watch it, where that is to be. True if it might have been written meanwhile unseen,
        so that it is to be read again."""
        new = False
        with self._memory.lock:
            for region in self._memory.regions.between(start, end):
                if region.prot & (WRITE | EXEC) != WRITE | EXEC:
                    continue
                for page in range(max(start, region.start) // PAGE, (min(end, region.end) - 1) // PAGE + 1):
                    if page in self._pages or page in self._told:
                        continue
                    try:
                        host.mprotect(self._base + page * PAGE, PAGE, READ)
                    except OSError:     # the host allows no more mappings
                        self._told.add(page)
                        continue
                    self._pages.add(page)
                    new = True
            self._memory.watched.value = len(self._pages)
        return new

    def open(self, start: int, end: int) -> bool:
        """Something is about to be written there: what was read of the pages as code is forgotten. False if none is watched."""
        if not self._pages:
            return False
        with self._memory.lock:
            pages = _inside(self._pages, start, end)
            for page in pages:      # other threads write there as soon as they can, and run what they wrote
                self._changed(page * PAGE, page * PAGE + PAGE, True, False)
            for page in pages:
                host.mprotect(self._base + page * PAGE, PAGE, READ | WRITE)
            self._pages.difference_update(pages)
            self._memory.watched.value = len(self._pages)
        return bool(pages)

    def gone(self, start: int, end: int, *, mapped: bool = True) -> None:
        """The guest protected a range otherwise, or `mapped` something else there: the host's protection is what it should be."""
        self._pages.difference_update(_inside(self._pages, start, end))
        self._memory.watched.value = len(self._pages)
        if mapped:
            self._told.difference_update(_inside(self._told, start, end))


def _inside(pages: set[int], start: int, end: int) -> list[int]:
    """Those that have a byte in a range."""
    wanted = range(start // PAGE, (end - 1) // PAGE + 1)
    return [page for page in wanted if page in pages] if len(wanted) < len(pages) else [page for page in pages if page in wanted]
