"""The modules of a start, from one file of the cache: to find, open and read each of them by itself takes longer than to run it.

`use()` comes before all other imports. A module is taken from the file as long as its source is what it was when the file was
made; it is imported as ever otherwise, and so are all where there is no such file, or one that is damaged, another Python's, or
another user's. Whoever starts so makes the file in the end if it was `wanted` (engines/code/modules.py).
"""

from __future__ import annotations

import _imp
import _signal
import gc
import marshal
import os
import sys
from _blake2 import blake2b

# Python's own importer, as it is loaded already: `importlib` is more modules.
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

HEAD = 88           # bytes that the store writes before a file's content (engines/code/store.py)
SUM, KEY = 8, 32    # and of the content: a checksum of all that follows, the key
_ROOT = os.path.dirname(os.path.abspath(__file__))


def cache_folder() -> str:
    """Where Xenos keeps what it made: $XENOS_CACHE, else $XDG_CACHE_HOME/xenos, else ~/.cache/xenos. May not exist."""
    environ = os.environ
    if environ.get("XENOS_CACHE"):
        return environ["XENOS_CACHE"]
    base = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: relative paths are invalid and to be ignored
        base = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".cache")
    return os.path.join(base, "xenos")


def folder() -> str:
    """Where the file lies in the cache: apart from what another machine could use."""
    return os.path.join(cache_folder(), "starts")


def key() -> bytes:
    """The file's name in the cache: what Python this is, where the sources are, and how those two were that read and write it."""
    parts = [b"modules", MAGIC_NUMBER, sys.version.encode(), b"%d" % sys.flags.optimize, os.fsencode(_ROOT)]
    for file in ("warm.py", "engines/code/modules.py"):
        try:
            status = os.stat(os.path.join(_ROOT, file))
            parts.append(b"%d %d %d" % (status.st_mtime_ns, status.st_ctime_ns, status.st_size))
        except OSError:
            pass        # Xenos is in an archive: there will be no file
    return blake2b(b"\0".join(parts), digest_size=KEY).digest()


def checksum(content: memoryview | bytes) -> bytes:
    """What a file's content is checked by: Python's own hash of sources, five times as fast as the store's."""
    return _imp.source_hash(SUM, content)


class _Loader(SourceFileLoader):
    """Python's own, but for where the code comes from: tracebacks and `inspect` find the source."""

    def get_code(self, fullname: str) -> CodeType | None:
        return Modules.here.codes.get(fullname) or super().get_code(fullname)


class Modules:
    """A finder for `sys.meta_path`: `files` has for each module its path, the folder of a package, the path that Python keeps its
    code at, and what tells the state of its source; `codes` what it is compiled to."""

    here: Modules

    def __init__(self, files: dict[str, tuple[str, str, str, int, int, int]], codes: dict[str, CodeType]) -> None:
        self.files = files
        self.codes = codes
        self.wanted = not files     # whether the file is to be made anew

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        """Where a module is; None if that is for others to say."""
        known = self.files.get(name)
        if known is None:
            return None
        file, package, cached, changed, noted, size = known
        try:
            now = os.stat(file)
        except OSError:
            now = None
        if now is None or now.st_mtime_ns != changed or now.st_ctime_ns != noted or now.st_size != size:
            self.files.clear()      # it is being worked on: the others are as likely to have changed
            self.wanted = True
            return None
        spec = spec_from_file_location(name, file, loader=_Loader(name, file),
                                       submodule_search_locations=[package] if package else None)
        if spec is not None:
            spec.cached = cached        # or it would be worked out, for each
        return spec


def use() -> None:
    """From now on, take modules from the file, if there is one that can be used. Until `interruptible()`, Ctrl-C ends the process
    without a word."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    # A start makes many objects that stay; so does translation. The default threshold would look through them all again and again.
    gc.set_threshold(200_000, 20, 100)
    Modules.here = Modules(*_read(os.path.join(folder(), key().hex())))
    sys.meta_path.insert(0, Modules.here)


def interruptible() -> None:
    """From now on, Ctrl-C is a KeyboardInterrupt again: there is somebody who knows what to do with it."""
    if _signal.getsignal(_signal.SIGINT) == _signal.SIG_DFL:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def wanted() -> bool:
    """Whether this process began by `use()`, and there was nothing to be used."""
    return hasattr(Modules, "here") and Modules.here.wanted


def _read(path: str) -> tuple[dict[str, Any], dict[str, CodeType]]:
    """What the file holds: nothing if anything is wrong with it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(fd)
            data = os.read(fd, status.st_size) if status.st_uid == os.geteuid() else b""
        finally:
            os.close(fd)
    except OSError:
        return {}, {}
    content = memoryview(data)[HEAD:]
    if content[SUM:SUM + KEY] != key() or content[:SUM] != checksum(content[SUM:]):
        return {}, {}
    files, codes = marshal.loads(content[SUM + KEY:])
    return files, codes
