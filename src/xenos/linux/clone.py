"""sched.h: clone, as far as it makes processes. A thread cannot be made yet: -EAGAIN, as when there are too many."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EAGAIN, EINVAL, EPERM = 11, 22, 1
CLONE_VM, CLONE_VFORK, CLONE_THREAD, CLONE_SETTLS = 0x100, 0x4000, 0x10000, 0x80000
CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x100000, 0x200000, 0x1000000
CLONE_PIDFD, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP = 0x1000, 1 << 32, 1 << 33
# struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls
_ARGUMENTS = struct.Struct("<8Q")
_NAMESPACES = 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_SHARED_STACK = 64 << 10  # of its parent's stack, what a child of vfork hands back


def clone(process: Process, flags: int, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """clone(2) in the argument order of CONFIG_CLONE_BACKWARDS."""
    return _clone(process, flags & ~0xFF, stack, parent_tid, tls, child_tid)


def clone3(process: Process, cl_args: int, size: int) -> int:
    """clone3(2)."""
    if size < _ARGUMENTS.size:
        return -EINVAL
    flags, _, child_tid, parent_tid, _, stack, stack_size, tls = _ARGUMENTS.unpack(
        process.memory.read(cl_args, _ARGUMENTS.size)
    )
    return _clone(process, flags, stack + stack_size if stack else 0, parent_tid, tls, child_tid)


def _clone(process: Process, flags: int, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """A fork. A child of vfork has memory of its own, too."""
    if flags & CLONE_THREAD:
        return -EAGAIN
    if flags & _NAMESPACES:
        return -EPERM
    if flags & (CLONE_PIDFD | CLONE_INTO_CGROUP) or (flags & CLONE_VM and not flags & CLONE_VFORK):
        return -EINVAL
    cpu, form = process.cpu, process.form
    pointer = cpu.read(*form.stack_pointer)
    ends = _hidden_pipe(process) if flags & CLONE_VFORK else (-1, -1)
    for call in process.before_fork:
        call()
    # Until the child has made its own copy of what engines share by memfd (translated code), we must not change it.
    ready = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        for fd in (*ready, *ends):
            if fd >= 0:
                os.close(fd)
        raise
    if pid:
        os.close(ready[1])
        os.read(ready[0], 1)
        os.close(ready[0])
        if flags & CLONE_PARENT_SETTID:
            process.memory.store(parent_tid, 4, pid)
        if ends[0] >= 0:
            os.close(ends[1])
            _await_vfork(process, ends[0], pointer)
        return pid
    os.close(ready[0])
    _become_child(process, ends, pointer if flags & CLONE_VM else 0)
    os.close(ready[1])
    if stack:
        cpu.write(*form.stack_pointer, stack)
    if flags & CLONE_CLEAR_SIGHAND:
        process.signals.clear_handlers()
    if flags & CLONE_SETTLS:
        cpu.write(*form.thread_pointer, tls)
    process.clear_child_tid = child_tid if flags & CLONE_CHILD_CLEARTID else 0
    if flags & CLONE_CHILD_SETTID:
        process.memory.store(child_tid, 4, os.getpid())
    return 0


def _hidden_pipe(process: Process) -> tuple[int, int]:
    reader, writer = os.pipe()
    return process.hide(reader), process.hide(writer)


def _become_child(process: Process, ends: tuple[int, int], parent_stack: int) -> None:
    process.forked = True
    process.signals.pending, process.signals.poked = 0, False
    if process.vfork_pipe >= 0:  # that of our parent, which is a child of vfork itself
        os.close(process.vfork_pipe)
    process.vfork_pipe, process.vfork_stack = ends[1], parent_stack
    if ends[0] >= 0:
        os.close(ends[0])
    for call in process.after_fork:
        call()


def _await_vfork(process: Process, reader: int, pointer: int) -> None:
    """Wait until the child runs a program or has ended; take what it wrote into our stack (posix_spawn's errno)."""
    with open(reader, "rb") as pipe:
        data = pipe.read()
    if data:
        process.memory.write(pointer, data)


def leave_vfork(process: Process, *, executed: bool) -> None:
    """In a child of vfork: let the parent go on."""
    pipe, process.vfork_pipe = process.vfork_pipe, -1
    if pipe < 0:
        return
    start = process.vfork_stack
    region = process.memory.regions.at(start) if start and not executed else None
    if region is not None:
        data = process.memory.read(start, min(_SHARED_STACK, region.end - start))
        while data:
            data = data[os.write(pipe, data) :]
    os.close(pipe)
