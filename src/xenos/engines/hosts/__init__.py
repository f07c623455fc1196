"""What each host ISA needs: pins, features, how its instructions hold registers, how floating point is made exact."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from xenos.engines.llvm.emit import Floats


def host() -> ModuleType:
    """The form of the machine that this process runs on."""
    import xenos.engines.hosts.x86_64

    return xenos.engines.hosts.x86_64


def host_floats(level: int) -> Floats:
    """Its floating point, for a feature level."""
    from xenos.engines.hosts.x86_64_floats import X86Floats

    return X86Floats(level)


def host_runtime() -> ModuleType:
    """What the native runtime needs of it."""
    import xenos.engines.hosts.x86_64_runtime

    return xenos.engines.hosts.x86_64_runtime
