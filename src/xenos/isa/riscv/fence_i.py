""""Zifencei": instruction-fetch fence (Unprivileged ISA, ch. "Zifencei")."""

from __future__ import annotations

from xenos.isa.riscv.registers import instruction
from xenos.semantics.trace import Trace


@instruction("------------ ----- 001 ----- 0001111", "fence.i")
def fence_i(machine: Trace) -> None:
    machine.sync_code()
