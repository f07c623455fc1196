""""Zimop" and "Zcmop": may-be-operations, which write zero or do nothing until redefined (ch. "Zimop")."""

from __future__ import annotations

from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import RegisterField, Registers, Trace

R = RegisterField


@instruction("1 uimm[4] 00 uimm[3:2] 0111 uimm[1:0] rs1:5 100 rd:5 1110011", "mop.r.{uimm} rd, rs1")
def mop_r(machine: Trace, x: Registers, rd: R) -> None:
    x[rd] = machine.const(0, XLEN)


@instruction("1 uimm[2] 00 uimm[1:0] 1 rs2:5 rs1:5 100 rd:5 1110011", "mop.rr.{uimm} rd, rs1, rs2")
def mop_rr(machine: Trace, x: Registers, rd: R) -> None:
    x[rd] = machine.const(0, XLEN)


# C.LUI of zero into an odd register up to x15


@instruction("0110 uimm[4:0]=1,3,5,7,9,11,13,15 0000001", "c.mop.{uimm}")
def c_mop() -> None:
    pass
