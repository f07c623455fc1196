"""Importing what a guest may need later, while it can still be read.

Modules are imported when they are first needed. A guest can make that impossible: it fills up its descriptors, forbids
itself to open more, or becomes a user who may not look into the folder where Xenos is installed.
"""

from __future__ import annotations

import os

from xenos.linux.descriptors import beyond_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

_HERE = os.path.dirname(__file__)
_STANDARD = ("fcntl", "resource", "errno", "struct", "ctypes", "signal")
_done = False


def everything(process: Process) -> None:
    """Import all that answers system calls, and what the engine needs. Where that fails, it fails later."""
    global _done
    if _done:
        return
    _done = True
    own = [name[:-3] for name in beyond_limit(lambda: os.listdir(_HERE)) if name.endswith(".py")]
    guests = [where.partition(":")[0] for where in process.form.calls.values()]
    names = [*_STANDARD, *(f"xenos.linux.{name}" for name in own if name != "__init__"), *guests, *process.needed]
    if process.form.signal_frame:
        names.append(process.form.signal_frame)
    for name in names:
        try:
            beyond_limit(lambda name=name: __import__(name, None, None, ("_",)))  # type: ignore[misc]
        except (OSError, ImportError):
            pass


def if_private(process: Process) -> None:
    """The same, if other users cannot read what is to be imported."""
    path = _HERE
    while len(path) > 1:
        try:
            if os.stat(path).st_mode & 0o005 != 0o005:
                everything(process)
                return
        except OSError:
            return
        path = os.path.dirname(path)
