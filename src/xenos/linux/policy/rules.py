"""What a policy has to say to each system call. One that is not judged here is refused to a confined guest."""

from __future__ import annotations

import os

from xenos.linux.policy import processes
from xenos.linux.policy.namespace import LOOK, READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.dispatch import Call
    from xenos.linux.policy.enforcer import Enforcer
    from xenos.linux.process import Process

    Rule = Callable[[Enforcer, Process, Call, list[int]], int | None] | None

EPERM, ESRCH, EBADF, EACCES, EEXIST, EINVAL, ENOSYS, ELOOP, EADDRINUSE = 1, 3, 9, 13, 17, 22, 38, 40, 98
NAME, MAKE = 8, 16
AF_UNIX = 1
O_ACCMODE, O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW, O_PATH, O_TMPFILE = 3, 0o100, 0o200, 0o1000, 0o400000, 1 << 21, 1 << 22
S_IFMT, _DEVICES = 0o170000, (0o020000, 0o060000)
W_OK = 2
AT_EMPTY_PATH = 0x1000
PRIO_PROCESS, IOPRIO_WHO_PROCESS = 0, 1
F_SETOWN, F_SETOWN_EX = 8, 15
TIOCSCTTY = 0x540E
_NAMESPACES = 0x7E020080    # CLONE_NEW*, with CLONE_NEWTIME among the bits of the signal
_TRIES = 1000

# What each call wants of the paths that it names, in their order (`enforcer`).
WANTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys((
        "newfstatat", "statx", "readlinkat", "statfs", "chdir", "getxattr", "lgetxattr", "listxattr", "llistxattr",
        "name_to_handle_at",
    ), (LOOK,)),
    **dict.fromkeys(("execve", "execveat", "inotify_add_watch"), (LOOK | READ,)),
    **dict.fromkeys((
        "truncate", "fchmodat", "fchmodat2", "fchownat", "utimensat", "setxattr", "lsetxattr", "removexattr",
        "lremovexattr", "connect", "sendto", "sendmsg", "sendmmsg",
    ), (WRITE,)),
    **dict.fromkeys(("mkdirat", "mknodat", "symlinkat", "bind"), (MAKE,)),
    **dict.fromkeys(("unlinkat", "renameat", "renameat2"), (NAME,)),
    "linkat": (WRITE, MAKE),    # a second name may not give rights that the first has not
}


