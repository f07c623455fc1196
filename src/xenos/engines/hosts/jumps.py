"""How jumps are written, in the small part of Python that becomes native code: each host has its own of these functions."""

from __future__ import annotations


def aim(view: int, site: int, goal: int) -> int:
    """Let the jump at `site` go to `goal`, both relative to `view`, by one write that nobody sees half of."""
    raise NotImplementedError(f"the host's own function aims {view + site:#x} at {goal}")


def pad(place: int, site: int) -> int:
    """What to put before a jump whose site would lie at `site`: it writes so many bytes at `place` that do nothing, and gives
    their number. Sites must lie so that `aim` can write them in one piece."""
    raise NotImplementedError(f"the host's own function pads {place:#x} for {site}")
