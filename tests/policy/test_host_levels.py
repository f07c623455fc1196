"""Landlock and seccomp by themselves: what a guest that has got hold of its host process can still do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.kit import environment
from xenos.linux.hosts import filtering, numbers
from xenos.linux.policy import landlock, seccomp
from xenos.linux.policy.seccomp import Line

EPERM, EACCES, ENOSYS = 1, 13, 38
ALLOW, KILL = "allow", "kill"


def play(filter: list[Line], number: int, *arguments: int, arch: int | None = None) -> str | int:
    """What the kernel's packet filter makes of a call: "allow", "kill" or an errno."""
    words = {0: number & 0xFFFFFFFF, 4: filtering()[0] if arch is None else arch}
    for index in range(6):
        value = arguments[index] if index < len(arguments) else 0
        words[16 + 8 * index], words[20 + 8 * index] = value & 0xFFFFFFFF, value >> 32
    at, accumulator = 0, 0
    tests: dict[int, Callable[[int, int], bool]] = {
        0x15: lambda a, k: a == k, 0x35: lambda a, k: a >= k, 0x45: lambda a, k: a & k != 0,
    }
    while True:
        code, yes, no, k = filter[at]
        at += 1
        if code == 0x20:
            accumulator = words[k]
        elif code == 0x54:
            accumulator &= k
        elif code == 0x06:
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(k, k & 0xFFFF)
        else:
            at += yes if tests[code](accumulator, k) else no


def test_the_filter_says_what_it_should() -> None:
    known = numbers()
    filter = seccomp.lines(network=False, landlock=True)
    assert len(filter) < 4096   # BPF_MAXINSNS

    def call(name: str, *arguments: int) -> str | int:
        return play(filter, known[name], *arguments)

    for name in ("read", "openat", "mmap", "futex", "exit_group", "landlock_restrict_self", "process_vm_readv"):
        assert call(name) == ALLOW
    for name in ("ptrace", "bpf", "mount", "io_uring_setup", "keyctl", "kexec_load", "pidfd_getfd", "open_by_handle_at",
                 "userfaultfd", "perf_event_open", "setns", "chroot", "shmget"):
        assert call(name) == EPERM, name
    assert call("execve") == call("execveat") == EACCES
    assert call("socket", 1, 1) == call("socketpair", 1, 1) == ALLOW
    assert call("socket", 2, 1) == call("socket", 16, 3) == call("socketpair", 10, 1) == EACCES
    assert call("clone", 0x3D0F00) == ALLOW and call("clone", 0x10000000 | 17) == call("clone", 0x20000) == EPERM
    assert call("clone3") == ENOSYS
    assert call("unshare", 0x400) == ALLOW and call("unshare", 0x80) == call("unshare", 0x40000000) == EPERM
    assert call("mknodat", 0, 0, 0o010600) == ALLOW
    assert call("mknodat", 0, 0, 0o020600) == call("mknodat", 0, 0, 0o060600) == EPERM
    assert call("ioctl", 0, 0x5401) == ALLOW and call("ioctl", 0, 0x5412) == call("ioctl", 0, 0x541C) == EPERM
    # The kernel reads ints from the low half of a register: what is in the upper half must not make a difference.
    assert call("socket", 1 << 32 | 2) == EACCES and call("ioctl", 0, 1 << 32 | 0x5412) == EPERM
    assert play(filter, known["read"], arch=0x40000003) == KILL
    other = filtering()[1]
    if other:
        assert play(filter, other | known["read"]) == play(filter, other | known["ptrace"]) == ENOSYS


def test_the_filter_with_a_network_and_without_landlock() -> None:
    known = numbers()
    filter = seccomp.lines(network=True, landlock=False)
    assert play(filter, known["socket"], 2, 1) == ALLOW
    assert play(filter, known["process_vm_readv"]) == play(filter, known["process_vm_writev"]) == EPERM


