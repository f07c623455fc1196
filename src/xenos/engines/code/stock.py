"""Taking stock of a cache: what its files are, whether each is what was written, and which may go."""

from __future__ import annotations

import os
import stat
import time

from xenos.engines.code.store import HEAD, LEFT_OVER, MAGIC, checksum, is_half, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.segment import Segment

# What can be said of a file without reading it whole. Only those in use will ever be loaded again.
IN_USE, STALE, HALF, FOREIGN, DAMAGED, STRANGE = "in use", "stale", "being written", "another user's", "damaged", "strange"


class File:
    """One file: `kind` as it was saved with, `used` the time of its last use, in seconds since 1970, to the day."""

    __slots__ = ("kind", "maker", "path", "size", "state", "used")

    def __init__(self, path: str, status: os.stat_result, makers: set[bytes], keys: set[bytes]) -> None:
        self.path = path
        self.size = status.st_size
        self.used = status.st_mtime
        self.kind, self.maker = "", b""
        self.state = self._look(os.path.basename(path), status, makers, keys)

    def _look(self, name: str, status: os.stat_result, makers: set[bytes], keys: set[bytes]) -> str:
        if not stat.S_ISREG(status.st_mode):
            return STRANGE
        if status.st_uid != os.geteuid():
            return FOREIGN
        if is_half(name):
            return HALF
        try:
            with open(self.path, "rb") as file:
                head = file.read(HEAD)
        except OSError:
            return DAMAGED
        if head[:7] == MAGIC[:7] and head[7:8] != MAGIC[7:]:
            return STALE        # the form of another version
        if len(head) < HEAD or head[:8] != MAGIC or head[8:40] != bytes.fromhex(name):
            return DAMAGED
        self.maker = head[40:56]
        self.kind = head[56:64].rstrip(b"\0").decode("ascii", "replace")
        if int.from_bytes(head[64:72], "little") != self.size - HEAD:
            return DAMAGED
        return IN_USE if self.maker in makers or head[8:40] in keys else STALE


def files(folder: str, makers: set[bytes], keys: set[bytes]) -> list[File]:
    """What a Store has in its folder; nothing if there is none. OSError if it cannot be read."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_key(entry.name) and not is_half(entry.name):
                    continue
                try:
                    found.append(File(entry.path, entry.stat(follow_symlinks=False), makers, keys))
                except FileNotFoundError:
                    pass        # whoever writes it has renamed it
    except FileNotFoundError:
        pass
    return found


class Verifier:
    """Reads files whole and says what is wrong with them."""

    def __init__(self) -> None:
        self._segment: Segment | None = None

    def fault(self, file: File) -> str:
        """What is wrong with a file; empty if nothing is, or if it is nothing that could be."""
        if file.state == FOREIGN:
            return f"belongs to user {os.lstat(file.path).st_uid}, and is not used"
        if file.state == STRANGE:
            return "is no plain file"
        if file.state in (DAMAGED, HALF):
            half = file.state == HALF
            return "" if half and time.time() - file.used < LEFT_OVER else "was never finished" if half else "is damaged"
        with open(file.path, "rb") as opened:
            head = opened.read(HEAD)
            if head[:8] != MAGIC:
                return ""       # stale, and of a form that is not known here
            body = memoryview(opened.read())
        if head[HEAD - 16:] != checksum(head, body):
            return "is damaged"
        if file.kind == "segment" and file.state == IN_USE and not self._restores(body):
            return "is whole, but no code that was translated"
        return ""

    def _restores(self, body: memoryview) -> bool:
        """Whether an engine takes it up, and all offsets in it lie inside."""
        from xenos.engines.code import segment as at
        from xenos.engines.code.arena import Arena

        if self._segment is None:
            self._segment = at.Segment(Arena(at.LARGEST), at.LARGEST, 0, 0, b"", None)
        segment = self._segment
        if not segment.restore(body):
            return False
        _, blocks, links, units, regions, _ = (memoryview(part) for part in segment.pack())
        starts = blocks.cast("B").cast("q")[at.BLOCK_AT >> 3::at.BLOCK_ROW >> 3].tolist()
        jumps = links.cast("B").cast("I")
        sites, stubs = jumps[at.LINK_SITE >> 2::at.LINK_ROW >> 2], jumps[at.LINK_STUB >> 2::at.LINK_ROW >> 2]
        words = units.cast("B").cast("q")
        firsts = words[at.UNIT_BLOCK >> 3::at.UNIT_ROW >> 3].tolist()
        ends = zip(words[at.UNIT_START >> 3::at.UNIT_ROW >> 3], words[at.UNIT_END >> 3::at.UNIT_ROW >> 3], strict=True)
        rows = regions.cast("B").cast("q").tolist()
        owners, places = rows[at.REGION_UNIT >> 3::at.REGION_ROW >> 3], rows[at.REGION_PLACES >> 3::at.REGION_ROW >> 3]
        return (all(0 <= owner < segment.total for owner in owners) and all(0 <= place < segment.used for place in places)
                and starts == sorted(starts) and all(0 <= start < segment.used for start in starts)
                and all(site < segment.used for site in sites) and all(stub < segment.used for stub in stubs)
                and firsts == sorted(firsts) and all(0 <= first < len(starts) for first in firsts)
                and all(start < end for start, end in ends))


def surplus(found: list[File], *, most: int | None = None, days: float | None = None, everything: bool = False) -> list[File]:
    """Which files to remove, first those that go first: what is no more used, then what was not used for `days`, then the files
    least used until no more than `most` bytes are left; or `everything`. What others write, or own, stays.

    What every program needs, and takes long to make, goes last, and for no age.
    """
    now = time.time()
    own = [file for file in found if file.state in (IN_USE, STALE, DAMAGED) or file.state == HALF and now - file.used > LEFT_OVER]
    if everything:
        return own
    gone = [file for file in own if file.state != IN_USE]
    rest = sorted((file for file in own if file.state == IN_USE), key=lambda file: (_needed(file), file.used))
    if days is not None:
        gone += [file for file in rest if not _needed(file) and now - file.used > days * 86400]
    if most is not None:
        going = set(gone)
        left = [file for file in rest if file not in going]
        total = sum(file.size for file in left)
        for file in left:
            if total <= most:
                break
            gone.append(file)
            total -= file.size
    return gone


def _needed(file: File) -> bool:
    return os.path.basename(os.path.dirname(file.path)) == "packs"
