""""M": integer multiplication and division (Unprivileged ISA, ch. "M")."""

from __future__ import annotations

from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import RegisterField, Registers
from xenos.semantics.values import signed

R = RegisterField

# Multiplication


@instruction("0000001 rs2:5 rs1:5 000 rd:5 0110011", "mul rd, rs1, rs2")
def mul(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] * x[rs2]


@instruction("0000001 rs2:5 rs1:5 001 rd:5 0110011", "mulh rd, rs1, rs2")
def mulh(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("mulhs", x[rs2])


@instruction("0000001 rs2:5 rs1:5 010 rd:5 0110011", "mulhsu rd, rs1, rs2")
def mulhsu(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("mulhsu", x[rs2])


@instruction("0000001 rs2:5 rs1:5 011 rd:5 0110011", "mulhu rd, rs1, rs2")
def mulhu(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("mulhu", x[rs2])


@instruction("0000001 rs2:5 rs1:5 000 rd:5 0111011", "mulw rd, rs1, rs2")
def mulw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32) * x[rs2].low(32)).sext(XLEN)


# Division: by zero the quotient is all ones and the remainder the dividend; the signed overflow wraps (table 11).


@instruction("0000001 rs2:5 rs1:5 100 rd:5 0110011", "div rd, rs1, rs2")
def div(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = signed(x[rs1]) // signed(x[rs2])


@instruction("0000001 rs2:5 rs1:5 101 rd:5 0110011", "divu rd, rs1, rs2")
def divu(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] // x[rs2]


@instruction("0000001 rs2:5 rs1:5 110 rd:5 0110011", "rem rd, rs1, rs2")
def rem(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = signed(x[rs1]) % signed(x[rs2])


@instruction("0000001 rs2:5 rs1:5 111 rd:5 0110011", "remu rd, rs1, rs2")
def remu(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] % x[rs2]


@instruction("0000001 rs2:5 rs1:5 100 rd:5 0111011", "divw rd, rs1, rs2")
def divw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (signed(x[rs1].low(32)) // signed(x[rs2].low(32))).sext(XLEN)


@instruction("0000001 rs2:5 rs1:5 101 rd:5 0111011", "divuw rd, rs1, rs2")
def divuw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32) // x[rs2].low(32)).sext(XLEN)


@instruction("0000001 rs2:5 rs1:5 110 rd:5 0111011", "remw rd, rs1, rs2")
def remw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (signed(x[rs1].low(32)) % signed(x[rs2].low(32))).sext(XLEN)


@instruction("0000001 rs2:5 rs1:5 111 rd:5 0111011", "remuw rd, rs1, rs2")
def remuw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32) % x[rs2].low(32)).sext(XLEN)
