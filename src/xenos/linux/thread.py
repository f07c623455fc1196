"""One thread of a guest: a thread of the host with a CPU of its own, its signal mask, and what its end is told to."""

from __future__ import annotations

import _thread
import os
import struct

from xenos.cpu.layout import CLEAR_TID, CONTROL_SIZE, MASK, MORE, ROBUST, SIGNAL, STACK, WAKE
from xenos.linux import kernel, shortcuts
from xenos.memory.flat import BASE, MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.state import Cpu
    from xenos.linux.process import Process

# The halves of WAKE, which are written apart: by the native handler on this thread, and by other threads.
_NOTED = slice(CONTROL_SIZE + WAKE, CONTROL_SIZE + WAKE + 4)
_POKED = slice(CONTROL_SIZE + WAKE + 4, CONTROL_SIZE + WAKE + 8)
_INFO = slice(CONTROL_SIZE + SIGNAL, CONTROL_SIZE + SIGNAL + 128)
_NO, _YES = bytes(4), b"\1\0\0\0"
NOBODY = (0, 2, 0)          # a sigaltstack(2) that is disabled: ss_sp, ss_flags, ss_size
FUTEX_WAKE = 1
_SI_TKILL = -6
_ALL = (1 << 64) - 1
_ANYONES = 1                # in MORE, where only signals stand that the host never blocks: `Signals.kept` is to be looked at


