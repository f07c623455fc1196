"""Between a guest process and the host's kernel: calls that a signal can end, and the handler that notes signals for the guest.

The host's kernel keeps the guest's signals: its dispositions and the masks of its threads are the host's own. A signal that the
guest handles comes to one native handler, which notes its siginfo in the state block of the thread it came to, blocks all others
there, and makes that thread's code stop at its next poll. `call` makes a system call unless something is noted already; a signal
that comes between that look and the call itself moves the thread behind the call, so that none is slept through.
"""

from __future__ import annotations

import ctypes
import os

from xenos.cpu import layout as at
from xenos.engines.runtime import direct
from xenos.engines.runtime.direct import NEVER_HELD, POKE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from xenos.cpu.state import Cpu
    from xenos.linux.form import LinuxForm

THREADS_MAX = 8192
SIGNALS = 64
_ENTRY = 16             # {thread id, state pointer}
# Words of the data that the code works on.
MAIN, PID, MAIN_THREAD, TABLE = 0, 8, 16, 64
# The address of `raw`, the host's numbers of two calls, whether threads may end without Python, and whether some have.
RAW, FUTEX, SIGNAL_MASK, QUIET, ENDED = 24, 32, 40, 48, 56
# Words of a thread's record, see runtime/lives.py.
STATE, CODE, GO, DONE, ENTRY, TELL, DATA, BLOCKED, RECORD = 0, 8, 16, 24, 32, 40, 48, 56, 64
_ACTION = 32            # the kernel's struct sigaction: handler, flags, restorer, mask
_ALL = (1 << 64) - 1
SA_SIGINFO, _SA_RESTORER = 4, 0x04000000
_SI_QUEUE = (1 << 32) - 1
_SIG_SETMASK = 2
_DETACHED = 1           # PTHREAD_CREATE_DETACHED
_WAKE_PRIVATE = 1 | 128 # FUTEX_WAKE, of this process only
_STACK = 1 << 20        # bytes of the host's stack for a thread: Python's own needs, not the guest's
_KINDS = {"": direct.PLAIN, "futex": direct.FUTEX, "time": direct.TIME, "vector": direct.VECTOR, "unnamed": direct.UNNAMED,
          "events": direct.EVENTS, "masks": direct.MASKS, "return": direct.RETURN,
          "end": direct.END_THREAD, "robust": direct.ROBUST, "advice": direct.ADVICE,
          "unmasked": direct.UNMASKED}


def text(host: ModuleType, room: int) -> str:
    """The module, as LLVM text IR with the host's own few lines of assembly; what is compiled has `room` bytes on the stack."""
    return str(host.CALLS_TEXT) + "@data = external hidden global i8\n" + _handler(host) + _dispose(host) + (
        # What Python enters generated code by.
        f"define dso_local void @drive(i64 %state, i64 %code) nounwind {{\n %room = alloca [{room} x i8], align 16\n"
        " %room64 = ptrtoint ptr %room to i64\n %done = call i64 @follow(i64 %state, i64 %code, i64 %room64)\n ret void\n}\n"
        # And what a thread begins with that Python makes.
        f"define dso_local ptr @thread(i64 %record) nounwind {{\n %room = alloca [{room} x i8], align 16\n"
        " %room64 = ptrtoint ptr %room to i64\n %done = call i64 @live(i64 %record, i64 %room64)\n ret ptr null\n}\n")


def _word(name: str, offset: int) -> str:
    return f" %{name} = getelementptr i8, ptr %st, i64 {offset}\n"


