"""The runtime as LLVM text IR: one position-independent object that knows the pins of this guest on this host."""

from __future__ import annotations

from types import ModuleType

from xenos.cpu import layout as at
from xenos.cpu.layout import Layout
from xenos.engines.code.table import GROUP, SPREAD
from xenos.engines.llvm.emit import METADATA
from xenos.engines.native.language import translate
from xenos.engines.runtime import direct, ways
from xenos.engines.runtime.native import (
    ARENA_END,
    ARENA_START,
    GET,
    KEY,
    MOVING,
    OLD_HANDLERS,
    ON_SIGNAL,
    SEGMENTS,
    SET,
)
from xenos.engines.stencil.render import Convention
from xenos.linux.form import LinuxForm

ERESTARTSYS = 512       # of the bridge's `call`: nothing was done
# Exit codes. 0: a stub was left through, whose address says why.
STUB, MISS, FAULT, POLL, CALL = range(5)


CODE = at.SCRATCH + 16
# Where the host's registers of these names are kept, which a fault puts back; a host has those it names in CONTEXT.
NOTED = {"stack": at.SCRATCH + 24, "frame": at.SCRATCH + 32, "link": at.SCRATCH + 40}


def runtime(convention: Convention, homes: dict[str, int], alignment: int, host: ModuleType, linux: LinuxForm,
            layout: Layout) -> str:
    """The module. `homes` gives the state-block offset of each pin's register by its argument name."""
    return "".join([
        METADATA, "@data = external hidden global i8\n",
        host.DECLARATIONS,
        _enter(convention, homes, host), _begin(convention, host), _leave(convention, homes, host),
        _lookup(convention, alignment), _kernel(convention, homes, alignment, linux, layout), _purge(),
        translate([ways], set()), _fault_handler(host)])


def _word(name: str, offset: int) -> str:
    return f" %{name}.p = getelementptr i8, ptr %st, i64 {offset}\n"


def _load(name: str, offset: int, kind: str = "i64") -> str:
    return _word(name, offset) + f" %{name} = load {kind}, ptr %{name}.p\n"


def _store(label: str, offset: int, value: str, kind: str = "i64") -> str:
    return _word(label, offset) + f" store {kind} {value}, ptr %{label}.p\n"


def _enter(convention: Convention, homes: dict[str, int], host: ModuleType) -> str:
    """From C: the pins are loaded, the guest's floating-point environment is put in force, and the code is called."""
    enter: str = host.ENTER
    leave: str = host.LEAVE
    loads, arguments = "", ["ptr %st", "i64 %count"]
    for pin in (*convention.general, *convention.vector):
        kind = "double" if pin.startswith("%f") else "i64"
        if pin in homes:
            loads += _load("h" + pin[1:], homes[pin], kind)
            arguments.append(f"{kind} %h{pin[1:]}")
        else:
            arguments.append(f"{kind} zeroinitializer" if kind == "double" else "i64 0")
    return ("define dso_local void @enter(ptr %st, ptr %code) nounwind {\n"
            + _own("get", GET) + " %before = call ptr %get(i32 %get.key)\n"
            + _own("set", SET) + " %set.done = call i32 %set(i32 %set.key, ptr %st)\n"
            + _store("code", CODE, "%code", "ptr") + _store("exit", at.EXIT_CODE, str(STUB)) + _store("run", at.RUNNING, "1")
            + enter + _load("count", at.COUNT) + loads
            + f" call preserve_nonecc void @begin({', '.join(arguments)})\n" + leave
            + _store("ran", at.RUNNING, "0") + " %back = call i32 %set(i32 %set.key, ptr %before)\n ret void\n}\n")


def _own(name: str, word: int) -> str:
    """The function of the C library that is noted there, and its first argument."""
    return (f" %{name}.f = getelementptr i8, ptr @data, i64 {word}\n %{name} = load ptr, ptr %{name}.f\n"
            f" %{name}.k = getelementptr i8, ptr @data, i64 {KEY}\n %{name}.key = load i32, ptr %{name}.k\n")


def _begin(convention: Convention, host: ModuleType) -> str:
    """Notes where the stack stands, so that a fault in the middle of a stencil can come back to it."""
    note: str = host.NOTE
    return (f"define dso_local preserve_nonecc void @begin({convention.parameters}) noinline nounwind {{\n"
            + note + "".join(_store(name, NOTED[name], f"%{name}") for name in host.CONTEXT if name in NOTED)
            + _load("code", CODE, "ptr") + "\n".join(convention.leave("%code", {})) + "\n}\n")


