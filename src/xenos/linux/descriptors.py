"""The descriptors that a guest may use: those that it opened and those that it inherited, not Xenos's own."""

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    _T = TypeVar("_T")

EBADF, EINVAL, EMFILE = 9, 22, 24
CLONE_FILES = 0x400
STDERR = 2
HIDDEN = 900  # Xenos's own descriptors lie from here on: within the customary limit of 1024, above what guests use
RLIMIT_NOFILE = 7
RESERVE, LEAST = 16, 128   # so many are kept for Xenos where the guest may have as many as can be, if those are not few
_LAST = 8      # the numbers of Xenos's own where fewer than that may be open
_spare = -1


def limits(new: tuple[int, int] | None = None) -> tuple[int, int]:
    """The soft and the hard RLIMIT_NOFILE, before they become `new`. Without Python's module, which can be loaded only while a
    descriptor is left. OSError."""
    from xenos.linux import kernel

    found = ctypes.create_string_buffer(16)
    result = kernel.plain("prlimit64", 0, RLIMIT_NOFILE, 0 if new is None else struct.pack("<QQ", *new), found)
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    soft, hard = struct.unpack("<QQ", found)
    return soft, hard


def within(soft: int, hard: int) -> int:
    """The soft limit that the host is given for the guest's: where that is as high as can be, the last are kept for Xenos."""
    return hard - RESERVE if LEAST <= hard == soft else soft


def seen(soft: int, hard: int) -> int:
    """And the other way round."""
    return hard if LEAST <= hard == soft + RESERVE else soft


def reserve(yes: bool) -> None:
    """While a guest runs, the host's soft limit is `within`; before and behind it is what the guest has `seen`."""
    soft, hard = limits()
    wanted = within(soft, hard) if yes else seen(soft, hard)
    if wanted != soft:
        limits((wanted, hard))


def beyond_limit(make: Callable[[], _T]) -> _T:
    """Do what needs a descriptor of our own, also where the guest has as many open as it may, or may have only few. OSError."""
    try:
        return make()
    except ImportError:     # what ctypes and its like are made of says no more
        pass
    except OSError as error:
        if error.errno not in (EMFILE, EINVAL):
            raise
    with Room():
        try:
            return make()
        except (OSError, ImportError) as error:
            if getattr(error, "errno", EMFILE) != EMFILE or _spare < 0:
                raise
            os.close(_spare)
            try:
                return make()
            finally:
                keep_spare()


class Room:
    """While in it, Xenos may open descriptors though the guest has as many as it may: for work of several steps."""

    __slots__ = ("_limits",)

    def __enter__(self) -> None:
        self._limits = limits()
        if self._limits[0] != self._limits[1]:
            limits((self._limits[1], self._limits[1]))

    def __exit__(self, *_: object) -> None:
        if self._limits[0] != self._limits[1]:
            limits(self._limits)


def hidden(fd: int) -> int:
    """Move a descriptor of our own above those that guests use; returns its new number.

    Where so many may not be open, it goes among the last that may; it stays only if those are taken.
    """
    import fcntl

    for lowest in HIDDEN, limits()[1] - _LAST:
        try:
            high = beyond_limit(lambda low=lowest: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, low))  # type: ignore[misc]
        except (OSError, OverflowError):
            continue
        os.close(fd)
        return high
    return fd


def keep_spare() -> None:
    """Hold a descriptor among those of our own that may be closed when no other is left: imports need one at a time."""
    global _spare
    low, high = os.open("/dev/null", os.O_PATH | os.O_CLOEXEC), HIDDEN
    try:
        while _is_open(high):
            high += 1
        _spare = os.dup2(low, high, inheritable=False)
    except OSError:     # so many are not allowed
        _spare = -1
    os.close(low)


def _is_open(fd: int) -> bool:
    try:
        os.get_inheritable(fd)
    except OSError:
        return False
    return True


def _file_of(fd: int) -> tuple[int, int] | None:
    """Which file an inherited descriptor is of; None if it is not open, or ours."""
    try:
        if os.get_inheritable(fd):
            status = os.fstat(fd)
            return status.st_dev, status.st_ino
    except OSError:
        pass
    return None


