"""signal.h: actions and masks of signals, and sending them."""

from __future__ import annotations

import os
import struct

from xenos.linux.signals import LAST, SIGKILL, SIGSTOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, EINTR, EAGAIN, EINVAL, ENOMEM, ESRCH = 1, 4, 11, 22, 12, 3
SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK = 0, 1, 2
SS_ONSTACK, SS_DISABLE = 1, 2
_SET = 8        # sizeof(sigset_t) of the kernel
_ACTION = 24    # struct sigaction of asm-generic: handler, flags, mask
_MINSIGSTKSZ = 2048
_NEVER_BLOCKED = 1 << SIGKILL - 1 | 1 << SIGSTOP - 1


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
    signals = process.signals
    old = signals.mask
    new = old
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
    if oldset:
        process.memory.store(oldset, 8, old)
    signals.set_mask(new & ~_NEVER_BLOCKED)
    return 0


def rt_sigpending(process: Process, set: int, sigsetsize: int) -> int:
    """sigpending(2)."""
    if sigsetsize > _SET:
        return -EINVAL
    process.memory.store(set, sigsetsize, process.signals.pending)
    return 0


def rt_sigsuspend(process: Process, mask: int, sigsetsize: int) -> int:
    """sigsuspend(2)."""
    from xenos.linux import waiting

    if sigsetsize != _SET:
        return -EINVAL
    signals = process.signals
    wanted = process.memory.load(mask, 8) & ~_NEVER_BLOCKED
    signals.saved_mask = signals.mask  # the handler that this waits for goes back to it
    signals.set_mask(wanted)
    waiting.poll(process, 0, 0, None)
    return -EINTR


def rt_sigreturn(process: Process) -> None:
    """sigreturn(2)."""
    from xenos.linux import delivery

    delivery.leave(process)


def rt_sigtimedwait(process: Process, set: int, info: int, timeout: int, sigsetsize: int) -> int:
    """sigtimedwait(2), for signals that the guest has blocked."""
    from xenos.linux import waiting
    from xenos.linux.poll import nanoseconds

    if sigsetsize != _SET:
        return -EINVAL
    signals = process.signals
    bits = process.memory.load(set, 8) & ~_NEVER_BLOCKED
    signals.expect(bits)
    if not waiting.until(process, lambda: signals.pending & bits != 0, nanoseconds(process, timeout)):
        return -EAGAIN
    found = signals.pending & bits
    number = (found & -found).bit_length()
    signals.pending &= ~(1 << number - 1)
    if info:
        process.memory.write(info, struct.pack("<iiiiiI", number, 0, 0, 0, os.getpid(), os.getuid()).ljust(128, b"\0"))
    return number


def _on_stack(process: Process, stack: tuple[int, int, int]) -> bool:
    """Whether the guest runs on its alternate stack just now."""
    start, flags, size = stack
    return not flags and start < process.cpu.read(*process.form.stack_pointer) <= start + size


def sigaltstack(process: Process, ss: int, old_ss: int) -> int:
    """sigaltstack(2)."""
    memory, signals = process.memory, process.signals
    old = signals.alternate_stack
    if ss:
        if _on_stack(process, old):
            return -EPERM
        pointer, flags, size = struct.unpack("<QixxxxQ", memory.read(ss, 24))
        if flags & ~(SS_DISABLE | SS_ONSTACK | 1 << 31):
            return -EINVAL
        if not flags & SS_DISABLE and size < _MINSIGSTKSZ:
            return -ENOMEM
        signals.alternate_stack = (0, SS_DISABLE, 0) if flags & SS_DISABLE else (pointer, 0, size)
    if old_ss:
        flags = SS_ONSTACK if _on_stack(process, old) else old[1]
        memory.write(old_ss, struct.pack("<QixxxxQ", old[0], flags, old[2]))
    return 0


def kill(process: Process, pid: int, sig: int) -> int:
    """kill(2)."""
    if not 0 <= sig <= LAST:
        return -EINVAL
    if pid == os.getpid() and sig:
        process.signals.arrive(sig)
        return 0
    if pid == 0 or pid == -1 or (pid < -1 and -pid == os.getpgid(0)):
        return _kill_group(process, pid, sig)
    os.kill(pid, sig)
    return 0


def _kill_group(process: Process, pid: int, sig: int) -> int:
    """To a group that this process is in: the others by the host, and this one by the guest's rules."""
    if not sig:
        os.kill(pid, sig)
        return 0
    import signal as host

    before = host.signal(sig, host.SIG_IGN) if sig not in (SIGKILL, SIGSTOP) else None
    try:
        os.kill(pid, sig)
    finally:
        if before is not None:
            host.signal(sig, before)
    process.signals.arrive(sig)
    return 0


def tkill(process: Process, tid: int, sig: int) -> int:
    """tkill(2)."""
    return tgkill(process, tid, tid, sig)


def tgkill(process: Process, tgid: int, tid: int, sig: int) -> int:
    """tgkill(2)."""
    if tgid <= 0 or tid <= 0:
        return -EINVAL
    if tid != tgid:
        return -ESRCH
    return kill(process, tgid, sig)