def _leave(convention: Convention, homes: dict[str, int], host: ModuleType) -> str:
    """From generated code: pins go home, and `enter` returns."""
    stores = "".join(_store("h" + pin[1:], offset, pin, "double" if pin.startswith("%f") else "i64")
                     for pin, offset in homes.items())
    return (f"define dso_local preserve_nonecc void @leave({convention.parameters}) nounwind {{\n"
            + stores + _store("count", at.COUNT, "%ct") + " ret void\n}\n")


def _lookup(convention: Convention, alignment: int) -> str:
    """An indirect branch missed the jump cache: search the table for the address in PC, and fill the cache.

    Jumps through the cache do not look at the limit: near it, the cache is left empty. An entry of the table may become another's
    at any time (engines/translator/forgetting.py): the address is read once more behind the code.
    The limit is read once more behind the filling: a signal handler may have emptied the cache in between.
    """
    shift = 5 - alignment.bit_length()
    stop = "\n".join(convention.leave("@leave", {}))
    return (
        f"define dso_local preserve_nonecc void @lookup({convention.parameters}) nounwind {{\nentry:\n"
        + _load("pc", at.PC) + _load("table", at.TABLE, "ptr") + _load("mask", at.TABLE_MASK)
        + f" %group = lshr i64 %pc, {GROUP}\n %spread = mul i64 %group, {SPREAD}\n %place = add i64 %pc, %spread\n"
        f" %first = shl i64 %place, {shift}\n br label %probe\nprobe:\n"
        " %at = phi i64 [ %first, %entry ], [ %onward, %other ]\n %slot = and i64 %at, %mask\n"
        " %tag.p = getelementptr i8, ptr %table, i64 %slot\n %tag = load atomic i64, ptr %tag.p acquire, align 8\n"
        " %found = icmp eq i64 %tag, %pc\n br i1 %found, label %hit, label %no\nno:\n"
        " %free = icmp eq i64 %tag, 1\n br i1 %free, label %miss, label %other\nother:\n"
        " %onward = add i64 %at, 16\n br label %probe\nhit:\n"
        " %code.p = getelementptr i8, ptr %tag.p, i64 8\n %code = load atomic ptr, ptr %code.p acquire, align 8\n"
        " %now = load atomic volatile i64, ptr %tag.p monotonic, align 8\n"
        " %still = icmp eq i64 %now, %pc\n br i1 %still, label %known, label %miss, !prof !1\nknown:\n"
        f" %index = shl i64 %pc, {shift}\n %near = and i64 %index, {at.JUMP_CACHE_SIZE - 16}\n"
        f" %line = getelementptr i8, ptr %st, i64 %near\n"
        f" %kept = getelementptr i8, ptr %line, i64 {at.JUMP_CACHE + 8}\n store volatile ptr %code, ptr %kept\n"
        + _load("uncached", at.UNCACHED) + " %looks = icmp ne i64 %uncached, 0\n %mark = select i1 %looks, i64 1, i64 %pc\n"
        f" %name = getelementptr i8, ptr %line, i64 {at.JUMP_CACHE}\n store volatile i64 %mark, ptr %name\n"
        + _word("limit", at.LIMIT) + " %limit = load volatile i64, ptr %limit.p\n"
        " %over = icmp uge i64 %ct, %limit\n br i1 %over, label %stop, label %go, !prof !2\ngo:\n"
        + "\n".join(convention.leave("%code", {}))
        + "\nstop:\n store volatile i64 1, ptr %name\n" + _store("why", at.EXIT_CODE, str(POLL)) + stop
        + "\nmiss:\n" + _store("what", at.EXIT_CODE, str(MISS)) + stop + "\n}\n")


