"""Who may import whom: the one place where it is written down; every street leads downward.

A room is a package or module under `xenos`; a file belongs to the longest name here that is its own name or a parent's.
Imports inside one room are its own affair. Imports for type checking only count like all others.
"""

from __future__ import annotations

_BASE = ("errors", "cpu")
# `isa` is the form that guests fill in and the list of them; the guests themselves live in rooms below it.
_DESCRIPTION = (*_BASE, "semantics", "isa", "linux.form")
_CODE = ("engines.code", "engines.llvm", "engines.native", "engines.hosts")
_STENCILS = ("engines.stencil", "engines.stencil.binding", "engines.stencil.render")
_ENGINES = (*_CODE, "engines.translator", "engines.runtime", "engines.reference", *_STENCILS, "engines.region", "tuning",
            "engines.lockstep", "engines")

STREETS: dict[str, tuple[str, ...]] = {
    "errors": (),
    "warm": (),             # where the modules of a start come from: there before all others
    "cpu": ("errors",),
    "semantics": _BASE,
    "memory": _BASE,
    "linux.form": (),       # what Linux expects of a guest: a plain form that guests fill in
    "isa": (*_BASE, "semantics", "linux.form"),
    "engines.code": (*_BASE, "warm"),
    "engines.llvm": (*_BASE, "semantics", "engines.code"),
    # The small part of Python that becomes native code, and the translator, which is written in it.
    "engines.native": (*_BASE, "engines.code", "engines.llvm"),
    "engines.translator": (*_BASE, "engines.code", "engines.hosts", "engines.native"),
    # How a stencil's text is written: below the runtime and the hosts, which speak of its holes and its convention.
    "engines.stencil.binding": (*_BASE, "semantics", "engines.llvm"),
    "engines.stencil.render": (*_BASE, "semantics", "engines.llvm", "engines.stencil.binding"),
    "engines.hosts": (*_BASE, "semantics", "engines.code", "engines.llvm", "engines.native", "engines.stencil.binding"),
    "engines.reference": (*_DESCRIPTION, "memory"),
    "engines.runtime": (*_BASE, "semantics", "memory", "linux.form", *_CODE, "engines.stencil.render"),
    "engines.stencil": (*_DESCRIPTION, "memory", *_CODE, "engines.translator", "engines.runtime", "engines.reference",
                        *_STENCILS[1:]),
    "engines.region": (*_DESCRIPTION, "memory", *_CODE, "engines.translator", "engines.runtime", *_STENCILS, "tuning"),
    "tuning": ("errors",),      # decisions alone: they are told what was measured
    "engines.lockstep": (*_DESCRIPTION, "memory", "engines.reference", "engines.stencil"),
    "engines": (*_DESCRIPTION, "memory", *_ENGINES[:-1], "warm"),
    "linux": (*_BASE, "memory", "isa", "linux.form"),
    # A guest says which numbers Linux gives its calls, and answers those that only it has.
    "isa.riscv": (*_DESCRIPTION, "memory", "linux"),
    "sysroots": ("errors",),    # folders that are unpacked beforehand: they know of no guest
    "api": (*_DESCRIPTION, "memory", *_ENGINES, "linux", "sysroots", "warm"),
    # The front door, and what it opens to.
    "": ("errors", "cpu", "api"),
    "cli": (*_DESCRIPTION, "memory", *_ENGINES, "linux", "sysroots", "api", "", "warm"),
    "__main__": ("cli", "warm"),
}


def room_of(module: str) -> str:
    """The room of a module, whose name is given without `xenos.`; an empty name is the front door."""
    parts = module.split(".") if module else []
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in STREETS:
            return name
    return ""
