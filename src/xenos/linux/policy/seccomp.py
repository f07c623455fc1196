"""seccomp: calls of the host's kernel that this process and its children cannot make any more. See seccomp(2).

The filter is a program for the kernel's packet filter (BPF), written here by hand: it looks at the number of a call and
at arguments that are no pointers. It says EPERM or EACCES to what leads out of a confinement, and lets the rest through.
"""

from __future__ import annotations

import ctypes
import os
import struct

from xenos.linux.hosts import filtering, numbers
from xenos.linux.policy.landlock import no_new_privileges

ENOSYS, EPERM, EACCES = 38, 1, 13
# linux/seccomp.h, linux/filter.h
_SET_MODE_FILTER, _GET_ACTION_AVAIL, _FLAG_TSYNC = 1, 2, 1
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_NAMESPACES = 0x7E020000    # CLONE_NEW* but CLONE_NEWTIME, which clone has no bit for
_NEWTIME = 0x80
_S_IFMT, _S_IFCHR, _S_IFBLK = 0o170000, 0o020000, 0o060000
_AF_UNIX = 1
_TERMINAL_REQUESTS = (0x5412, 0x541C, 0x541D)   # TIOCSTI, TIOCLINUX, TIOCCONS: typing for the terminal's user
_REFUSED = """
    ptrace kcmp process_madvise process_mrelease pidfd_getfd perf_event_open bpf userfaultfd
    io_uring_setup io_uring_enter io_uring_register
    mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr setns
    name_to_handle_at open_by_handle_at fanotify_init
    kexec_load kexec_file_load init_module finit_module delete_module create_module swapon swapoff reboot acct
    quotactl quotactl_fd iopl ioperm modify_ldt uselib _sysctl sysfs nfsservctl lookup_dcookie vhangup
    keyctl add_key request_key shmget shmat semget msgget mq_open mq_unlink
    settimeofday clock_settime sethostname setdomainname syslog migrate_pages move_pages
""".split()
# Looking into other processes: Landlock keeps those who are confined from all others, and Xenos needs it for its own.
_LEFT_TO_LANDLOCK = ("process_vm_readv", "process_vm_writev")

Line = tuple[int, int, int, int]    # struct sock_filter: code, jt, jf, k


def available() -> bool:
    """Whether this host takes filters."""
    number = numbers().get("seccomp")
    action = ctypes.c_uint32(_ERRNO)
    return number is not None and _syscall(number, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0


def restrict(*, network: bool, landlock: bool) -> bool:
    """Install the filter for all threads of this process, for good; False where this host has none."""
    if not available():
        return False
    program = b"".join(struct.pack("<HBBI", *line) for line in lines(network=network, landlock=landlock))
    code = ctypes.create_string_buffer(program, len(program))
    filter = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    no_new_privileges()
    result = _syscall(numbers()["seccomp"], _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.create_string_buffer(filter))
    if result:  # an errno, or the thread that has a filter of its own
        problem = ctypes.get_errno() if result < 0 else EPERM
        raise OSError(problem, os.strerror(problem))
    return True


def lines(*, network: bool, landlock: bool) -> list[Line]:
    """The filter, line by line."""
    arch, foreign = filtering()
    found: list[Line] = [
        (_LOAD, 0, 0, _ARCH_AT), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL_PROCESS), (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if foreign:     # calls of another ABI go by numbers of their own, from here on
        found += [(_AT_LEAST, 0, 1, foreign), _error(ENOSYS)]
    for name in (*_REFUSED, *(() if landlock else _LEFT_TO_LANDLOCK)):
        found += _upon(name, [_error(EPERM)])
    for name in ("execve", "execveat"):     # the programs of guests come by no call of the host's
        found += _upon(name, [_error(EACCES)])
    found += _upon("clone", _no_bits(0, _NAMESPACES))
    found += _upon("unshare", _no_bits(0, _NAMESPACES | _NEWTIME))
    found += _upon("clone3", [_error(ENOSYS)])  # its flags lie in memory; the C library then calls clone
    for name, argument in (("mknod", 1), ("mknodat", 2)):
        device = [(_LOAD, 0, 0, _argument(argument)), (_AND, 0, 0, _S_IFMT)]
        found += _upon(name, [*device, *_not_one_of((_S_IFCHR, _S_IFBLK))])
    found += _upon("ioctl", [(_LOAD, 0, 0, _argument(1)), *_not_one_of(_TERMINAL_REQUESTS)])
    if not network:
        for name in ("socket", "socketpair"):
            local = [(_LOAD, 0, 0, _argument(0)), (_EQUAL, 0, 1, _AF_UNIX), (_RETURN, 0, 0, _ALLOW)]
            found += _upon(name, [*local, _error(EACCES)])
    return [*found, (_RETURN, 0, 0, _ALLOW)]


def _error(number: int) -> Line:
    return _RETURN, 0, 0, _ERRNO | number


def _argument(index: int) -> int:
    """Where the low half of an argument lies; hosts are little endian."""
    return _ARGUMENTS_AT + 8 * index


def _upon(name: str, body: list[Line]) -> list[Line]:
    """What to do at a call; nothing on hosts that have no such call. A body ends with a return."""
    number = numbers().get(name)
    return [] if number is None else [(_EQUAL, 0, len(body), number), *body]


def _no_bits(argument: int, bits: int) -> list[Line]:
    return [(_LOAD, 0, 0, _argument(argument)), (_ANY_BIT, 0, 1, bits), _error(EPERM), (_RETURN, 0, 0, _ALLOW)]


def _not_one_of(values: tuple[int, ...]) -> list[Line]:
    """EPERM if what was loaded is one of the values."""
    found: list[Line] = []
    for value in values:
        found += [(_EQUAL, 0, 1, value), _error(EPERM)]
    return [*found, (_RETURN, 0, 0, _ALLOW)]


_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
