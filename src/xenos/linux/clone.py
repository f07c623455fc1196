"""sched.h: clone, which makes threads and processes."""

from __future__ import annotations

import _signal
import os
import struct

from xenos.cpu.state import Cpu
from xenos.linux import kernel
from xenos.linux.descriptors import Room
from xenos.linux.forking import Birth, beyond_fork
from xenos.linux.signals import DEFAULT, HARMLESS, LAST, STOPPING
from xenos.linux.thread import Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL, EPERM, E2BIG, ERESTARTSYS = 22, 1, 7, 512
SIGKILL = 9
CLONE_VM, CLONE_SIGHAND, CLONE_VFORK, CLONE_THREAD, CLONE_SETTLS = 0x100, 0x800, 0x4000, 0x10000, 0x80000
CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x100000, 0x200000, 0x1000000
CLONE_FS, CLONE_NEWNS, CLONE_NEWUSER = 0x200, 0x20000, 0x10000000
CLONE_PIDFD, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP = 0x1000, 1 << 32, 1 << 33
# struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls
_ARGUMENTS = struct.Struct("<8Q")
_LARGEST_ARGUMENTS = 88     # with set_tid, its size, and a cgroup
_NAMESPACES = 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_POLLIN = 1
_LOOK = struct.pack("<qq", 0, 50_000_000)   # between two looks whether another thread has ended the process