def _kernel(convention: Convention, homes: dict[str, int], alignment: int, linux: LinuxForm, layout: Layout) -> str:
    """The guest calls its kernel: what the table of calls allows is answered here (runtime/direct.py), the rest by Python.

    What follows is mostly in the jump cache, as for an indirect jump.
    """
    pins = {offset: name for name, offset in homes.items()}
    lines = _load("table", at.CALLS, "ptr")
    lines += " %none = icmp eq ptr %table, null\n br i1 %none, label %python, label %try\ntry:\n"
    for number, register in enumerate((*linux.arguments, linux.number)):
        offset = layout.offset(*register)
        if offset in pins:
            value = pins[offset]
        else:
            value = f"%v{number}"
            lines += _load(value[1:], offset)
        lines += f" %a{number} = getelementptr i64, ptr %words, i64 {number}\n store i64 {value}, ptr %a{number}\n"
    asked = value
    result = layout.offset(*linux.result)
    changed = {pins[result]: "%result"} if result in pins else {}
    keep = "" if changed else _store("into", result, "%result")
    stop = "\n".join(convention.leave("@leave", {}))
    again = "\n".join(convention.leave("@leave", {}, "%uncounted"))
    return (
        f"define dso_local preserve_nonecc void @kernel({convention.parameters}) nounwind {{\n"
        f" %words = alloca [{direct.ROOM} x i8], align 16\n" + lines +
        " %answer = load ptr, ptr %table\n %st64 = ptrtoint ptr %st to i64\n %words64 = ptrtoint ptr %words to i64\n"
        f" %result = call i64 %answer(i64 %st64, i64 {asked}, i64 %words64)\n"
        f" %not = icmp eq i64 %result, {direct.PYTHONS}\n br i1 %not, label %python, label %made\nmade:\n"
        f" %restart = icmp eq i64 %result, {-ERESTARTSYS}\n br i1 %restart, label %again, label %done\ndone:\n" + keep
        + _load("pc", at.PC) + f" %index = shl i64 %pc, {5 - alignment.bit_length()}\n"
        f" %near = and i64 %index, {at.JUMP_CACHE_SIZE - 16}\n %line = getelementptr i8, ptr %st, i64 %near\n"
        f" %name = getelementptr i8, ptr %line, i64 {at.JUMP_CACHE}\n %tag = load volatile i64, ptr %name\n"
        " %known = icmp eq i64 %tag, %pc\n br i1 %known, label %hit, label %miss, !prof !1\nhit:\n"
        f" %kept = getelementptr i8, ptr %line, i64 {at.JUMP_CACHE + 8}\n %code = load volatile ptr, ptr %kept\n"
        + "\n".join(convention.leave("%code", changed)) + "\nmiss:\n"
        + "\n".join(convention.leave("@lookup", changed))
        + "\npython:\n" + _store("why", at.EXIT_CODE, str(CALL)) + stop
        # A signal comes first: the call is made again behind its handler.
        + "\nagain:\n" + _load("next", at.PC) + f" %this = sub i64 %next, {linux.call_size}\n" + _store("back", at.PC, "%this")
        + " %uncounted = sub i64 %ct, 1\n" + _store("poll", at.EXIT_CODE, str(POLL)) + again + "\n}\n")


def _purge() -> str:
    """From C: delete the entries of all guest addresses in a range from the table."""
    return (
        "define dso_local void @purge(ptr %table, i64 %mask, i64 %low, i64 %high) nounwind {\n"
        "entry:\n br label %next\nnext:\n %at = phi i64 [ 0, %entry ], [ %at1, %on ]\n"
        " %tag.p = getelementptr i8, ptr %table, i64 %at\n %tag = load i64, ptr %tag.p\n"
        " %above = icmp uge i64 %tag, %low\n %below = icmp ult i64 %tag, %high\n %in = and i1 %above, %below\n"
        " br i1 %in, label %gone, label %on\ngone:\n store i64 3, ptr %tag.p\n br label %on\non:\n"
        " %at1 = add i64 %at, 16\n %more = icmp ule i64 %at1, %mask\n br i1 %more, label %next, label %end\nend:\n"
        " ret void\n}\n")


