""""Zicond": integer conditional operations (Unprivileged ISA, ch. "Zicond")."""

from __future__ import annotations

from xenos.isa.riscv.registers import instruction
from xenos.semantics.trace import RegisterField, Registers
from xenos.semantics.values import select

R = RegisterField


@instruction("0000111 rs2:5 rs1:5 101 rd:5 0110011", "czero.eqz rd, rs1, rs2")
def czero_eqz(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = select(x[rs2] != 0, x[rs1], 0)


@instruction("0000111 rs2:5 rs1:5 111 rd:5 0110011", "czero.nez rd, rs1, rs2")
def czero_nez(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = select(x[rs2] == 0, x[rs1], 0)
