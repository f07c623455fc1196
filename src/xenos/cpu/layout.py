"""The one layout of the state block: what runtime, stencils, regions and signal frames share.

Offsets are in bytes from the *state pointer*. Control words lie below it, register files above it, the jump cache behind them:

    -CONTROL_SIZE ... -1                    control words, the same for every guest
    0 ... JUMP_CACHE-1                      register files in the order of the guest's form, then host-side constants
    JUMP_CACHE ... +JUMP_CACHE_SIZE         {guest pc, host code} pairs

Registers of up to 64 bits take 8 bytes; wider ones (vectors) take their width, 16 KiB in all for registers.
"""

from __future__ import annotations


class RegisterFile:
    """`count` registers of `width` bits, called by `name` in instruction descriptions.

    `zero` is one that reads as 0; `floating` says that the file mostly holds floating-point numbers.
    """

    __slots__ = ("count", "floating", "name", "width", "zero")

    def __init__(self, name: str, width: int, count: int, zero: int | None = None, floating: bool = False) -> None:
        self.name = name
        self.width = width
        self.count = count
        self.zero = zero
        self.floating = floating


CONTROL_SIZE = 512
JUMP_CACHE = 0x4000
DROPPED = JUMP_CACHE - 16  # what is written to a register that stays zero goes here
HOST_REGISTERS = DROPPED - 128     # those of a host that tells no address of some faults, as they were at the last fault
JUMP_CACHE_ENTRIES = 4096
JUMP_CACHE_SIZE = JUMP_CACHE_ENTRIES * 16
BLOCK_SIZE = CONTROL_SIZE + JUMP_CACHE + JUMP_CACHE_SIZE

# Control words, by offset. LIMIT is the poll: generated code leaves when its count of instructions reaches it.
LIMIT = -8
PC = -16
COUNT = -24
EXIT_CODE = -32
EXIT_INFO = -40          # address of the stub that was left through, or of the fault
LEAVE = -48              # host address: store the pinned registers and return to the caller of `enter`
LOOKUP = -56             # host address: find the code of the pc in PC, or leave
TABLE = -64              # second level behind the jump cache: host address of the {pc, code} table
TABLE_MASK = -72         # its size in bytes minus one, less the low four bits
HOST_FP = -80            # the host's own floating-point control word while guest code runs
FP_CONTROL = -88         # the guest's, in the host's form, while guest code does not run
ROUNDING = -96           # dynamic rounding mode, in the guest-neutral numbering of semantics/floating
FLAGS = -104             # accrued exception flags: 1 inexact 2 underflow 4 overflow 8 divide by zero 16 invalid
RESERVED_ADDRESS = -112  # address held by load-reserved, or -1
RESERVED_VALUE = -120    # what was read there
FAULT_ADDRESS = -128     # guest address of the access that failed
FAULT_CODE = -136        # host signal number << 32 | si_code
UNCACHED = -424          # 1 while all indirect jumps are to look at the limit: none is put into the jump cache
FAULT_WRITE = -416       # 1 if the access was a store, 0 if a load, something else if the host does not say
HOST_PC = -144           # host address of the instruction that failed
RUNNING = -152           # 1 while generated code runs
INTERRUPT = -160         # 1 from `interrupt()` until the exit is reported
CANONICAL_NAN64 = -168
CANONICAL_NAN32 = -176   # boxed in 64 bits
KERNEL = -184            # host address: answer a system call, or leave for Python to do it; goes on at PC
WAKE = -192              # not zero: do not wait. Low half: a signal was noted in SIGNAL; high half: another thread poked us
SCRATCH = -256           # 64 bytes for runtime thunks
SIGNAL = -384            # siginfo of the signal that was noted, 128 bytes
IN_KERNEL = -392         # 1 while a call made from generated code is in the host's kernel
CALLS = -400             # host address: what the runtime may answer itself, by system-call number; see engines/runtime
MASK = -432              # signals that the guest has blocked, bit N-1 for signal N
ENTER = -440             # host address: load the pinned registers and run code until it leaves
CLEAR_TID = -448         # guest address that is cleared, and whose waiters are woken, when the thread ends; or 0
ROBUST = -456            # guest address of the head of the thread's list of robust futexes, or 0
KNOWN = -488             # host address: what the engine knows of faults, see runtime/trapped.py
STACK = -480             # the alternate signal stack: its address, its flags, its size, 8 bytes each
MORE = -408              # signals that came while one was noted, as a set: bit N-1 for signal N


class Layout:
    """Where each register of a guest lies; made from the register files of its form."""

    def __init__(self, files: tuple[RegisterFile, ...]) -> None:
        self.files = {file.name: file for file in files}
        self.offsets: dict[str, int] = {}
        self.strides: dict[str, int] = {}
        offset = 0
        for file in files:
            stride = max(8, file.width // 8)
            offset = (offset + stride - 1) // stride * stride
            self.offsets[file.name] = offset
            self.strides[file.name] = stride
            offset += stride * file.count
        if offset > HOST_REGISTERS:
            raise ValueError(f"register files take {offset} bytes, more than {HOST_REGISTERS}")
        self.size = offset

    def offset(self, file: str, index: int) -> int:
        """Byte offset of one register from the state pointer."""
        return self.offsets[file] + self.strides[file] * index
