"""Who may import whom: the one place where it is written down; every street leads downward.

A room is a package or module under `xenos`; a file belongs to the longest name here that is its own name or a parent's.
Imports inside one room are its own affair. Imports for type checking only count like all others.
"""

from __future__ import annotations

_BASE = ("errors", "cpu")
# `isa` is the form that guests fill in and the list of them; the guests themselves live in rooms below it.
_DESCRIPTION = (*_BASE, "semantics", "isa")
_CODE = ("engines.code", "engines.llvm", "engines.hosts")

STREETS: dict[str, tuple[str, ...]] = {
    "errors": (),
    "cpu": ("errors",),
    "semantics": _BASE,
    "memory": _BASE,
    "isa": (*_BASE, "semantics"),
    "engines.code": _BASE,
    "engines.llvm": (*_BASE, "semantics", "engines.code"),
    "engines.hosts": (*_BASE, "semantics", "engines.code", "engines.llvm"),
    "engines.reference": (*_DESCRIPTION, "memory"),
    "engines.runtime": (*_BASE, "semantics", "memory", *_CODE),
    "engines.stencil": (*_DESCRIPTION, "memory", *_CODE, "engines.runtime", "engines.reference"),
    "engines.lockstep": (*_DESCRIPTION, "memory", "engines.reference", "engines.stencil"),
    "engines": (*_DESCRIPTION, "memory", *_CODE, "engines.runtime", "engines.reference", "engines.stencil",
                "engines.lockstep"),
    "linux": (*_BASE, "memory", "isa"),
    # A guest says which numbers Linux gives its calls, and answers those that only it has.
    "isa.riscv": (*_DESCRIPTION, "memory", "linux"),
    "api": (*_DESCRIPTION, "memory", "engines", "engines.reference", "engines.stencil", "engines.lockstep", "linux"),
    # The front door, and what it opens to.
    "": ("errors", "cpu", "api"),
    "cli": (*_DESCRIPTION, "memory", *_CODE, "engines.runtime", "engines.reference", "engines.stencil",
            "engines.lockstep", "engines", "linux", "api", ""),
    "__main__": ("cli",),
}


def room_of(module: str) -> str:
    """The room of a module, whose name is given without `xenos.`; an empty name is the front door."""
    parts = module.split(".") if module else []
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in STREETS:
            return name
    return ""
