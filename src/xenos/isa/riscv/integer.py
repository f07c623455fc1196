"""RV64I, the base integer instructions (Unprivileged ISA, ch. 2 and 4)."""

from __future__ import annotations

from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import Memory, RegisterField, Registers, Trace
from xenos.semantics.values import Value, signed

R = RegisterField

# Computation with an immediate


@instruction("imm[11:0] rs1:5 000 rd:5 0010011", "addi rd, rs1, imm")
def addi(x: Registers, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = x[rs1] + imm


@instruction("imm[11:0] rs1:5 010 rd:5 0010011", "slti rd, rs1, imm")
def slti(x: Registers, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = (signed(x[rs1]) < signed(imm)).zext(XLEN)


@instruction("imm[11:0] rs1:5 011 rd:5 0010011", "sltiu rd, rs1, imm")
def sltiu(x: Registers, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = (x[rs1] < imm).zext(XLEN)


@instruction("imm[11:0] rs1:5 100 rd:5 0010011", "xori rd, rs1, imm")
def xori(x: Registers, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = x[rs1] ^ imm


@instruction("imm[11:0] rs1:5 110 rd:5 0010011", "ori rd, rs1, imm")
def ori(x: Registers, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = x[rs1] | imm


@instruction("imm[11:0] rs1:5 111 rd:5 0010011", "andi rd, rs1, imm")
def andi(x: Registers, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = x[rs1] & imm


@instruction("000000 shamt:6 rs1:5 001 rd:5 0010011", "slli rd, rs1, shamt")
def slli(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1] << shamt


@instruction("000000 shamt:6 rs1:5 101 rd:5 0010011", "srli rd, rs1, shamt")
def srli(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1] >> shamt


@instruction("010000 shamt:6 rs1:5 101 rd:5 0010011", "srai rd, rs1, shamt")
def srai(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = signed(x[rs1]) >> shamt


@instruction("imm[11:0] rs1:5 000 rd:5 0011011", "addiw rd, rs1, imm")
def addiw(x: Registers, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = (x[rs1] + imm).low(32).sext(XLEN)


@instruction("0000000 shamt:5 rs1:5 001 rd:5 0011011", "slliw rd, rs1, shamt")
def slliw(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = (x[rs1].low(32) << shamt.low(32)).sext(XLEN)


@instruction("0000000 shamt:5 rs1:5 101 rd:5 0011011", "srliw rd, rs1, shamt")
def srliw(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = (x[rs1].low(32) >> shamt.low(32)).sext(XLEN)


@instruction("0100000 shamt:5 rs1:5 101 rd:5 0011011", "sraiw rd, rs1, shamt")
def sraiw(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = (signed(x[rs1].low(32)) >> shamt.low(32)).sext(XLEN)


@instruction("imm[31:12] rd:5 0110111", "lui rd, imm>>12")
def lui(x: Registers, rd: R, imm: Value) -> None:
    x[rd] = imm


@instruction("imm[31:12] rd:5 0010111", "auipc rd, imm>>12")
def auipc(machine: Trace, x: Registers, rd: R, imm: Value) -> None:
    x[rd] = machine.pc + imm


# Computation between registers


@instruction("0000000 rs2:5 rs1:5 000 rd:5 0110011", "add rd, rs1, rs2")
def add(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] + x[rs2]


@instruction("0100000 rs2:5 rs1:5 000 rd:5 0110011", "sub rd, rs1, rs2")
def sub(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] - x[rs2]


@instruction("0000000 rs2:5 rs1:5 001 rd:5 0110011", "sll rd, rs1, rs2")
def sll(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] << (x[rs2] & 63)


@instruction("0000000 rs2:5 rs1:5 010 rd:5 0110011", "slt rd, rs1, rs2")
def slt(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (signed(x[rs1]) < signed(x[rs2])).zext(XLEN)


@instruction("0000000 rs2:5 rs1:5 011 rd:5 0110011", "sltu rd, rs1, rs2")
def sltu(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1] < x[rs2]).zext(XLEN)


@instruction("0000000 rs2:5 rs1:5 100 rd:5 0110011", "xor rd, rs1, rs2")
def xor(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] ^ x[rs2]


@instruction("0000000 rs2:5 rs1:5 101 rd:5 0110011", "srl rd, rs1, rs2")
def srl(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] >> (x[rs2] & 63)


@instruction("0100000 rs2:5 rs1:5 101 rd:5 0110011", "sra rd, rs1, rs2")
def sra(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = signed(x[rs1]) >> (x[rs2] & 63)


@instruction("0000000 rs2:5 rs1:5 110 rd:5 0110011", "or rd, rs1, rs2")
def or_(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] | x[rs2]


@instruction("0000000 rs2:5 rs1:5 111 rd:5 0110011", "and rd, rs1, rs2")
def and_(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] & x[rs2]


@instruction("0000000 rs2:5 rs1:5 000 rd:5 0111011", "addw rd, rs1, rs2")
def addw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32) + x[rs2].low(32)).sext(XLEN)


@instruction("0100000 rs2:5 rs1:5 000 rd:5 0111011", "subw rd, rs1, rs2")
def subw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32) - x[rs2].low(32)).sext(XLEN)


@instruction("0000000 rs2:5 rs1:5 001 rd:5 0111011", "sllw rd, rs1, rs2")
def sllw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32) << (x[rs2].low(32) & 31)).sext(XLEN)


@instruction("0000000 rs2:5 rs1:5 101 rd:5 0111011", "srlw rd, rs1, rs2")
def srlw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32) >> (x[rs2].low(32) & 31)).sext(XLEN)


@instruction("0100000 rs2:5 rs1:5 101 rd:5 0111011", "sraw rd, rs1, rs2")
def sraw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (signed(x[rs1].low(32)) >> (x[rs2].low(32) & 31)).sext(XLEN)


# Control transfer


@instruction("imm[20|10:1|11|19:12] rd:5 1101111", "jal rd, imm")
def jal(machine: Trace, x: Registers, rd: R, imm: Value) -> None:
    target = machine.pc + imm
    x[rd] = machine.next
    machine.jump(target)


@instruction("imm[11:0] rs1:5 000 rd:5 1100111", "jalr rd, imm(rs1)")
def jalr(machine: Trace, x: Registers, rd: R, rs1: R, imm: Value) -> None:
    target = (x[rs1] + imm) & ~1
    x[rd] = machine.next
    machine.jump(target)


@instruction("imm[12|10:5] rs2:5 rs1:5 000 imm[4:1|11] 1100011", "beq rs1, rs2, imm")
def beq(machine: Trace, x: Registers, rs1: R, rs2: R, imm: Value) -> None:
    machine.branch(x[rs1] == x[rs2], machine.pc + imm)


@instruction("imm[12|10:5] rs2:5 rs1:5 001 imm[4:1|11] 1100011", "bne rs1, rs2, imm")
def bne(machine: Trace, x: Registers, rs1: R, rs2: R, imm: Value) -> None:
    machine.branch(x[rs1] != x[rs2], machine.pc + imm)


@instruction("imm[12|10:5] rs2:5 rs1:5 100 imm[4:1|11] 1100011", "blt rs1, rs2, imm")
def blt(machine: Trace, x: Registers, rs1: R, rs2: R, imm: Value) -> None:
    machine.branch(signed(x[rs1]) < signed(x[rs2]), machine.pc + imm)


@instruction("imm[12|10:5] rs2:5 rs1:5 101 imm[4:1|11] 1100011", "bge rs1, rs2, imm")
def bge(machine: Trace, x: Registers, rs1: R, rs2: R, imm: Value) -> None:
    machine.branch(signed(x[rs1]) >= signed(x[rs2]), machine.pc + imm)


@instruction("imm[12|10:5] rs2:5 rs1:5 110 imm[4:1|11] 1100011", "bltu rs1, rs2, imm")
def bltu(machine: Trace, x: Registers, rs1: R, rs2: R, imm: Value) -> None:
    machine.branch(x[rs1] < x[rs2], machine.pc + imm)


@instruction("imm[12|10:5] rs2:5 rs1:5 111 imm[4:1|11] 1100011", "bgeu rs1, rs2, imm")
def bgeu(machine: Trace, x: Registers, rs1: R, rs2: R, imm: Value) -> None:
    machine.branch(x[rs1] >= x[rs2], machine.pc + imm)


# Memory


@instruction("imm[11:0] rs1:5 000 rd:5 0000011", "lb rd, imm(rs1)")
def lb(x: Registers, memory: Memory, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = memory.load(x[rs1] + imm, 8).sext(XLEN)


@instruction("imm[11:0] rs1:5 001 rd:5 0000011", "lh rd, imm(rs1)")
def lh(x: Registers, memory: Memory, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = memory.load(x[rs1] + imm, 16).sext(XLEN)


@instruction("imm[11:0] rs1:5 010 rd:5 0000011", "lw rd, imm(rs1)")
def lw(x: Registers, memory: Memory, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = memory.load(x[rs1] + imm, 32).sext(XLEN)


@instruction("imm[11:0] rs1:5 011 rd:5 0000011", "ld rd, imm(rs1)")
def ld(x: Registers, memory: Memory, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = memory.load(x[rs1] + imm, 64)


@instruction("imm[11:0] rs1:5 100 rd:5 0000011", "lbu rd, imm(rs1)")
def lbu(x: Registers, memory: Memory, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = memory.load(x[rs1] + imm, 8).zext(XLEN)


@instruction("imm[11:0] rs1:5 101 rd:5 0000011", "lhu rd, imm(rs1)")
def lhu(x: Registers, memory: Memory, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = memory.load(x[rs1] + imm, 16).zext(XLEN)


@instruction("imm[11:0] rs1:5 110 rd:5 0000011", "lwu rd, imm(rs1)")
def lwu(x: Registers, memory: Memory, rd: R, rs1: R, imm: Value) -> None:
    x[rd] = memory.load(x[rs1] + imm, 32).zext(XLEN)


@instruction("imm[11:5] rs2:5 rs1:5 000 imm[4:0] 0100011", "sb rs2, imm(rs1)")
def sb(x: Registers, memory: Memory, rs1: R, rs2: R, imm: Value) -> None:
    memory.store(x[rs1] + imm, x[rs2].low(8))


@instruction("imm[11:5] rs2:5 rs1:5 001 imm[4:0] 0100011", "sh rs2, imm(rs1)")
def sh(x: Registers, memory: Memory, rs1: R, rs2: R, imm: Value) -> None:
    memory.store(x[rs1] + imm, x[rs2].low(16))


@instruction("imm[11:5] rs2:5 rs1:5 010 imm[4:0] 0100011", "sw rs2, imm(rs1)")
def sw(x: Registers, memory: Memory, rs1: R, rs2: R, imm: Value) -> None:
    memory.store(x[rs1] + imm, x[rs2].low(32))


@instruction("imm[11:5] rs2:5 rs1:5 011 imm[4:0] 0100011", "sd rs2, imm(rs1)")
def sd(x: Registers, memory: Memory, rs1: R, rs2: R, imm: Value) -> None:
    memory.store(x[rs1] + imm, x[rs2])


# Order and environment. Only writes-before-reads cost anything on hosts with a strong order: the fields are kept.


@instruction("---- pred:4 succ:4 ----- 000 ----- 0001111", "fence pred, succ")
def fence(machine: Trace, pred: int, succ: int) -> None:
    machine.fence(_kinds(pred), _kinds(succ))


def _kinds(bits: int) -> str:
    """Device input and output (i, o) count as reads and writes."""
    return ("r" if bits & 0b1010 else "") + ("w" if bits & 0b0101 else "")


@instruction("0000000 00000 00000 000 00000 1110011", "ecall")
def ecall(machine: Trace) -> None:
    machine.syscall()


@instruction("0000000 00001 00000 000 00000 1110011", "ebreak")
def ebreak(machine: Trace) -> None:
    machine.trap("breakpoint")
