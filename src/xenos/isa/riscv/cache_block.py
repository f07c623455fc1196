""""Zicbom", "Zicboz" and "Zicbop": operations on cache blocks (Unprivileged ISA, ch. "CMO").

Guest caches are always coherent, so that managing a block only touches it, and faults as an access would. Prefetches
("Zicbop") are ORI with rd=x0: they need no encoding of their own.
"""

from __future__ import annotations

from xenos.isa.riscv.extensions import CACHE_BLOCK
from xenos.isa.riscv.registers import instruction
from xenos.semantics.trace import Memory, RegisterField, Registers

R = RegisterField


@instruction("000000000000 rs1:5 010 00000 0001111", "cbo.inval (rs1)")
def cbo_inval(x: Registers, memory: Memory, rs1: R) -> None:
    memory.load(x[rs1] & -CACHE_BLOCK, 8)


@instruction("000000000001 rs1:5 010 00000 0001111", "cbo.clean (rs1)")
def cbo_clean(x: Registers, memory: Memory, rs1: R) -> None:
    memory.load(x[rs1] & -CACHE_BLOCK, 8)


@instruction("000000000010 rs1:5 010 00000 0001111", "cbo.flush (rs1)")
def cbo_flush(x: Registers, memory: Memory, rs1: R) -> None:
    memory.load(x[rs1] & -CACHE_BLOCK, 8)


@instruction("000000000100 rs1:5 010 00000 0001111", "cbo.zero (rs1)")
def cbo_zero(x: Registers, memory: Memory, rs1: R) -> None:
    memory.zero_block(x[rs1] & -CACHE_BLOCK, CACHE_BLOCK)
