""""Zfh" and its part "Zfhmin": half-precision floating point (Unprivileged ISA, ch. "Zfh")."""

from __future__ import annotations

from xenos.isa.riscv.float_values import boxed, half, single
from xenos.isa.riscv.registers import XLEN, instruction
from xenos.semantics.trace import Memory, RegisterField, Registers, Trace
from xenos.semantics.values import Value

R = RegisterField
SIGN = 1 << 15

# Loads and stores keep every bit, NaN payloads included


@instruction("imm[11:0] rs1:5 001 rd:5 0000111", "flh rd, imm(rs1)")
def flh(memory: Memory, x: Registers, f: Registers, rd: R, rs1: R, imm: Value) -> None:
    f[rd] = boxed(memory.load(x[rs1] + imm, 16))


@instruction("imm[11:5] rs2:5 rs1:5 001 imm[4:0] 0100111", "fsh rs2, imm(rs1)")
def fsh(memory: Memory, x: Registers, f: Registers, rs1: R, rs2: R, imm: Value) -> None:
    memory.store(x[rs1] + imm, f[rs2].low(16))


# Computation


@instruction("rs3:5 10 rs2:5 rs1:5 rm:3!=5,6 rd:5 1000011", "fmadd.h rd, rs1, rs2, rs3, rm")
def fmadd_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = half(f[rs1]), half(f[rs2]), half(f[rs3])
    f[rd] = boxed(machine.fp("fma", a, b, c, rounding=rm))


@instruction("rs3:5 10 rs2:5 rs1:5 rm:3!=5,6 rd:5 1000111", "fmsub.h rd, rs1, rs2, rs3, rm")
def fmsub_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = half(f[rs1]), half(f[rs2]), half(f[rs3])
    f[rd] = boxed(machine.fp("fma", a, b, c ^ SIGN, rounding=rm))


@instruction("rs3:5 10 rs2:5 rs1:5 rm:3!=5,6 rd:5 1001011", "fnmsub.h rd, rs1, rs2, rs3, rm")
def fnmsub_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = half(f[rs1]), half(f[rs2]), half(f[rs3])
    f[rd] = boxed(machine.fp("fma", a ^ SIGN, b, c, rounding=rm))


@instruction("rs3:5 10 rs2:5 rs1:5 rm:3!=5,6 rd:5 1001111", "fnmadd.h rd, rs1, rs2, rs3, rm")
def fnmadd_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rs3: R, rm: int) -> None:
    a, b, c = half(f[rs1]), half(f[rs2]), half(f[rs3])
    f[rd] = boxed(machine.fp("fma", a ^ SIGN, b, c ^ SIGN, rounding=rm))


@instruction("0000010 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fadd.h rd, rs1, rs2, rm")
def fadd_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fadd", half(f[rs1]), half(f[rs2]), rounding=rm))


@instruction("0000110 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fsub.h rd, rs1, rs2, rm")
def fsub_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fsub", half(f[rs1]), half(f[rs2]), rounding=rm))


@instruction("0001010 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fmul.h rd, rs1, rs2, rm")
def fmul_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fmul", half(f[rs1]), half(f[rs2]), rounding=rm))


@instruction("0001110 rs2:5 rs1:5 rm:3!=5,6 rd:5 1010011", "fdiv.h rd, rs1, rs2, rm")
def fdiv_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fdiv", half(f[rs1]), half(f[rs2]), rounding=rm))


