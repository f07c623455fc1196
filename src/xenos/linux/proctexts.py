"""What the guest reads in the files of /proc that must speak of it: proc(5). Guest addresses, sizes of its own mappings."""

from __future__ import annotations

import os

from xenos.linux.signals import IGNORE
from xenos.memory.flat import BASE
from xenos.memory.host import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process
    from xenos.memory.regions import Region

_LIMITS = {b"Max data size": 2, b"Max stack size": 3, b"Max open files": 7, b"Max address space": 9}
_INFINITY = (1 << 64) - 1
_SHOWN = (1 << 31) - 1      # signals that have a place in /proc/self/stat


def cpuinfo(process: Process) -> bytes:
    """/proc/cpuinfo: one paragraph for each CPU that the host lets us use."""
    text = process.form.cpuinfo
    cpus = len(os.sched_getaffinity(0))
    return "".join(text.replace("{cpu}", str(cpu)).rstrip("\n") + "\n\n" for cpu in range(cpus)).encode()


def _line(process: Process, region: Region) -> bytes:
    letters = "".join(c if region.prot & bit else "-" for c, bit in (("r", 1), ("w", 2), ("x", 4)))
    device, inode, name = "00:00", 0, region.name.encode()
    if region.file is not None:
        host = os.fsencode(region.file)
        name = process.paths.guest(host)
        try:
            status = os.stat(host)
            device, inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}", status.st_ino
        except OSError:  # the file is gone, or has no name
            pass
    letters += "s" if region.shared else "p"
    head = f"{region.start:08x}-{region.end:08x} {letters} {region.offset:08x} {device} {inode}"
    return head.encode().ljust(73) + b" " + name + b"\n" if name else head.encode() + b" \n"


def maps(process: Process, tid: int) -> bytes:
    """/proc/self/maps."""
    with process.memory.lock:
        return b"".join(_line(process, region) for region in process.memory.regions)


def _counts(process: Process) -> list[tuple[Region, dict[bytes, int]]]:
    """The regions, with what the host counts of the mappings that each lies in, in kB."""
    regions = list(process.memory.regions)
    found: list[tuple[Region, dict[bytes, int]]] = [(region, {}) for region in regions]
    at = 0
    counts: dict[bytes, int] | None = None
    with open("/proc/self/smaps", "rb") as file:
        for line in file:
            head, _, rest = line.partition(b" ")
            if not head.endswith(b":"):
                start, end = (int(part, 16) - BASE for part in head.split(b"-"))
                while at < len(found) and found[at][0].end <= start:
                    at += 1
                counts = found[at][1] if start >= 0 and at < len(found) and found[at][0].start < end else None
            elif counts is not None and rest.endswith(b" kB\n"):
                name = head[:-1]
                counts[name] = counts.get(name, 0) + int(rest.split()[0])
    return found


_PER_PAGE = (b"KernelPageSize", b"MMUPageSize")


def _shown(counts: dict[bytes, int]) -> bytes:
    return b"".join(b"%-16s%8d kB\n" % (name + b":", value) for name, value in counts.items())


def smaps(process: Process, tid: int) -> bytes:
    """/proc/self/smaps: the host's counts, by the guest's regions."""
    parts: list[bytes] = []
    with process.memory.lock:
        for region, counts in _counts(process):
            counts = {b"Size": 0, **dict.fromkeys(_PER_PAGE, PAGE >> 10), **counts}
            counts[b"Size"] = region.end - region.start >> 10
            counts.update(dict.fromkeys(_PER_PAGE, PAGE >> 10))
            flags = b"".join(f for f, bit in ((b"rd ", 1), (b"wr ", 2), (b"ex ", 4)) if region.prot & bit)
            parts += (_line(process, region), _shown(counts), b"VmFlags: ", flags, b"sh \n" if region.shared else b"\n")
    return b"".join(parts)


def smaps_rollup(process: Process, tid: int) -> bytes:
    """/proc/self/smaps_rollup."""
    total: dict[bytes, int] = {}
    with process.memory.lock:
        found = _counts(process)
    for _, counts in found:
        for name, value in counts.items():
            if name != b"Size" and name not in _PER_PAGE:
                total[name] = total.get(name, 0) + value
    low, high = (found[0][0].start, found[-1][0].end) if found else (0, 0)
    return b"%08x-%08x ---p 00000000 00:00 0".ljust(73) % (low, high) + b" [rollup]\n" + _shown(total)


def numa_maps(process: Process, tid: int) -> bytes:
    """/proc/self/numa_maps, without counts."""
    with process.memory.lock:
        return b"".join(b"%08x default\n" % region.start for region in process.memory.regions)


def cmdline(process: Process, tid: int) -> bytes:
    """/proc/self/cmdline."""
    return b"".join(text + b"\0" for text in process.argv)


def environ(process: Process, tid: int) -> bytes:
    """/proc/self/environ: as the program found it."""
    return b"".join(text + b"\0" for text in process.env)


