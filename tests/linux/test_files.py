"""Files, directories and descriptors, through a sysroot and without."""

import os
import struct
from pathlib import Path

import pytest

from linux.kit import SCRATCH, Guest
from xenos.errors import MissingFile
from xenos.linux import kernel
from xenos.linux.paths import Paths

ENOENT, EBADF, EACCES, EFAULT, EEXIST, ENOTDIR, EINVAL, ENOTTY, ERANGE, ENOSYS = 2, 9, 13, 14, 17, 20, 22, 25, 34, 38
BUFFER = SCRATCH + 0x80000
CWD = -100
O_CLOEXEC = 0o2000000


def opened(guest: Guest, path: object, flags: int = 0, mode: int = 0) -> int:
    fd = guest.call("openat", CWD, os.fsencode(str(path)), flags, mode)
    assert fd >= 0, os.strerror(-fd)
    return fd


def test_write_seek_read(guest: Guest, tmp_path: Path) -> None:
    fd = opened(guest, tmp_path / "f", os.O_RDWR | os.O_CREAT, 0o640)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640
    assert guest.call("write", fd, b"hello world", 11) == 11
    assert guest.call("lseek", fd, 6, 0) == 6
    assert guest.call("read", fd, BUFFER, 100) == 5
    assert guest.memory.read(BUFFER, 5) == b"world"
    assert guest.call("pread64", fd, BUFFER, 4, 1) == 4 and guest.memory.read(BUFFER, 4) == b"ello"
    assert guest.call("pwrite64", fd, b"J", 1, 0) == 1
    iov = struct.pack("<QQQQ", BUFFER, 2, BUFFER + 16, 100)
    guest.memory.write(SCRATCH + 0x1000, iov)
    guest.call("lseek", fd, 0, 0)
    assert guest.call("readv", fd, SCRATCH + 0x1000, 2) == 11
    assert guest.memory.read(BUFFER, 2) + guest.memory.read(BUFFER + 16, 9) == b"Jello world"
    assert guest.call("readv", fd, SCRATCH + 0x1000, 5000) == -EINVAL
    assert guest.call("ftruncate", fd, 3) == 0
    assert guest.call("close", fd) == 0
    assert guest.call("close", fd) == -EBADF


@pytest.mark.parametrize("address", [0, 0x100, 1 << 45, 1 << 46, 1 << 63, (1 << 64) - 1])
def test_bad_pointers_are_efault(guest: Guest, tmp_path: Path, address: int) -> None:
    (tmp_path / "f").write_bytes(b"data")
    fd = opened(guest, tmp_path / "f", os.O_RDWR)
    for name in ("read", "write", "pread64", "pwrite64"):
        assert guest.call(name, fd, address, 4) == -EFAULT, name
    assert guest.call("readv", fd, address, 1) == -EFAULT
    assert guest.call("openat", CWD, address, 0) == -EFAULT
    assert guest.call("newfstatat", CWD, b"/", address, 0) == -EFAULT
    assert guest.call("fstat", fd, address) == -EFAULT
    assert guest.call("clock_gettime", 0, address) == -EFAULT
    assert guest.call("uname", address) == -EFAULT
    assert guest.call("getrandom", address, 8, 0) == -EFAULT
    assert guest.call("pipe2", address, 0) == -EFAULT
    assert guest.call("nanosleep", address, 0) == -EFAULT
    assert guest.call("getcwd", address, 4096) == -EFAULT
    assert guest.call("rt_sigprocmask", 0, address or 8, 0, 8) == -EFAULT
    assert guest.call("execve", address, 0, 0) == -EFAULT


