"""The life of a process: what its CPU stops for, how it ends, its children."""

import os
import re
import signal
import struct
import time
from collections.abc import Callable

import pytest

from linux.kit import CALL_NUMBERS, SCRATCH, Guest, make_elf, segment
from xenos.cpu.exits import Breakpoint, Budget, Exit, Fault, Illegal, Syscall
from xenos.cpu.state import Cpu
from xenos.errors import EngineError
from xenos.linux.outcome import Outcome

Step = Exit | Callable[[Cpu], Exit]
EAGAIN, EINVAL, ETIMEDOUT, EPIPE = 11, 22, 110, 32


def calling(name: str, *arguments: int) -> Callable[[Cpu], Exit]:
    """A step of the script: the guest makes this call."""

    def step(cpu: Cpu) -> Exit:
        for index, value in enumerate(arguments):
            cpu.write("r", index, value)
        cpu.write("r", 8, CALL_NUMBERS[name])
        return Syscall()

    return step


def play(guest: Guest, *steps: Step) -> Outcome:
    guest.engine.exits = list(steps)  # type: ignore[attr-defined]
    outcome = guest.run()
    assert outcome is not None
    return outcome


def test_exit_status(guest: Guest) -> None:
    outcome = play(guest, calling("getpid"), Budget(), calling("exit_group", 0x103))
    assert (outcome.status, outcome.signal, outcome.exit_status) == (3, 0, 3)


@pytest.mark.parametrize(("exit", "number", "text"), [
    (Fault(Fault.READ, 0x10), signal.SIGSEGV, "segmentation fault .SIGSEGV. at pc 0x44, reading 0x10: nothing is"),
    (Fault(Fault.WRITE, 0x10, 1), signal.SIGSEGV, "writing 0x10: not allowed"),
    (Fault(Fault.EXECUTE, 0x10), signal.SIGSEGV, "executing 0x10"),
    (Fault(Fault.READ, 0x10, 2), signal.SIGBUS, "bus error .SIGBUS.*behind the end of the file"),
    (Illegal(0xFFFF), signal.SIGILL, "illegal instruction .SIGILL.*0x0000ffff is no instruction implemented"),
    (Breakpoint(), signal.SIGTRAP, "SIGTRAP"),
])
def test_death_by_signal(guest: Guest, exit: Exit, number: int, text: str) -> None:
    guest.cpu.pc = 0x44
    outcome = play(guest, exit)
    assert (outcome.signal, outcome.exit_status, outcome.pc) == (number, 128 + number, 0x44)
    assert re.search(text, outcome.report()) and "\n" not in outcome.report()
    assert outcome.registers()["r"][0] == 0


def test_unknown_exit_is_our_error(guest: Guest) -> None:
    with pytest.raises(EngineError):
        play(guest, Exit())


def test_run_returns_none_when_the_budget_is_spent(guest: Guest) -> None:
    from xenos.cpu.layout import COUNT

    def work(cpu: Cpu) -> Exit:
        cpu.set(COUNT, cpu.count + 60)
        return Budget()

    guest.engine.exits = [work, work, work]  # type: ignore[attr-defined]
    assert guest.run(100) is None
    assert len(guest.engine.exits) == 1  # type: ignore[attr-defined]


def test_kill_itself(guest: Guest) -> None:
    assert play(guest, calling("tgkill", os.getpid(), os.getpid(), 6)).signal == signal.SIGABRT
    guest.reset()
    assert play(guest, calling("kill", os.getpid(), 17), calling("exit_group", 1)).status == 1  # SIGCHLD is harmless


def action(handler: int) -> bytes:
    return struct.pack("<QQQ", handler, 0, 0)


def test_ignored_signals_do_nothing(guest: Guest) -> None:
    guest.call("rt_sigaction", 15, action(1), 0, 8)
    assert guest.call("rt_sigaction", 15, 0, SCRATCH, 8) == 0 and guest.memory.load(SCRATCH, 8) == 1
    assert play(guest, calling("kill", os.getpid(), 15), calling("exit_group", 0)).exit_status == 0
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert guest.call("rt_sigaction", 9, action(1), 0, 8) == -EINVAL
    assert guest.call("rt_sigaction", 65, action(1), 0, 8) == -EINVAL
    assert guest.call("rt_sigaction", 5, action(1), 0, 4) == -EINVAL


def test_blocked_signals_wait(guest: Guest) -> None:
    guest.call("rt_sigprocmask", 0, struct.pack("<Q", 1 << 14), 0, 8)
    assert guest.call("kill", os.getpid(), 15) == 0
    assert guest.outcome is None
    for _ in range(500):        # a thread of the tests' own may be who gets it, and then hands it on
        guest.call("rt_sigpending", SCRATCH, 8)
        if guest.memory.load(SCRATCH, 8):
            break
        time.sleep(0.01)
    assert guest.memory.load(SCRATCH, 8) == 1 << 14
    guest.call("rt_sigprocmask", 1, struct.pack("<Q", 1 << 14), 0, 8)
    for _ in range(500):        # and may be at that still
        if guest.outcome is not None:
            break
        time.sleep(0.01)
        guest.call("getpid")
    assert guest.outcome is not None and guest.outcome.signal == 15


