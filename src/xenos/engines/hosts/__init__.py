"""What each host ISA needs: pins, features, how its instructions hold registers, how floating point is made exact.

Without a name all functions speak of the machine that this process runs on; a library can be built for another.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from xenos.engines.llvm.emit import Floats


_HERE = os.uname().machine      # asked once: regions ask for each access


def _name(name: str) -> str:
    """The host's name; HostError if it is none of ours."""
    name = name or _HERE
    if name not in ("x86_64", "aarch64"):
        from xenos.errors import HostError

        raise HostError(f"no native code can be made for this machine, {name}; use --engine reference")
    return name


def host(name: str = "") -> ModuleType:
    """The host's form: its pins, how to compile for it."""
    if _name(name) == "aarch64":
        import xenos.engines.hosts.aarch64

        return xenos.engines.hosts.aarch64
    import xenos.engines.hosts.x86_64

    return xenos.engines.hosts.x86_64


def host_floats(level: int, name: str = "") -> Floats:
    """Its floating point, for a feature level."""
    if _name(name) == "aarch64":
        from xenos.engines.hosts.aarch64_floats import AArch64Floats

        return AArch64Floats(level)
    from xenos.engines.hosts.x86_64_floats import X86Floats

    return X86Floats(level)


def host_runtime(name: str = "") -> ModuleType:
    """What the native runtime needs of it."""
    if _name(name) == "aarch64":
        import xenos.engines.hosts.aarch64_runtime

        return xenos.engines.hosts.aarch64_runtime
    import xenos.engines.hosts.x86_64_runtime

    return xenos.engines.hosts.x86_64_runtime


def host_guards(name: str = "") -> ModuleType:
    """Its accesses that go on elsewhere where they fail, as inline assembly."""
    if _name(name) == "aarch64":
        import xenos.engines.hosts.aarch64_guards

        return xenos.engines.hosts.aarch64_guards
    import xenos.engines.hosts.x86_64_guards

    return xenos.engines.hosts.x86_64_guards


def host_jumps(name: str = "") -> ModuleType:
    """How its jumps are written: functions in the small part of Python that becomes native code."""
    if _name(name) == "aarch64":
        import xenos.engines.hosts.aarch64_jumps

        return xenos.engines.hosts.aarch64_jumps
    import xenos.engines.hosts.x86_64_jumps

    return xenos.engines.hosts.x86_64_jumps


def host_stencils(name: str) -> ModuleType:
    """How compiled functions are taken apart: `Pieces`, `dissect`, `probed`."""
    if _name(name) == "aarch64":
        import xenos.engines.hosts.aarch64_stencils

        return xenos.engines.hosts.aarch64_stencils
    import xenos.engines.hosts.x86_64_stencils

    return xenos.engines.hosts.x86_64_stencils
