"""The cache on disk: files named by what they were made from, written whole or not at all, checked before use, bounded in size.

Writers make a file under a name of their own and rename it: readers and other writers never see half of one, and a writer that
is killed leaves a file that a later tidying removes. Whatever is wrong with the folder, the cache is merely cold.

A file's time of change is when it was last used, to the day: the files that were not used for longest go first. How much was
written since the folder was last looked through is the size of one more file, to which every writer appends a byte for each
page: nothing there can be torn, and a writer need not look at all files to know that it need not look.
"""

from __future__ import annotations

import os
import time
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

# A file: what it is, its key, who made it, what kind it is, length and checksum of what follows.
MAGIC = b"XENOS\0C2"
HEAD = 8 + 32 + 16 + 8 + 8 + 16
DEFAULT_LIMIT = 512 << 20
LEFT_OVER = 3600    # seconds after which a file that is being written is not, its writer having died
WRITTEN = "written"
_DAY = 86400
_PAGE = 4096
SIGPIPE, SIGXFSZ = 13, 25
_BLOCK, _UNBLOCK = 0, 1


def digest(*parts: bytes) -> bytes:
    """32 bytes that name these parts, each taken with its length."""
    state = blake2b(digest_size=32)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


def checksum(head: bytes, body: bytes | memoryview) -> bytes:
    """16 bytes that say whether a file is as it was written, from all of its head but these bytes, and the rest."""
    state = blake2b(head[:HEAD - 16], digest_size=16)
    state.update(body)
    return state.digest()


def is_key(name: str) -> bool:
    """Whether a file of that name is one that was saved; all others are somebody else's."""
    return len(name) == 64 and not name.strip("0123456789abcdef")


def is_half(name: str) -> bool:
    """Whether a file of that name is one that is being written."""
    return name[64:65] == "." and is_key(name[:64])


