""""Zcb": further compressed instructions (Unprivileged ISA, ch. "Zc")."""

from __future__ import annotations

from xenos.isa.riscv.bitmanip import add_uw, sext_b, sext_h, zext_h
from xenos.isa.riscv.integer import andi, lbu, lh, lhu, sb, sh, xori
from xenos.isa.riscv.multiply import mul
from xenos.isa.riscv.registers import alias

alias("100 000 rs1':3 uimm[0|1] rd':3 00", "c.lbu rd, uimm(rs1)", lbu, imm="uimm")
alias("100 001 rs1':3 0 uimm[1] rd':3 00", "c.lhu rd, uimm(rs1)", lhu, imm="uimm")
alias("100 001 rs1':3 1 uimm[1] rd':3 00", "c.lh rd, uimm(rs1)", lh, imm="uimm")
alias("100 010 rs1':3 uimm[0|1] rs2':3 00", "c.sb rs2, uimm(rs1)", sb, imm="uimm")
alias("100 011 rs1':3 0 uimm[1] rs2':3 00", "c.sh rs2, uimm(rs1)", sh, imm="uimm")

alias("100 111 rd':3 11 000 01", "c.zext.b rd", andi, rs1="rd", imm=255)
alias("100 111 rd':3 11 001 01", "c.sext.b rd", sext_b, rs1="rd")
alias("100 111 rd':3 11 010 01", "c.zext.h rd", zext_h, rs1="rd")
alias("100 111 rd':3 11 011 01", "c.sext.h rd", sext_h, rs1="rd")
alias("100 111 rd':3 11 100 01", "c.zext.w rd", add_uw, rs1="rd", rs2=0)
alias("100 111 rd':3 11 101 01", "c.not rd", xori, rs1="rd", imm=-1)
alias("100 111 rd':3 10 rs2':3 01", "c.mul rd, rs2", mul, rs1="rd")
