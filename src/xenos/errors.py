"""Everything that can go wrong on our side, as one tree.

What a guest does (a fault, an illegal instruction, a system call) is never an exception: engines return it as an `Exit`.

    XenosError                 one clear line for the user; `status` is what the process exits with
     ├── LoadError             the program cannot be loaded                        126
     │    └── MissingFile      it, its interpreter or the sysroot is not there     127
     ├── UsageError            the command line or a call of ours is wrong          2
     ├── SysrootError          a sysroot cannot be made, or is none                 1
     ├── CacheError            the cache folder cannot be read or changed           1
     ├── HostError             this host lacks something that we need             125
     ├── DescriptionError      an instruction is described wrongly (a bug of ours) 125
     └── EngineError           an engine broke its own law (a bug of ours)         125
"""

from __future__ import annotations


class XenosError(Exception):
    """Something failed on our side; `str()` is one line that says what, and what to do."""

    status = 125


class LoadError(XenosError):
    """The file is there, but is no program that can run here."""

    status = 126


class MissingFile(LoadError):
    """The program, its interpreter or the sysroot does not exist."""

    status = 127


class UsageError(XenosError):
    """A wrong option or argument."""

    status = 2


class SysrootError(XenosError):
    """A package, a mirror, a signature or the disk: why there is no sysroot. What was begun is cleared away."""

    status = 1


class CacheError(XenosError):
    """The cache folder is none, or the system refuses what was asked for. Only `xenos cache` minds: runs do without."""

    status = 1


class HostError(XenosError):
    """The host refuses something that Xenos cannot do without."""


class TakenError(HostError):
    """Something of this process lies where guest memory must: by chance, as the host's kernel spreads things at random."""


class DescriptionError(XenosError):
    """An encoding or a meaning in `isa/` breaks the rules of `semantics/`."""


class EngineError(XenosError):
    """An engine found itself in a state that cannot be."""
