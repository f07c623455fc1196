"""Every system call with arguments that make no sense, or nearly do: the process that plays the kernel must survive them.

    python -m linux.wild_calls FOLDER SEED COUNT      one run, in a sandbox; prints `ok`, or what went wrong
"""

from __future__ import annotations

import fcntl
import importlib
import os
import pkgutil
import random
import signal
import socket
import sys
import traceback

import xenos.linux
from linux import sandbox
from linux.kit import CALL_NUMBERS, FORM, SCRATCH, Guest, Script
from xenos.cpu.layout import Layout, RegisterFile
from xenos.cpu.state import Cpu
from xenos.linux.process import Process
from xenos.linux.table import CALLS
from xenos.memory.flat import BASE, FlatMemory, MemoryFault

MASK = (1 << 64) - 1
SIZE = 1 << 20
BEHIND = SCRATCH + SIZE
WINDOW = 0x900000       # pages that mapping calls play with
PAGES = 48
# What would end the run, start another process or thread, wait with all signals blocked, or take minutes.
LEFT_OUT = frozenset((
    "exit", "exit_group", "clone", "clone3", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sync", "syncfs",
    "setpgid", "setsid",
))
SENDING = frozenset(("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"))
MASK_AT = {"ppoll": 3, "pselect6": 5, "epoll_pwait": 4, "epoll_pwait2": 4}
LIMITS_KEPT = frozenset((0, 1, 7, 15))  # RLIMIT_CPU, FSIZE, NOFILE, RTTIME: those that the run itself needs
F_SETSIG = 10
MAPPING = ("mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "mlock", "munlock", "shmat", "shmdt")
POPULATE = (22, 23)
NAMES = (
    b"file", b"folder", b"link", b"fifo", b"none", b".", b"..", b"", b"folder/below", b"/proc/self/maps", b"/proc/self/fd",
    b"/proc/self/exe", b"/proc/self/fd/5", b"/dev/null", b"/proc/self/task", b"/proc/self/mem", b"x" * 300, b"../../nobody/is/here",
    b"/proc/self/status", b"/proc/thread-self/stat", b"/dev/fd/3", b"/proc/self/cwd/file", b"/proc/cpuinfo",
)


class Caller(Guest):
    """A process to which nothing comes from outside: its signals are its own affair."""

    def __init__(self, memory: FlatMemory) -> None:
        Process.__init__(self, FORM, Cpu(Layout((RegisterFile("r", 64, 16),))), memory, Script())


class Wild:
    """One process without a program, and calls for it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.memory = FlatMemory()
        self.guest = Caller(self.memory)
        self.hidden = self.guest.hide(os.open("/dev/null", os.O_RDWR))
        self.numbers = sorted(number for name, number in CALL_NUMBERS.items() if name not in LEFT_OUT)
        self.done = sorted(number for number in self.numbers if not CALLS.get(FORM.numbers[number], "E").startswith("E"))
        self.fill()

    def fill(self) -> None:
        """Make guest memory and files anew, which the calls so far may have taken away."""
        memory, choose = self.memory, self.random
        memory.map(SCRATCH, SIZE, 3)
        memory.map(BEHIND, 4096, 1)
        memory.map(BEHIND + 4096, 4096, 5)
        words = [self.value() for _ in range(2048)]
        memory.write(SCRATCH, b"".join(word.to_bytes(8, "little") for word in words))
        for index, name in enumerate(NAMES):
            memory.write(SCRATCH + 0x8000 + 512 * index, name + b"\0")
        for path, make in (("file", lambda: open("file", "wb").write(b"data" * 3000)), ("folder", lambda: os.mkdir("folder")),
                           ("link", lambda: os.symlink("file", "link")), ("fifo", lambda: os.mkfifo("fifo"))):
            try:
                os.chmod(".", 0o700)
                if not os.path.lexists(path):
                    make()
            except OSError:
                pass
        if len(self.guest.descriptors) > 100:
            for fd in choose.sample(sorted(self.guest.descriptors), 80):
                self.guest.call("close", fd)
        for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
            self.guest.call("openat", -100, b"file", flags, 0o600)
        self.guest.call("openat", -100, b".", os.O_DIRECTORY)
        for name, *arguments in (
            ("pipe2", SCRATCH + 64, os.O_NONBLOCK), ("eventfd2", 1, 0), ("epoll_create1", 0), ("timerfd_create", 1, 0),
            ("socket", socket.AF_INET, socket.SOCK_STREAM, 0), ("socket", socket.AF_UNIX, socket.SOCK_DGRAM, 0),
            ("socketpair", 1, 1, 0, SCRATCH + 72), ("inotify_init1", 0), ("memfd_create", SCRATCH + 0x8000, 0),
        ):
            self.guest.call(name, *arguments)

    def value(self) -> int:
        """A number that some call may take for something."""
        choose = self.random
        kind = choose.randrange(12)
        if kind < 3:
            return choose.choice((0, 1, 2, 3, 4, 7, 8, 16, 24, 64, 100, 128, 255, 4096))
        if kind < 5:
            return SCRATCH + choose.randrange(0, 0x4000, 8)
        if kind == 5:
            return SCRATCH + 0x8000 + 512 * choose.randrange(len(NAMES))
        if kind == 6:
            return choose.choice((
                BEHIND - 1, BEHIND - 8, BEHIND, BEHIND + 4095, BEHIND + 4096, BEHIND + 8191, BEHIND + 8192, 1, 8, 4096,
                self.memory.size - 8, self.memory.size, self.memory.size - 4096, 1 << 63, MASK, MASK - 7, 1 << 47,
                (MASK - BASE) + 1, MASK - BASE + 4096, 0xFFFF_8000_0000_0000,
            ))
        if kind == 7:
            return choose.choice((MASK, MASK - 99, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1, 1 << 62, MASK - 4095))
        if kind == 8:
            return choose.getrandbits(choose.randrange(1, 65))
        if kind == 9:
            return 1 << choose.randrange(64)
        if kind == 10:
            return self.hidden
        return choose.choice(sorted(self.guest.descriptors) or [0])

    def likely(self, letter: str) -> int:
        """An argument that a call may take, by its letter in the table."""
        choose = self.random
        if letter == "d":
            return choose.choice([*self.guest.descriptors, MASK - 99] or [0])
        if letter in "sfnmkFN":
            return SCRATCH + 0x8000 + 512 * choose.randrange(len(NAMES))
        if letter in "pbrv":
            return choose.choice((SCRATCH + choose.randrange(0, 0x4000, 8), 0))
        if letter in "zl":
            return choose.choice((0, 1, 8, 16, 24, 64, 100, 4096))
        if letter in "xo":
            return choose.choice((0, 0, 1, 2, 0x800, 0x80000, 1 << choose.randrange(32)))
        return choose.randrange(-1, 70) & MASK

    def mapping(self, name: str) -> list[int]:
        """Arguments for calls on mappings: pages of the window, all kinds of them."""
        choose = self.random

        def page() -> int:
            return WINDOW + 4096 * choose.randrange(PAGES)

        length = 4096 * choose.randrange(0, PAGES // 2) + choose.choice((0, 0, 1))
        if name == "mmap":
            flags = choose.choice((1, 2, 2, 2)) | choose.choice((0x20, 0x20, 0)) | choose.choice((0x10, 0x10, 0x100000, 0, 0x110))
            return [page(), length, choose.randrange(8), flags, self.likely("d"), 4096 * choose.randrange(3)]
        if name == "mremap":
            flags = choose.choice((0, 1, 1, 3, 5, 7))
            return [page(), length, 4096 * choose.randrange(PAGES // 2) if flags < 5 else length, flags, page(), 0]
        if name == "madvise":
            return [page(), length, choose.choice((4, 8, 9, 14, 18, 20, 21, 22, 23, 25)), 0, 0, 0]
        if name == "shmat":
            return [choose.randrange(4), choose.choice((0, page())), choose.choice((0, 0o10000, 0o40000, 0o20000)), 0, 0, 0]
        if name == "shmdt":
            starts = [region.start for region in self.memory.regions if region.name.startswith("/SYSV")]
            return [choose.choice(starts or [page()]), 0, 0, 0, 0, 0]
        return [page(), length, choose.choice((0, 1, 2, 3, 5, 7)), choose.randrange(3), 0, 0]

    def arguments(self, name: str) -> list[int]:
        """Six of them; what would end the run is kept out."""
        letters = CALLS.get(name, "").partition(" ")[2].ljust(6, "i")
        if name in MAPPING and self.random.random() < 0.8:
            return self.mapping(name)
        wild = self.random.choice((0.05, 0.2, 1))
        made = [self.value() if self.random.random() < wild else self.likely(letter) for letter in letters[:6]]
        if name in SENDING:
            made[1:] = [0] * 5
            if name in ("tgkill", "rt_tgsigqueueinfo"):
                made[1] = self.value()
        elif name in MASK_AT:
            made[MASK_AT[name]] = self.random.choice((0, MASK, 8))
        elif name in ("setrlimit", "prlimit64"):
            at = 1 if name == "prlimit64" else 0
            if made[at] & MASK >> 32 in LIMITS_KEPT:
                made[at] = 1
        elif name == "fcntl" and made[1] & MASK >> 32 == F_SETSIG:
            made[1] = 1
        elif name == "madvise" and made[2] & MASK >> 32 in POPULATE:
            made[1] &= 0xFFFFF
        elif name == "prctl" and made[0] & MASK >> 32 == 1:    # the signal when its parent ends
            made[0] = 2
        return made

    def step(self) -> str:
        """Make one call; returns what is wrong, or nothing."""
        guest = self.guest
        name = FORM.numbers[self.random.choice(self.numbers if self.random.random() < 0.1 else self.done)]
        if self.random.random() < 0.2:
            name = self.random.choice(MAPPING)
        made = self.arguments(name)
        self.said = f"{name}({', '.join(map(hex, made))})"
        try:
            result = guest.call(name, *made)
        except BaseException:
            return traceback.format_exc()
        finally:
            guest.outcome, guest.leader.ended = None, False
        if result <= -4096:
            return f"gives {result:#x}"
        if not os.path.sameopenfile(self.hidden, self.hidden) or os.fstat(self.hidden).st_rdev != os.makedev(1, 3):
            return "a descriptor of ours is gone"
        return ""

    def compare_maps(self) -> str:
        """What the host has mapped in guest memory that the regions do not say, or otherwise; nothing if they agree."""
        regions = list(self.memory.regions)
        with open("/proc/self/maps") as file:
            for line in file:
                addresses, letters, *_ = line.split()
                start, end = (int(part, 16) - BASE for part in addresses.split("-"))
                if start < 0 or end > self.memory.size or letters.startswith("---"):
                    continue
                while start < end:
                    region = self.memory.regions.at(start)
                    if region is None:
                        return f"the host has {line.strip()}, the guest nothing at {start:#x}"
                    if ("w" in letters) != bool(region.prot & 2):
                        return f"the host has {line.strip()}, the guest {region}"
                    start = region.end
        for region in regions:
            if region.prot & 1 and region.solid:
                for address in (region.start, region.end - 4096):
                    try:
                        self.memory.read(address, 1)
                    except MemoryFault:
                        return f"{region} cannot be read"
        return ""


def run(folder: str, seed: int, count: int) -> int:
    """Make `count` calls in a sandbox."""
    for module in pkgutil.walk_packages(xenos.linux.__path__, "xenos.linux."):
        importlib.import_module(module.name)
    out = os.dup(1)
    high = fcntl.fcntl(out, fcntl.F_DUPFD_CLOEXEC, 950)
    os.close(out)
    sandbox.enter(folder, keep=high)
    for fd in range(3):     # what a guest prints is not for us
        os.dup2(os.open("/dev/null", os.O_RDWR), fd)
    import faulthandler

    faulthandler.enable(file=high)
    for number in set(range(1, signal.NSIG)) - {4, 5, 6, 7, 8, 9, 11, 19, 32, 33}:
        try:
            signal.signal(number, lambda *_: None)
        except OSError:
            pass
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)     # no call waits longer
    said = "ok"
    try:
        said = play(Wild(seed), count)
    except BaseException:
        said = traceback.format_exc()
    finally:
        os.write(high, f"{said}\n".encode() if said == "ok" else f"seed {seed}: {said}\n".encode())
        os._exit(said != "ok")


def play(wild: Wild, count: int) -> str:
    """Make so many calls; what is wrong, or `ok`."""
    often = int(os.environ.get("COMPARE_MAPS", "500"))      # calls between two looks at the host's mappings
    for index in range(count):
        if index % 40 == 0:
            wild.fill()
        wrong = wild.step() or (wild.compare_maps() if index % often == often - 1 else "")
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        if wrong:
            return f"call {index}, {wild.said}: {wrong}"
    return "ok"


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