def _handler(host: ModuleType) -> str:
    """Any signal that the guest is to know of. Where it comes to a thread that is not the guest's, the main one gets it."""
    numbers = host.SYSTEM_CALLS
    return (
        "declare hidden i64 @raw(i64, i64, i64, i64, i64)\ndeclare hidden void @window()\ndeclare hidden void @behind()\n"
        "declare hidden void @aborted()\n"
        "define dso_local void @on_signal(i32 %sig, ptr %info, ptr %uc) nounwind {\nentry:\n %d = load ptr, ptr @data\n"
        f" %tid = call i64 @raw(i64 {numbers['gettid']}, i64 0, i64 0, i64 0, i64 0)\n br label %look\n"
        f"look:\n %i = phi i64 [ {TABLE}, %entry ], [ %i1, %next ]\n %e = getelementptr i8, ptr %d, i64 %i\n"
        " %t = load volatile i64, ptr %e\n %mine = icmp eq i64 %t, %tid\n br i1 %mine, label %found, label %other\n"
        "other:\n %end = icmp eq i64 %t, 0\n br i1 %end, label %foreign, label %next\nnext:\n"
        f" %i1 = add i64 %i, {_ENTRY}\n br label %look\n"
        # Not a thread of the guest's: hand it on, with its siginfo.
        f"foreign:\n %m.p = getelementptr i8, ptr %d, i64 {MAIN_THREAD}\n %m = load i64, ptr %m.p\n"
        " %nobody = icmp eq i64 %m, 0\n br i1 %nobody, label %done, label %hand\nhand:\n"
        # The kernel lets no thread say to another that a signal comes from the kernel or kill(2): call it queued.
        " %code.p = getelementptr i8, ptr %info, i64 8\n %code = load i32, ptr %code.p\n %own = icmp sge i32 %code, 0\n"
        " %sent = select i1 %own, i32 -1, i32 %code\n store i32 %sent, ptr %code.p\n"
        f" %p.p = getelementptr i8, ptr %d, i64 {PID}\n %p = load i64, ptr %p.p\n %sig64 = zext i32 %sig to i64\n"
        " %info64 = ptrtoint ptr %info to i64\n"
        f" %ignored = call i64 @raw(i64 {numbers['rt_tgsigqueueinfo']}, i64 %p, i64 %m, i64 %sig64, i64 %info64)\n"
        " br label %done\n"
        "found:\n %st.p = getelementptr i8, ptr %e, i64 8\n %st = load ptr, ptr %st.p\n"
        + _word("limit", at.LIMIT) + _word("interrupt", at.INTERRUPT) + _word("wake", at.WAKE) +
        " store volatile i64 1, ptr %interrupt\n store volatile i64 0, ptr %limit\n br label %clear\n"
        "clear:\n %k = phi i64 [ 0, %found ], [ %k1, %clear ]\n %c = getelementptr i8, ptr %st, i64 %k\n"
        f" %tag = getelementptr i8, ptr %c, i64 {at.JUMP_CACHE}\n store volatile i64 1, ptr %tag\n"
        f" %k1 = add i64 %k, 16\n %all = icmp eq i64 %k1, {at.JUMP_CACHE_SIZE}\n br i1 %all, label %place, label %clear\n"
        # Between the look at WAKE and the call: do not make it.
        f"place:\n %pc.p = getelementptr i8, ptr %uc, i64 {host.CONTEXT['pc']}\n %pc = load i64, ptr %pc.p\n"
        " %w = ptrtoint ptr @window to i64\n %b = ptrtoint ptr @behind to i64\n %a = ptrtoint ptr @aborted to i64\n"
        " %after = icmp uge i64 %pc, %w\n %before = icmp ult i64 %pc, %b\n %between = and i1 %after, %before\n"
        " %go = select i1 %between, i64 %a, i64 %pc\n store i64 %go, ptr %pc.p\n"
        # A poke carries the address of our data.
        f" %ispoke = icmp eq i32 %sig, {POKE}\n br i1 %ispoke, label %poke, label %note\n"
        "poke:\n %v.p = getelementptr i8, ptr %info, i64 24\n %v = load ptr, ptr %v.p\n %ours = icmp eq ptr %v, %d\n"
        " br i1 %ours, label %poked, label %note\n"    # said once more: the thread may have seen what was said before it came
        f"poked:\n{_word('half', at.WAKE + 4)} store volatile i32 1, ptr %half\n br label %done\n"
        # One of those that are never blocked may come while another is noted.
        f"note:\n %full0 = load volatile i32, ptr %wake\n %busy = icmp ne i32 %full0, 0\n"
        " br i1 %busy, label %more, label %free\nmore:\n %n1 = sub i32 %sig, 1\n %n64 = zext i32 %n1 to i64\n"
        " %nbit = shl i64 1, %n64\n" + _word("more.p", at.MORE) + " %m0 = load volatile i64, ptr %more.p\n"
        " %m1 = or i64 %m0, %nbit\n store volatile i64 %m1, ptr %more.p\n br label %done\n"
        "free:\n br label %copy\ncopy:\n %j = phi i64 [ 0, %free ], [ %j1, %copy ]\n"
        " %from = getelementptr i8, ptr %info, i64 %j\n %x = load i64, ptr %from\n %slot = getelementptr i8, ptr %st, i64 %j\n"
        f" %to = getelementptr i8, ptr %slot, i64 {at.SIGNAL}\n store volatile i64 %x, ptr %to\n %j1 = add i64 %j, 8\n"
        " %full = icmp eq i64 %j1, 128\n br i1 %full, label %block, label %copy\n"
        "block:\n store volatile i32 1, ptr %wake\n"
        f" %mask = getelementptr i8, ptr %uc, i64 {host.SIGNAL_MASK}\n store i64 {_ALL - NEVER_HELD - (1 << 64)}, ptr %mask\n"
        " br label %done\ndone:\n ret void\n}\n")


