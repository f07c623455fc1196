"""stdio.h: renaming."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process


def renameat2(
    process: Process, olddirfd: int, oldpath: bytes, newdirfd: int, newpath: bytes, flags: int = 0,
) -> int:
    """renameat2(2)."""
    old, old_fd = process.locate(olddirfd, oldpath, follow=False)
    new, new_fd = process.locate(newdirfd, newpath, follow=False)
    if not flags:
        os.rename(old, new, src_dir_fd=old_fd, dst_dir_fd=new_fd)
        return 0
    from xenos.linux import libc

    old_fd, new_fd = (-100 if fd is None else fd for fd in (old_fd, new_fd))
    return libc.call("renameat2", old_fd, old, new_fd, new, flags)
