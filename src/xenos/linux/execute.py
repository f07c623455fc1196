"""execve: another guest program in this process's place, or a program of the host instead of Xenos."""

from __future__ import annotations

import os

from xenos.errors import LoadError, MissingFile, XenosError
from xenos.linux import descriptors, kernel, program, stack
from xenos.linux.kernel import ERESTARTSYS
from xenos.linux.signals import SIGKILL
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

ENOENT, ENOEXEC, E2BIG = 2, 8, 7
_STRINGS_MAX = 1 << 18


def _strings(process: Process, address: int) -> list[bytes]:
    """The C strings of an array that a null pointer ends."""
    found: list[bytes] = []
    while address:
        pointer = process.memory.load(address, 8)
        if not pointer:
            break
        found.append(process.memory.cstring(pointer))
        if len(found) > _STRINGS_MAX:
            raise OSError(E2BIG, "too many arguments")
        address += 8
    return found


def execute(process: Process, pathname: bytes, argv: int, envp: int) -> int | None:
    """execve(2): None when a new guest program is in place."""
    try:
        arguments = _strings(process, argv) or [b""]
        environment = _strings(process, envp)
        stack.check_size(arguments, environment)
    except (OSError, MemoryFault):
        program.check_access(process, pathname)     # the kernel looks there first
        raise
    with descriptors.Room():
        opened = program.open_executable(process, pathname, arguments)
        guest = _is_guest(process, opened.head)
        if not guest:
            os.close(opened.fd)
            host = _is_host(opened.head)
        else:
            try:
                found = program.check(process, opened)
            except LoadError as error:
                os.close(opened.fd)
                if process.strace:
                    from xenos.linux import strace

                    strace.note(process, str(error))
                return -ENOENT if isinstance(error, MissingFile) else -ENOEXEC
    if not guest:
        return _execute_host(process, opened, environment) if host else -ENOEXEC
    if process.threads.several or process.thread is not process.leader:
        if process.threads.successor is not None:
            found.close()               # another thread was first, and this one ends
            return None
        process.threads.successor = found, environment, process.thread.mask
        process.threads.interrupt()     # the leader takes over; this thread ends with the others
        return None
    replace(process, found, environment)
    return None


def replace(process: Process, found: program.Program, environment: list[bytes]) -> None:
    """Put an opened program in the place of this one, whose only thread the leader is."""
    from xenos.linux import timers

    process.descriptors.after_exec()
    process.leader.let_go()
    if process.heirs is not None:
        process.heirs.dismiss()
    process.signals.clear_handlers()
    timers.delete_all(process)
    leader = process.leader
    leader.block_all()
    noted = leader.take_signal() if leader.noted else b""   # since the call began: it is the new program's, whose CPU is as new
    leader.note_kept(-1)
    try:
        with descriptors.Room():
            process.replace(found, environment)
    except XenosError as error:  # the old program is gone: Linux kills the process here, too
        process.descriptors.complain(f"xenos: {error}\n")
        process.die(SIGKILL)
    finally:
        found.close()
        if noted:
            leader.note(noted)
        leader.apply_mask()
    from xenos.linux.clone import leave_vfork

    leave_vfork(process, executed=True)


def _is_guest(process: Process, head: bytes) -> bool:
    return head[:5] == b"\x7fELF\2" and int.from_bytes(head[18:20], "little") == process.form.elf_machine


def _is_host(head: bytes) -> bool:
    """Whether a program is for this host: of the same class, byte order and machine as the Python that runs us."""
    with open("/proc/self/exe", "rb") as file:
        own = file.read(20)
    return head[:6] == own[:6] and head[18:20] == own[18:20]


def _execute_host(process: Process, opened: program.Opened, environment: list[bytes]) -> int:
    """Become a program of the host; it inherits what the guest's exec would hand on."""
    names = dict(item.split(b"=", 1) for item in environment if b"=" in item)
    if process.cwd_fd is not None:
        os.fchdir(process.cwd_fd)
    if process.vfork_pipe >= 0:
        os.set_inheritable(process.vfork_pipe, False)
    if process.heirs is not None:
        process.heirs.dismiss()
    thread = process.thread
    thread.block_all()
    try:
        if thread.noted:
            return -ERESTARTSYS     # it came before: its handler runs first
        process.signals.by_default()
        kernel.set_mask(thread.mask)
        descriptors.reserve(False)
        os.execve(opened.host, opened.argv, names)
    finally:
        descriptors.reserve(True)
        process.signals.again(-1)
        thread.apply_mask()
