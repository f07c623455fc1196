"""Which guest registers lie in which of a host's pinned registers while generated code runs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from xenos.isa.guest import Guest


def pins(guest: Guest, host: ModuleType, file: str) -> dict[int, int]:
    """The pin of each register of a file that has one."""
    order = host.VECTOR_ORDER if guest.layout.files[file].floating else host.GENERAL_ORDER
    return dict(zip(guest.pins.get(file, ()), order, strict=False))


def homes(guest: Guest, host: ModuleType) -> dict[str, int]:
    """State-block offset of each pin's register, by the name that the pin has as an argument (`%p0`, `%f0`)."""
    layout = guest.layout
    return {f"%{'f' if layout.files[file].floating else 'p'}{pin}": layout.offset(file, register)
            for file in layout.files for register, pin in pins(guest, host, file).items()}
