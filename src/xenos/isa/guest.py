"""The form that every guest fills in: what the rest of Xenos needs to know of an instruction set."""

from __future__ import annotations

from xenos.cpu.layout import Layout, RegisterFile

TYPE_CHECKING = False  # `typing` is not imported on the way to a running guest
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.semantics.instruction import InstructionSet

    Register = tuple[str, int]


class LinuxForm:
    """How Linux programs of this guest talk to their kernel. Plain data, kept in the packed file of a warm start."""

    def __init__(
        self,
        *,
        machine: str,                       # as uname says it
        elf_machine: int,                   # e_machine of its ELF files
        number: Register,                   # register that holds the system-call number
        arguments: tuple[Register, ...],    # its six arguments
        result: Register,
        stack_pointer: Register,
        thread_pointer: Register,
        numbers: dict[int, str],            # system-call number -> name
        hwcap: int,                         # AT_HWCAP
        cpuinfo: str,                       # /proc/cpuinfo of one CPU, with {cpu} for its number
        calls: dict[str, str],              # calls that only this guest has: name -> "module:function"
        signal_frame: str = "",             # module that writes and reads the frames of signal handlers
    ) -> None:
        self.machine = machine
        self.elf_machine = elf_machine
        self.number = number
        self.arguments = arguments
        self.result = result
        self.stack_pointer = stack_pointer
        self.thread_pointer = thread_pointer
        self.numbers = numbers
        self.hwcap = hwcap
        self.cpuinfo = cpuinfo
        self.calls = calls
        self.signal_frame = signal_frame


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
