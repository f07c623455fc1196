"""What the host's own kernel calls its system calls: one table per host ISA, found by the machine's name."""

from __future__ import annotations

import os

from xenos.errors import HostError


def numbers() -> dict[str, int]:
    """System-call numbers of this host, by name."""
    machine = os.uname().machine
    try:
        module = __import__(f"{__name__}.{machine}", None, None, ("NUMBERS",))
    except ImportError:
        raise HostError(f"system calls of {machine} hosts are not known to Xenos") from None
    found: dict[str, int] = module.NUMBERS
    return found
