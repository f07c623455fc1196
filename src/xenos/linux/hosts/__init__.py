"""What the host's own kernel calls its system calls: one table per host ISA, found by the machine's name."""

from __future__ import annotations

import os

from xenos.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def numbers() -> dict[str, int]:
    """System-call numbers of this host, by name."""
    found: dict[str, int] = _host().NUMBERS
    return found


def filtering() -> tuple[int, int]:
    """What a seccomp filter must know of this host: its AUDIT_ARCH, and where numbers of another ABI begin (0: nowhere)."""
    host = _host()
    return host.AUDIT_ARCH, host.OTHER_ABI


def _host() -> ModuleType:
    machine = os.uname().machine
    try:
        return __import__(f"{__name__}.{machine}", None, None, ("NUMBERS",))
    except ImportError:
        raise HostError(f"system calls of {machine} hosts are not known to Xenos") from None