# A host process confined as Xenos confines itself tries, in Python, what its guest might make it do.
CONFINED = """
import ctypes, json, mmap, os, signal, socket, struct, sys
opened, closed, mine, outsider = sys.argv[1:]
import subprocess
from xenos.linux.policy import capabilities, landlock, seccomp
capabilities.give_up(network=False)
held = landlock.restrict([os.fsencode(path) for path in (opened, sys.prefix, sys.base_prefix, "/proc")],
                         [os.fsencode(mine), b"/dev/null"], network=False)
seccomp.restrict(network=False, landlock=held)

def attempt(action):
    try:
        action()
        return 0
    except OSError as error:
        return error.errno

def child(action):
    pid = os.fork()
    if not pid:
        os._exit(attempt(action))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

libc = ctypes.CDLL(None, use_errno=True)
def raw(name, *words):
    from xenos.linux.hosts import numbers
    if libc.syscall(ctypes.c_long(numbers()[name]), *[ctypes.c_long(word) for word in words]) < 0:
        raise OSError(ctypes.get_errno(), name)

actions = {
    "read opened": lambda: open(opened + "/file").read(),
    "write opened": lambda: open(opened + "/file", "w"),
    "truncate opened": lambda: os.truncate(opened + "/file", 0),
    "read closed": lambda: open(closed + "/secret"),
    "list closed": lambda: os.listdir(closed),
    "write mine": lambda: open(mine + "/new", "w"),
    "move mine": lambda: (os.mkdir(mine + "/folder"), os.rename(mine + "/new", mine + "/folder/new")),
    "device in mine": lambda: os.mknod(mine + "/device", 0o020600, os.makedev(1, 5)),
    "link closed": lambda: os.link(closed + "/secret", mine + "/link"),
    "null": lambda: open("/dev/null", "w").write("x"),
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(int(outsider), signal.SIGCONT),
    "trace": lambda: raw("ptrace", 16, int(outsider), 0, 0),
    "tcp": lambda: socket.socket(),
    "local": lambda: socket.socket(socket.AF_UNIX),
    "root of an outsider": lambda: os.listdir(f"/proc/{outsider}/root"),
    "environment of an outsider": lambda: open(f"/proc/{outsider}/environ").read(),
    "memory of an outsider": lambda: open(f"/proc/{outsider}/mem", "rb"),
    "io_uring": lambda: raw("io_uring_setup", 1, 0),
    "unshare": lambda: raw("unshare", 0x10000000),
    "own memory": lambda: open("/proc/self/mem", "r+b"),
}
print(json.dumps([held, {name: attempt(action) for name, action in actions.items()},
                  {name: child(action) for name, action in actions.items()}]))
"""


@pytest.mark.skipif(not landlock.version() or not seccomp.available(), reason="needs Landlock and seccomp")
def test_a_confined_host_process(tmp_path: Path) -> None:
    for name in ("opened", "closed", "mine"):
        (tmp_path / name).mkdir()
    (tmp_path / "opened" / "file").write_text("x")
    (tmp_path / "closed" / "secret").write_text("x")
    outsider = subprocess.Popen(["sleep", "1000"])
    try:
        words = [*(str(tmp_path / name) for name in ("opened", "closed", "mine")), str(outsider.pid)]
        done = subprocess.run([sys.executable, "-c", CONFINED, *words], env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    finally:
        outsider.kill()
        outsider.wait()
    held, itself, forked = json.loads(done.stdout)
    assert held is True
    abi = landlock.version()
    allowed = {"read opened", "write mine", "move mine", "null", "local"}
    if abi < 2:
        allowed.remove("move mine")
    if abi < 3:
        allowed.add("truncate opened")
    if abi < 6:
        allowed.add("signal")
    assert {name for name, error in itself.items() if not error} == allowed
    assert {name for name, error in forked.items() if not error} == allowed - {"move mine"}   # the folder is there
    assert {itself[name] for name in ("trace", "io_uring", "unshare", "device in mine")} == {EPERM}
    assert {itself[name] for name in ("read closed", "execute", "tcp", "write opened")} == {EACCES}


def test_where_there_is_no_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert landlock.restrict([b"/"], [], network=False) is False
    monkeypatch.setattr(landlock, "version", lambda: 3)
    assert landlock.restrict(None, [], network=False) is False  # it knows of files only, and those are open
