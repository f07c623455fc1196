"""The form that every guest fills in: what the rest of Xenos needs to know of an instruction set."""

from __future__ import annotations

from xenos.cpu.layout import Layout, RegisterFile
from xenos.linux.form import LinuxForm

TYPE_CHECKING = False  # `typing` is not imported on the way to a running guest
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.semantics.instruction import InstructionSet

    Register = tuple[str, int]


class Guest:
    """An instruction set: registers, instructions, and what its operating systems expect."""

    def __init__(
        self,
        *,
        name: str,                          # as users and Debian write it
        registers: tuple[RegisterFile, ...],
        names: dict[str, Register],         # assembly names, ABI names included
        pins: dict[str, tuple[int, ...]],   # registers worth a host register, most useful first, by file
        alignment: int,                     # of instructions, in bytes
        instructions: Callable[[], InstructionSet],
        linux: LinuxForm,
    ) -> None:
        self.name = name
        self.registers = registers
        self.names = names
        self.pins = pins
        self.alignment = alignment
        self.instructions = instructions
        self.linux = linux
        self.layout = Layout(registers)
