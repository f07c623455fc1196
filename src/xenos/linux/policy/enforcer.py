"""One process's policy at work: it stands before every system call, and behind every path that a call names."""

from __future__ import annotations

import os
from _thread import _local

from xenos.linux.dispatch import Call
from xenos.linux.policy import rules
from xenos.linux.policy.memory import Ledger
from xenos.linux.policy.namespace import LOOK, READ, WRITE, Namespace
from xenos.linux.policy.procfs import look_up, text_of, usable
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenos.linux.policy.namespace import Place
    from xenos.linux.policy.rules import Rule
    from xenos.linux.policy.terms import Policy
    from xenos.linux.process import Process

# What a call wants of a path, beyond LOOK, READ and WRITE: to give a name away or take it, or to make something new.
NAME, MAKE = 8, 16
EPERM, ENOENT, EBADF, EACCES, EFAULT, EBUSY, EEXIST, EINVAL, ENAMETOOLONG = 1, 2, 9, 13, 14, 16, 17, 22, 36
PATH_MAX = 4096
S_IFMT, S_IFLNK, S_IFDIR = 0o170000, 0o120000, 0o040000
AT_FDCWD = -100
AF_UNIX = 1


class Errand(_local):
    """What the calling thread's system call is about."""

    def __init__(self) -> None:
        self.wants: tuple[int, ...] = (LOOK | READ | WRITE | NAME,)    # of each path in turn; the last of the rest too
        self.held: list[int] = []       # descriptors that the call needs until its end
        self.located: tuple[bytes, int | None] | OSError | None = None  # found beforehand


