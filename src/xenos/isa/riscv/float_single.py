""""F": single-precision floating point (Unprivileged ISA, ch. "F"). A number lives boxed in its 64-bit register."""

from __future__ import annotations

from xenos.isa.riscv.float_values import boxed, single
from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import Memory, RegisterField, Registers, Trace
from xenos.semantics.values import Value

R = RegisterField
SIGN = 1 << 31

# Loads and stores keep every bit, NaN payloads included


@instruction("imm[11:0] rs1:5 010 rd:5 0000111", "flw rd, imm(rs1)")
def flw(memory: Memory, x: Registers, f: Registers, rd: R, rs1: R, imm: Value) -> None:
    f[rd] = boxed(memory.load(x[rs1] + imm, 32))


@instruction("imm[11:5] rs2:5 rs1:5 010 imm[4:0] 0100111", "fsw rs2, imm(rs1)")
def fsw(memory: Memory, x: Registers, f: Registers, rs1: R, rs2: R, imm: Value) -> None:
    memory.store(x[rs1] + imm, f[rs2].low(32))


# Computation


@instruction("rs3:5 00 rs2:5 rs1:5 rm:3!=5,6 rd:5 1000011", "fmadd.s rd, rs1, rs2, rs3, rm")
def fmadd_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = single(f[rs1]), single(f[rs2]), single(f[rs3])
    f[rd] = boxed(machine.fp("fma", a, b, c, rounding=rm))


@instruction("rs3:5 00 rs2:5 rs1:5 rm:3!=5,6 rd:5 1000111", "fmsub.s rd, rs1, rs2, rs3, rm")
def fmsub_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = single(f[rs1]), single(f[rs2]), single(f[rs3])
    f[rd] = boxed(machine.fp("fma", a, b, c ^ SIGN, rounding=rm))


@instruction("rs3:5 00 rs2:5 rs1:5 rm:3!=5,6 rd:5 1001011", "fnmsub.s rd, rs1, rs2, rs3, rm")
def fnmsub_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = single(f[rs1]), single(f[rs2]), single(f[rs3])
    f[rd] = boxed(machine.fp("fma", a ^ SIGN, b, c, rounding=rm))


@instruction("rs3:5 00 rs2:5 rs1:5 rm:3!=5,6 rd:5 1001111", "fnmadd.s rd, rs1, rs2, rs3, rm")
def fnmadd_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = single(f[rs1]), single(f[rs2]), single(f[rs3])
    f[rd] = boxed(machine.fp("fma", a ^ SIGN, b, c ^ SIGN, rounding=rm))


@instruction("0000000 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fadd.s rd, rs1, rs2, rm")
def fadd_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fadd", single(f[rs1]), single(f[rs2]), rounding=rm))


@instruction("0000100 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fsub.s rd, rs1, rs2, rm")
def fsub_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fsub", single(f[rs1]), single(f[rs2]), rounding=rm))


@instruction("0001000 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fmul.s rd, rs1, rs2, rm")
def fmul_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fmul", single(f[rs1]), single(f[rs2]), rounding=rm))


@instruction("0001100 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fdiv.s rd, rs1, rs2, rm")
def fdiv_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fdiv", single(f[rs1]), single(f[rs2]), rounding=rm))


@instruction("0101100 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fsqrt.s rd, rs1, rm")
def fsqrt_s(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fsqrt", single(f[rs1]), rounding=rm))


# Signs: no flags are raised


@instruction("0010000 rs2:5 rs1:5 000 rd:5 1010011", "fsgnj.s rd, rs1, rs2")
def fsgnj_s(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(single(f[rs1]) & ~SIGN | single(f[rs2]) & SIGN)


@instruction("0010000 rs2:5 rs1:5 001 rd:5 1010011", "fsgnjn.s rd, rs1, rs2")
def fsgnjn_s(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(single(f[rs1]) & ~SIGN | ~single(f[rs2]) & SIGN)


@instruction("0010000 rs2:5 rs1:5 010 rd:5 1010011", "fsgnjx.s rd, rs1, rs2")
def fsgnjx_s(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(single(f[rs1]) ^ single(f[rs2]) & SIGN)


# Minimum and maximum: a NaN loses against a number


@instruction("0010100 rs2:5 rs1:5 000 rd:5 1010011", "fmin.s rd, rs1, rs2")
def fmin_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmin_number", single(f[rs1]), single(f[rs2])))


@instruction("0010100 rs2:5 rs1:5 001 rd:5 1010011", "fmax.s rd, rs1, rs2")
def fmax_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmax_number", single(f[rs1]), single(f[rs2])))


# Conversion to and from integers


@instruction("1100000 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.w.s rd, rs1, rm")
def fcvt_w_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", single(f[rs1]), width=32, rounding=rm, signed=True).sext(XLEN)


@instruction("1100000 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.wu.s rd, rs1, rm")
def fcvt_wu_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", single(f[rs1]), width=32, rounding=rm, signed=False).sext(XLEN)


@instruction("1100000 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.l.s rd, rs1, rm")
def fcvt_l_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", single(f[rs1]), width=64, rounding=rm, signed=True)


@instruction("1100000 00011 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.lu.s rd, rs1, rm")
def fcvt_lu_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", single(f[rs1]), width=64, rounding=rm, signed=False)


@instruction("1101000 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.s.w rd, rs1, rm")
def fcvt_s_w(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1].low(32), width=32, rounding=rm, signed=True))


@instruction("1101000 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.s.wu rd, rs1, rm")
def fcvt_s_wu(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1].low(32), width=32, rounding=rm, signed=False))


@instruction("1101000 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.s.l rd, rs1, rm")
def fcvt_s_l(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1], width=32, rounding=rm, signed=True))


@instruction("1101000 00011 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.s.lu rd, rs1, rm")
def fcvt_s_lu(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1], width=32, rounding=rm, signed=False))


# Moves of bits


@instruction("1110000 00000 rs1:5 000 rd:5 1010011", "fmv.x.w rd, rs1")
def fmv_x_w(x: Registers, f: Registers, rd: R, rs1: R) -> None:
    x[rd] = f[rs1].low(32).sext(XLEN)


@instruction("1111000 00000 rs1:5 000 rd:5 1010011", "fmv.w.x rd, rs1")
def fmv_w_x(x: Registers, f: Registers, rd: R, rs1: R) -> None:
    f[rd] = boxed(x[rs1].low(32))


# Comparison and classification


@instruction("1010000 rs2:5 rs1:5 010 rd:5 1010011", "feq.s rd, rs1, rs2")
def feq_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("feq", single(f[rs1]), single(f[rs2])).zext(XLEN)


@instruction("1010000 rs2:5 rs1:5 001 rd:5 1010011", "flt.s rd, rs1, rs2")
def flt_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("flt", single(f[rs1]), single(f[rs2])).zext(XLEN)


@instruction("1010000 rs2:5 rs1:5 000 rd:5 1010011", "fle.s rd, rs1, rs2")
def fle_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("fle", single(f[rs1]), single(f[rs2])).zext(XLEN)


@instruction("1110000 00000 rs1:5 001 rd:5 1010011", "fclass.s rd, rs1")
def fclass_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R) -> None:
    x[rd] = machine.fp("fclassify", single(f[rs1]), width=XLEN)
