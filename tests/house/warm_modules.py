"""The modules of a warm `xenos run`, beyond those of `python3 -I -S -c pass`."""

from __future__ import annotations

MODULES: tuple[str, ...] = ()
