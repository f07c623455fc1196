"""Where a sysroot is made: a hidden folder beside its place, held by one maker, that gets its name when it is whole.

The folder is its own lock. A maker that is killed loses the lock, and whoever comes next clears the folder away: so no
moment leaves half a sysroot under a name that a run would find, nor a folder that stays for ever.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from xenos.errors import SysrootError

_PREFIX, _SUFFIX = ".", ".making"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def place_of(target: str) -> str:
    """The hidden folder in which `target` is made."""
    return os.path.join(os.path.dirname(target), _PREFIX + os.path.basename(target) + _SUFFIX)


@contextmanager
def held(target: str) -> Iterator[str]:
    """An empty hidden folder for `target`, of this process alone; cleared away at the end unless it was renamed."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    hidden = place_of(target)
    while True:
        try:
            os.mkdir(hidden, 0o755)
        except FileExistsError:
            pass
        try:
            fd = os.open(hidden, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise SysrootError(f"{target}: another `xenos sysroot` is at work on it") from None
        if _is(fd, hidden):
            break
        os.close(fd)    # it was renamed or removed between the two
    try:
        _clear(hidden)
        yield hidden
    finally:
        if _is(fd, hidden):
            _remove(hidden)     # while it is still locked
        os.close(fd)


def _is(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _clear(folder: str) -> None:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            _remove(entry.path)
        else:
            os.unlink(entry.path)


def _remove(tree: str) -> None:
    # A guest may have made folders that not even their owner may write to.
    for folder, folders, _ in os.walk(tree):
        for name in folders:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                os.chmod(path, 0o700)
    shutil.rmtree(tree, ignore_errors=True)


def replace(old: str, new: str) -> None:
    """Put the folder `new` in the place of `old`, and remove the old one. At no moment is nothing in that place."""
    fd = os.open(old, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)  # under its next name, the hidden one, it is locked as well
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(old), _RENAME_EXCHANGE) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), old)
        _remove(new)
    finally:
        os.close(fd)


def copy_links(source: str, target: str) -> None:
    """A copy of a tree whose files are the same files, under names of their own."""
    for folder, folders, files in os.walk(source):
        there = target + folder[len(source):]
        for name in folders:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                os.symlink(os.readlink(path), os.path.join(there, name))
            else:
                os.mkdir(os.path.join(there, name), os.stat(path).st_mode & 0o777 | 0o700)
        for name in files:
            os.link(os.path.join(folder, name), os.path.join(there, name), follow_symlinks=False)


def sweep(folder: str) -> None:
    """Clear away what makers left that were killed."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
            try:
                with held(os.path.join(folder, name[len(_PREFIX) : -len(_SUFFIX)])):
                    pass
            except (SysrootError, OSError):
                pass    # someone is at work there, or it is not ours to clear away