class Enforcer:
    """The policy of one process and of those that it forks."""

    def __init__(self, terms: Policy, process: Process, program: Iterable[bytes], root_pid: int) -> None:
        self.terms = terms
        self.confined = terms.confined
        self.files = Namespace(terms, process.paths.root, program, process.hide) if terms.files else None
        self.root_pid = root_pid    # all processes that descend from it are the guest's
        self.ledger = Ledger(terms.max_memory) if terms.max_memory is not None else None
        self.own_calls = frozenset(process.form.calls)  # those that only this guest has
        self.errand = Errand()
        if self.ledger is not None:
            self.ledger.begin(process)
        process.after_fork.append(self._after_fork)
        process.after_exec.append(self._after_exec)
        self._process = process

    def _after_fork(self) -> None:
        if self.files is not None:
            self.files.after_fork()

    def _after_exec(self) -> None:
        if self.ledger is not None:
            self.ledger.begin(self._process)

    def lift(self, process: Process) -> None:
        """End the policy of a process whose program ends with it."""
        process.policy = None
        process.calls.clear()
        process.after_fork.remove(self._after_fork)
        process.after_exec.remove(self._after_exec)
        if self.files is not None:
            self.files.close()

    # Before a call.

    def guard(self, call: Call) -> Call:
        """The call as this policy lets it be made."""
        if getattr(call, "error", None) is not None:
            return call     # it is refused as it is
        return Guarded(call, self, rules.of(call.name, self))

    # Behind a path.

    def locate(self, process: Process, dirfd: int, path: bytes, follow: bool) -> tuple[bytes, int | None]:
        """As `Process.locate`: a path for one call of the host, checked; what it needs stays open to the call's end."""
        errand = self.errand
        if errand.located is not None:
            located, errand.located = errand.located, None
            if isinstance(located, OSError):
                raise located
            return located
        want = errand.wants[0]
        if len(errand.wants) > 1:
            errand.wants = errand.wants[1:]
        if not path:
            if want & (WRITE | NAME | MAKE) and dirfd != AT_FDCWD and not self.may_change(process, dirfd):
                raise OSError(EACCES, os.strerror(EACCES))
            return path, process.cwd_fd if dirfd == AT_FDCWD else dirfd
        place = self.find(process, dirfd, path, follow)
        self.check(place, want)
        slash = path.endswith(b"/")
        if want & (NAME | MAKE):
            return self.by_name(place, slash)
        if place.direct:
            return place.direct, None
        if place.fd < 0:
            raise OSError(ENOENT, os.strerror(ENOENT))
        if follow:
            return b"/proc/self/fd/%d" % place.fd, None
        if place.mode & S_IFMT == S_IFDIR:
            return b".", place.fd
        return self.by_name(place, False)

    def find(self, process: Process, dirfd: int, path: bytes, follow: bool) -> Place:
        """Where a guest's path leads; what it holds open is held until the end of the call."""
        files = self.files
        assert files is not None
        if len(path) >= PATH_MAX:
            raise OSError(ENAMETOOLONG, os.strerror(ENAMETOOLONG))
        here = b"" if path.startswith(b"/") else text_of(process, dirfd)
        place = files.find(
            here, path, follow=follow, special=lambda text, itself: look_up(process, files, text, itself),
        )
        if place.fd >= 0:
            self.errand.held.append(place.fd)
        return place

    def check(self, place: Place, want: int) -> None:
        """OSError if the policy does not allow at a place what is wanted there."""
        files = self.files
        assert files is not None
        rights = place.rights
        if want & MAKE and place.mode and rights & LOOK:
            raise OSError(EEXIST, os.strerror(EEXIST))
        if want & (NAME | MAKE):
            want |= WRITE
        if want & (LOOK | READ | WRITE) & ~rights:
            raise OSError(EACCES, os.strerror(EACCES))
        if want & NAME and files.fixed(place.path):
            raise OSError(EBUSY, os.strerror(EBUSY))

    def by_name(self, place: Place, slash: bool) -> tuple[bytes, int | None]:
        """A place as a name in its directory, for a call that follows no link."""
        files = self.files
        assert files is not None
        if place.direct:
            return place.direct, None
        mount = files.mounts.get(place.path)
        if mount is not None and mount.name:
            return mount.name, mount.fd
        folder, _, name = place.path.rpartition(b"/")
        if not name:    # the root
            return b".", place.fd
        fd = files.open(folder)
        self.errand.held.append(fd)
        return name + b"/" if slash else name, fd

    # What is known of a descriptor.

    def rights_of(self, process: Process, fd: int) -> int:
        """What may be done with the file of a descriptor by way of its path."""
        if self.files is None:
            return LOOK | READ | WRITE
        try:
            return self.files.rights(text_of(process, fd))
        except NotADirectoryError:  # it has no path
            return 0

    def may_change(self, process: Process, fd: int) -> bool:
        """Whether a file's mode, owner, times and the like may be set through a descriptor."""
        return bool((usable(fd) | self.rights_of(process, fd)) & WRITE)

    def admits(self, process: Process, fd: int) -> bool:
        """Whether a descriptor that came with a message may stay: its file or its network is open to the guest."""
        import stat

        mode = os.fstat(fd).st_mode
        if stat.S_ISSOCK(mode):
            return self.terms.network or _family(fd) in (AF_UNIX, 0)
        if self.files is None or stat.S_ISFIFO(mode):
            return True
        host = os.readlink(b"/proc/self/fd/%d" % fd)
        if not host.startswith(b"/") or (stat.S_ISREG(mode) and not os.fstat(fd).st_nlink):
            return True
        return not (usable(fd) | READ) & ~self.rights_of(process, fd)

    def check_address(self, address: bytes) -> None:
        """OSError (EACCES) for a socket's address that leads out: one of a network, or an abstract name."""
        if not self.confined:
            return
        local = address[:2] == b"\1\0"
        if (local and address[2:3] in (b"", b"\0")) or not (local or self.terms.network or address[:2] == bytes(2)):
            raise OSError(EACCES, os.strerror(EACCES))

    def check_program(self, head: bytes, form_machine: int) -> None:
        """OSError (EACCES) for a program of the host's: no system call of it would come by here."""
        guests = head[:5] == b"\x7fELF\2" and int.from_bytes(head[18:20], "little") == form_machine
        if not guests and (self.confined or self.ledger is not None):
            raise OSError(EACCES, os.strerror(EACCES))


def _family(fd: int) -> int:
    import socket

    with socket.socket(fileno=os.dup(fd)) as copy:
        return copy.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN)


class Guarded(Call):
    """A system call under a policy."""

    __slots__ = ("call", "enforcer", "guarded", "rule", "wants")

    def __init__(self, call: Call, enforcer: Enforcer, rule: Rule) -> None:
        self.name = call.name
        self.letters = call.letters
        self.call = call
        self.enforcer = enforcer
        self.rule = rule
        self.guarded = rule is not None
        self.wants = rules.WANTS.get(call.name, (LOOK | READ | WRITE,))

    def __call__(self, process: Process, raw: list[int]) -> int | None:
        """As `Call`: what the rule says, or what the call does."""
        errand = self.enforcer.errand
        errand.wants = self.wants
        try:
            if self.rule is None:
                return self.call(process, raw)
            return self.rule(self.enforcer, process, self.call, raw)
        except OSError as error:
            return -(error.errno or EPERM)
        except MemoryFault:
            return -EFAULT
        except (OverflowError, ValueError):     # a number that no call of the host's takes
            return -EINVAL
        finally:
            errand.located = None
            while errand.held:
                os.close(errand.held.pop())
