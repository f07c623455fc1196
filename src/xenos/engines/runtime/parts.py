"""A child process in which Python does nothing before it knows what it is, in the small part of Python that is compiled."""

from __future__ import annotations

from xenos.engines.native.words import ask, call


def part(raw: int, number: int, flags: int, after: int) -> int:
    """clone(2), which has that number: the child's process id; 0 in the child, where the C function `after` was called."""
    made = ask(raw, number, flags, 0, 0, 0)
    if made == 0:
        call(after, 0, 0)
    return made
