"""The pool of workers: processes that compile, started when there is enough to do, seen by nobody else.

The parent never waits for one: it writes a request to one that is idle, and looks now and then whether an answer has come. A
worker that ends takes its job with it, which is not tried again. One that has grown is ended between two jobs; how much memory one
can have at all, it sees to itself (region/bounds.py).
"""

from __future__ import annotations

import ctypes
import marshal
import os
import sys
import time

from xenos.engines.code.store import SIGPIPE, Withheld
from xenos.engines.hosts import host_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_WALL = 0x40000000      # wait4(2): children whose end sends no SIGCHLD, too
_END, _CHILD = 15, 17    # signals
_STATUS = 128           # a keeper's exit status, if its worker ended with 0; below, it is the signal that ended it
_LONG = 60.0            # seconds
_PATIENCE = 1000        # milliseconds that a keeper gets to make an end
_AT_ONCE = 3            # workers in a row that end before they have done anything: there are no more then
_PIPE_SIZE = 1 << 20    # a request is smaller, so that to write one never waits
_SET_PIPE_SIZE = 1031   # F_SETPIPE_SZ
_BLOCK, _SETMASK = 0, 2
_EVERY = (1 << 64) - 1
# It holds Python's lock: nothing else runs between a call of clone and what the new process calls.
_libc = ctypes.PyDLL(None, use_errno=True)
RECYCLE = 400           # jobs, after which a worker has done enough
GROWN = 64 << 20        # bytes of its own, with which it is ended: what is free of them comes back in pieces only


class Worker:
    """One process and the job that it is at. `pid` is its keeper's, which makes an end of it when it is asked to."""

    def __init__(self, pid: int, requests: int, answers: int) -> None:
        self.pid = pid
        self.requests = requests
        self.answers = answers
        self.job: dict[str, Any] | None = None
        self.done = 0
        self._part = bytearray()

    def give(self, job: dict[str, Any]) -> None:
        """Send a request. OSError if the worker has ended."""
        body = marshal.dumps(job)
        _write(self.requests, len(body).to_bytes(8, "little") + body)
        self.job = job

    def answer(self) -> dict[str, Any] | None:
        """Its answer, if that has come as a whole. EOFError if the worker has ended."""
        while True:
            try:
                part = os.read(self.answers, 1 << 18)
            except BlockingIOError:
                return None
            if not part:
                raise EOFError
            self._part += part
            size = int.from_bytes(self._part[:8], "little")
            if len(self._part) >= 8 + size and len(self._part) >= 8:
                body, self._part = self._part[8:8 + size], self._part[8 + size:]
                self.job = None
                self.done += 1
                return marshal.loads(body)  # type: ignore[no-any-return]

    def end(self) -> str:
        """Make an end of it, and forget it. Gives what ended it, if that was something else."""
        for fd in (self.requests, self.answers):
            try:
                os.close(fd)
            except OSError:
                pass
        try:
            os.kill(self.pid, _END)
            for _ in range(_PATIENCE):
                pid, status = os.waitpid(self.pid, _WALL | os.WNOHANG)
                if pid:
                    return _cause(os.waitstatus_to_exitcode(status))
                time.sleep(0.001)
            os.kill(self.pid, 9)    # it got stuck; the worker ends when nobody reads its answers
            os.waitpid(self.pid, _WALL)
        except OSError:
            pass
        return ""


def _cause(told: int) -> str:
    """What a keeper's exit status says of its worker's end: a signal, or a status and 128."""
    import _signal

    if told >= _STATUS:
        return f"status {told - _STATUS}" if told > _STATUS else ""
    told = abs(told)    # less than 0 if it was the keeper that was ended
    names = [name for name, number in vars(_signal).items() if number == told and name.startswith("SIG") and name.isalnum()]
    return names[-1] if names else f"signal {told}"     # of several, the usual one is the last