def clone(process: Process, flags: int, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """clone(2) in the argument order of CONFIG_CLONE_BACKWARDS."""
    return _clone(process, flags & ~0xFF, flags & 0xFF, stack, parent_tid, tls, child_tid, parent_tid)


def clone3(process: Process, cl_args: int, size: int) -> int:
    """clone3(2)."""
    if size < _ARGUMENTS.size:
        return -EINVAL
    if size > 1 << 12:
        return -E2BIG
    data = process.memory.read(cl_args, size)
    if any(data[_LARGEST_ARGUMENTS:]):
        return -E2BIG
    flags, pidfd, child_tid, parent_tid, signal, stack, stack_size, tls = _ARGUMENTS.unpack(data[: _ARGUMENTS.size])
    if any(data[_ARGUMENTS.size :]):
        return -EPERM   # set_tid, cgroup: not for guests
    if flags & 0xFF or (stack == 0) != (stack_size == 0) or signal > LAST:
        return -EINVAL
    return _clone(process, flags, signal, stack + stack_size, parent_tid, tls, child_tid, pidfd)


def _clone(process: Process, flags: int, signal: int, stack: int, parent_tid: int, tls: int, child_tid: int,
           pidfd: int) -> int:
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        return -EINVAL
    if flags & _NAMESPACES:
        return -EPERM
    if flags & CLONE_PIDFD and flags & CLONE_PARENT_SETTID and pidfd == parent_tid:
        return -EINVAL  # both would be stored there
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND or flags & CLONE_SIGHAND and not flags & CLONE_VM:
        return -EINVAL
    if flags & CLONE_THREAD:
        return _thread(process, flags, stack, parent_tid, tls, child_tid)
    if flags & CLONE_INTO_CGROUP or flags & CLONE_VM and not flags & CLONE_VFORK:
        return -EINVAL  # processes that share memory for good
    with Room():
        return _fork(process, flags, signal, stack, parent_tid, tls, child_tid, pidfd)


def _thread(process: Process, flags: int, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """A thread: a CPU like the caller's, but for the stack."""
    if flags & (CLONE_PIDFD | CLONE_VFORK):
        return -EINVAL
    caller, form = process.thread, process.form
    thread = Thread(process, process.threads.spare_cpu() or Cpu(caller.cpu.layout))
    cpu = thread.cpu
    cpu.copy(caller.cpu)
    if stack:
        cpu.write(*form.stack_pointer, stack)
    if flags & CLONE_SETTLS:
        cpu.write(*form.thread_pointer, tls)
    cpu.write(*form.result, 0)
    thread.mask = caller.mask
    thread.share_kept()
    thread.comm = caller.comm
    if flags & CLONE_CHILD_CLEARTID:
        thread.clear_child_tid = child_tid
    return process.threads.start(thread, [address for wanted, address in (
        (CLONE_PARENT_SETTID, parent_tid), (CLONE_CHILD_SETTID, child_tid)) if flags & wanted])


def _fork(process: Process, flags: int, signal: int, stack: int, parent_tid: int, tls: int, child_tid: int, pidfd: int) -> int:
    """A child process. One of vfork has memory of its own, too."""
    cpu, form = process.cpu, process.form
    shared = not flags & CLONE_VFORK and any(region.shared and region.prot & 2 for region in process.memory.regions)
    if shared:
        from xenos.linux import heir

        heir.of(process).appoint(process)
    process.thread.block_all()
    if process.thread.noted:
        return -ERESTARTSYS     # it is the parent's: to be seen to before there is a child
    pointer = cpu.read(*form.stack_pointer)
    ends = _hidden_pipe(process) if flags & CLONE_VFORK else (-1, -1)
    with process.memory.lock:   # no other thread is in the middle of anything of ours
        for call in process.before_fork:
            call()
        pid = -1
        birth = Birth(process, beyond_fork(process, flags, signal))
        try:
            pid = birth.fork()
            if pid:
                if _dying(process):
                    os.kill(pid, SIGKILL)
                told = birth.wait(pid)
        except OSError:
            for fd in ends:
                if fd >= 0:
                    os.close(fd)
            raise
        finally:
            birth.close(pid)
            if pid:
                process.thread.apply_mask()
        if not pid:     # what was sent to it, if only to its group, is still to come: nobody of this process were there to note it
            _become_child(process, ends, pointer if flags & CLONE_VM else 0)
            process.thread.apply_mask()
            birth.begun(heir.of(process).appoint(process) if shared else 0)
    if pid:
        if process.heirs is not None:
            process.heirs.note(pid, told)
        if flags & CLONE_PARENT_SETTID:
            process.memory.store(parent_tid, 4, pid)
        if flags & CLONE_PIDFD:
            process.memory.store(pidfd, 4, process.opened(os.pidfd_open(pid)))
        if ends[0] >= 0:
            os.close(ends[1])
            _await_vfork(process, ends[0])
        return pid
    if stack:
        cpu.write(*form.stack_pointer, stack)
    if flags & CLONE_CLEAR_SIGHAND:
        process.signals.clear_handlers()
    if flags & CLONE_SETTLS:
        cpu.write(*form.thread_pointer, tls)
    process.thread.clear_child_tid = child_tid if flags & CLONE_CHILD_CLEARTID else 0
    if flags & CLONE_CHILD_SETTID:
        process.memory.store(child_tid, 4, os.getpid())
    return 0


def _dying(process: Process) -> bool:
    """Whether a signal has come, while none could come through, that ends this process. Had it been seen to at once, there were no
    child; one that was sent to their group is not sent to a child that was not there yet."""
    return any(process.signals.handler(number) == DEFAULT and number not in HARMLESS | STOPPING
               and not process.thread.mask >> number - 1 & 1 for number in _signal.sigpending())


def _hidden_pipe(process: Process) -> tuple[int, int]:
    reader, writer = os.pipe()
    return process.hide(reader), process.hide(writer)


def _become_child(process: Process, ends: tuple[int, int], parent_stack: int) -> None:
    process.forked = True
    process.timers.clear()
    process.heirs = None
    process.signals.kept.clear()    # what is pending is the parent's
    process.thread.drop_kept()
    thread = process.thread
    several = process.threads.several
    process.threads.after_fork(thread)
    if process.bridge is not None:
        process.bridge.after_fork()
    if not thread.noted:
        thread.unpoke()
    thread.robust_list = 0
    thread.begin(main=True)
    if process.vfork_pipe >= 0:  # that of our parent, which is a child of vfork itself
        os.close(process.vfork_pipe)
    process.vfork_pipe, process.vfork_stack, process.vfork_before = ends[1], parent_stack, None
    if several and parent_stack and ends[1] >= 0:
        from xenos.linux import handback

        process.vfork_before = handback.stack_at(process, parent_stack)
    if ends[0] >= 0:
        os.close(ends[0])
    for call in process.after_fork:
        call()


def _await_vfork(process: Process, reader: int) -> None:
    """Wait until the child runs a program or has ended; take what it wrote into our memory (posix_spawn's errno)."""
    data = b""
    entry = struct.pack("<ihh", reader, _POLLIN, 0)
    while process.outcome is None:  # only what ends the process ends this wait
        if kernel.plain("ppoll", entry, 1, _LOOK, 0, 0) > 0:
            part = os.read(reader, 1 << 16)
            if not part:
                break
            data += part
    os.close(reader)
    if data:
        from xenos.linux import handback

        handback.take(process, data)


def leave_vfork(process: Process, *, executed: bool) -> None:
    """In a child of vfork: let the parent go on."""
    pipe, process.vfork_pipe = process.vfork_pipe, -1
    if pipe < 0:
        return
    if process.vfork_stack and not executed:
        from xenos.linux import handback

        handback.give(process, pipe, process.vfork_stack, process.vfork_before)
    os.close(pipe)
