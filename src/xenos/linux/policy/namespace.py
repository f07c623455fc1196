"""Which files a guest sees under a policy, and finding one by its path so that no race can lead astray.

A path is read as the guest would read it: from `/`, where the sysroot lies if there is one, part by part. The paths that
the policy opens lie over that like mounts: the longest that begins a path decides what may be done there. Links are read
here and their text walked like the rest; the kernel is only ever asked for names beneath a mount, with all following
of links switched off (`beneath`). So the *text* of a path, free of links and of `..`, decides what is allowed, and the
descriptor in hand is of something that lay at that text: whatever is renamed meanwhile, nothing else can come out.
"""

from __future__ import annotations

import os
import stat
from _thread import allocate_lock

from xenos.errors import UsageError
from xenos.linux.policy.beneath import open_beneath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xenos.linux.policy.terms import Policy

LOOK, READ, WRITE = 1, 2, 4
ENOENT, EACCES, ENOTDIR, ELOOP = 2, 13, 20, 40
_LINKS_MAX = 40
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_READ_TOO = ("/sys/devices/system/cpu",)    # how many processors there are
# Links that every /dev has; the host's own are not asked.
_LINKS = {
    b"/dev/fd": b"/proc/self/fd", b"/dev/stdin": b"/proc/self/fd/0", b"/dev/stdout": b"/proc/self/fd/1",
    b"/dev/stderr": b"/proc/self/fd/2",
}


class Mount:
    """A path of the guest's and what lies there: a directory, or a file as a name in one."""

    __slots__ = ("fd", "host", "name", "path", "rights")

    def __init__(self, path: bytes, host: bytes, fd: int, name: bytes, rights: int) -> None:
        self.path = path    # as the guest calls it; empty for the root
        self.host = host
        self.fd = fd        # the directory, or the one that the file is in
        self.name = name    # the file; empty for a directory
        self.rights = rights


class Place:
    """Where a path leads: its text without links, what may be done there, and what is there (fd -1: nothing).

    `direct` is a path that the host may simply be given (an entry of /proc, a descriptor).
    """

    __slots__ = ("direct", "fd", "mode", "path", "rights")

    def __init__(self, path: bytes, rights: int, fd: int = -1, mode: int = 0, direct: bytes = b"") -> None:
        self.path = path
        self.rights = rights
        self.fd = fd
        self.mode = mode
        self.direct = direct


