"""signal.h: actions and masks of signals, and sending them."""

from __future__ import annotations

import os
import struct

from xenos.linux import kernel
from xenos.linux.delivery import SS_AUTODISARM
from xenos.linux.kernel import EINTR, ERESTARTSYS, NEVER_BLOCKED
from xenos.linux.signals import DEFAULT, IGNORE, LAST, SIGKILL, SIGSTOP
from xenos.linux.thread import NOBODY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EINVAL, ENOMEM = 1, 22, 12
SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK = 0, 1, 2
SS_ONSTACK, SS_DISABLE = 1, 2
_SET = 8        # sizeof(sigset_t) of the kernel
_ACTION = 24    # struct sigaction of asm-generic: handler, flags, mask
_MINSIGSTKSZ = 2048


def rt_sigaction(process: Process, signum: int, act: int, oldact: int, sigsetsize: int) -> int:
    """sigaction(2)."""
    if sigsetsize != _SET or not 1 <= signum <= LAST or (act and signum in (SIGKILL, SIGSTOP)):
        return -EINVAL
    signals = process.signals
    old = signals.actions.get(signum) or signals.handler(signum).to_bytes(8, "little") + bytes(16)
    new = process.memory.read(act, _ACTION) if act else b""
    if oldact:
        process.memory.write(oldact, old)
    if act:
        signals.set_action(signum, new)
    return 0


def rt_sigprocmask(process: Process, how: int, set: int, oldset: int, sigsetsize: int) -> int:
    """sigprocmask(2)."""
    if sigsetsize != _SET:
        return -EINVAL
    thread = process.thread
    old = new = thread.mask
    if set:
        bits = process.memory.load(set, 8)
        if how == SIG_BLOCK:
            new = old | bits
        elif how == SIG_UNBLOCK:
            new = old & ~bits
        elif how == SIG_SETMASK:
            new = bits
        else:
            return -EINVAL
    new &= ~NEVER_BLOCKED
    if new & ~old:
        thread.block_all()
        if thread.noted and new >> thread.noted_number - 1 & 1:
            return -ERESTARTSYS     # it came before: its handler runs first
    if oldset:
        process.memory.store(oldset, 8, old)
    if new != old:
        thread.set_mask(new)
    return 0


def rt_sigpending(process: Process, set: int, sigsetsize: int) -> int:
    """sigpending(2)."""
    if sigsetsize > _SET:
        return -EINVAL
    made = kernel.plain("rt_sigpending", kernel.pointer(process, set, sigsetsize), sigsetsize)
    kept = sum(1 << number - 1 for number in {*process.thread.kept, *process.signals.kept})
    if kept and not made and sigsetsize == _SET:
        process.memory.store(set, 8, process.memory.load(set, 8) | kept)
    return made


def rt_sigsuspend(process: Process, mask: int, sigsetsize: int) -> int:
    """sigsuspend(2)."""
    if sigsetsize != _SET:
        return -EINVAL
    return kernel.call_masked(process, process.memory.load(mask, 8), lambda bits: kernel.call(
        process, "rt_sigsuspend", bits, _SET))


def rt_sigreturn(process: Process) -> None:
    """sigreturn(2)."""
    from xenos.linux import delivery

    delivery.leave(process)


def rt_sigtimedwait(process: Process, set: int, info: int, timeout: int, sigsetsize: int) -> int:
    """sigtimedwait(2)."""
    if sigsetsize != _SET:
        return -EINVAL
    at, thread = kernel.pointer, process.thread
    wanted = process.memory.load(set, 8)
    ours = wanted & kernel.NEVER_HELD       # the host is not to take what it cannot block
    found = thread.take_kept(ours) if ours else None
    if found is None:
        words = (wanted & ~kernel.NEVER_HELD).to_bytes(8, "little"), at(process, info, 128), at(process, timeout, 16), 8
        result = kernel.call(process, "rt_sigtimedwait", *words)
        if result not in (-EINTR, -ERESTARTSYS) or not thread.noted or not _awaited(process, ours, thread.noted_number):
            return result
        found = thread.take_signal()
        thread.apply_mask()
    if info:
        process.memory.write(info, found)
    return int.from_bytes(found[:4], "little")


def _awaited(process: Process, wanted: int, number: int) -> bool:
    """Whether who waits for a signal takes it: a default without a core dump is quicker, and one that is ignored never comes."""
    bit, handler = 1 << number - 1, process.signals.handler(number)
    return bool(wanted & bit and (process.thread.mask & bit or handler > IGNORE or (handler == DEFAULT and bit & kernel.RAISED)))


def _on_stack(process: Process, stack: tuple[int, int, int]) -> bool:
    """Whether the guest runs on its alternate stack just now."""
    start, flags, size = stack
    return not flags and start < process.cpu.read(*process.form.stack_pointer) <= start + size


def sigaltstack(process: Process, ss: int, old_ss: int) -> int:
    """sigaltstack(2)."""
    memory, thread = process.memory, process.thread
    old = thread.alternate_stack
    if ss:
        if _on_stack(process, old):
            return -EPERM
        pointer, flags, size = struct.unpack("<QIxxxxQ", memory.read(ss, 24))
        if flags & 0x7FFF_FFFF & ~(SS_DISABLE | SS_ONSTACK):
            return -EINVAL
        if not flags & SS_DISABLE and size < _MINSIGSTKSZ:
            return -ENOMEM
        thread.alternate_stack = NOBODY if flags & SS_DISABLE else (pointer, flags & SS_AUTODISARM, size)
    if old_ss:
        flags = SS_ONSTACK if _on_stack(process, old) else old[1]
        memory.write(old_ss, struct.pack("<QIxxxxQ", old[0], flags, old[2]))
    return 0


def kill(process: Process, pid: int, sig: int) -> int:
    """kill(2). A process that may be only a part of ours (the API's) is not really killed."""
    if pid == os.getpid() and sig == SIGKILL:
        process.die(SIGKILL)
        return 0
    return kernel.plain("kill", pid, sig)


def tkill(process: Process, tid: int, sig: int) -> int:
    """tkill(2)."""
    return _to_thread(process, sig, "tkill", tid, sig)


def tgkill(process: Process, tgid: int, tid: int, sig: int) -> int:
    """tgkill(2)."""
    return _to_thread(process, sig, "tgkill", tgid, tid, sig)


def _to_thread(process: Process, sig: int, name: str, *arguments: int) -> int:
    if sig == SIGKILL and any(thread.tid == arguments[-2] for thread in process.threads):
        process.die(SIGKILL)
        return 0
    return kernel.plain(name, *arguments)


def rt_sigqueueinfo(process: Process, tgid: int, sig: int, info: int) -> int:
    """rt_sigqueueinfo(2), behind sigqueue(3)."""
    return kernel.plain("rt_sigqueueinfo", tgid, sig, kernel.pointer(process, info, 128))


def rt_tgsigqueueinfo(process: Process, tgid: int, tid: int, sig: int, info: int) -> int:
    """rt_tgsigqueueinfo(2), behind pthread_sigqueue(3)."""
    return kernel.plain("rt_tgsigqueueinfo", tgid, tid, sig, kernel.pointer(process, info, 128))
