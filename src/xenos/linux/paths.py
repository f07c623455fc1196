"""Where a guest's path lies on the host: in the sysroot if it is there, else where it says."""

from __future__ import annotations

import os

from xenos.errors import MissingFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

ELOOP = 40
_LINKS_MAX = 40


class Paths:
    """Translates guest paths for one sysroot (a host directory) or none."""

    __slots__ = ("in_step", "root")

    def __init__(self, sysroot: str | bytes | None) -> None:
        self.root = b""
        self.in_step = False    # whether the host's process goes where the guest does: another shares its current directory
        if sysroot:
            root = os.path.realpath(os.fsencode(sysroot))
            if not os.path.isdir(root):
                name = os.fsdecode(sysroot)
                raise MissingFile(f"{name}: no such directory; --sysroot names an unpacked guest system")
            self.root = b"" if root == b"/" else root

    def keep_step(self, process: Process) -> None:
        """From now on the current directory of the host's process is the guest's, and shared with a child (clone(2), CLONE_FS)."""
        import sys

        sys.path[:] = map(os.path.abspath, sys.path)
        self.in_step = True
        fd, process.cwd_fd = process.cwd_fd, None
        if fd is not None:
            os.fchdir(fd)
            os.close(fd)

    def host(self, path: bytes, *, follow: bool = True) -> bytes:
        """The host path of an absolute guest path; `follow` says whether a symbolic link at its end is followed."""
        if not self.root:
            return path
        found = self._inside(path, follow)
        return path if found is None else found

    def guest(self, path: bytes) -> bytes:
        """The guest's name for an absolute host path."""
        root = self.root
        if root and path.startswith(root) and path[len(root) : len(root) + 1] in (b"", b"/"):
            return path[len(root) :] or b"/"
        return path

    def _inside(self, path: bytes, follow: bool) -> bytes | None:
        """The path below the sysroot with every link read as the guest would; None if nothing is there."""
        todo = [part for part in path.split(b"/") if part not in (b"", b".")]
        slash = path.endswith(b"/")
        todo.reverse()
        root = self.root
        here = root
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                if here != root:
                    here = here[: here.rindex(b"/")]
                continue
            step = here + b"/" + part
            if not todo and not follow and not slash:
                return step if os.path.lexists(step) else None
            try:
                link = os.readlink(step)
            except OSError as error:
                if error.errno != 22:  # EINVAL: it is there, and no link
                    return None
                here = step
                continue
            links += 1
            if links > _LINKS_MAX:
                raise OSError(ELOOP, "too many symbolic links")
            if link.startswith(b"/"):
                here = root
            todo.extend(part for part in reversed(link.split(b"/")) if part not in (b"", b"."))
        return here + b"/" if slash and here != root else here