def _dispose(host: ModuleType) -> str:
    """From C: give the kernel dispositions for the signals whose bits are set, and take those it had."""
    number = host.SYSTEM_CALLS["rt_sigaction"]
    return (
        "define dso_local void @dispose(i64 %which, ptr %new, ptr %old) nounwind {\nentry:\n br label %next\n"
        "next:\n %n = phi i64 [ 1, %entry ], [ %n1, %on ]\n %i = sub i64 %n, 1\n %bits = lshr i64 %which, %i\n"
        " %bit = and i64 %bits, 1\n %set = icmp ne i64 %bit, 0\n br i1 %set, label %do, label %on\ndo:\n"
        f" %at = mul i64 %i, {_ACTION}\n %new0 = ptrtoint ptr %new to i64\n %old0 = ptrtoint ptr %old to i64\n"
        " %new1 = add i64 %new0, %at\n %none = icmp eq i64 %new0, 0\n %new2 = select i1 %none, i64 0, i64 %new1\n"
        " %old1 = add i64 %old0, %at\n %drop = icmp eq i64 %old0, 0\n %old2 = select i1 %drop, i64 0, i64 %old1\n"
        f" %r = call i64 @raw(i64 {number}, i64 %n, i64 %new2, i64 %old2, i64 8)\n br label %on\n"
        f"on:\n %n1 = add i64 %n, 1\n %end = icmp eq i64 %n1, {SIGNALS + 1}\n br i1 %end, label %out, label %next\n"
        "out:\n ret void\n}\n")