class Pool:
    """At most `most` workers. `arguments` are those of a worker, `hide` moves a descriptor out of the guest's way."""

    def __init__(self, most: int, arguments: list[str], hide: Callable[[int], int] = lambda fd: fd) -> None:
        self.most = most
        self.hide = hide
        self.workers: list[Worker] = []
        self.memory = (0, 0)    # host address and size of the guest's: no worker needs it
        self.problem = ""       # why none can be started
        self.lost = 0           # workers that ended by themselves
        self.causes: dict[str, int] = {}    # and of what, as far as that is known
        self.started = self.grown = 0       # workers that were started; that were ended for what memory they had
        self.starting = self.working = 0.0  # seconds of processor time that workers took to start, and for jobs
        self.most_memory = 0                # bytes that one of them had of its own between two jobs
        self._arguments = arguments
        self._pid = os.getpid()
        self._failed = 0        # workers in a row that did nothing

    def idle(self) -> Worker | None:
        """One that has nothing to do, if there is one."""
        for worker in self.workers:
            if worker.job is None:
                return worker
        return None

    def full(self) -> bool:
        """Whether there may be no more of them, and there are some."""
        return 0 < self.most <= len(self.workers)

    def more(self) -> bool:
        """Whether there may be more of them."""
        return len(self.workers) < self.most and not self.problem

    def start(self) -> Worker | None:
        """A new one, if there may be more."""
        if not self.more():
            return None
        try:
            worker = Worker(*_spawn(self._arguments, self.hide, self.memory))
        except OSError as error:
            self.problem = error.strerror or str(error)
            return None
        self.workers.append(worker)
        self.started += 1
        return worker

    def give(self, worker: Worker, job: dict[str, Any]) -> bool:
        """Have a worker do a job; False if it has ended."""
        try:
            worker.give(job)
        except OSError:
            self._gone(worker)
            return False
        return True

    def answers(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Jobs that are done, with their answers; with an empty one where the worker ended over it."""
        found = []
        for worker in list(self.workers):
            job = worker.job
            if job is None:
                continue
            try:
                answer = worker.answer()
            except (EOFError, OSError, ValueError):
                self._gone(worker)
                answer = {}
            if answer is not None:
                self._failed = 0 if worker.done else self._failed
                found.append((job, answer))
                memory = self._count(answer)
                if worker in self.workers and (worker.done >= RECYCLE or memory > GROWN):
                    self.grown += memory > GROWN
                    self.workers.remove(worker)
                    worker.end()
        return found

    def _count(self, answer: dict[str, Any]) -> int:
        """Add up what the worker says it took; gives the bytes that it has."""
        self.working += answer.get("cpu", 0.0)
        self.starting += answer.get("start", 0.0)
        memory: int = answer.get("memory", 0)
        self.most_memory = max(self.most_memory, memory)
        return memory

    def told(self) -> str:
        """For people: what workers there were, what they took, and what became of them; empty if there were none."""
        parts = []
        if self.started and not self.most_memory:
            parts.append(f"{self.started:,} started, and nothing done in time")
        elif self.started:
            parts.append(f"{self.started:,} started in {self.starting:.2f} s of processor time, {self.working:.2f} s for jobs, "
                         f"{self.most_memory / 1e6:.0f} MB at most")
        if self.grown:
            parts.append(f"{self.grown:,} ended for the memory that they had")
        if self.lost:
            parts.append(self.losses())
        return "; ".join(parts)

    def losses(self) -> str:
        """How many workers were lost, and of what; empty if none was."""
        causes = ", ".join(f"{cause} {times}" if times > 1 else cause for cause, times in self.causes.items())
        return f"{self.lost:,} lost" + f" ({causes})" * bool(causes) if self.lost else ""

    def wait(self, seconds: float) -> bool:
        """Wait until an answer comes, or part of one; False if none does in that time."""
        import select

        busy = select.poll()    # descriptors out of the guest's way are too high for select(2)
        for worker in self.workers:
            if worker.job is not None:
                busy.register(worker.answers, select.POLLIN)
        return seconds > 0 and any(worker.job is not None for worker in self.workers) and bool(busy.poll(int(seconds * 1000) + 1))

    def _gone(self, worker: Worker) -> None:
        self.lost += 1
        self._failed += not worker.done
        if self._failed >= _AT_ONCE:
            self.problem = "they end before they have done anything"
        self.workers.remove(worker)
        cause = worker.end()
        if cause:
            self.causes[cause] = self.causes.get(cause, 0) + 1

    def close(self) -> None:
        """End all of them."""
        if os.getpid() == self._pid:
            for worker in self.workers:
                worker.end()
        self.workers.clear()

    def after_fork(self) -> None:
        """In a forked child: the workers are the parent's."""
        for worker in self.workers:
            for fd in (worker.requests, worker.answers):
                os.close(fd)
        self.workers.clear()
        self._pid = os.getpid()


def _write(fd: int, data: bytes) -> None:
    """Write all of it. Where nobody reads any more that is an error, and no signal: the guest might get that."""
    with Withheld(SIGPIPE):
        while data:
            data = data[os.write(fd, data):]


def _mask(how: int, signals: int) -> int:
    """rt_sigprocmask(2): gives what it was. Python's own would let 32 and 33 through, which are the guest's, too."""
    words = (ctypes.c_uint64 * 2)(signals)
    at = ctypes.addressof(words)
    number = host_runtime().SYSTEM_CALLS["rt_sigprocmask"]
    _libc.syscall(number, how, ctypes.c_void_p(at), ctypes.c_void_p(at + 8), ctypes.c_long(8))
    return words[1]


def _spawn(arguments: list[str], hide: Callable[[int], int], memory: tuple[int, int]) -> tuple[int, int, int]:
    """Start a worker: its keeper's process id, where to write requests, where to read answers.

    A child whose end sends no signal is seen by no wait of the guest's (clone(2): exit signal 0), but only until it calls execve,
    which makes it one like others. So the worker is a child of its keeper, which is such a child and calls nothing. Both hold none
    of the guest's descriptors, and are in a session of their own, where no terminal and no process group reaches them.
    """
    import fcntl

    ends: list[int] = []
    try:
        ends += os.pipe2(os.O_CLOEXEC)
        ends += os.pipe2(os.O_CLOEXEC)
    except OSError:
        for fd in ends:
            os.close(fd)
        raise
    theirs, requests, answers, ours = ends
    try:
        fcntl.fcntl(requests, _SET_PIPE_SIZE, _PIPE_SIZE)
    except OSError:
        pass            # the user has many pipes: larger requests wait until the worker reads them
    os.set_blocking(answers, False)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    environment = {name: value for name, value in os.environ.items() if name.startswith(("LD_", "PYTHON", "HOME", "PATH", "XENOS"))}
    # It finds modules where this process does, and reads no site configuration: that takes longer than LLVM to start.
    environment["PYTHONPATH"] = os.pathsep.join([root, *(path for path in sys.path if path)])
    command = [sys.executable, "-S", "-P", "-m", "xenos.engines.region.worker", *arguments]
    clone = host_runtime().SYSTEM_CALLS["clone"]
    before = _mask(_BLOCK, _EVERY)
    # A thread that has waited for Python's lock for an interval asks for it; in the new process, where that thread is not, to give
    # it would be to wait for ever. So none asks now: all that did have got it, and those that come wait for long.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_LONG)
    time.sleep(2 * interval)
    pid = _libc.syscall(clone, 0, 0, 0, 0, 0)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        _keep(clone, command, environment, theirs, ours, memory)
    if sys.getswitchinterval() == _LONG:
        sys.setswitchinterval(interval)
    _mask(_SETMASK, before)
    os.close(theirs)
    os.close(ours)
    if pid < 0:
        error = ctypes.get_errno()
        os.close(requests)
        os.close(answers)
        raise OSError(error, os.strerror(error))
    return pid, hide(requests), hide(answers)


def _keep(clone: int, command: list[str], environment: dict[str, str], requests: int, answers: int,
          memory: tuple[int, int]) -> None:
    """In the new process: start the worker, wait for its end, and make one when it is asked to. Nothing may be raised from here."""
    import _signal

    told = _STATUS
    try:
        os.setsid()
        _libc.signal(_CHILD, None)       # the guest may ignore it: then nobody could be waited for
        pid = _libc.syscall(clone, _CHILD, 0, 0, 0, 0)
        if pid == 0:
            _become(command, environment, requests, answers)
        os.closerange(0, 1 << 20)
        _libc.munmap(*(ctypes.c_size_t(word) for word in memory))    # it is not kept twice
        if pid > 0 and _signal.sigwait({_CHILD, _END}) == _END:
            os.kill(pid, 9)
        if pid > 0:
            told = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            told = -told if told < 0 else min(_STATUS + told, 255)
    finally:
        os._exit(told)


def _become(command: list[str], environment: dict[str, str], requests: int, answers: int) -> None:
    """In a new process: be the worker. Nothing may be raised from here."""
    try:
        os.setsid()
        nowhere = os.open("/dev/null", os.O_WRONLY)
        os.dup2(requests, 0)
        os.dup2(answers, 1)
        os.dup2(nowhere, 2)
        os.closerange(3, 1 << 20)
        os.nice(1)
        _mask(_SETMASK, 0)
        os.execve(command[0], command, environment)
    finally:
        os._exit(127)
