"""A policy as the user words it: which files, the network, other programs, how much memory, how long."""

from __future__ import annotations

import os

from xenos.errors import MissingFile, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

TIMED_OUT = 124  # exit status after max_time, as timeout(1) has it
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_LEAST_MEMORY = 1 << 20
_MOST_MEMORY = 1 << 62     # what a limit of the host's kernel can say, with room for what is added to it


class Policy:
    """What a guest may do. `xenos.Policy()` alone forbids nothing.

    ro, rw      paths that may be read, or read and written, with all below them. Once one is given, every other path
                is closed, except the sysroot and the program (read only), /dev/null and its like, and what /proc says
                of the guest itself
    network     whether sockets of other families than AF_UNIX may be made
    exec        whether other programs may take the guest's place
    max_memory  bytes of writable memory that one guest process may map; "512M" and the like are understood
    max_time    seconds by the clock on the wall after which the guest and its children are killed

    Raises UsageError for what makes no sense and MissingFile for a path that is not there.
    """

    __slots__ = ("exec", "max_memory", "max_time", "network", "ro", "rw")

    def __init__(
        self, *, ro: Iterable[Path] = (), rw: Iterable[Path] = (), network: bool = True, exec: bool = True,
        max_memory: int | str | None = None, max_time: float | None = None,
    ) -> None:
        self.ro = [_there(path) for path in _several(ro)]
        self.rw = [_there(path) for path in _several(rw)]
        self.network = network
        self.exec = exec
        self.max_memory = size(max_memory) if isinstance(max_memory, str) else max_memory
        self.max_time = max_time
        if self.max_memory is not None and self.max_memory < _LEAST_MEMORY:
            raise UsageError(f"a guest does not start in {self.max_memory} bytes of memory; say 64M, for example")
        if self.max_memory is not None and self.max_memory > _MOST_MEMORY:
            raise UsageError(f"no host has {self.max_memory} bytes of memory; say 64M, for example")
        if max_time is not None and not 0 < max_time < 1e9:
            raise UsageError(f"a guest cannot run for {max_time} seconds")

    @property
    def files(self) -> bool:
        """Whether paths are closed."""
        return bool(self.ro or self.rw)

    @property
    def confined(self) -> bool:
        """Whether anything is forbidden, so that ways around it must be forbidden as well."""
        return self.files or not self.network or not self.exec

    @property
    def empty(self) -> bool:
        """Whether it forbids nothing and limits nothing."""
        return not self.confined and self.max_memory is None and self.max_time is None

    def words(self) -> dict[str, object]:
        """The arguments that make this policy again, in text and numbers."""
        return {
            "ro": [os.fsdecode(path) for path in self.ro], "rw": [os.fsdecode(path) for path in self.rw],
            "network": self.network, "exec": self.exec, "max_memory": self.max_memory, "max_time": self.max_time,
        }

    def __repr__(self) -> str:
        return f"Policy({', '.join(f'{name}={value!r}' for name, value in self.words().items())})"


def size(text: str) -> int:
    """Bytes from `512M`, `2GiB`, `4096`; UsageError if it is no size."""
    number = text.strip().upper().removesuffix("B").removesuffix("I")
    unit = number[-1:] if number[-1:] in _UNITS else ""
    try:
        return int(float(number.removesuffix(unit)) * _UNITS[unit])
    except (ValueError, OverflowError):
        raise UsageError(f"`{text}` is no size; say 512M or 2G") from None


def seconds(text: str) -> float:
    """A number of seconds; UsageError if it is none."""
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"`{text}` is no number of seconds") from None


def _several(paths: Iterable[Path]) -> Iterable[Path]:
    if isinstance(paths, str | bytes | os.PathLike):  # a common slip, which would close all but single letters
        raise UsageError("ro and rw of a policy are lists of paths")
    return paths


def _there(path: Path) -> bytes:
    name = os.fsencode(path)
    if not name or not os.path.exists(name):
        raise MissingFile(f"{os.fsdecode(name)}: no such file or directory; a policy opens what is there")
    return os.path.abspath(name)
