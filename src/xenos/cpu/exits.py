"""Why a guest CPU stopped: the values that every engine's `run(cpu, memory, budget)` returns.

`cpu.pc` is exact at every exit: it is the address of the next instruction to execute. For `Fault`, `Illegal` and
`Breakpoint` that is the instruction itself, which has had no effect; for `Syscall` it is the one behind the call.
"""

from __future__ import annotations


class Exit:
    """A reason to stop; compare with `isinstance`, or `match` on the class."""

    __slots__: tuple[str, ...] = ()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name):#x}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    __hash__ = None  # type: ignore[assignment]


class Syscall(Exit):
    """The guest asks its kernel for something."""

    __slots__ = ()


class Breakpoint(Exit):
    """The guest executed its breakpoint instruction."""

    __slots__ = ()


class Illegal(Exit):
    """The guest reached bits that are no instruction here; `word` is what stands there."""

    __slots__ = ("word",)

    def __init__(self, word: int) -> None:
        self.word = word


class Fault(Exit):
    """A fetch, load or store could not be done at guest `address`.

    `access` is READ, WRITE or EXECUTE; `mapped` tells a protection fault (1) from an address with nothing there (0),
    a page behind the end of its file (2), and an address that an atomic access needs aligned (3).
    """

    __slots__ = ("access", "address", "mapped")

    READ, WRITE, EXECUTE = 1, 2, 4
    NOTHING, PROTECTED, BEHIND_FILE, MISALIGNED = 0, 1, 2, 3

    def __init__(self, access: int, address: int, mapped: int = 0) -> None:
        self.access = access
        self.address = address
        self.mapped = mapped


class Budget(Exit):
    """The instructions allowed have been executed (a few more at most: engines look at back edges)."""

    __slots__ = ()


class Interrupted(Exit):
    """Somebody asked the CPU to stop: `cpu.interrupt()`, or a signal of the host."""

    __slots__ = ()
