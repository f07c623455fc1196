"""Bit manipulation: "Zba", "Zbb", "Zbc" and "Zbs" (Unprivileged ISA, ch. "B")."""

from __future__ import annotations

from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import RegisterField, Registers
from xenos.semantics.values import Value

R = RegisterField

# One bit, and the low seven, of each byte
LOW_ONE = 0x0101_0101_0101_0101
LOW_SEVEN = 0x7F * LOW_ONE

# "Zba": address generation


@instruction("0000100 rs2:5 rs1:5 000 rd:5 0111011", "add.uw rd, rs1, rs2")
def add_uw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].low(32).zext(XLEN) + x[rs2]


@instruction("0010000 rs2:5 rs1:5 010 rd:5 0110011", "sh1add rd, rs1, rs2")
def sh1add(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1] << 1) + x[rs2]


@instruction("0010000 rs2:5 rs1:5 010 rd:5 0111011", "sh1add.uw rd, rs1, rs2")
def sh1add_uw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32).zext(XLEN) << 1) + x[rs2]


@instruction("0010000 rs2:5 rs1:5 100 rd:5 0110011", "sh2add rd, rs1, rs2")
def sh2add(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1] << 2) + x[rs2]


@instruction("0010000 rs2:5 rs1:5 100 rd:5 0111011", "sh2add.uw rd, rs1, rs2")
def sh2add_uw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32).zext(XLEN) << 2) + x[rs2]


@instruction("0010000 rs2:5 rs1:5 110 rd:5 0110011", "sh3add rd, rs1, rs2")
def sh3add(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1] << 3) + x[rs2]


@instruction("0010000 rs2:5 rs1:5 110 rd:5 0111011", "sh3add.uw rd, rs1, rs2")
def sh3add_uw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = (x[rs1].low(32).zext(XLEN) << 3) + x[rs2]


@instruction("000010 shamt:6 rs1:5 001 rd:5 0011011", "slli.uw rd, rs1, shamt")
def slli_uw(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1].low(32).zext(XLEN) << shamt


# "Zbb": basic bit manipulation


@instruction("0100000 rs2:5 rs1:5 111 rd:5 0110011", "andn rd, rs1, rs2")
def andn(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] & ~x[rs2]


@instruction("0100000 rs2:5 rs1:5 110 rd:5 0110011", "orn rd, rs1, rs2")
def orn(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] | ~x[rs2]


