"""From the word that a user gives to a program, its guest and its sysroot. The command line starts here, so this imports little."""

from __future__ import annotations

import os

from xenos.engines import choose
from xenos.sysroots.place import default_sysroot, find_program, needs_sysroot


def find(program: str, sysroot: str | None) -> tuple[str, str, str | None]:
    """The path of a program, the name of its guest, and the sysroot that it runs in, if any.

    A word without a slash is a file of the current directory, or else a program of the sysroot. If no sysroot is given,
    programs that need one get the one that `xenos sysroot create` made for their guest.
    """
    if "/" in program or _executable(program):
        guest = choose.guest_name(program)
        if sysroot is None and (not os.path.exists(program) or needs_sysroot(program)):
            sysroot = default_sysroot(guest)
        return program, guest, sysroot
    guest = choose.guest_name(program)  # the first one: there is no such file
    for name in (guest,) if sysroot is not None else choose.guest_names():
        root = sysroot if sysroot is not None else default_sysroot(name)
        if root is not None and (path := find_program(program, os.path.realpath(root))) is not None:
            return path, name, root
    return program, guest, sysroot


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
