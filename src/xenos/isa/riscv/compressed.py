""""C": compressed instructions, each another encoding of a base instruction (Unprivileged ISA, ch. "C").

Their hints need no care: they are base instructions that write x0, or change nothing.
"""

from __future__ import annotations

from xenos.isa.riscv.float_double import fld, fsd
from xenos.isa.riscv.integer import (
    add,
    addi,
    addiw,
    addw,
    and_,
    andi,
    beq,
    bne,
    ebreak,
    jal,
    jalr,
    ld,
    lui,
    lw,
    or_,
    sd,
    slli,
    srai,
    srli,
    sub,
    subw,
    sw,
    xor,
)
from xenos.isa.riscv.registers import alias

ZERO, RA, SP = 0, 1, 2

# Loads and stores on the stack
alias("010 uimm[5] rd:5!=0 uimm[4:2|7:6] 10", "c.lwsp rd, uimm(sp)", lw, imm="uimm", rs1=SP)
alias("011 uimm[5] rd:5!=0 uimm[4:3|8:6] 10", "c.ldsp rd, uimm(sp)", ld, imm="uimm", rs1=SP)
alias("001 uimm[5] rd:5 uimm[4:3|8:6] 10", "c.fldsp rd, uimm(sp)", fld, imm="uimm", rs1=SP)
alias("110 uimm[5:2|7:6] rs2:5 10", "c.swsp rs2, uimm(sp)", sw, imm="uimm", rs1=SP)
alias("111 uimm[5:3|8:6] rs2:5 10", "c.sdsp rs2, uimm(sp)", sd, imm="uimm", rs1=SP)
alias("101 uimm[5:3|8:6] rs2:5 10", "c.fsdsp rs2, uimm(sp)", fsd, imm="uimm", rs1=SP)

# Loads and stores through a register
alias("010 uimm[5:3] rs1':3 uimm[2|6] rd':3 00", "c.lw rd, uimm(rs1)", lw, imm="uimm")
alias("011 uimm[5:3] rs1':3 uimm[7:6] rd':3 00", "c.ld rd, uimm(rs1)", ld, imm="uimm")
alias("001 uimm[5:3] rs1':3 uimm[7:6] rd':3 00", "c.fld rd, uimm(rs1)", fld, imm="uimm")
alias("110 uimm[5:3] rs1':3 uimm[2|6] rs2':3 00", "c.sw rs2, uimm(rs1)", sw, imm="uimm")
alias("111 uimm[5:3] rs1':3 uimm[7:6] rs2':3 00", "c.sd rs2, uimm(rs1)", sd, imm="uimm")
alias("101 uimm[5:3] rs1':3 uimm[7:6] rs2':3 00", "c.fsd rs2, uimm(rs1)", fsd, imm="uimm")

# Control transfer
alias("101 imm[11|4|9:8|10|6|7|3:1|5] 01", "c.j imm", jal, rd=ZERO)
alias("100 0 rs1:5!=0 00000 10", "c.jr rs1", jalr, rd=ZERO, imm=0)
alias("100 1 rs1:5!=0 00000 10", "c.jalr rs1", jalr, rd=RA, imm=0)
alias("110 imm[8|4:3] rs1':3 imm[7:6|2:1|5] 01", "c.beqz rs1, imm", beq, rs2=ZERO)
alias("111 imm[8|4:3] rs1':3 imm[7:6|2:1|5] 01", "c.bnez rs1, imm", bne, rs2=ZERO)

# Constants
alias("010 imm[5] rd:5 imm[4:0] 01", "c.li rd, imm", addi, rs1=ZERO)
alias("011 imm[17] rd:5!=2 imm[16:12]!=0 01", "c.lui rd, imm>>12", lui)

# Computation with an immediate
alias("000 imm[5] rd:5 imm[4:0] 01", "c.addi rd, imm", addi, rs1="rd")
alias("001 imm[5] rd:5!=0 imm[4:0] 01", "c.addiw rd, imm", addiw, rs1="rd")
alias("011 imm[9] 00010 imm[4|6|8:7|5]!=0 01", "c.addi16sp sp, imm", addi, rd=SP, rs1=SP)
alias("000 uimm[5:4|9:6|2|3]!=0 rd':3 00", "c.addi4spn rd, sp, uimm", addi, rs1=SP, imm="uimm")
alias("000 shamt[5] rd:5 shamt[4:0] 10", "c.slli rd, shamt", slli, rs1="rd")
alias("100 shamt[5] 00 rd':3 shamt[4:0] 01", "c.srli rd, shamt", srli, rs1="rd")
alias("100 shamt[5] 01 rd':3 shamt[4:0] 01", "c.srai rd, shamt", srai, rs1="rd")
alias("100 imm[5] 10 rd':3 imm[4:0] 01", "c.andi rd, imm", andi, rs1="rd")

# Computation between registers
alias("100 0 rd:5 rs2:5!=0 10", "c.mv rd, rs2", add, rs1=ZERO)
alias("100 1 rd:5 rs2:5!=0 10", "c.add rd, rs2", add, rs1="rd")
alias("100 0 11 rd':3 11 rs2':3 01", "c.and rd, rs2", and_, rs1="rd")
alias("100 0 11 rd':3 10 rs2':3 01", "c.or rd, rs2", or_, rs1="rd")
alias("100 0 11 rd':3 01 rs2':3 01", "c.xor rd, rs2", xor, rs1="rd")
alias("100 0 11 rd':3 00 rs2':3 01", "c.sub rd, rs2", sub, rs1="rd")
alias("100 1 11 rd':3 01 rs2':3 01", "c.addw rd, rs2", addw, rs1="rd")
alias("100 1 11 rd':3 00 rs2':3 01", "c.subw rd, rs2", subw, rs1="rd")

alias("100 1 00000 00000 10", "c.ebreak", ebreak)