def auxv(process: Process, tid: int) -> bytes:
    """/proc/self/auxv."""
    return process.auxv


def _host(tid: int, name: str) -> bytes:
    with open(f"/proc/self/task/{tid}/{name}", "rb") as file:
        return file.read()


class _Sizes:
    """Bytes of the guest's mappings, by what they are for."""

    def __init__(self, process: Process) -> None:
        with process.memory.lock:
            regions = list(process.memory.regions)
        self.all = sum(region.end - region.start for region in regions)
        self.stack = sum(region.end - region.start for region in regions if region.name == "[stack]")
        code = [region for region in regions if region.prot & 4 and not region.prot & 2]
        own = os.fsdecode(process.executable)
        self.code = sum(region.end - region.start for region in code if region.file == own)
        self.library = sum(region.end - region.start for region in code if region.file != own)
        private = [region for region in regions if region.prot & 2 and not region.shared]
        self.data = sum(region.end - region.start for region in private) - self.stack
        mine = [region for region in regions if region.file == own]
        texts = [region for region in mine if region.prot & 4]
        self.text_start, self.text_end = (texts[0].start, texts[-1].end) if texts else (0, 0)


def _masks(process: Process, tid: int) -> dict[bytes, int]:
    """Sets of signals as the guest has made them; of those that are pending, what the host does not know of."""
    signals = process.signals
    own = [thread for thread in process.threads if thread.tid == tid]
    handlers = [(1 << number - 1, signals.handler(number)) for number in signals.actions]
    return {
        b"SigPnd": sum(1 << number - 1 for thread in own for number in thread.kept),
        b"ShdPnd": sum(1 << number - 1 for number in signals.kept),
        b"SigBlk": own[0].mask if own else 0,
        b"SigIgn": sum(bit for bit, handler in handlers if handler == IGNORE),
        b"SigCgt": sum(bit for bit, handler in handlers if handler > IGNORE),
    }


_PENDING = (b"SigPnd", b"ShdPnd")


def status(process: Process, tid: int) -> bytes:
    """/proc/self/status."""
    sizes = _Sizes(process)
    changed = {
        b"VmPeak": sizes.all, b"VmSize": sizes.all, b"VmData": sizes.data, b"VmStk": sizes.stack,
        b"VmExe": sizes.code, b"VmLib": sizes.library,
    }
    masks = _masks(process, tid)
    lines = []
    for line in _host(tid, "status").splitlines(keepends=True):
        name, _, value = line.partition(b":")
        if name in changed:
            line = b"%s:\t%8d kB\n" % (name, changed[name] >> 10)
        elif name in masks:
            line = b"%s:\t%016x\n" % (name, masks[name] | (int(value, 16) if name in _PENDING else 0))
        elif name == b"Threads":
            line = b"Threads:\t%d\n" % len(list(process.threads))
        lines.append(line)
    return b"".join(lines)


def stat(process: Process, tid: int) -> bytes:
    """/proc/self/stat."""
    head, _, tail = _host(tid, "stat").rpartition(b") ")
    fields = [b"", b"", b"", *tail.split()]     # numbered as in proc(5), from 3 on
    sizes = _Sizes(process)
    first, environment, end = process.arguments_at
    masks = _masks(process, tid)
    changed = {
        20: len(list(process.threads)), 23: sizes.all, 26: sizes.text_start, 27: sizes.text_end, 28: first & -16, 29: 0, 30: 0,
        31: int(fields[31]) | masks[b"SigPnd"] & _SHOWN,
        **{32 + at: masks[name] & _SHOWN for at, name in enumerate((b"SigBlk", b"SigIgn", b"SigCgt"))},
        45: 0, 46: 0, 47: process.break_start, 48: first, 49: environment, 50: environment, 51: end,
    }
    for number, value in changed.items():
        if number < len(fields):
            fields[number] = b"%d" % value
    return head + b") " + b" ".join(fields[3:]) + b"\n"


def statm(process: Process, tid: int) -> bytes:
    """/proc/self/statm."""
    sizes = _Sizes(process)
    _, resident, shared, *_ = _host(tid, "statm").split()
    return b"%d %s %s %d 0 %d 0\n" % (
        sizes.all // PAGE, resident, shared, sizes.code // PAGE, (sizes.data + sizes.stack) // PAGE,
    )


def limits(process: Process, tid: int) -> bytes:
    """/proc/self/limits, with those that are the guest's alone."""
    from xenos.linux import resource

    lines = []
    for line in _host(tid, "limits").splitlines(keepends=True):
        kind = _LIMITS.get(line[:26].rstrip())
        if kind is not None:
            pair = [b"unlimited" if value == _INFINITY else b"%d" % value for value in resource.limits(process, kind)]
            line = b"%-26s%-21s%-21s%s" % (line[:26].rstrip(), *pair, line[68:])
        lines.append(line)
    return b"".join(lines)