def of(name: str, enforcer: Enforcer) -> Rule:
    """What stands before the call of that name; None if nothing does, and it may be answered without asking."""
    if enforcer.ledger is not None:
        if name in _MEMORY:
            kept = getattr(enforcer.ledger, _MEMORY[name])

            def counted(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
                with process.memory.lock:   # no other thread takes what there is room for
                    answer: int | None = kept(process, call, raw)
                    return answer

            return counted
        if name in _UNCOUNTED:
            return _absent
    if not enforcer.confined or name in enforcer.own_calls:
        return None
    if name in PLAIN:
        return None
    return RULES.get(name) or (_with_paths if name in WANTS else _refused)


def _refused(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int:
    return -EPERM


def _with_paths(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    """Nothing to say beforehand, but its paths and addresses are looked at: it must pass by here."""
    return call(process, raw)


def _absent(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int:
    return -ENOSYS


def signed(value: int) -> int:
    """The int in a register."""
    return (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000


# Files.


def _openat(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    if enforcer.files is None:
        return _open_anything(process, call, raw)
    flags = raw[2]
    for _ in range(_TRIES):
        made = list(raw)
        try:
            enforcer.errand.located, made[2] = _place(enforcer, process, raw)
        except OSError as error:    # said when the call asks where the path leads, if it does
            enforcer.errand.located = error
        result = call(process, made)
        # A link that came to stand where nothing was: it is to be followed, by us.
        if result != -ELOOP or flags & O_NOFOLLOW or made[2] == flags:
            return result
    return -ELOOP


def _place(enforcer: Enforcer, process: Process, raw: list[int]) -> tuple[tuple[bytes, int | None], int]:
    """Where the file to open lies, and the flags to open it with: a link that another process puts there is not followed."""
    path, flags = process.memory.cstring(raw[1]), raw[2] & 0xFFFFFFFF
    if not path:
        raise FileNotFoundError(2, os.strerror(2))
    nofollow = flags & (O_NOFOLLOW | O_PATH) and flags & O_NOFOLLOW
    place = enforcer.find(process, signed(raw[0]), path, not nofollow and flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL)
    if flags & O_PATH:
        want = LOOK
    else:
        want = (READ, WRITE, READ | WRITE, READ | WRITE)[flags & O_ACCMODE]
        if flags & O_TRUNC or (flags & O_TMPFILE and want & WRITE) or (flags & O_CREAT and not place.mode):
            want |= WRITE
    enforcer.check(place, want | LOOK)
    is_link = place.mode & S_IFMT == 0o120000
    if place.direct and not is_link:
        return (place.direct, None), flags & ~O_NOFOLLOW
    if place.mode and not is_link:
        return (b"/proc/self/fd/%d" % place.fd, None), flags & ~O_NOFOLLOW
    if not place.mode and not flags & O_CREAT:
        raise FileNotFoundError(2, os.strerror(2))
    return enforcer.by_name(place, path.endswith(b"/")), flags | O_NOFOLLOW


def _open_anything(process: Process, call: Call, raw: list[int]) -> int | None:
    """Where paths are open, but not the memory of processes, through which all else could be had."""
    fd = call(process, raw)
    if fd is None or fd < 0 or not raw[2] & O_ACCMODE:
        return fd
    _, whose, name = (b"//" + os.readlink(b"/proc/self/fd/%d" % fd)).rsplit(b"/", 2)
    if name == b"mem" and whose.isdigit():      # wherever a /proc is mounted
        process.descriptors.forget(fd)
        os.close(fd)
        return -EACCES
    return fd


def _faccessat(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    enforcer.errand.wants = (LOOK | WRITE if raw[2] & W_OK else LOOK,)
    return call(process, raw)


def _mknodat(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    return -EPERM if raw[2] & S_IFMT in _DEVICES else call(process, raw)


def _bind(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    result = call(process, raw)
    return -EADDRINUSE if result == -EEXIST else result


def _change(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    """A call that changes what is known of the file of a descriptor."""
    return call(process, raw) if enforcer.may_change(process, signed(raw[0])) else -EACCES


def _utimensat(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    return call(process, raw) if raw[1] else _change(enforcer, process, call, raw)


def _perhaps_empty(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    """A call whose path may be empty, and then means the descriptor itself."""
    flags = raw[3 if call.name == "fchmodat2" else 4]
    if flags & AT_EMPTY_PATH and signed(raw[0]) >= 0 and not enforcer.may_change(process, signed(raw[0])):
        return -EACCES
    return call(process, raw)


def _fchdir(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    return call(process, raw) if enforcer.rights_of(process, signed(raw[0])) & LOOK else -EACCES


def _openat2(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    return -ENOSYS if enforcer.files is not None else call(process, raw)    # programs then open step by step


# Descriptors.


def _number(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    """A call that gives a descriptor's number away: never one that we hold for a moment."""
    from xenos.linux.descriptors import HIDDEN

    if enforcer.files is None:
        return call(process, raw)
    with enforcer.files.lock:
        number = signed(raw[1] if call.name == "dup3" else raw[0])
        if call.name != "close_range" and number >= HIDDEN and number not in process.descriptors:
            return -EBADF
        return call(process, raw)


def _fcntl(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    command, who = signed(raw[1]), signed(raw[2])
    if command == F_SETOWN_EX or (command == F_SETOWN and who and not (who > 0 and _is_own(enforcer, who))):
        return -EPERM   # it would send signals there
    return call(process, raw)


def _ioctl(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    request = raw[1] & 0xFFFFFFFF
    if request in _FORBIDDEN_REQUESTS or (request == TIOCSCTTY and raw[2]):
        return -EPERM
    return _change(enforcer, process, call, raw) if request in _CHANGING_REQUESTS else call(process, raw)


def _receive(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    """Descriptors that come with a message: those of files and networks that are closed to the guest are taken away."""
    before = set(process.descriptors)
    result = call(process, raw)
    for fd in set(process.descriptors) - before:
        if not enforcer.admits(process, fd):
            process.descriptors.forget(fd)
            os.close(fd)
    return result


def _socket(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    return call(process, raw) if enforcer.terms.network or signed(raw[0]) == AF_UNIX else -EACCES


# Processes.


def _is_own(enforcer: Enforcer, pid: int) -> bool:
    return processes.is_guests(pid, enforcer.root_pid)


def _kill(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    pid, signal, own = signed(raw[0]), signed(raw[1]), os.getpid()
    if pid == own or (pid > 0 and os.path.exists(f"/proc/self/task/{pid}")):
        return call(process, raw)
    if not 0 <= signal <= 64:
        return -EINVAL
    if pid > 0:
        return processes.kill(pid, signal, enforcer.root_pid)
    found, mine = processes.kill_group(os.getpgrp() if not pid else -pid, signal, enforcer.root_pid)
    return call(process, [own, *raw[1:]]) if mine else found


def _first_pid(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    """A call whose first argument is a process or thread, 0 for the caller."""
    pid = signed(raw[0])
    return call(process, raw) if not pid or _is_own(enforcer, pid) else -EPERM


def _pidfd_send_signal(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    try:
        with open(f"/proc/self/fdinfo/{signed(raw[0])}", "rb") as file:
            pids = [int(line.split()[1]) for line in file if line.startswith(b"Pid:")]
    except FileNotFoundError:
        return -EBADF
    return call(process, raw) if not pids or pids[0] < 0 or _is_own(enforcer, pids[0]) else -EPERM


def _priority(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    kind, who = signed(raw[0]), signed(raw[1])
    single = PRIO_PROCESS if call.name == "setpriority" else IOPRIO_WHO_PROCESS
    return call(process, raw) if kind == single and (not who or _is_own(enforcer, who)) else -EPERM


def _unshare(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    return -EPERM if raw[0] & _NAMESPACES else call(process, raw)


def _exec(enforcer: Enforcer, process: Process, call: Call, raw: list[int]) -> int | None:
    return call(process, raw) if enforcer.terms.exec else -EACCES


# TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD, TIOCVHANGUP: typing into the terminal for its user. FIOSETOWN, SIOCSPGRP.
_FORBIDDEN_REQUESTS = frozenset((0x5412, 0x541C, 0x541D, 0x5423, 0x5437, 0x8901, 0x8902))
# FS_IOC_SETFLAGS, SETVERSION, FSSETXATTR, SETFSLABEL
_CHANGING_REQUESTS = frozenset((0x40086602, 0x40046602, 0x40087602, 0x401C5820, 0x41009432))
_MEMORY = {
    "mmap": "mmap", "munmap": "munmap", "mprotect": "mprotect", "pkey_mprotect": "mprotect", "mremap": "mremap",
    "madvise": "madvise", "brk": "brk",
}
# Memory that no mapping shows.
_UNCOUNTED = frozenset(("memfd_create", "memfd_secret", "shmget", "shmat"))
RULES: dict[str, Rule] = {
    "openat": _openat, "openat2": _openat2, "faccessat": _faccessat, "faccessat2": _faccessat, "mknodat": _mknodat,
    "bind": _bind, "fchdir": _fchdir, "utimensat": _utimensat,
    **dict.fromkeys(("fchownat", "fchmodat2", "linkat"), _perhaps_empty),
    **dict.fromkeys(("fchmod", "fchown", "fsetxattr", "fremovexattr"), _change),
    **dict.fromkeys(("close", "close_range", "dup3"), _number),
    "fcntl": _fcntl, "ioctl": _ioctl, "recvmsg": _receive, "recvmmsg": _receive,
    "socket": _socket, "socketpair": _socket,
    "kill": _kill, "pidfd_send_signal": _pidfd_send_signal, "setpriority": _priority, "ioprio_set": _priority,
    **dict.fromkeys((
        "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "setpgid", "sched_setaffinity",
        "sched_setscheduler", "sched_setparam", "sched_setattr", "prlimit64", "get_robust_list", "process_vm_readv",
        "process_vm_writev",
    ), _first_pid),
    "unshare": _unshare, "execve": _exec, "execveat": _exec,
}
PLAIN = frozenset("""
    accept accept4 adjtimex brk cachestat capget capset clock_adjtime clock_getres clock_gettime clock_nanosleep
    clock_settime clone clone3 copy_file_range dup epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 eventfd2 exit
    exit_group fadvise64 fallocate fdatasync fgetxattr flistxattr flock fstat fstatfs fsync ftruncate futex futex_requeue
    futex_wait futex_waitv futex_wake get_mempolicy getcpu getcwd getdents64 getegid geteuid getgid getgroups getitimer
    getpeername getpgid getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname
    getsockopt gettid gettimeofday getuid inotify_init1 inotify_rm_watch ioprio_get listen lseek madvise mbind membarrier
    memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall munmap nanosleep
    personality pipe2 pkey_alloc pkey_free pkey_mprotect ppoll prctl pread64 preadv preadv2 pselect6 pwrite64 pwritev
    pwritev2 read readahead readv recvfrom restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn
    rt_sigsuspend rt_sigtimedwait sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
    sched_getparam sched_getscheduler sched_rr_get_interval sched_yield sendfile set_mempolicy set_robust_list
    set_tid_address setfsgid setfsuid setgid setgroups setitimer setregid setresgid setresuid setreuid setrlimit setsid
    setsockopt setuid shutdown sigaltstack signalfd4 splice sync sync_file_range syncfs sysinfo tee timer_create
    timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times umask
    uname vmsplice wait4 waitid write writev
""".split())