def _fault_handler(host: ModuleType) -> str:
    """SIGSEGV, SIGBUS: in generated code, note what happened and go on where the access says, or in `leave`, all registers as
    they were. Where the state block lies, the thread knows: a region may have put that register away."""
    return (
        "define dso_local void @on_fault(i32 %sig, ptr %info, ptr %uc) nounwind {\nentry:\n"
        + "".join(f" %{name}.p = getelementptr i8, ptr %uc, i64 {offset}\n %{name} = load i64, ptr %{name}.p\n"
                  for name, offset in host.CONTEXT.items())
        + f" %lo.p = getelementptr i8, ptr @data, i64 {ARENA_START}\n %lo = load i64, ptr %lo.p\n"
        f" %hi.p = getelementptr i8, ptr @data, i64 {ARENA_END}\n %hi = load i64, ptr %hi.p\n"
        f" %mf.p = getelementptr i8, ptr @data, i64 {MOVING}\n %mf = load i64, ptr %mf.p\n"
        f" %mb.p = getelementptr i8, ptr @data, i64 {MOVING + 8}\n %mb = load i64, ptr %mb.p\n"
        f" %mu.p = getelementptr i8, ptr @data, i64 {MOVING + 16}\n %mu = load i64, ptr %mu.p\n"
        " %m1 = icmp uge i64 %pc, %mf\n %m2 = icmp ult i64 %pc, %mb\n %m = and i1 %m1, %m2\n"
        " br i1 %m, label %moving, label %elsewhere\nmoving:\n store i64 %mu, ptr %pc.p\n ret void\nelsewhere:\n"
        " %sc.p = getelementptr i8, ptr %info, i64 8\n %sc = load i32, ptr %sc.p\n %sent = icmp sle i32 %sc, 0\n"
        " br i1 %sent, label %other, label %raised\nraised:\n"
        " %above = icmp uge i64 %pc, %lo\n %below = icmp ult i64 %pc, %hi\n %ours = and i1 %above, %below\n"
        " br i1 %ours, label %mine, label %other\nmine:\n"
        + _own("get", GET) + " %st = call ptr %get(i32 %get.key)\n %st64 = ptrtoint ptr %st to i64\n"
        " %addr.p = getelementptr i8, ptr %info, i64 16\n %addr = load i64, ptr %addr.p\n"
        " %code.p = getelementptr i8, ptr %info, i64 8\n %code = load i32, ptr %code.p\n"
        " %high = zext i32 %sig to i64\n %shifted = shl i64 %high, 32\n %low = zext i32 %code to i64\n"
        " %both = or i64 %shifted, %low\n"
        + str(host.FAULT_WRITE) + _store("fw", at.FAULT_WRITE, "%write")
        + _store("fa", at.FAULT_ADDRESS, "%addr") + _store("fc", at.FAULT_CODE, "%both") + _store("hp", at.HOST_PC, "%pc")
        + _store("ec", at.EXIT_CODE, str(FAULT)) + _keep(host.SAVED)
        + f" %in.p = getelementptr i8, ptr @data, i64 {SEGMENTS}\n %in = load i64, ptr %in.p\n"
        " %unset = icmp eq i64 %in, 0\n br i1 %unset, label %out, label %look\nlook:\n"
        " %way = call i64 @way(i64 %in, i64 %pc)\n %no = icmp eq i64 %way, 0\n br i1 %no, label %out, label %on\n"
        "on:\n store i64 %way, ptr %pc.p\n ret void\nout:\n"
        + "".join(_load("old" + name, NOTED[name]) + f" store i64 %old{name}, ptr %{name}.p\n"
                  for name in host.CONTEXT if name in NOTED)
        + " store i64 %st64, ptr %state.p\n"
        " %leave = ptrtoint ptr @leave to i64\n store i64 %leave, ptr %pc.p\n ret void\n"
        "other:\n" + _chain(host) + "}\n")


def _keep(offsets: range) -> str:
    """Words of the context for HOST_REGISTERS."""
    return "".join(f" %kept{n}.p = getelementptr i8, ptr %uc, i64 {offset}\n %kept{n} = load i64, ptr %kept{n}.p\n"
                   + _store(f"keep{n}", at.HOST_REGISTERS + 8 * n, f"%kept{n}") for n, offset in enumerate(offsets))


def _chain(host: ModuleType) -> str:
    """One that was sent is for the guest, if somebody listens; else the handler that was there before sees to it."""
    return (
        f" %note.p = getelementptr i8, ptr @data, i64 {ON_SIGNAL}\n %note = load ptr, ptr %note.p\n"
        " %listens = icmp ne ptr %note, null\n %tell = and i1 %sent, %listens\n br i1 %tell, label %told, label %before\n"
        "told:\n call void %note(i32 %sig, ptr %info, ptr %uc)\n br label %done\nbefore:\n"
        " %n = zext i32 %sig to i64\n %n8 = shl i64 %n, 3\n %o = getelementptr i8, ptr @data, i64 %n8\n"
        f" %old.p = getelementptr i8, ptr %o, i64 {OLD_HANDLERS}\n %old = load i64, ptr %old.p\n"
        " %real = icmp ugt i64 %old, 1\n br i1 %real, label %call, label %none\n"
        # Nobody's: it would be raised again for ever. Blocked, it ends the process then (signal(7): undefined, kills in Linux).
        "none:\n br i1 %sent, label %done, label %die\ndie:\n"
        f" %held.p = getelementptr i8, ptr %uc, i64 {host.SIGNAL_MASK}\n %held = load i64, ptr %held.p\n"
        " %n1 = sub i64 %n, 1\n %bit = shl i64 1, %n1\n %held1 = or i64 %held, %bit\n store i64 %held1, ptr %held.p\n"
        " br label %done\ncall:\n"
        " %f = inttoptr i64 %old to ptr\n call void %f(i32 %sig, ptr %info, ptr %uc)\n br label %done\n"
        "done:\n ret void\n")
