"""Landlock: the host's kernel, too, keeps this process and its children from all files but some. See landlock(7)."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from xenos.linux.hosts import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# linux/landlock.h
_CREATE_RULESET_VERSION, _RULE_PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_BLOCK, _TRUNCATE, _IOCTL_DEV = 1 << 6, 1 << 11, 1 << 14, 1 << 15
_BIND_TCP, _CONNECT_TCP, _SCOPE_ABSTRACT_UNIX, _SCOPE_SIGNAL = 1, 2, 1, 2
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READING = _READ_FILE | _READ_DIR
PR_SET_NO_NEW_PRIVS = 38
# What each version of the interface brought, as `xenos doctor` says it.
LEVELS = (
    (1, "files"), (2, "moving files between folders"), (3, "truncation"), (4, "TCP"), (5, "device requests"),
    (6, "signals, abstract sockets"),
)
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _call(name: str, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    number = numbers().get(name)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    words = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        problem = ctypes.get_errno()
        raise OSError(problem, os.strerror(problem))
    return result


def version() -> int:
    """Version of Landlock's interface that this host has; 0 where there is none, or it is not for us."""
    try:
        return _call("landlock_create_ruleset", None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def _known(abi: int) -> int:
    """All rights on files that a version knows."""
    return (1 << (13 if abi < 2 else 14 if abi < 3 else 15 if abi < 5 else 16)) - 1


def restrict(readable: Iterable[bytes] | None, writable: Iterable[bytes], *, network: bool) -> bool:
    """Confine this thread and all that it starts, for good; False where this host has nothing that would do it.

    `readable` and `writable` are paths, with all below them; None leaves files alone. Programs of the host cannot be
    executed afterwards. Signals and connections to abstract sockets stay among those who are confined, where that is
    known. Raises OSError if a path cannot be opened.
    """
    abi = version()
    files = _known(abi) if readable is not None else 0
    tcp = _BIND_TCP | _CONNECT_TCP if abi >= 4 and not network else 0
    scopes = _SCOPE_ABSTRACT_UNIX | _SCOPE_SIGNAL if abi >= 6 else 0
    if not abi or not (files or tcp or scopes):
        return False
    attributes = struct.pack("<QQQ", files, tcp, scopes)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = _call("landlock_create_ruleset", ctypes.create_string_buffer(attributes), len(attributes), 0)
    try:
        for path in readable or ():
            _allow(ruleset, path, _READING & files)
        for path in writable if readable is not None else ():
            _allow(ruleset, path, files & ~(_EXECUTE | _MAKE_CHAR | _MAKE_BLOCK))
        no_new_privileges()
        _call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def _allow(ruleset: int, path: bytes, rights: int) -> None:
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(b"/proc/self/fd/%d" % fd):
            rights &= _FILE_RIGHTS
        # struct landlock_path_beneath_attr is packed.
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, fd))
        _call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(fd)


def no_new_privileges() -> None:
    """What the kernel asks of those who confine themselves: no program gives more rights than its caller has."""
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        problem = ctypes.get_errno()
        raise OSError(problem, os.strerror(problem))