class Thread:
    """`tid` is the host's own number of it, and so are the signals that are blocked.

    `mask` are the guest's blocked signals, bit N-1 for signal N; `temporary` is the one in force instead while a call such as
    sigsuspend(2) waits, and until the handler that ended it has been entered.
    """

    def __init__(self, process: Process, cpu: Cpu) -> None:
        self.process = process
        self.cpu = cpu
        self.tid = 0
        self.comm = b""                 # name given by prctl, if any
        self.fresh()

    def fresh(self) -> None:
        """As in a new process."""
        self.ended = False
        self.mask = 0
        self.temporary: int | None = None
        self.kept: dict[int, bytes] = {}    # pending signals that the host never blocks, with their siginfo
        self.alternate_stack = NOBODY
        self.clear_child_tid = 0            # both see set_tid_address(2), set_robust_list(2)
        self.robust_list = 0

    # Signals. The native handler notes one at a time in the CPU's state block, and blocks all others until we have seen to it.

    @property
    def mask(self) -> int:
        """The guest's blocked signals, bit N-1 for signal N; in the state block, where generated code may change it."""
        return self.cpu.get(MASK)

    @mask.setter
    def mask(self, mask: int) -> None:
        self.cpu.set(MASK, mask)

    # What native code looks at lies in the state block, too.

    @property
    def alternate_stack(self) -> tuple[int, int, int]:
        """As sigaltstack(2) has it: ss_sp, ss_flags, ss_size."""
        cpu = self.cpu
        return cpu.get(STACK), cpu.get(STACK + 8), cpu.get(STACK + 16)

    @alternate_stack.setter
    def alternate_stack(self, stack: tuple[int, int, int]) -> None:
        for number, value in enumerate(stack):
            self.cpu.set(STACK + 8 * number, value)

    @property
    def clear_child_tid(self) -> int:
        """Guest address that is cleared when the thread ends, or 0."""
        return self.cpu.get(CLEAR_TID)

    @clear_child_tid.setter
    def clear_child_tid(self, address: int) -> None:
        self.cpu.set(CLEAR_TID, address)

    @property
    def robust_list(self) -> int:
        """Guest address of the head of its robust futexes, or 0."""
        return self.cpu.get(ROBUST)

    @robust_list.setter
    def robust_list(self, head: int) -> None:
        self.cpu.set(ROBUST, head)

    @property
    def noted(self) -> bool:
        """Whether a signal was noted that has not been acted on."""
        return self.cpu.bytes[_NOTED] != _NO

    @property
    def noted_number(self) -> int:
        """Which one that is."""
        return int.from_bytes(self.cpu.bytes[_INFO.start : _INFO.start + 4], "little")

    @property
    def woken(self) -> bool:
        """Whether something is to be looked at before this thread waits, or runs, again."""
        return self.cpu.get(WAKE) != 0

    def take_signal(self) -> bytes:
        """The siginfo of the noted signal, which is noted no longer; others stay blocked until `apply_mask`."""
        info = bytes(self.cpu.bytes[_INFO])
        self.cpu.bytes[_NOTED] = _NO
        return info

    def note(self, info: bytes) -> None:
        """As the native handler does, which has noted none."""
        self.cpu.bytes[_INFO] = info
        self.cpu.bytes[_NOTED] = _YES
        self.cpu.interrupt()

    def poke(self) -> None:
        """From another thread: leave generated code, and whatever call this waits in."""
        self.cpu.bytes[_POKED] = _YES
        self.cpu.interrupt()
        if self.tid and self.process.bridge is not None:
            self.process.bridge.poke(self.tid)

    @property
    def undisturbed(self) -> bool:
        """Whether what ended a call was nothing to the guest: another thread's poke, or a signal that is blocked (the host blocks
        not all of them)."""
        if not self.noted:
            return self.cpu.bytes[_POKED] != _NO
        return bool((self.mask if self.temporary is None else self.temporary) >> self.noted_number - 1 & 1)

    def unpoke(self) -> None:
        """What we were poked for has been seen, but for a signal that is pending for whoever unblocks it."""
        self.cpu.bytes[_POKED] = _NO
        if self.process.signals.kept and not self.noted:
            self.apply_mask()

    def block_all(self) -> None:
        """Let no signal come to this thread of the host until `apply_mask`."""
        if self.process.bridge is not None:
            kernel.set_mask(_ALL & ~kernel.NEVER_HELD)

    def apply_mask(self) -> None:
        """Make the host's mask of this thread what the guest's is, unless a signal is noted that must be seen to first.

        The host never blocks what generated code raises by itself, whose handlers are ours.
        """
        if self.keeps and not self.noted:
            self.block_all()
            self.note_kept(self.mask)
        if self.noted or self.process.bridge is None:
            return
        mask = (self.mask if self.temporary is None else self.temporary) & ~kernel.NEVER_HELD
        # A signal may come at any moment, until then: others are to wait until that has been seen to.
        if not self.process.bridge.set_mask(self.cpu, mask):
            self.block_all()
            if not self.noted:
                kernel.set_mask(mask)

    def set_mask(self, mask: int) -> None:
        """Block these signals and no others. One that was noted and is blocked by now goes back to the host's kernel."""
        self.mask = mask
        if self.noted:
            number = self.noted_number
            if mask >> number - 1 & 1:
                self.keep(number, self.take_signal())
        self.apply_mask()

    @property
    def keeps(self) -> bool:
        """Whether signals are pending that the host never blocks: this thread's, or whoever's is first to unblock them."""
        return bool(self.kept or self.process.signals.kept or self.cpu.get(MORE))

    def keep(self, number: int, info: bytes) -> None:
        """A signal came that is blocked by now: it is pending, with the host's kernel if that can block it."""
        if 1 << number - 1 & kernel.NEVER_HELD:
            if 1 << number - 1 & self.process.signals.shown:
                shortcuts.withdraw_looks(self.process)
            if self.process.threads.several and struct.unpack_from("<i", info, 8)[0] != _SI_TKILL:
                self.process.signals.kept.setdefault(number, info)
                self.process.threads.interrupt()    # another may wait with this one unblocked
                return
            self.kept[number] = info
            self.cpu.set(MORE, self.cpu.get(MORE) | 1 << number - 1)
        else:
            kernel.plain("rt_tgsigqueueinfo", os.getpid(), self.tid, number, info)

    def take_kept(self, wanted: int) -> bytes | None:
        """The siginfo of one of these signals that was pending with us, and is so no longer: this thread's own before anyone's."""
        more = self.cpu.get(MORE) & ~_ANYONES       # those that came while another was noted
        if more:
            self.cpu.set(MORE, 0)
            for number in range(1, 65):
                if more >> number - 1 & 1:
                    self.kept.setdefault(number, number.to_bytes(4, "little").ljust(128, b"\0"))
        common, found = self.process.signals.kept, None
        for pending in self.kept, common:
            for number in sorted(pending):
                if found is None and wanted >> number - 1 & 1:
                    found = pending.pop(number, None)
        self.cpu.set(MORE, sum(1 << number - 1 for number in self.kept) | (_ANYONES if common else 0))
        return found

    def note_kept(self, mask: int) -> None:
        """Note one that was pending with us and is not in `mask`."""
        info = self.take_kept(~mask)
        if info is not None:
            self.note(info)

    def drop_kept(self) -> None:
        """None of those is pending."""
        self.kept.clear()
        self.cpu.set(MORE, 0)

    def share_kept(self) -> None:
        """Before it begins: what is pending for any thread may be for this one."""
        if self.process.signals.kept:
            self.cpu.set(MORE, _ANYONES)

    # Life.

    def begin(self, main: bool = False) -> None:
        """On the thread of the host that this is from now on."""
        self.tid = _thread.get_native_id()
        self.process.here.thread = self
        if self.process.bridge is not None:
            self.process.bridge.enter(self.tid, self.cpu, main)
            self.apply_mask()

    def end(self) -> None:
        """The thread is no more."""
        self.block_all()
        if self.process.bridge is not None:
            self.process.bridge.leave(self.tid)
        if self.noted:
            self._pass_on(self.take_signal())
        if self.process.bridge is not None:     # a poke that is on its way comes now: later there may be no handler for it
            kernel.set_mask(_ALL & ~kernel.RAISED)
        self.let_go()

    def _pass_on(self, info: bytes) -> None:
        """A signal was noted that this thread does not live to see: if it was for the whole process, another may."""
        number, _, code = struct.unpack_from("<iii", info)
        if code != _SI_TKILL and self.process.threads.several and kernel.plain("rt_sigqueueinfo", os.getpid(), number, info) < 0:
            kernel.plain("kill", os.getpid(), number)       # only the first thread may say that it comes from kill(2), or a timer

    def let_go(self) -> None:
        """Say that the thread, or the memory that it had, is no more, where that was asked for (set_tid_address(2),
        set_robust_list(2))."""
        if self.robust_list:
            from xenos.linux import futex

            futex.let_go(self.process, self)
        where, self.clear_child_tid = self.clear_child_tid, 0
        if where:
            try:
                self.process.memory.store(where, 4, 0)
                kernel.plain("futex", BASE + where, FUTEX_WAKE, 1, 0, 0, 0)
            except MemoryFault:
                pass
