"""The descriptors that a guest may use: those that it opened and those that it inherited, not Xenos's own."""

from __future__ import annotations

import os

EBADF = 9


class Descriptors(set[int]):
    """The open descriptors that the guest made. What is true of them, as whether an exec closes them, the host knows.

    All others are the guest's only if it inherited them. Python makes its own descriptors such that no program
    inherits them, so that they can be told from those that were there before.
    """

    __slots__ = ("inherited", "listings")

    def __init__(self) -> None:
        super().__init__()
        self.inherited: set[int] = set()
        self.listings: dict[int, bytes] = {}    # open directories of /proc that also list what is ours -> their name

    def check(self, fd: int) -> int:
        """`fd`, if the guest may use it; OSError (EBADF) if it is Xenos's own. It need not be open."""
        if fd not in self and fd not in self.inherited and fd >= 0:
            try:
                if not os.get_inheritable(fd):
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
        try:
            return os.get_inheritable(fd)
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

    def after_exec(self) -> None:
        """Another guest program takes this one's place: what was to be closed then is closed."""
        for fd in [*self, *self.inherited]:
            try:
                if os.get_inheritable(fd):
                    continue
                os.close(fd)
            except OSError:
                pass
            self.forget(fd)