class Descriptors(set[int]):
    """The open descriptors that the guest made. What is true of them, as whether an exec closes them, the host knows.

    All others are the guest's only if it inherited them. Python makes its own descriptors such that no program
    inherits them, so that they can be told from those that were there before.
    """

    __slots__ = ("_complaints", "_held", "common", "inherited", "listings")

    def __init__(self) -> None:
        super().__init__()
        if _spare < 0:
            keep_spare()
        self.inherited: set[int] = set()
        self.common = False     # whether another process of the guest's opens and closes the same (clone(2), CLONE_FILES)
        self.listings: dict[int, bytes] = {}    # open directories of /proc that also list what is ours -> their name
        self._complaints: tuple[int, int] | None = None     # the only file that those go to; any if None
        self._held = -1

    def mind_stderr(self, *, hold: bool) -> None:
        """The guest is alone in this process and does with standard error what it likes: no line of ours may get into what it puts
        there. With `hold` a way to where it leads now stays open; whoever reads there waits for the end of it."""
        self._complaints = _file_of(STDERR) or (-1, -1)
        if hold and self._complaints != (-1, -1):
            self._held = hidden(os.dup(STDERR))

    def release(self) -> None:
        """Close what is held of standard error."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def complain(self, text: str) -> None:
        """Write lines of ours to standard error, if it is still what it was."""
        fd = self._held
        if fd < 0 and (self._complaints is None or _file_of(STDERR) == self._complaints):
            fd = STDERR
        try:
            if fd >= 0:
                os.write(fd, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass        # whoever read it is gone; the guest goes on

    def check(self, fd: int) -> int:
        """`fd`, if the guest may use it; OSError (EBADF) if it is Xenos's own. It need not be open."""
        if fd not in self and fd not in self.inherited and fd >= 0:
            try:
                if not os.get_inheritable(fd) and not (self.common and fd < HIDDEN):
                    raise OSError(EBADF, "a descriptor of Xenos")
            except OSError:
                raise OSError(EBADF, "not open, or not the guest's") from None
            self.inherited.add(fd)
        return fd

    def theirs(self, fd: int) -> bool:
        """Whether `fd` is open and the guest's."""
        try:
            self.check(fd)
            os.get_inheritable(fd)
        except OSError:
            return False
        return True

    def free(self, fd: int) -> bool:
        """Whether the guest may take this number: nothing of Xenos's own is there."""
        if fd in self or fd in self.inherited:
            return True
        if fd == _spare:        # any other number will do for that
            keep_spare()
            os.close(fd)
            return True
        try:
            return os.get_inheritable(fd) or (self.common and fd < HIDDEN)
        except OSError:  # not open
            return True

    def forget(self, fd: int) -> None:
        """The guest closes `fd`."""
        self.discard(fd)
        self.inherited.discard(fd)
        self.listings.pop(fd, None)

    def copy_of(self, old: int, new: int) -> None:
        """The guest has made `new` as a duplicate of `old`."""
        self.add(new)
        self.inherited.discard(new)
        if old in self.listings:
            self.listings[new] = self.listings[old]
        else:
            self.listings.pop(new, None)

    def numbers(self) -> list[int]:
        """All that are open and the guest's, in order."""
        return sorted(fd for fd in map(int, os.listdir("/proc/self/fd")) if self.theirs(fd))

    def _alone(self) -> None:
        """What is closed from now on is not closed for another process."""
        if self.common:
            from xenos.linux import kernel

            kernel.plain("unshare", CLONE_FILES)
            self.common = False

    def close_all(self) -> None:
        """The guest is no more: neither is what it opened, but for where our own messages go."""
        self._alone()
        for fd in [*self]:
            self.forget(fd)
            try:
                if fd > 2:
                    os.close(fd)
            except OSError:
                pass

    def after_exec(self) -> None:
        """Another guest program takes this one's place: what was to be closed then is closed."""
        self._alone()
        for fd in [*self, *self.inherited]:
            try:
                if os.get_inheritable(fd):
                    continue
                os.close(fd)
            except OSError:
                pass
            self.forget(fd)