def test_a_signal_while_a_call_waits(guest: Guest) -> None:
    guest.call("pipe2", SCRATCH, 0)
    reader = guest.memory.load(SCRATCH, 4)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    assert play(guest, calling("read", reader, SCRATCH, 1)).signal == signal.SIGALRM
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_broken_pipe_kills_unless_ignored(guest: Guest) -> None:
    guest.call("pipe2", SCRATCH, 0)
    reader, writer = struct.unpack("<ii", guest.memory.read(SCRATCH, 8))
    guest.call("close", reader)
    guest.call("rt_sigaction", 13, action(1), 0, 8)
    assert guest.call("write", writer, b"x", 1) == -EPIPE and guest.outcome is None
    guest.call("rt_sigaction", 13, action(0), 0, 8)
    guest.call("write", writer, b"x", 1)
    assert guest.outcome is not None and guest.outcome.signal == signal.SIGPIPE


def wait(guest: Guest, pid: int) -> int:
    assert guest.call("wait4", pid, SCRATCH, 0, 0) == pid
    return guest.memory.load(SCRATCH, 4)


CLONE = 17
VFORK = 0x4100 | 17


@pytest.mark.parametrize(("child", "status"), [
    ((calling("exit_group", 5),), 5 << 8),
    ((Fault(Fault.READ, 0),), 11),
    ((Breakpoint(),), 5),
    ((calling("kill", 0, 0), calling("tgkill", -1, -1, 9), calling("exit_group", 1)), 1 << 8),
])
@pytest.mark.parametrize("flags", [CLONE, VFORK])
def test_children_end_as_the_guest_in_them_does(
    guest: Guest, capfd: pytest.CaptureFixture[str], flags: int, child: tuple[Step, ...], status: int,
) -> None:
    guest.call("getpid")
    pids: list[int] = []
    steps = list(child)

    def split(cpu: Cpu) -> Exit:
        pid = cpu.read("r", 0)
        if pid:
            pids.append(pid)
            return calling("exit_group", 0)(cpu)
        guest.engine.exits = steps  # type: ignore[attr-defined]
        return Budget()

    play(guest, calling("clone", flags, 0, 0, 0, 0), split)
    guest.outcome = None
    assert wait(guest, pids[0]) == status


def test_hooks_around_a_fork(guest: Guest) -> None:
    told: list[str] = []
    guest.before_fork.append(lambda: told.append("before"))
    guest.after_fork.append(lambda: told.append("after"))
    pids: list[int] = []

    def split(cpu: Cpu) -> Exit:
        pids.append(cpu.read("r", 0))
        return calling("exit_group", len(told))(cpu)

    play(guest, calling("clone", CLONE, 0, 0, 0, 0), split)
    guest.outcome = None
    assert told == ["before"] and wait(guest, pids[0]) == 2 << 8


def test_what_a_child_of_vfork_writes_reaches_its_parent(guest: Guest) -> None:
    guest.cpu.write("r", 9, SCRATCH + 0x1000)
    pids: list[int] = []

    def split(cpu: Cpu) -> Exit:
        if cpu.read("r", 0):
            pids.append(cpu.read("r", 0))
        else:
            guest.memory.store(SCRATCH + 0x1010, 8, 99)
            guest.memory.store(SCRATCH + 0x800, 8, 99)
        return calling("exit_group", 1)(cpu)

    play(guest, calling("clone", VFORK, 0, 0, 0, 0), split)
    assert guest.memory.load(SCRATCH + 0x1010, 8) == 99 == guest.memory.load(SCRATCH + 0x800, 8)
    os.waitpid(pids[0], 0)


def test_namespaces_and_half_threads_are_refused(guest: Guest) -> None:
    assert guest.call("clone", 0x10100, 0, 0, 0, 0) == -EINVAL
    assert guest.call("clone", 0x10000000 | 17, 0, 0, 0, 0) == -1


def test_execve(guest: Guest, program: Callable[..., str], tmp_path: object) -> None:
    path = os.fsencode(program(make_elf(segment())))
    kept = guest.call("openat", -100, b"/dev/null", 0)
    lost = guest.call("openat", -100, b"/dev/null", 0o2000000)
    guest.call("rt_sigaction", 15, action(0x1000), 0, 8)
    told: list[int] = []
    guest.after_exec.append(lambda: told.append(1))
    guest.memory.write(SCRATCH + 0x100, struct.pack("<QQ", SCRATCH + 0x200, 0))
    guest.memory.write(SCRATCH + 0x200, b"name\0")
    guest.memory.write(SCRATCH + 0x300, path + b"\0")
    outcome = play(guest, calling("execve", SCRATCH + 0x300, SCRATCH + 0x100, 0), calling("exit_group", 0))
    assert guest.cpu.pc == 0x10100 and guest.argv == [b"name"] and told == [1]
    assert guest.signals.handler(15) == 0 and outcome.status == 0
    os.fstat(kept)
    with pytest.raises(OSError):
        os.fstat(lost)


