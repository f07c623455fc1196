""""A": atomic instructions, and "Zawrs" (Unprivileged ISA, ch. "A", "Zawrs")."""

from __future__ import annotations

from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import Memory, RegisterField, Registers

R = RegisterField

# Load-reserved and store-conditional ("Zalrsc")


@instruction("00010 aqrl:2 00000 rs1:5 010 rd:5 0101111", "lr.w{aqrl} rd, (rs1)")
def lr_w(x: Registers, memory: Memory, rd: R, rs1: R, aqrl: int) -> None:
    x[rd] = memory.reserve(x[rs1], 32, _order(aqrl)).sext(XLEN)


@instruction("00011 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "sc.w{aqrl} rd, rs2, (rs1)")
def sc_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.store_conditional(x[rs1], x[rs2].low(32), _order(aqrl)).zext(XLEN)


@instruction("00010 aqrl:2 00000 rs1:5 011 rd:5 0101111", "lr.d{aqrl} rd, (rs1)")
def lr_d(x: Registers, memory: Memory, rd: R, rs1: R, aqrl: int) -> None:
    x[rd] = memory.reserve(x[rs1], 64, _order(aqrl))


@instruction("00011 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "sc.d{aqrl} rd, rs2, (rs1)")
def sc_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.store_conditional(x[rs1], x[rs2], _order(aqrl)).zext(XLEN)


# Atomic memory operations ("Zaamo")


@instruction("00001 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amoswap.w{aqrl} rd, rs2, (rs1)")
def amoswap_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("swap", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("00000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amoadd.w{aqrl} rd, rs2, (rs1)")
def amoadd_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("add", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("00100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amoxor.w{aqrl} rd, rs2, (rs1)")
def amoxor_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("xor", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("01100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amoand.w{aqrl} rd, rs2, (rs1)")
def amoand_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("and", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("01000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amoor.w{aqrl} rd, rs2, (rs1)")
def amoor_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("or", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("10000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amomin.w{aqrl} rd, rs2, (rs1)")
def amomin_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("smin", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("10100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amomax.w{aqrl} rd, rs2, (rs1)")
def amomax_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("smax", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("11000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amominu.w{aqrl} rd, rs2, (rs1)")
def amominu_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("umin", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("11100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111", "amomaxu.w{aqrl} rd, rs2, (rs1)")
def amomaxu_w(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("umax", x[rs1], x[rs2].low(32), _order(aqrl)).sext(XLEN)


@instruction("00001 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amoswap.d{aqrl} rd, rs2, (rs1)")
def amoswap_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("swap", x[rs1], x[rs2], _order(aqrl))


@instruction("00000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amoadd.d{aqrl} rd, rs2, (rs1)")
def amoadd_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("add", x[rs1], x[rs2], _order(aqrl))


@instruction("00100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amoxor.d{aqrl} rd, rs2, (rs1)")
def amoxor_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("xor", x[rs1], x[rs2], _order(aqrl))


@instruction("01100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amoand.d{aqrl} rd, rs2, (rs1)")
def amoand_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("and", x[rs1], x[rs2], _order(aqrl))


@instruction("01000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amoor.d{aqrl} rd, rs2, (rs1)")
def amoor_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("or", x[rs1], x[rs2], _order(aqrl))


@instruction("10000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amomin.d{aqrl} rd, rs2, (rs1)")
def amomin_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("smin", x[rs1], x[rs2], _order(aqrl))


@instruction("10100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amomax.d{aqrl} rd, rs2, (rs1)")
def amomax_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("smax", x[rs1], x[rs2], _order(aqrl))


@instruction("11000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amominu.d{aqrl} rd, rs2, (rs1)")
def amominu_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("umin", x[rs1], x[rs2], _order(aqrl))


@instruction("11100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111", "amomaxu.d{aqrl} rd, rs2, (rs1)")
def amomaxu_d(x: Registers, memory: Memory, rd: R, rs1: R, rs2: R, aqrl: int) -> None:
    x[rd] = memory.amo("umax", x[rs1], x[rs2], _order(aqrl))



def _order(aqrl: int) -> str:
    """The ordering bits as `semantics` names them."""
    return ("", "release", "acquire", "acquire release")[aqrl]


# Waiting for a reservation to end ("Zawrs"): it is allowed to end the wait at any time, so that it ends at once.


@instruction("0000000 01101 00000 000 00000 1110011", "wrs.nto")
def wrs_nto() -> None:
    pass


@instruction("0000000 11101 00000 000 00000 1110011", "wrs.sto")
def wrs_sto() -> None:
    pass