class Bridge:
    """The module, loaded, and the table of the guest's threads that it looks into."""

    POKE = POKE

    def __init__(self, code: bytes, data: int, offsets: dict[str, int]) -> None:
        from xenos.engines.code.arena import Arena

        self._arena = Arena(1 << 16)
        self._data = (ctypes.c_uint64 * ((TABLE + _ENTRY * (THREADS_MAX + 1)) // 8))()
        self._words = memoryview(self._data).cast("B").cast("Q")
        self.address = ctypes.addressof(self._data)
        self._arena.view[: len(code)] = code
        self._arena.view[data : data + 8] = self.address.to_bytes(8, "little")
        base = self._arena.base
        if "flush" in offsets:
            ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64)(base + offsets["flush"])(base, base + len(code))
        word, pointer = ctypes.c_long, ctypes.c_void_p
        self.on_signal = base + offsets["on_signal"]
        self.address_of = {name: base + offset for name, offset in offsets.items()}
        self.call = ctypes.CFUNCTYPE(word, pointer, word, pointer)(base + offsets["call"])
        self.raw = ctypes.CFUNCTYPE(word, word, word, word, word, word)(base + offsets["raw"])
        self._dispose = ctypes.CFUNCTYPE(None, ctypes.c_uint64, pointer, pointer)(base + offsets["dispose"])
        self._restorer = base + offsets["restorer"]
        from xenos.engines.hosts import host_runtime

        self._host = host_runtime()
        self._queue = self._host.SYSTEM_CALLS["rt_tgsigqueueinfo"]
        self._where: dict[int, int] = {}    # thread id -> index of its entry in words
        self._free: list[int] = []
        self._end = TABLE // 8
        self._words[PID // 8] = os.getpid()
        numbers = self._host.SYSTEM_CALLS
        for at_, value in ((RAW, base + offsets["raw"]), (FUTEX, numbers["futex"]),
                           (SIGNAL_MASK, numbers["rt_sigprocmask"])):
            self._words[at_ // 8] = value
        self._libc: Any = None
        # Python's lock is held meanwhile: threads share the arguments.
        self._set_mask = ctypes.PYFUNCTYPE(word, pointer, word, pointer)(base + offsets["call"])
        self._mask = (ctypes.c_uint64 * 7)()
        self._mask_at = ctypes.addressof(self._mask)

    # Threads.

    def enter(self, thread: int, cpu: Cpu, main: bool) -> None:
        """Signals that come to this thread of the host are noted in that CPU's state block."""
        self.leave(thread)
        at_ = self._free.pop() if self._free else self._end
        if at_ == self._end:
            self._end += 2
        self._words[at_ + 1] = cpu.address
        self._words[at_] = thread
        self._where[thread] = at_
        if main:
            self._words[MAIN_THREAD // 8] = thread

    def leave(self, thread: int, cpu: Cpu | None = None) -> None:
        """The thread is the guest's no longer; given a CPU, only if that is still its."""
        at_ = self._where.get(thread, 0)
        if cpu is not None and self._words[at_ + 1] != cpu.address:
            return      # its number is another thread's by now
        if at_:
            del self._where[thread]
            self._words[at_] = _ALL
            self._free.append(at_)
        if self._words[MAIN_THREAD // 8] == thread:
            self._words[MAIN_THREAD // 8] = 0

    @property
    def full(self) -> bool:
        """Whether no more threads can be noted."""
        return len(self._where) >= THREADS_MAX

    def start(self, cpu: Cpu, code: int, blocked: int, tell: int) -> tuple[Any, int] | None:
        """Make a thread that lives as runtime/lives.py says once it may `go`: its record and its id; None if the host has no more.

        It begins with the host `code`, and calls the C function `tell`.
        """
        libc = self._libc or self._load()
        record = (ctypes.c_uint64 * (RECORD // 8))()
        at_ = ctypes.addressof(record)
        for where, value in ((STATE, cpu.address), (CODE, code), (TELL, tell), (DATA, self.address),
                             (BLOCKED, blocked & ~NEVER_HELD)):
            record[where // 8] = value
        if libc.pthread_create(self._made_at, self._attributes, self.address_of["thread"], at_):
            return None
        libc.pthread_getcpuclockid(self._made, self._clock_at)
        tid = ~(self._clock.value >> 3)     # bits of a CPU clock's id: those of a thread id inverted, then which clock (clockid.h)
        self.enter(tid, cpu, False)
        record[ENTRY // 8] = self.address + 8 * self._where[tid]
        return record, tid

    def _load(self) -> Any:
        """The C library's threads. Python's lock is held while they are made, for that does not wait."""
        libc = self._libc = ctypes.PyDLL(None)
        pointer = ctypes.c_void_p
        libc.pthread_create.argtypes = (pointer, pointer, pointer, pointer)
        libc.pthread_getcpuclockid.argtypes = (pointer, pointer)
        self._made, self._clock = ctypes.c_void_p(), ctypes.c_int()
        self._made_at, self._clock_at = ctypes.addressof(self._made), ctypes.addressof(self._clock)
        self._attributes = ctypes.create_string_buffer(128)     # larger than any C library's pthread_attr_t
        libc.pthread_attr_init(self._attributes)
        libc.pthread_attr_setdetachstate(self._attributes, _DETACHED)
        libc.pthread_attr_setstacksize(self._attributes, ctypes.c_size_t(_STACK))
        self._quick = ctypes.PYFUNCTYPE(*[ctypes.c_long] * 6)(self.address_of["raw"])
        return libc

    def go(self, record: Any) -> None:
        """The thread of that record may begin."""
        record[GO // 8] = 1
        self._quick(self._words[FUTEX // 8], ctypes.addressof(record) + GO, _WAKE_PRIVATE, 1, 0)

    @staticmethod
    def hold_back(record: Any) -> None:
        """Before it may go: it is to begin with Python."""
        record[CODE // 8] = 0

    @staticmethod
    def began(record: Any) -> bool:
        """Whether it began with generated code."""
        return bool(record[CODE // 8])

    @staticmethod
    def ended(record: Any) -> bool:
        """Whether it has ended without Python."""
        return bool(record[DONE // 8])

    @property
    def quiet(self) -> bool:
        """Whether threads may end without telling Python."""
        return self._words[QUIET // 8] != 0

    @quiet.setter
    def quiet(self, quiet: bool) -> None:
        self._words[QUIET // 8] = quiet

    def some_ended(self) -> bool:
        """Whether threads may have ended without Python since this was asked last."""
        ended = self._words[ENDED // 8] != 0
        if ended:
            self._words[ENDED // 8] = 0
        return ended

    def set_mask(self, cpu: Cpu, mask: int) -> bool:
        """Block these signals and no others in the calling thread, with that CPU; False, and nothing is done, if WAKE is set."""
        words = self._mask
        words[0], words[1], words[2], words[3], words[6] = _SIG_SETMASK, self._mask_at + 48, 0, 8, mask
        failed: int = self._set_mask(cpu.address, self._words[SIGNAL_MASK // 8], self._mask_at)
        return not failed

    def poke(self, thread: int) -> None:
        """Make a thread of ours look at its WAKE word, also if it waits in a call."""
        info = b"".join(word.to_bytes(4, "little") for word in (POKE, 0, _SI_QUEUE, 0, os.getpid(), 0))
        buffer = ctypes.create_string_buffer(info + self.address.to_bytes(8, "little"), 128)
        self.raw(self._queue, os.getpid(), thread, POKE, ctypes.addressof(buffer))

    def after_fork(self) -> None:
        """In a forked child: no threads but those that enter now."""
        for at_ in self._where.values():
            self._words[at_] = _ALL
        self._free += self._where.values()
        self._where.clear()
        self._words[PID // 8] = os.getpid()
        self._words[MAIN_THREAD // 8] = 0

    # Dispositions, as structs of the host's kernel.

    def action(self, handler: int | None, flags: int) -> bytes:
        """A struct sigaction: with a handler of the kernel's (SIG_DFL, SIG_IGN), or, for None, with ours; SA_ flags of the host."""
        words = (handler, 0, 0, 0) if handler is not None else (
            self.on_signal, flags | SA_SIGINFO | _SA_RESTORER, self._restorer, _ALL & ~NEVER_HELD)
        return b"".join(word.to_bytes(8, "little") for word in words)

    def dispose(self, which: int, new: Any, old: Any) -> None:
        """Set the dispositions of the signals in the set `which` from the array `new`, and put what was there into `old`.

        Arrays hold 64 structs; either may be None.
        """
        self._dispose(which, new, old)

    # Calls that generated code makes itself.

    def table(self, form: LinuxForm, layout: at.Layout, end: int, clock: int, changes: int, watched: int) -> Any:
        """A table for `runtime.direct`, with no call in it; `end` of guest memory, the vDSO's `clock`_gettime or 0, and the host
        address of a word that is another one after every change to what is mapped, and that of `FlatMemory.watched`.

        Pointers into the last 4 GiB go to Python, which looks at lengths, too: what lies behind guest memory is ours.
        """
        words = (ctypes.c_uint64 * (direct.SIZE // 8))()
        for at_, value in ((0, self.address_of["answer"]), (direct.CALL, self.address_of["call"]), (direct.CLOCK, clock),
                           (direct.MOVE, self.address_of["move"]), (direct.END, max(0, end - (1 << 32))),
                           (direct.PACKED, self._host.PACKED_EVENTS),
                           (direct.NUMBER, layout.offset(*form.number)), (direct.POINTER, layout.offset(*form.stack_pointer)),
                           (direct.SIGNAL_MASK, self._host.SYSTEM_CALLS["rt_sigprocmask"]), (direct.CHANGES, changes),
                           (direct.WATCHED, watched)):
            words[at_ // 8] = value
        if form.frame is not None and form.frame[0] <= direct.FRAME_MAX:
            size, mask, stack, registers, parts, found = form.frame
            plan = [size, mask, stack]
            for where, file, first, length in registers:
                plan += [where, layout.offset(file, first) if file else first, length]
            plan += [0, 0, 0]
            for part in parts:
                plan += part
            plan += [0, 0, 0, 0]
            for file, index, what, more in found:
                plan += [("frame", "return", "number").index(what) + 1, layout.offset(file, index), more]
            plan.append(0)
            assert len(plan) * 8 <= direct.SIZE - direct.FRAME
            for number, value in enumerate(plan, direct.FRAME // 8):
                words[number] = value & _ALL
        return words

    @staticmethod
    def table_at(table: Any) -> int:
        """Its host address, for the state block."""
        return ctypes.addressof(table)

    @staticmethod
    def refuse(table: Any, guest: int, error: int) -> None:
        """Let generated code answer the call that the guest numbers so with an error."""
        if guest < direct.NUMBERS:
            table[direct.ENTRIES // 8 + guest] = error | direct.REFUSED << 32

    @staticmethod
    def handle(table: Any, handler: int, flags: int, mask: int) -> None:
        """From now on the guest handles SIGSEGV so; `handler` is 0 where it does not."""
        at_ = direct.ACTION // 8
        table[at_] = 0
        table[at_ + 1], table[at_ + 2] = flags, mask
        table[at_] = handler

    @staticmethod
    def return_to(table: Any, address: int) -> None:
        """That is where handlers return to, as long as no mapping changes."""
        at_ = direct.ACTION // 8 + 3
        table[at_] = address
        table[at_ + 1] = ctypes.c_uint64.from_address(table[direct.CHANGES // 8]).value

    @staticmethod
    def give_up(table: Any, start: int, end: int) -> None:
        """Generated code may give memory in that range up itself until a mapping changes."""
        at_ = table[direct.NEXT // 8] % direct.RANGES_MAX * 3 + direct.RANGES // 8
        table[direct.NEXT // 8] += 1
        table[at_ + 2] = 0
        table[at_], table[at_ + 1] = start, end
        table[at_ + 2] = ctypes.c_uint64.from_address(table[direct.CHANGES // 8]).value

    @staticmethod
    def shortcut(table: Any, guest: int, host: int, pointers: int, descriptor: bool, kind: str) -> None:
        """Let generated code make the call that the guest numbers so; `kind` is one of `_KINDS`."""
        if guest < direct.NUMBERS:
            table[direct.ENTRIES // 8 + guest] = (
                host | pointers << 16 | (direct.DESCRIPTOR if descriptor else 0) | _KINDS[kind] << 32)


def build() -> tuple[bytes, int, dict[str, int]]:
    """Make the module's code for this host: what `Bridge` takes. Needs llvmlite."""
    from xenos.engines.hosts import host, host_runtime
    from xenos.engines.llvm.compiler import Compiler
    from xenos.engines.native.language import translate
    from xenos.engines.runtime import drive, heirs, lives, parts, trapped
    from xenos.engines.runtime.native import link

    target, runtime = host(), host_runtime()
    cpu, features = target.CPUS[1]
    compiler = Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)
    module = text(runtime, drive.ROOM) + translate([direct, drive, lives, heirs, parts, trapped], {"answer", "inherit", "part"})
    image = link(compiler.compile(module, optimize=1), runtime)
    return image.code, image.data, image.offsets
