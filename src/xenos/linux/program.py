"""From a path to a program that can be loaded: scripts lead to their interpreter, and every refusal has a reason."""

from __future__ import annotations

import os
import stat

from xenos.errors import LoadError, MissingFile
from xenos.linux import elf as elves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.elf import Elf
    from xenos.linux.process import Process

EACCES, ENOEXEC, ELOOP = 13, 8, 40
_SCRIPTS_MAX = 5
_HEAD = 256


class Program:
    """A program opened and checked, nothing mapped yet. `close()` it when it is mapped."""

    __slots__ = ("argv", "elf", "fd", "interpreter", "interpreter_fd", "path")

    def __init__(self, path: bytes, argv: list[bytes], fd: int, elf: Elf) -> None:
        self.path = path            # as the guest calls it
        self.argv = argv
        self.fd = fd
        self.elf = elf
        self.interpreter: Elf | None = None
        self.interpreter_fd = -1

    def close(self) -> None:
        """Close its files."""
        os.close(self.fd)
        if self.interpreter_fd >= 0:
            os.close(self.interpreter_fd)


class Opened:
    """A file that may be executed, its first bytes read."""

    __slots__ = ("argv", "fd", "head", "host", "path")

    def __init__(self, path: bytes, host: bytes, argv: list[bytes], fd: int, head: bytes) -> None:
        self.path = path
        self.host = host
        self.argv = argv
        self.fd = fd
        self.head = head


def check_access(process: Process, path: bytes) -> tuple[bytes, int | None]:
    """Where a file that may be executed lies: its path and the directory that this begins at; OSError as execve(2) gives it."""
    host, dir_fd = process.locate(-100, path)
    status = os.stat(host, dir_fd=dir_fd)
    if not stat.S_ISREG(status.st_mode) or not os.access(host, os.X_OK, dir_fd=dir_fd, effective_ids=True):
        raise OSError(EACCES, os.strerror(EACCES))
    return host, dir_fd


def open_executable(process: Process, path: bytes, argv: list[bytes]) -> Opened:
    """Open `path`, or the interpreter that its `#!` line names; OSError as execve(2) gives it."""
    for _ in range(_SCRIPTS_MAX):
        host, dir_fd = check_access(process, path)
        fd = os.open(host, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
        head = os.pread(fd, _HEAD, 0)
        if not head.startswith(b"#!"):
            if process.policy is not None:
                try:
                    process.policy.check_program(head, process.form.elf_machine)
                except OSError:
                    os.close(fd)
                    raise
            return Opened(path, host, argv, fd, head)
        os.close(fd)
        words = head[2:].split(b"\n", 1)[0].strip().split(None, 1)
        if not words:
            raise OSError(ENOEXEC, os.strerror(ENOEXEC))
        argv = [*words, path, *argv[1:]]
        path = words[0]
    raise OSError(ELOOP, os.strerror(ELOOP))


def check(process: Process, opened: Opened) -> Program:
    """Read the headers of an opened program and of its interpreter; LoadError says what is wrong with them."""
    name = os.fsdecode(opened.path)
    machine, limit = process.form.elf_machine, process.memory.top
    elf = elves.read(opened.fd, _host_name(opened.fd), machine, limit)
    program = Program(opened.path, opened.argv, opened.fd, elf)
    if elf.interpreter is None:
        return program
    wanted = os.fsdecode(elf.interpreter)
    host, dir_fd = process.locate(-100, elf.interpreter)
    try:
        # It may be anything: a pipe would wait for somebody to write.
        program.interpreter_fd = os.open(host, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=dir_fd)
    except OSError as error:
        cure = "unpack a guest system with `xenos sysroot create`, or name one with --sysroot DIR"
        if process.paths.root:
            cure = f"unpack the guest's C library into {os.fsdecode(process.paths.root)}"
        raise MissingFile(f"{name}: cannot open its dynamic linker {wanted} ({error.strerror}); {cure}") from None
    try:
        program.interpreter = elves.read(program.interpreter_fd, _host_name(program.interpreter_fd), machine, limit)
    except (LoadError, OSError) as error:
        os.close(program.interpreter_fd)
        raise LoadError(f"{name}: its dynamic linker cannot be used: {error}") from None
    return program


def find(process: Process, path: bytes, argv: list[bytes]) -> Program:
    """Open and check the program that a user asked for; LoadError or MissingFile with one line that says what to do."""
    name = os.fsdecode(path)
    try:
        opened = open_executable(process, path, argv)
    except FileNotFoundError:
        raise MissingFile(f"{name}: no such program" + _script_hint(process, path)) from None
    except PermissionError:
        host, dir_fd = process.locate(-100, path)
        try:
            mode = os.stat(host, dir_fd=dir_fd).st_mode
        except OSError:
            raise LoadError(f"{name}: no permission to look at it") from None
        if stat.S_ISDIR(mode):
            raise LoadError(f"{name}: is a directory, not a program") from None
        if not stat.S_ISREG(mode):
            raise LoadError(f"{name}: is no regular file, so no program") from None
        raise LoadError(f"{name}: no permission to execute it; try chmod +rx") from None
    except OSError as error:
        raise LoadError(f"{name}: cannot be executed: {error.strerror}") from None
    try:
        return check(process, opened)
    except BaseException:
        os.close(opened.fd)
        raise


def _host_name(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")


def _script_hint(process: Process, path: bytes) -> str:
    """Why a file that is there was not found: the interpreter of its `#!` line is missing."""
    host, dir_fd = process.locate(-100, path)
    try:
        fd = os.open(host, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    except OSError:
        return ""
    line = os.pread(fd, _HEAD, 0).split(b"\n", 1)[0]
    os.close(fd)
    return f" to run it: it asks for {os.fsdecode(line[2:].strip())}"