class Store:
    """One folder of cached data. `limit` is the number of bytes that it may hold, over which the files least used go.

    `maker` names what decides all that is saved here, the sources above all: what another one made is of no use any more.
    `problem` says what last went wrong.
    """

    def __init__(self, folder: str, limit: int = DEFAULT_LIMIT, maker: bytes = b"") -> None:
        self.folder = folder
        self.limit = limit
        self.maker = maker
        self.problem = ""

    def _path(self, key: bytes) -> str:
        return os.path.join(self.folder, key.hex())

    def has(self, key: bytes) -> bool:
        """Whether something was saved under a key; what it is worth, `load` says."""
        return os.path.exists(self._path(key))

    def load(self, key: bytes) -> memoryview | None:
        """What was saved under a key, or None: not there, not ours, cut short, or not what was written.

        A file that is ours and damaged is removed, or it would stand in the way of the next one.
        """
        path, fd = self._path(key), self._open(key)
        if fd < 0:
            return None
        try:
            status = os.fstat(fd)
            head, at = os.pread(fd, HEAD, 0), 0
            fits = _fits(head, key, status.st_size)
            body = memoryview(bytearray(status.st_size - HEAD if fits else 0))
            while at < len(body):
                got = os.preadv(fd, [body[at:]], HEAD + at)
                if not got:
                    return None
                at += got
            if not fits or head[HEAD - 16:] != checksum(head, body):
                self.problem = f"{path} is damaged"
                if os.stat(path).st_ino == status.st_ino:
                    os.unlink(path)
                return None
            if not -_DAY < time.time() - status.st_mtime < _DAY:
                _used(fd)
            return body
        except OSError:
            return None
        finally:
            os.close(fd)

    def head(self, key: bytes, size: int) -> bytes:
        """The first bytes of what was saved under a key, the rest unread; none if it is not there or not whole."""
        fd = self._open(key)
        if fd < 0:
            return b""
        try:
            data = os.pread(fd, HEAD + size, 0)
            return data[HEAD:] if _fits(data, key, os.fstat(fd).st_size) else b""
        except OSError:
            return b""
        finally:
            os.close(fd)

    def _open(self, key: bytes) -> int:
        """The file of that key, to be read; -1 if there is none, or another user's, whose code we would run."""
        try:
            fd = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return -1
        if os.fstat(fd).st_uid == os.geteuid():
            return fd
        os.close(fd)
        return -1

    def save(self, key: bytes, parts: Sequence[bytes | bytearray | memoryview], kind: str = "") -> bool:
        """Keep parts, joined, under a key; False, with `problem` saying why, if that cannot be done.

        `kind` is a word of up to 8 letters for those who look into the folder.
        """
        body = b"".join(parts)
        head = b"".join((MAGIC, key, self.maker[:16].ljust(16, b"\0"), kind.encode().ljust(8, b"\0"),
                         len(body).to_bytes(8, "little")))
        own = f"{self._path(key)}.{os.getpid()}.{time.time_ns():x}"   # containers count processes for themselves
        try:
            with Withheld(SIGXFSZ):
                due = self._write(own, head, body)
            os.replace(own, self._path(key))
        except OSError as error:
            self.problem = f"{self.folder}: {error.strerror or error}"
            try:
                os.unlink(own)
            except OSError:
                pass
            return False
        if due:
            self.tidy(self.limit - self.limit // 8)
        return True

    def _write(self, path: str, head: bytes, body: bytes) -> bool:
        """Write a file; whether it is time to tidy."""
        fd = self._create(path)
        try:
            # At its full size before it is counted: whoever looks through the folder misses neither.
            os.ftruncate(fd, HEAD + len(body))
            due = self._count(HEAD + len(body))
            for part in (head + checksum(head, body), body):
                view = memoryview(part)
                while view:
                    view = view[os.write(fd, view):]
        finally:
            os.close(fd)
        return due

    def _create(self, path: str) -> int:
        """A new file that is ours alone, whatever mask the guest has set; and its folder, if need be."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            fd = os.open(path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            os.chmod(self.folder, 0o700)
            fd = os.open(path, flags, 0o600)
        os.fchmod(fd, 0o600)
        return fd

    def _count(self, size: int) -> bool:
        """Note that so many bytes are being written; whether that makes so many, by all writers, that it is time to tidy."""
        pages, flags = size // _PAGE + 1, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(os.path.join(self.folder, WRITTEN), flags, 0o600)
            try:
                os.write(fd, bytes(pages))
                total = os.fstat(fd).st_size
                if total == pages:      # it is new
                    os.fchmod(fd, 0o600)
            finally:
                os.close(fd)
        except OSError:
            return True
        return total == pages or total * _PAGE > self.limit // 8     # the first one does not know what is there already

    def tidy(self, most: int | None = None) -> None:
        """Remove what killed writers left, and the files least used until the folder holds at most that many bytes (its limit)."""
        most = self.limit if most is None else most
        found: dict[str, os.stat_result] = {}
        now = time.time()
        try:
            os.truncate(os.path.join(self.folder, WRITTEN), 1)      # first: what is written from now on counts again
        except OSError:
            pass
        try:
            names = [name for name in os.listdir(self.folder) if is_half(name) or is_key(name)]
        except OSError:
            return
        for name in names:
            # One that is being written may have got its own name meanwhile, or be gone.
            for one in dict.fromkeys((name, name.partition(".")[0])):
                try:
                    found[one] = os.lstat(os.path.join(self.folder, one))
                    break
                except OSError:
                    continue
        total = sum(told.st_size for told in found.values())
        files = [(is_key(name), told.st_mtime, told.st_size, os.path.join(self.folder, name)) for name, told in found.items()
                 if is_key(name) or now - told.st_mtime > LEFT_OVER]
        for whole, _, size, path in sorted(files):
            if whole and total <= most:
                break
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass        # somebody else tidies
            except OSError:
                continue
            total -= size


def _fits(head: bytes, key: bytes, size: int) -> bool:
    """Whether a file of that size, under that key, may begin so."""
    return len(head) >= HEAD and head[:8] == MAGIC and head[8:40] == key and int.from_bytes(head[64:72], "little") == size - HEAD


def _used(fd: int) -> None:
    """Note that a file is used; not in a folder that is only read."""
    try:
        os.utime(fd)
    except OSError:
        pass


class Withheld:
    """Within this context, a signal that a call of ours may raise in its own thread (SIGXFSZ, SIGPIPE) does not come: the guest
    would take it for one of its own. If a call there fails it is taken to be of that call, and dropped.

    The thread's mask is never set as a whole: Python's and the C library's notion of it lacks 32 and 33, which a guest may block.
    """

    def __init__(self, number: int) -> None:
        self._set = {number}

    def __enter__(self) -> None:
        import _signal

        self._blocked = not self._set.isdisjoint(_signal.pthread_sigmask(_BLOCK, self._set))
        self._pending = not self._set.isdisjoint(_signal.sigpending())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        import _signal

        if isinstance(error, OSError) and not self._pending:
            _signal.sigtimedwait(self._set, 0)
        if not self._blocked:
            _signal.pthread_sigmask(_UNBLOCK, self._set)