@instruction("0100000 rs2:5 rs1:5 100 rd:5 0110011", "xnor rd, rs1, rs2")
def xnor(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = ~(x[rs1] ^ x[rs2])


@instruction("0110000 00000 rs1:5 001 rd:5 0010011", "clz rd, rs1")
def clz(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].apply("clz")


@instruction("0110000 00000 rs1:5 001 rd:5 0011011", "clzw rd, rs1")
def clzw(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].low(32).apply("clz").zext(XLEN)


@instruction("0110000 00001 rs1:5 001 rd:5 0010011", "ctz rd, rs1")
def ctz(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].apply("ctz")


@instruction("0110000 00001 rs1:5 001 rd:5 0011011", "ctzw rd, rs1")
def ctzw(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].low(32).apply("ctz").zext(XLEN)


@instruction("0110000 00010 rs1:5 001 rd:5 0010011", "cpop rd, rs1")
def cpop(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].apply("popcount")


@instruction("0110000 00010 rs1:5 001 rd:5 0011011", "cpopw rd, rs1")
def cpopw(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].low(32).apply("popcount").zext(XLEN)


@instruction("0000101 rs2:5 rs1:5 110 rd:5 0110011", "max rd, rs1, rs2")
def max(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("smax", x[rs2])


@instruction("0000101 rs2:5 rs1:5 111 rd:5 0110011", "maxu rd, rs1, rs2")
def maxu(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("umax", x[rs2])


@instruction("0000101 rs2:5 rs1:5 100 rd:5 0110011", "min rd, rs1, rs2")
def min(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("smin", x[rs2])


@instruction("0000101 rs2:5 rs1:5 101 rd:5 0110011", "minu rd, rs1, rs2")
def minu(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("umin", x[rs2])


@instruction("0110000 00100 rs1:5 001 rd:5 0010011", "sext.b rd, rs1")
def sext_b(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].low(8).sext(XLEN)


@instruction("0110000 00101 rs1:5 001 rd:5 0010011", "sext.h rd, rs1")
def sext_h(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].low(16).sext(XLEN)


@instruction("0000100 00000 rs1:5 100 rd:5 0111011", "zext.h rd, rs1")
def zext_h(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].low(16).zext(XLEN)


@instruction("0110000 rs2:5 rs1:5 001 rd:5 0110011", "rol rd, rs1, rs2")
def rol(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("rotl", x[rs2])


@instruction("0110000 rs2:5 rs1:5 001 rd:5 0111011", "rolw rd, rs1, rs2")
def rolw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].low(32).apply("rotl", x[rs2].low(32)).sext(XLEN)


@instruction("0110000 rs2:5 rs1:5 101 rd:5 0110011", "ror rd, rs1, rs2")
def ror(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("rotr", x[rs2])


@instruction("011000 shamt:6 rs1:5 101 rd:5 0010011", "rori rd, rs1, shamt")
def rori(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1].apply("rotr", shamt)


@instruction("0110000 shamt:5 rs1:5 101 rd:5 0011011", "roriw rd, rs1, shamt")
def roriw(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1].low(32).apply("rotr", shamt.low(32)).sext(XLEN)


@instruction("0110000 rs2:5 rs1:5 101 rd:5 0111011", "rorw rd, rs1, rs2")
def rorw(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].low(32).apply("rotr", x[rs2].low(32)).sext(XLEN)


@instruction("0010100 00111 rs1:5 101 rd:5 0010011", "orc.b rd, rs1")
def orc_b(x: Registers, rd: R, rs1: R) -> None:
    value = x[rs1]
    # Adding 127 to a byte's low seven bits carries into its eighth unless they are all zero.
    not_zero = (((value & LOW_SEVEN) + LOW_SEVEN) | value) >> 7 & LOW_ONE
    x[rd] = (not_zero << 8) - not_zero


@instruction("0110101 11000 rs1:5 101 rd:5 0010011", "rev8 rd, rs1")
def rev8(x: Registers, rd: R, rs1: R) -> None:
    x[rd] = x[rs1].apply("reverse_bytes")


# "Zbc": carry-less multiplication


@instruction("0000101 rs2:5 rs1:5 001 rd:5 0110011", "clmul rd, rs1, rs2")
def clmul(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("clmul", x[rs2])


@instruction("0000101 rs2:5 rs1:5 011 rd:5 0110011", "clmulh rd, rs1, rs2")
def clmulh(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("clmulh", x[rs2])


@instruction("0000101 rs2:5 rs1:5 010 rd:5 0110011", "clmulr rd, rs1, rs2")
def clmulr(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1].apply("clmulh", x[rs2]) << 1 | x[rs1].apply("clmul", x[rs2]) >> (XLEN - 1)


# "Zbs": single bits


@instruction("0100100 rs2:5 rs1:5 001 rd:5 0110011", "bclr rd, rs1, rs2")
def bclr(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] & ~_bit(x[rs2])


@instruction("010010 shamt:6 rs1:5 001 rd:5 0010011", "bclri rd, rs1, shamt")
def bclri(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1] & ~_bit(shamt)


@instruction("0100100 rs2:5 rs1:5 101 rd:5 0110011", "bext rd, rs1, rs2")
def bext(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] >> (x[rs2] & 63) & 1


@instruction("010010 shamt:6 rs1:5 101 rd:5 0010011", "bexti rd, rs1, shamt")
def bexti(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1] >> shamt & 1


@instruction("0110100 rs2:5 rs1:5 001 rd:5 0110011", "binv rd, rs1, rs2")
def binv(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] ^ _bit(x[rs2])


@instruction("011010 shamt:6 rs1:5 001 rd:5 0010011", "binvi rd, rs1, shamt")
def binvi(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1] ^ _bit(shamt)


@instruction("0010100 rs2:5 rs1:5 001 rd:5 0110011", "bset rd, rs1, rs2")
def bset(x: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = x[rs1] | _bit(x[rs2])


@instruction("001010 shamt:6 rs1:5 001 rd:5 0010011", "bseti rd, rs1, shamt")
def bseti(x: Registers, rd: R, rs1: R, shamt: Value) -> None:
    x[rd] = x[rs1] | _bit(shamt)



def _bit(number: Value) -> Value:
    """The bit that the low six bits of `number` select."""
    return number.like(1) << (number & 63)