def test_execve_refuses_and_the_guest_goes_on(guest: Guest, program: Callable[..., str], tmp_path: object) -> None:
    def run(path: str) -> int:
        return guest.call("execve", os.fsencode(path), 0, 0)

    assert run("/nowhere") == -2
    assert run(str(tmp_path)) == -13
    assert run(program(b"text only")) == -8
    assert run(program(make_elf(segment(), machine=0x7777))) == -8
    assert run(program(make_elf(segment(), entry=0))) == -8
    no_linker = make_elf(segment(), segment(kind=3, offset=0x1000, file_size=8), tail=b"/no/ld\0\0")
    assert run(program(no_linker)) == -2
    assert guest.outcome is None and guest.memory.load(SCRATCH, 1) != 0


def test_host_program_takes_the_place_of_a_child(guest: Guest, tmp_path: object) -> None:
    guest.memory.write(SCRATCH + 0x100, struct.pack("<QQQQ", SCRATCH + 0x200, SCRATCH + 0x210, SCRATCH + 0x220, 0))
    for offset, text in ((0x200, b"sh"), (0x210, b"-c"), (0x220, b"exit 7"), (0x300, b"/bin/sh")):
        guest.memory.write(SCRATCH + offset, text + b"\0")
    pids: list[int] = []

    def split(cpu: Cpu) -> Exit:
        if cpu.read("r", 0):
            pids.append(cpu.read("r", 0))
            return calling("exit_group", 0)(cpu)
        return calling("execve", SCRATCH + 0x300, SCRATCH + 0x100, 0)(cpu)

    play(guest, calling("clone", VFORK, 0, 0, 0, 0), split)
    guest.outcome = None
    assert wait(guest, pids[0]) == 7 << 8


def test_futex_of_a_single_thread(guest: Guest) -> None:
    guest.memory.store(SCRATCH + 0x100, 4, 5)
    assert guest.call("futex", SCRATCH + 0x100, 1, 1) == 0
    assert guest.call("futex", SCRATCH + 0x100, 0, 4, 0) == -EAGAIN
    guest.memory.write(SCRATCH + 0x200, struct.pack("<qq", 0, 10**6))
    assert guest.call("futex", SCRATCH + 0x100, 0, 5, SCRATCH + 0x200) == -ETIMEDOUT
    assert guest.call("futex", SCRATCH + 0x101, 0, 5, 0) == -EINVAL


def test_time_and_names(guest: Guest) -> None:
    import time

    assert guest.call("clock_gettime", 0, SCRATCH) == 0
    assert abs(guest.memory.load(SCRATCH, 8) - time.time()) < 5
    assert guest.call("clock_gettime", 9999, SCRATCH) == -EINVAL
    assert guest.call("nanosleep", struct.pack("<qq", 0, 10**9), 0) == -EINVAL
    assert guest.call("uname", SCRATCH) == 0
    assert guest.memory.cstring(SCRATCH + 4 * 65) == b"guest64" and guest.memory.cstring(SCRATCH) == b"Linux"
    assert guest.call("prlimit64", 0, 3, 0, SCRATCH) == 0 and guest.memory.load(SCRATCH, 8) == 8 << 20
    assert guest.call("sysinfo", SCRATCH) == 0 and guest.memory.load(SCRATCH + 32, 8) > 1 << 20
    assert guest.call("sched_getaffinity", 0, 128, SCRATCH) % 8 == 0
    assert guest.call("getrandom", SCRATCH, 64, 0) == 64
    assert guest.call("getpid") == os.getpid() == guest.call("gettid")


def test_reset_makes_it_new(guest: Guest, program: Callable[..., str]) -> None:
    path = program(make_elf(segment()))
    for _ in range(3):
        guest.load(path, [path], {})
        assert play(guest, calling("exit_group", 4)).status == 4
        guest.memory.map(SCRATCH, 4096, 3)
        guest.call("openat", -100, b"/dev/null", 0)
        fds = len(os.listdir("/proc/self/fd"))
        guest.reset()
        assert len(os.listdir("/proc/self/fd")) == fds - 1
        assert not guest.memory.regions and guest.outcome is None


def test_strace_prints_calls(guest: Guest, capfd: pytest.CaptureFixture[str]) -> None:
    guest.strace = True
    guest.call("openat", -100, b"/nowhere\n", 0)
    guest.call("write", 1, b"hi", 2)
    guest.call("restart_syscall")
    guest.call("restart_syscall")
    lines = capfd.readouterr().err.splitlines()
    assert lines[0].endswith('openat(AT_FDCWD, "/nowhere\\n", 0x0, 00) = -1 ENOENT (No such file or directory)')
    assert lines[1].endswith('write(1, "hi", 2) = 2')
    assert sum("is not there" in line for line in lines) == 1

