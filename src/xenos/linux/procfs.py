"""The files of /proc that must speak of the guest, not of its host."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

TASK_COMM = 15


def is_own(path: bytes, name: bytes) -> bool:
    """Whether `path` is /proc/self/NAME, under any of the process's own names."""
    _, slash, rest = path[1:].partition(b"/")
    who, _, what = rest.partition(b"/")
    return slash == b"/" and what == name and who in (b"self", b"thread-self", b"%d" % os.getpid())


def content(process: Process, path: bytes) -> bytes | None:
    """What the guest reads in `path`; None where the host's own file is right."""
    if path == b"/proc/cpuinfo":
        return cpuinfo(process)
    name = os.path.basename(path)
    make = _MAKERS.get(name)
    return make(process) if make is not None and is_own(path, name) else None


def open_content(data: bytes, name: bytes) -> int:
    """A descriptor that reads these bytes from the start."""
    fd = os.memfd_create(os.fsdecode(os.path.basename(name)), os.MFD_CLOEXEC)
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def cpuinfo(process: Process) -> bytes:
    """/proc/cpuinfo: one paragraph for each CPU that the host lets us use."""
    text = process.form.cpuinfo
    cpus = len(os.sched_getaffinity(0))
    return "".join(text.replace("{cpu}", str(cpu)).rstrip("\n") + "\n\n" for cpu in range(cpus)).encode()


def maps(process: Process) -> bytes:
    """/proc/self/maps in guest addresses."""
    lines = []
    for region in process.memory.regions:
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
        lines.append(head.encode().ljust(73) + b" " + name if name else head.encode() + b" ")
    return b"\n".join(lines) + b"\n"


def smaps(process: Process) -> bytes:
    """/proc/self/smaps, without its counts."""
    return maps(process)


def cmdline(process: Process) -> bytes:
    """/proc/self/cmdline."""
    return b"".join(text + b"\0" for text in process.argv)


def environ(process: Process) -> bytes:
    """/proc/self/environ: as the program found it."""
    return b"".join(text + b"\0" for text in process.env)


def auxv(process: Process) -> bytes:
    """/proc/self/auxv."""
    return process.auxv


def comm(process: Process) -> bytes:
    """/proc/self/comm: the name of the program, cut to 15 bytes."""
    return (process.comm or os.path.basename(process.name))[:TASK_COMM] + b"\n"


_MAKERS = {b"maps": maps, b"smaps": smaps, b"cmdline": cmdline, b"environ": environ, b"auxv": auxv, b"comm": comm}
