"""Putting a policy in force, once the program is loaded: first in Xenos, then in the host's kernel, for good."""

from __future__ import annotations

import os

from xenos.errors import HostError, LoadError
from xenos.linux.policy.enforcer import Enforcer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenos.linux.policy.terms import Policy
    from xenos.linux.process import Process

_SLACK = 512 << 20  # memory that Xenos itself may come to need beside a guest's
_OPEN_TO_ALL = (b"/proc", b"/sys/devices/system/cpu")
_DEVICES = tuple(b"/dev/" + name for name in (b"null", b"zero", b"full", b"random", b"urandom", b"tty"))


def enforce(process: Process, terms: Policy, program: Iterable[bytes], root_pid: int) -> None:
    """From now on the guest's system calls are under the policy. `program` are the files that it was started from.

    LoadError if the program has taken more memory by now than it may. UsageError if there are too many paths.
    """
    policy = Enforcer(terms, process, [process.paths.host(os.path.abspath(path)) for path in program], root_pid)
    if policy.ledger is not None and policy.ledger.full(0):
        raise LoadError(
            f"{os.fsdecode(process.name)}: takes {policy.ledger.total >> 10} KiB of memory to begin with; "
            f"its policy allows {policy.ledger.limit >> 10}"
        )
    process.calls.clear()
    process.policy = policy


def confine_host(
    process: Process, terms: Policy, program: Iterable[bytes], readable: Iterable[str], writable: Iterable[str],
) -> list[str]:
    """Let the host's kernel hold this process, and all that it forks, to the policy; gives what this host cannot do.

    `readable` and `writable` are files of Xenos's own that it still needs. It may have one thread only.
    """
    missing: list[str] = []
    if terms.max_memory is not None:
        _limit_memory(terms.max_memory)
    if not terms.confined:
        return missing
    from xenos.linux.policy import capabilities, landlock, seccomp

    if len(os.listdir("/proc/self/task")) != 1:
        raise HostError("a policy must be in force before there are threads; this is a bug of Xenos")
    opened = None
    if terms.files:
        ours = [os.fsencode(path) for path in (*_python(), *readable)]
        sysroot = [process.paths.root] if process.paths.root else []
        started = [process.paths.host(os.path.abspath(path)) for path in program]
        opened = _there([*terms.ro, *ours, *sysroot, *started, *_OPEN_TO_ALL])
    changed = _there([*terms.rw, *_DEVICES, *map(os.fsencode, writable)])
    try:
        capabilities.give_up(network=terms.network)
        held = landlock.restrict(opened, changed, network=terms.network)
        if not held:
            missing.append("Landlock")
        if not seccomp.restrict(network=terms.network, landlock=held):
            missing.append("seccomp")
    except OSError as error:
        raise HostError(f"this host does not let a process confine itself: {error.strerror}") from None
    return missing


def _there(paths: Iterable[bytes]) -> list[bytes]:
    return [path for path in dict.fromkeys(map(os.path.realpath, paths)) if os.path.exists(path)]


def _python() -> list[str]:
    """Where modules are imported from that are not needed before: the standard library's and our own."""
    here = os.path.abspath(__file__)
    return [os.path.dirname(os.path.abspath(os.__file__)), os.path.dirname(os.path.dirname(os.path.dirname(here)))]


def _limit_memory(size: int) -> None:
    """The host counts what this process has mapped to write on; without a wild access the guest's count comes first."""
    import resource

    with open("/proc/self/status") as file:
        used = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData:"))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = used + size + _SLACK
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
