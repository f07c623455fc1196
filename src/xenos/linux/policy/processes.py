"""Which processes are the guest's own: those that descend from where it began. A confined guest reaches no others."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

EPERM, ESRCH, ECHILD = 1, 3, 10


def parent_of(pid: int) -> int:
    """The parent of a process or thread; 0 if it is not there."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])   # the name before may hold anything
    except (OSError, IndexError, ValueError):
        return 0


def descends(pid: int, root: int) -> bool:
    """Whether `pid` is `root` or one of its descendants. Orphans are: their new parent is among those, see `supervisor`."""
    while pid > 1 and pid != root:
        pid = parent_of(pid)
    return pid == root


def living(root: int) -> Iterator[int]:
    """All descendants of `root` there are at the moment, without itself."""
    parents = {int(name): parent_of(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    for pid in parents:
        at = pid
        for _ in range(len(parents)):
            at = parents.get(at, 0)
            if at in (0, root):
                break
        if at == root:
            yield pid


def is_guests(pid: int, root: int) -> bool:
    """Whether a process or thread other than the one that watches over the guest is the guest's."""
    return pid == os.getpid() or (descends(pid, root) and (pid != root or root == os.getpid()))


def kill(pid: int, signal: int, root: int) -> int:
    """kill(2) of a process that is not this one, if it is the guest's: 0, or -errno."""
    try:
        handle = os.pidfd_open(pid)     # so that the number cannot come to name another in the meantime
    except OSError as error:
        return -(error.errno or ESRCH)
    try:
        if not is_guests(pid, root):
            return -EPERM
        from signal import pidfd_send_signal

        pidfd_send_signal(handle, signal)
    except OSError as error:
        return -(error.errno or ESRCH)
    finally:
        os.close(handle)
    return 0


def kill_group(group: int, signal: int, root: int) -> tuple[int, bool]:
    """kill(2) of the guest's other processes in a group (1: in all groups): 0 or -errno, and whether this one is in it.

    -EPERM where the group has members, none of them the guest's.
    """
    own = os.getpid()
    result = -ESRCH
    for pid in living(root):
        try:
            if pid == own or (group != 1 and os.getpgid(pid) != group):
                continue
        except OSError:
            continue
        sent = kill(pid, signal, root)
        result = 0 if sent == 0 else result
    mine = os.getpgrp() == group
    if result and not mine and group != 1:
        try:
            os.killpg(group, 0)
            result = -EPERM
        except OSError as error:
            result = -(error.errno or ESRCH)
    return result, mine