@instruction("0101110 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fsqrt.h rd, rs1, rm")
def fsqrt_h(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fsqrt", half(f[rs1]), rounding=rm))


# Signs: no flags are raised


@instruction("0010010 rs2:5 rs1:5 000 rd:5 1010011", "fsgnj.h rd, rs1, rs2")
def fsgnj_h(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(half(f[rs1]) & ~SIGN | half(f[rs2]) & SIGN)


@instruction("0010010 rs2:5 rs1:5 001 rd:5 1010011", "fsgnjn.h rd, rs1, rs2")
def fsgnjn_h(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(half(f[rs1]) & ~SIGN | ~half(f[rs2]) & SIGN)


@instruction("0010010 rs2:5 rs1:5 010 rd:5 1010011", "fsgnjx.h rd, rs1, rs2")
def fsgnjx_h(f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(half(f[rs1]) ^ half(f[rs2]) & SIGN)


# Minimum and maximum: a NaN loses against a number


@instruction("0010110 rs2:5 rs1:5 000 rd:5 1010011", "fmin.h rd, rs1, rs2")
def fmin_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmin_number", half(f[rs1]), half(f[rs2])))


@instruction("0010110 rs2:5 rs1:5 001 rd:5 1010011", "fmax.h rd, rs1, rs2")
def fmax_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmax_number", half(f[rs1]), half(f[rs2])))


# Conversion


@instruction("0100000 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.s.h rd, rs1, rm")
def fcvt_s_h(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fconvert", half(f[rs1]), width=32, rounding=rm))


@instruction("0100010 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.h.s rd, rs1, rm")
def fcvt_h_s(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fconvert", single(f[rs1]), width=16, rounding=rm))


@instruction("0100001 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.d.h rd, rs1, rm")
def fcvt_d_h(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("fconvert", half(f[rs1]), width=64, rounding=rm)


@instruction("0100010 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.h.d rd, rs1, rm")
def fcvt_h_d(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fconvert", f[rs1], width=16, rounding=rm))


@instruction("1100010 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.w.h rd, rs1, rm")
def fcvt_w_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", half(f[rs1]), width=32, rounding=rm, signed=True).sext(XLEN)


@instruction("1100010 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.wu.h rd, rs1, rm")
def fcvt_wu_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", half(f[rs1]), width=32, rounding=rm, signed=False).sext(XLEN)


@instruction("1100010 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.l.h rd, rs1, rm")
def fcvt_l_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", half(f[rs1]), width=64, rounding=rm, signed=True)


@instruction("1100010 00011 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.lu.h rd, rs1, rm")
def fcvt_lu_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    x[rd] = machine.fp("float_to_int", half(f[rs1]), width=64, rounding=rm, signed=False)


@instruction("1101010 00000 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.h.w rd, rs1, rm")
def fcvt_h_w(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1].low(32), width=16, rounding=rm, signed=True))


@instruction("1101010 00001 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.h.wu rd, rs1, rm")
def fcvt_h_wu(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1].low(32), width=16, rounding=rm, signed=False))


@instruction("1101010 00010 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.h.l rd, rs1, rm")
def fcvt_h_l(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1], width=16, rounding=rm, signed=True))


@instruction("1101010 00011 rs1:5 rm:3!=5,6 rd:5 1010011", "fcvt.h.lu rd, rs1, rm")
def fcvt_h_lu(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("int_to_float", x[rs1], width=16, rounding=rm, signed=False))


# Moves of bits


@instruction("1110010 00000 rs1:5 000 rd:5 1010011", "fmv.x.h rd, rs1")
def fmv_x_h(x: Registers, f: Registers, rd: R, rs1: R) -> None:
    x[rd] = f[rs1].low(16).sext(XLEN)


@instruction("1111010 00000 rs1:5 000 rd:5 1010011", "fmv.h.x rd, rs1")
def fmv_h_x(x: Registers, f: Registers, rd: R, rs1: R) -> None:
    f[rd] = boxed(x[rs1].low(16))


# Comparison and classification


@instruction("1010010 rs2:5 rs1:5 010 rd:5 1010011", "feq.h rd, rs1, rs2")
def feq_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("feq", half(f[rs1]), half(f[rs2])).zext(XLEN)


@instruction("1010010 rs2:5 rs1:5 001 rd:5 1010011", "flt.h rd, rs1, rs2")
def flt_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("flt", half(f[rs1]), half(f[rs2])).zext(XLEN)


@instruction("1010010 rs2:5 rs1:5 000 rd:5 1010011", "fle.h rd, rs1, rs2")
def fle_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("fle", half(f[rs1]), half(f[rs2])).zext(XLEN)


@instruction("1110010 00000 rs1:5 001 rd:5 1010011", "fclass.h rd, rs1")
def fclass_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R) -> None:
    x[rd] = machine.fp("fclassify", half(f[rs1]), width=XLEN)
