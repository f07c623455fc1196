"""The one line that says how a guest crashed: signal, pc, symbol, and what it touched."""

from __future__ import annotations

import os

from xenos.cpu.exits import Fault, Illegal
from xenos.linux import signals, symbols

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.outcome import Outcome
    from xenos.linux.process import Process

_SPOKEN = {
    1: "hung up", 2: "interrupted", 4: "illegal instruction", 5: "breakpoint", 6: "aborted", 7: "bus error",
    9: "killed", 11: "segmentation fault", 13: "broken pipe", 15: "terminated",
}
_DOING = {Fault.READ: "reading", Fault.WRITE: "writing", Fault.EXECUTE: "executing"}
_WHY = {
    Fault.NOTHING: "nothing is mapped there", Fault.PROTECTED: "not allowed there",
    Fault.BEHIND_FILE: "behind the end of the file", Fault.MISALIGNED: "not aligned, as it must be for that",
}


def report(process: Process, outcome: Outcome) -> str:
    """`prog: segmentation fault (SIGSEGV) at pc 0x10402 <main+0x12>, reading 0x0: nothing is mapped there`."""
    number, cause = outcome.signal, outcome.cause
    program = os.fsdecode(process.argv[0] if process.argv else process.name)
    spoken = _SPOKEN.get(number, "ended")
    where = symbols.describe(process, outcome.pc)
    text = f"{program}: {spoken} ({signals.name(number)}) at pc {outcome.pc:#x}{f' <{where}>' if where else ''}"
    if isinstance(cause, Fault):
        text += f", {_DOING.get(cause.access, 'touching')} {cause.address:#x}: {_WHY.get(cause.mapped, 'fault')}"
    elif isinstance(cause, Illegal):
        text += f": {cause.word:#010x} is no instruction implemented here"
        if cause.word:      # zeroes are no extension's: something jumped away
            text += "; if it belongs to an extension, build without that"
    return text