class Namespace:
    """What a policy leaves of the files. `hide` moves a descriptor to where guests do not reach (process.hide)."""

    def __init__(self, policy: Policy, root: bytes, program: Iterable[bytes], hide: Callable[[int], int]) -> None:
        self._hide = hide
        self.lock = allocate_lock()     # held while descriptors of ours stand among the guest's
        self.mounts: dict[bytes, Mount] = {}
        self.above: set[bytes] = set()  # directories that lead to a mount: they may be looked up, not listed
        self.aliases: dict[bytes, bytes] = {}   # names of mounts that go through links -> their names without
        self._root = root
        self._fds: dict[bytes, int] = {}
        self._host = self._keep(b"/")
        self.mounts[b""] = Mount(b"", b"/", self._host, b"", 0)
        for path in policy.ro:
            self._mount(path, LOOK | READ)
        for path in policy.rw:
            self._mount(path, LOOK | READ | WRITE)
        for device in _DEVICES:
            self._offer(f"/dev/{device}".encode(), LOOK | READ | WRITE)
        for name in _READ_TOO:
            self._offer(name.encode(), LOOK | READ)
        self._behind = bool(root) and self.mounts[b""].rights != 0  # the user opened `/` itself: behind the sysroot
        if root:
            rights = self.rights(root) | LOOK | READ
            self._offer(root, rights)
        for path in program:
            self._offer(path, LOOK | READ)
        if root:    # last: what is opened is so far asked of the host's paths
            self.mounts[b""] = Mount(b"", root, self._keep(root), b"", rights)

    def close(self) -> None:
        """Give back all that is held open."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()

    def after_fork(self) -> None:
        """In a child: another thread of the parent may have held the lock."""
        self.lock = allocate_lock()

    def _keep(self, directory: bytes) -> int:
        fd = self._fds.get(directory)
        if fd is None:
            try:
                fd = self._fds[directory] = self._hide(os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
            except OSError as error:
                raise UsageError(f"{os.fsdecode(directory)}: cannot be opened to a guest: {error.strerror}") from None
        return fd

    def _offer(self, path: bytes, rights: int) -> None:
        """Mount what is there unless the user has spoken of it."""
        if os.path.exists(path) and self.rights(os.path.realpath(path)) & rights != rights:
            self._mount(path, rights)

    def _mount(self, path: bytes, rights: int) -> None:
        """Under its name without links, to which the name given leads; and under the guest's, if it is in the sysroot."""
        real = os.path.realpath(path)
        names = [real.rstrip(b"/")]
        if self._root and real.startswith(self._root + b"/"):
            names.append(real[len(self._root) :])
        folder, _, last = real.rpartition(b"/")
        for name in names:
            if os.path.isdir(real):
                self.mounts[name] = Mount(name, real, self._keep(real), b"", rights)
            else:
                self.mounts[name] = Mount(name, real, self._keep(folder or b"/"), last, rights)
        given = path.rstrip(b"/")
        if given != names[0]:
            self.aliases[given] = names[0]
            names.append(given)
        for name in names:
            while name:
                name = name.rpartition(b"/")[0]
                self.above.add(name)

    # What may be done where. `text` is a path without links, `..` and trailing slash; empty for the root.

    def anchor(self, text: bytes) -> Mount:
        """The mount that a text lies in."""
        mounts = self.mounts
        while True:
            mount = mounts.get(text)
            if mount is not None:
                return mount
            text = text.rpartition(b"/")[0]

    def rights(self, text: bytes) -> int:
        """What may be done at a text."""
        return self.anchor(text).rights or (LOOK if text in self.above else 0)

    def fixed(self, text: bytes) -> bool:
        """Whether a name cannot be taken away or given to something else: a mount lies there, or below."""
        return text in self.mounts or text in self.above

    # Finding. Descriptors given out are hidden ones; whoever gets them closes them.

    def open(self, text: bytes) -> int:
        """What lies at a text, as an O_PATH descriptor; ELOOP if one of its directories is a link after all."""
        with self.lock:
            fd = self._open(text)
            try:
                return self._hide(fd)
            except OSError:
                os.close(fd)
                raise

    def keep_copy(self, fd: int) -> int:
        """A copy of a descriptor of the guest's, out of its reach."""
        import fcntl

        with self.lock:
            return self._hide(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, fd))

    def _open(self, text: bytes) -> int:
        mount = self.anchor(text)
        rest = text[len(mount.path) + 1 :]
        if mount.name:
            if rest:
                raise OSError(ENOTDIR, os.strerror(ENOTDIR))
            return open_beneath(mount.fd, mount.name)
        if not mount.rights and text not in self.above:
            raise OSError(EACCES, os.strerror(EACCES))
        try:
            return open_beneath(mount.fd, rest or b".")
        except FileNotFoundError:
            if mount.path or not (self._behind or text in self.above):
                raise
            return open_beneath(self._host, text[1:])   # not in the sysroot, but the host's

    def find(self, here: bytes, path: bytes, *, follow: bool, special: Callable[[bytes, bool], bytes | Place]) -> Place:
        """The place of `path`, seen from the directory with the text `here`; OSError as path resolution gives it.

        `special(text, last)` is asked about texts in /proc: it gives another text to go on at, or the place itself.
        """
        if path.startswith(b"/"):
            here = b""
        parts = [part for part in path.split(b"/") if part not in (b"", b".")]
        must_be_directory = path.endswith((b"/", b"/.")) or path == b"."
        follow = follow or must_be_directory
        place = self._at_once(here, parts, follow) or self._walk(here, parts, follow, special)
        if must_be_directory and place.mode and not stat.S_ISDIR(place.mode):
            self.drop(place)
            raise OSError(ENOTDIR, os.strerror(ENOTDIR))
        return place

    def drop(self, place: Place) -> None:
        """Give back a place's descriptor."""
        if place.fd >= 0:
            os.close(place.fd)
            place.fd = -1

    def _at_once(self, here: bytes, parts: list[bytes], follow: bool) -> Place | None:
        """What nearly all paths come to: no link on the way. One question to the kernel."""
        if b".." in parts:
            return None
        text = here + b"".join([b"/" + part for part in parts])
        if _is_special(text) or self.aliases:
            return None
        try:
            fd = self.open(text)
        except OSError:
            return None
        mode = os.fstat(fd).st_mode
        if follow and stat.S_ISLNK(mode):
            os.close(fd)
            return None
        return Place(text, self.rights(text), fd, mode)

    def _walk(
        self, here: bytes, parts: list[bytes], follow: bool, special: Callable[[bytes, bool], bytes | Place],
    ) -> Place:
        todo = parts[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                here = here.rpartition(b"/")[0]
                continue
            text = here + b"/" + part
            last = not todo
            if text in self.aliases:
                here = self.aliases[text]
                continue
            if _is_special(text):
                link = _LINKS.get(text)
                if link is None:
                    found = special(text, last and not follow)
                    if isinstance(found, bytes):
                        here = found
                    elif last:
                        return found
                    else:
                        here = found.path
                        self.drop(found)
                    continue
                if last and not follow:
                    return Place(text, LOOK, direct=link)
            else:
                try:
                    fd = self.open(text)
                except FileNotFoundError:
                    if last:
                        return Place(text, self.rights(text))
                    raise
                mode = os.fstat(fd).st_mode
                if not stat.S_ISLNK(mode):
                    if last:
                        return Place(text, self.rights(text), fd, mode)
                    os.close(fd)
                    if not stat.S_ISDIR(mode):
                        raise OSError(ENOTDIR, os.strerror(ENOTDIR))
                    here = text
                    continue
                if last and not follow:
                    return Place(text, self.rights(text), fd, mode)
                try:
                    link = os.readlink(b"", dir_fd=fd)
                finally:
                    os.close(fd)
            links += 1
            if links > _LINKS_MAX:
                raise OSError(ELOOP, os.strerror(ELOOP))
            if link.startswith(b"/"):
                here = b""
            todo.extend(part for part in reversed(link.split(b"/")) if part not in (b"", b"."))
        if _is_special(here):
            found = special(here, False)
            return found if isinstance(found, Place) else self._walk(found, [], follow, special)
        fd = self.open(here)
        return Place(here, self.rights(here), fd, os.fstat(fd).st_mode)


def _is_special(text: bytes) -> bool:
    return text.startswith(b"/proc") and text[5:6] in (b"", b"/") or text in _LINKS
