""""D": double-precision floating point (Unprivileged ISA, ch. "D")."""

from __future__ import annotations

from xenos.isa.riscv.float_values import boxed, single
from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import Memory, RegisterField, Registers, Trace
from xenos.semantics.values import Value

R = RegisterField
SIGN = 1 << 63

# Loads and stores keep every bit, NaN payloads included


@instruction("imm[11:0] rs1:5 011 rd:5 0000111", "fld rd, imm(rs1)")
def fld(memory: Memory, x: Registers, f: Registers, rd: R, rs1: R, imm: Value) -> None:
    f[rd] = memory.load(x[rs1] + imm, 64)


@instruction("imm[11:5] rs2:5 rs1:5 011 imm[4:0] 0100111", "fsd rs2, imm(rs1)")
def fsd(memory: Memory, x: Registers, f: Registers, rs1: R, rs2: R, imm: Value) -> None:
    memory.store(x[rs1] + imm, f[rs2])


# Computation


@instruction("rs3:5 01 rs2:5 rs1:5 rm:3!=5,6 rd:5 1000011", "fmadd.d rd, rs1, rs2, rs3, rm")
def fmadd_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = f[rs1], f[rs2], f[rs3]
    f[rd] = machine.fp("fma", a, b, c, rounding=rm)


@instruction("rs3:5 01 rs2:5 rs1:5 rm:3!=5,6 rd:5 1000111", "fmsub.d rd, rs1, rs2, rs3, rm")
def fmsub_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = f[rs1], f[rs2], f[rs3]
    f[rd] = machine.fp("fma", a, b, c ^ SIGN, rounding=rm)


@instruction("rs3:5 01 rs2:5 rs1:5 rm:3!=5,6 rd:5 1001011", "fnmsub.d rd, rs1, rs2, rs3, rm")
def fnmsub_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = f[rs1], f[rs2], f[rs3]
    f[rd] = machine.fp("fma", a ^ SIGN, b, c, rounding=rm)


@instruction("rs3:5 01 rs2:5 rs1:5 rm:3!=5,6 rd:5 1001111", "fnmadd.d rd, rs1, rs2, rs3, rm")
def fnmadd_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = f[rs1], f[rs2], f[rs3]
    f[rd] = machine.fp("fma", a ^ SIGN, b, c ^ SIGN, rounding=rm)


@instruction("0000001 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fadd.d rd, rs1, rs2, rm")
def fadd_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = machine.fp("fadd", f[rs1], f[rs2], rounding=rm)


@instruction("0000101 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fsub.d rd, rs1, rs2, rm")
def fsub_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = machine.fp("fsub", f[rs1], f[rs2], rounding=rm)


@instruction("0001001 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fmul.d rd, rs1, rs2, rm")
def fmul_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = machine.fp("fmul", f[rs1], f[rs2], rounding=rm)


@instruction("0001101 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fdiv.d rd, rs1, rs2, rm")
def fdiv_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = machine.fp("fdiv", f[rs1], f[rs2], rounding=rm)


@instruction("0101101 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fsqrt.d rd, rs1, rm")
def fsqrt_d(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("fsqrt", f[rs1], rounding=rm)


# Signs: no flags are raised


@instruction("0010001 rs2:5 rs1:5 000 rd:5 1010011", "fsgnj.d rd, rs1, rs2")
def fsgnj_d(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = f[rs1] & ~SIGN | f[rs2] & SIGN


@instruction("0010001 rs2:5 rs1:5 001 rd:5 1010011", "fsgnjn.d rd, rs1, rs2")
def fsgnjn_d(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = f[rs1] & ~SIGN | ~f[rs2] & SIGN


@instruction("0010001 rs2:5 rs1:5 010 rd:5 1010011", "fsgnjx.d rd, rs1, rs2")
def fsgnjx_d(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = f[rs1] ^ f[rs2] & SIGN


# Minimum and maximum: a NaN loses against a number


@instruction("0010101 rs2:5 rs1:5 000 rd:5 1010011", "fmin.d rd, rs1, rs2")
def fmin_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = machine.fp("fmin_number", f[rs1], f[rs2])


@instruction("0010101 rs2:5 rs1:5 001 rd:5 1010011", "fmax.d rd, rs1, rs2")
def fmax_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = machine.fp("fmax_number", f[rs1], f[rs2])


# Conversion


@instruction("0100000 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.s.d rd, rs1, rm")
def fcvt_s_d(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fconvert", f[rs1], width=32, rounding=rm))


@instruction("0100001 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.d.s rd, rs1, rm")
def fcvt_d_s(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("fconvert", single(f[rs1]), width=64, rounding=rm)


@instruction("1100001 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.w.d rd, rs1, rm")
def fcvt_w_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", f[rs1], width=32, rounding=rm, signed=True).sext(XLEN)


@instruction("1100001 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.wu.d rd, rs1, rm")
def fcvt_wu_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", f[rs1], width=32, rounding=rm, signed=False).sext(XLEN)


@instruction("1100001 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.l.d rd, rs1, rm")
def fcvt_l_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", f[rs1], width=64, rounding=rm, signed=True)


@instruction("1100001 00011 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.lu.d rd, rs1, rm")
def fcvt_lu_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", f[rs1], width=64, rounding=rm, signed=False)


@instruction("1101001 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.d.w rd, rs1, rm")
def fcvt_d_w(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("int_to_float", x[rs1].low(32), width=64, rounding=rm, signed=True)


@instruction("1101001 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.d.wu rd, rs1, rm")
def fcvt_d_wu(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("int_to_float", x[rs1].low(32), width=64, rounding=rm, signed=False)


@instruction("1101001 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.d.l rd, rs1, rm")
def fcvt_d_l(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("int_to_float", x[rs1], width=64, rounding=rm, signed=True)


@instruction("1101001 00011 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.d.lu rd, rs1, rm")
def fcvt_d_lu(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("int_to_float", x[rs1], width=64, rounding=rm, signed=False)


# Moves of bits


@instruction("1110001 00000 rs1:5 000 rd:5 1010011", "fmv.x.d rd, rs1")
def fmv_x_d(x: Registers, f: Registers, rd: R, rs1: R) -> None:
    x[rd] = f[rs1]


@instruction("1111001 00000 rs1:5 000 rd:5 1010011", "fmv.d.x rd, rs1")
def fmv_d_x(x: Registers, f: Registers, rd: R, rs1: R) -> None:
    f[rd] = x[rs1]


# Comparison and classification


@instruction("1010001 rs2:5 rs1:5 010 rd:5 1010011", "feq.d rd, rs1, rs2")
def feq_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("feq", f[rs1], f[rs2]).zext(XLEN)


@instruction("1010001 rs2:5 rs1:5 001 rd:5 1010011", "flt.d rd, rs1, rs2")
def flt_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("flt", f[rs1], f[rs2]).zext(XLEN)


@instruction("1010001 rs2:5 rs1:5 000 rd:5 1010011", "fle.d rd, rs1, rs2")
def fle_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("fle", f[rs1], f[rs2]).zext(XLEN)


@instruction("1110001 00000 rs1:5 001 rd:5 1010011", "fclass.d rd, rs1")
def fclass_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R) -> None:
    x[rd] = machine.fp("fclassify", f[rs1], width=XLEN)
