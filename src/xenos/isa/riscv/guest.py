"""The RISC-V guest: the form of `isa/guest.py`, filled in."""

from __future__ import annotations

from xenos.isa.guest import Guest
from xenos.isa.riscv.linux import LINUX
from xenos.isa.riscv.registers import F_NAMES, X_NAMES, F, X

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.semantics.instruction import InstructionSet


def _instructions() -> InstructionSet:
    from xenos.isa.riscv.instructions import RISCV

    return RISCV


# ABI names come last: of several names for one register the disassembler takes the last.
_NAMES = {
    **{f"x{number}": ("x", number) for number in range(32)},
    **{f"f{number}": ("f", number) for number in range(32)},
    "fp": ("x", 8),
    **{name: ("x", number) for number, name in enumerate(X_NAMES)},
    **{name: ("f", number) for number, name in enumerate(F_NAMES)},
}

GUEST = Guest(
    name="riscv64",
    registers=(X, F),
    names=_NAMES,
    # Arguments and results, then what compilers keep across calls.
    # Hosts take as many as they have room for: what the compressed instructions reach comes first, as compilers prefer it too.
    pins={"x": (10, 11, 12, 13, 14, 15, 2, 8, 9, 16, 17, 1, 18, 19, 5, 6, 7, 28, 29, 20),
          "f": (10, 11, 12, 13, 14, 15, 8, 9, 16, 17, 18, 19, 0, 1, 2, 3)},
    alignment=2,
    instructions=_instructions,
    linux=LINUX,
)
