"""The form in which a guest says how its programs talk to Linux; plain data, so that a warm start can keep it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Register = tuple[str, int]
    Frame = tuple[int, int, int, tuple[tuple[int, str, int, int], ...], tuple[tuple[int, int, int, int], ...],
                  tuple[tuple[str, int, str, int], ...]]


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
        call_size: int = 4,                 # bytes of the instruction that calls the kernel
        signal_frame: str = "",             # module that writes and reads the frames of signal handlers
        # The same for native code: size; where in it the mask is, and the stack_t; registers as (where, file, first one, bytes),
        # with the file "" for a control word of cpu/layout.py; parts of 32-bit words as (where, shift, mask, control word); and
        # what a handler finds in registers, as (file, number, "frame", "return" or "number", what is added).
        frame: Frame | None = None,
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
        self.call_size = call_size
        self.signal_frame = signal_frame
        self.frame = frame
