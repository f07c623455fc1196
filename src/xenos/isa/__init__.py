"""Guests, one folder each. This is the list of them; a guest's own modules are imported when it is asked for."""

from __future__ import annotations

from xenos.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.isa.guest import Guest

# Name -> module that holds its `GUEST`.
GUESTS = {"riscv64": "xenos.isa.riscv.guest"}

# e_machine of a 64-bit little-endian ELF file -> name.
ELF_MACHINES = {243: "riscv64"}


def find_guest(name: str) -> Guest:
    """The guest of that name; UsageError if there is none."""
    if name not in GUESTS:
        raise UsageError(f"there is no guest `{name}`; there is: {', '.join(sorted(GUESTS))}")
    found: Guest = __import__(GUESTS[name], None, None, ("GUEST",)).GUEST
    return found
