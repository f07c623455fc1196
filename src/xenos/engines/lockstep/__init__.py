"""Two engines side by side: the stencil engine runs every block, the reference engine says what should have come of it."""

from xenos.engines.lockstep.engine import LockstepEngine

__all__ = ["LockstepEngine"]