def test_stat(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    os.utime(tmp_path / "f", ns=(10**9 + 5, 7 * 10**9 + 9))
    host = (tmp_path / "f").stat()
    assert guest.call("newfstatat", CWD, os.fsencode(tmp_path / "f"), BUFFER, 0) == 0
    fields = struct.unpack("<QQIIIIQQqiiqqQqQqQII", guest.memory.read(BUFFER, 128))
    assert fields[:6] == (host.st_dev, host.st_ino, host.st_mode, 1, host.st_uid, host.st_gid)
    assert fields[8] == 5 and fields[12:16] == (1, 5, 7, 9)
    fd = opened(guest, tmp_path / "f")
    assert guest.call("fstat", fd, BUFFER + 256) == 0
    assert guest.memory.read(BUFFER, 128) == guest.memory.read(BUFFER + 256, 128)
    assert guest.call("newfstatat", fd, b"", BUFFER, 0x1000) == 0
    assert guest.call("newfstatat", fd, b"", BUFFER, 0) == -ENOENT
    assert guest.call("statx", fd, b"", 0x1000, 0xFFF, BUFFER) == 0
    mask, _, _, links, uid, gid, mode, inode, size = struct.unpack_from("<IIQIIIHxxQQ", guest.memory.read(BUFFER, 256))
    assert (links, mode, inode, size, uid, gid) == (1, host.st_mode, host.st_ino, 5, host.st_uid, host.st_gid)
    assert mask & 0x7FF == 0x7FF
    assert struct.unpack("<qI", guest.memory.read(BUFFER + 112, 12)) == (7, 9)
    assert guest.call("statfs", b"/", BUFFER) == 0 and guest.memory.load(BUFFER + 8, 8) > 0


def test_names_in_directories(guest: Guest, tmp_path: Path) -> None:
    base = os.fsencode(tmp_path)
    assert guest.call("mkdirat", CWD, base + b"/d", 0o755) == 0
    assert guest.call("mkdirat", CWD, base + b"/d", 0o755) == -EEXIST
    directory = opened(guest, tmp_path / "d", 0o200000)
    assert guest.call("close", guest.call("openat", directory, b"file", os.O_CREAT | os.O_WRONLY, 0o600)) == 0
    assert guest.call("linkat", directory, b"file", directory, b"hard", 0) == 0
    assert guest.call("symlinkat", b"file", directory, b"soft") == 0
    assert guest.call("readlinkat", directory, b"soft", BUFFER, 100) == 4
    assert guest.call("renameat2", directory, b"hard", directory, b"file2", 1) == 0
    assert guest.call("renameat2", directory, b"file2", directory, b"file", 1) == -EEXIST
    assert guest.call("faccessat", directory, b"file", 4) == 0
    assert guest.call("faccessat", directory, b"none", 0) == -ENOENT
    assert guest.call("fchmodat", directory, b"file", 0o400) == 0
    assert guest.call("fchownat", directory, b"file", -1, -1, 0) == 0
    guest.memory.write(BUFFER, struct.pack("<qqqq", 5, 6, 7, 0x3FFFFFFE))
    before = (tmp_path / "d/file").stat().st_mtime_ns
    assert guest.call("utimensat", directory, b"file", BUFFER, 0) == 0
    assert (tmp_path / "d/file").stat().st_atime_ns == 5 * 10**9 + 6
    assert (tmp_path / "d/file").stat().st_mtime_ns == before
    length = guest.call("getdents64", directory, BUFFER, 4096)
    names, at = set(), 0
    while at < length:
        size = guest.memory.load(BUFFER + at + 16, 2)
        names.add(guest.memory.cstring(BUFFER + at + 19))
        at += size
    assert names == {b".", b"..", b"file", b"file2", b"soft"}
    assert guest.call("getdents64", directory, BUFFER, 4096) == 0
    for name in (b"file", b"file2", b"soft"):
        assert guest.call("unlinkat", directory, name, 0) == 0
    assert guest.call("unlinkat", CWD, base + b"/d", 0x200) == 0
    assert guest.call("openat", CWD, base + b"/d/x/", 0) == -ENOENT


def test_current_directory_is_the_guests_alone(guest: Guest, tmp_path: Path) -> None:
    before = os.getcwd()
    assert guest.call("getcwd", BUFFER, 4096) == len(before) + 1
    (tmp_path / "sub").mkdir()
    assert guest.call("chdir", os.fsencode(tmp_path)) == 0
    assert guest.call("chdir", b"sub") == 0
    guest.call("close", opened(guest, "here", os.O_CREAT | os.O_WRONLY, 0o600))
    assert (tmp_path / "sub/here").exists()
    assert guest.call("getcwd", BUFFER, 4096) == len(str(tmp_path / "sub")) + 1
    assert guest.memory.cstring(BUFFER) == os.fsencode(tmp_path / "sub")
    assert guest.call("getcwd", BUFFER, 3) == -ERANGE
    assert guest.call("chdir", b"here") == -ENOTDIR
    assert os.getcwd() == before


def test_descriptors(guest: Guest, tmp_path: Path) -> None:
    fd = opened(guest, "/dev/null", os.O_RDWR | O_CLOEXEC)
    assert guest.call("fcntl", fd, 1, 0) == 1
    copy = guest.call("dup", fd)
    assert guest.call("fcntl", copy, 1, 0) == 0
    assert guest.call("fcntl", copy, 2, 1) == 0 and guest.call("fcntl", copy, 1, 0) == 1
    assert guest.call("dup3", fd, 77, O_CLOEXEC) == 77
    assert guest.call("dup3", fd, fd, 0) == -EINVAL
    assert guest.call("fcntl", fd, 0, 80) >= 80
    assert guest.call("fcntl", fd, 3, 0) & 3 == os.O_RDWR
    assert guest.call("fcntl", fd, 9999, 0) == -EINVAL
    assert guest.call("pipe2", BUFFER, 0o4000) == 0
    reader, writer = struct.unpack("<ii", guest.memory.read(BUFFER, 8))
    assert guest.call("read", reader, BUFFER, 1) == -11
    assert guest.call("write", writer, b"abc", 3) == 3
    assert guest.call("ioctl", reader, 0x541B, BUFFER) == 0 and guest.memory.load(BUFFER, 4) == 3
    assert guest.call("ioctl", reader, 0x5401, BUFFER) == -ENOTTY
    assert guest.call("ioctl", reader, 0xDEAD, BUFFER) == -ENOTTY
    guest.memory.write(BUFFER, struct.pack("<ihhihhihh", reader, 1, 0, -1, 1, 7, 500, 1, 0))
    assert guest.call("ppoll", BUFFER, 3, 0, 0) == 2
    assert [guest.memory.load(BUFFER + n, 2) for n in (6, 14, 22)] == [1, 0, 32]
    assert guest.call("close_range", 60, 4000, 0) == 0
    assert guest.call("write", 77, b"x", 1) == -EBADF


def test_select(guest: Guest) -> None:
    guest.call("pipe2", BUFFER, 0)
    reader, writer = struct.unpack("<ii", guest.memory.read(BUFFER, 8))
    guest.memory.write(BUFFER, bytes(64))
    guest.memory.store(BUFFER, 8, 1 << reader)
    guest.memory.store(BUFFER + 8, 8, 1 << writer)
    guest.memory.write(BUFFER + 16, bytes(16))
    assert guest.call("pselect6", 60, BUFFER, BUFFER + 8, 0, BUFFER + 16, 0) == 1
    assert guest.memory.load(BUFFER, 8) == 0 and guest.memory.load(BUFFER + 8, 8) == 1 << writer


def test_epoll_and_eventfd(guest: Guest) -> None:
    event = guest.call("eventfd2", 3, 0)
    poll = guest.call("epoll_create1", 0)
    guest.memory.write(BUFFER, struct.pack("<IxxxxQ", 1, 0xFEEDFACECAFEBEEF))
    assert guest.call("epoll_ctl", poll, 1, event, BUFFER) == 0
    assert guest.call("epoll_pwait", poll, BUFFER + 64, 8, 0, 0) == 1
    assert struct.unpack("<IxxxxQ", guest.memory.read(BUFFER + 64, 16)) == (1, 0xFEEDFACECAFEBEEF)
    assert guest.call("read", event, BUFFER, 8) == 8 and guest.memory.load(BUFFER, 8) == 3
    assert guest.call("epoll_pwait", poll, BUFFER + 64, 8, 0, 0) == 0


def test_own_descriptors_of_xenos_are_out_of_reach(guest: Guest) -> None:
    private = guest.hide(os.open("/dev/null", os.O_RDONLY))
    assert private >= 900
    assert guest.call("close", private) == -EBADF
    assert guest.call("dup3", 0, private, 0) == -EBADF
    assert guest.call("close_range", 3, 0xFFFFFFFF, 0) == 0
    os.close(private)


def test_files_of_proc_speak_of_the_guest(guest: Guest) -> None:
    guest.argv, guest.name = [b"prog", b"arg"], b"/bin/prog"
    for path, expected in (
        (b"/proc/cpuinfo", b"cpu : 0\n\n"), (b"/proc/self/cmdline", b"prog\0arg\0"),
    ):
        fd = guest.call("openat", CWD, path, 0)
        length = guest.call("read", fd, BUFFER, 4096)
        assert guest.memory.read(BUFFER, length).startswith(expected)
    assert guest.call("readlinkat", CWD, b"/proc/self/exe", BUFFER, 100) == 9
    assert guest.memory.read(BUFFER, 9) == b"/bin/prog"


def test_sysroot_comes_first(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/tool").write_text("tool")
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/bin/absolute").symlink_to("/usr/bin/tool")
    (root / "usr/bin/up").symlink_to("../../../../../usr/bin/tool")
    (root / "loop").symlink_to("/loop")
    paths = Paths(str(root))
    tool = os.fsencode(root / "usr/bin/tool")
    for path in (b"/bin/tool", b"/usr/bin/absolute", b"/bin/up", b"//usr/./bin/../bin/tool", b"/../../bin/tool"):
        assert paths.host(path) == tool
        assert paths.guest(paths.host(path)) == b"/usr/bin/tool"
    assert paths.host(b"/bin/absolute", follow=False) == os.fsencode(root / "usr/bin/absolute")
    assert paths.host(b"/nothing/here") == b"/nothing/here"
    assert paths.host(b"/usr/bin/tool/x") == b"/usr/bin/tool/x"
    with pytest.raises(OSError):
        paths.host(b"/loop")
    assert paths.guest(os.fsencode(root) + b"x") == os.fsencode(root) + b"x"
    with pytest.raises(MissingFile, match="--sysroot"):
        Paths(str(tmp_path / "none"))


def test_unknown_call(guest: Guest) -> None:
    guest.cpu.write("r", 8, 4000)
    guest.system_call(guest.leader)
    assert guest.cpu.read("r", 0) == (1 << 64) - ENOSYS
    assert guest.call("rseq", 0, 0, 0, 0) == -ENOSYS


def test_table_names_functions_with_as_many_arguments() -> None:
    from importlib import import_module
    from inspect import Parameter, signature

    from xenos.linux.generic_numbers import NUMBERS
    from xenos.linux.passing import Passed
    from xenos.linux.table import CALLS

    assert set(CALLS) <= set(NUMBERS.values())
    for name, entry in CALLS.items():
        where, _, letters = entry.partition(" ")
        if where in ("=", "=+"):
            assert kernel.has(name), name
            assert Passed(name, letters, opens=False).steps or not letters, name
        elif where not in ("EPERM", "ENOSYS"):
            module, _, function = where.partition(":")
            found = signature(getattr(import_module(f"xenos.linux.{module}"), function))
            parameters = list(found.parameters.values())[1:]
            required = sum(p.default is Parameter.empty for p in parameters)
            assert required <= len(letters) <= len(parameters), name


def test_every_number_is_answered() -> None:
    """What the table does not name is not yet there in any kernel that C libraries know, or belongs to one guest."""
    from xenos.linux.generic_numbers import NUMBERS
    from xenos.linux.table import CALLS

    assert set(NUMBERS.values()) - set(CALLS) <= {"restart_syscall", "futex_wake", "futex_wait", "futex_requeue"}
