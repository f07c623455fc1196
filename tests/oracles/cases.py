"""What every oracle is asked and what it answers: instruction words with the registers and memory before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# Where a case's code starts, and its memory. Around the code, four pages are filled with compressed ebreaks, so that a
# case ends wherever it goes to there; everything else is unmapped.
CODE_AREA = 0x2000_0000
CODE_AREA_SIZE = 0x4000
CODE = 0x2000_2000
CODE_SIZE = 0x1000
DATA = 0x3000_0000
DATA_SIZE = 0x2000
FILL = 0x9002

SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM = 4, 5, 7, 8, 11, 14


class OracleError(Exception):
    """An oracle could not be had, was asked something it cannot do, or died."""


@dataclass(slots=True)
class Case:
    """Code and the state it starts in; a register that is not named holds 0.

    `words` are instructions, of 16 bits if the lowest two bits are not both ones. `x` and `f` map register numbers to
    unsigned 64-bit values. `fcsr` is dynamic rounding mode * 32 + flags. `memory` is put at DATA, zeroes follow.
    """

    words: Sequence[int]
    x: Mapping[int, int] = field(default_factory=dict)
    f: Mapping[int, int] = field(default_factory=dict)
    fcsr: int = 0
    memory: bytes = b""

    def code(self) -> bytes:
        """The instructions as bytes; OracleError for a system call, which the oracle would really make."""
        if 0x73 in self.words:
            raise OracleError("a case may not make system calls (ecall)")
        code = b"".join(w.to_bytes(4 if w & 3 == 3 else 2, "little") for w in self.words)
        if len(code) > CODE_SIZE or len(self.memory) > DATA_SIZE:
            raise OracleError(f"a case has at most {CODE_SIZE} bytes of code and {DATA_SIZE} of memory")
        return code


@dataclass(slots=True)
class Result:
    """The state after a case.

    `signal` is 0 if it ended by leaving its words, else the number of the signal that it died by, with `fault_address`
    where the signal has one; 14 (SIGALRM) if it did not end. `pc` is where it stands: behind its words (or wherever in
    the code area it jumped) or at the instruction that failed. `memory` is as long as the case's.
    """

    signal: int
    pc: int
    x: tuple[int, ...]
    f: tuple[int, ...]
    fcsr: int
    memory: bytes
    fault_address: int = 0


def ended_by(signal: int, pc: int, code_size: int) -> int:
    """The signal to report: the ebreak outside the words is how a case ends, one among them is its own."""
    return 0 if signal == SIGTRAP and not CODE <= pc < CODE + code_size else signal
