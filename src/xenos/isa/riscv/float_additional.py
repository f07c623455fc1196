""""Zfa": additional floating-point instructions (ch. "Zfa"). Those for half precision come with "Zfh"."""

from __future__ import annotations

from struct import pack

from xenos.isa.riscv.float_values import boxed, half, single
from xenos.isa.riscv.registers import XLEN, instruction
from xenos.isa.riscv.spellings import CONSTANTS
from xenos.semantics.floating import DOUBLE, HALF, NEAREST_EVEN, SINGLE, TOWARD_ZERO, Format, convert
from xenos.semantics.trace import RegisterField, Registers, Trace

R = RegisterField

# Constants


@instruction("1111000 00001 constant:5 000 rd:5 1010011", "fli.s rd, constant")
def fli_s(machine: Trace, f: Registers, rd: R, constant: int) -> None:
    f[rd] = boxed(machine.const(_constant(constant, SINGLE), 32))


@instruction("1111001 00001 constant:5 000 rd:5 1010011", "fli.d rd, constant")
def fli_d(machine: Trace, f: Registers, rd: R, constant: int) -> None:
    f[rd] = machine.const(_constant(constant, DOUBLE), 64)


@instruction("1111010 00001 constant:5 000 rd:5 1010011", "fli.h rd, constant")
def fli_h(machine: Trace, f: Registers, rd: R, constant: int) -> None:
    f[rd] = boxed(machine.const(_constant(constant, HALF), 16))



def _constant(number: int, fmt: Format) -> int:
    """The bits of a constant in a format; 2**16 is infinity in half precision."""
    text = CONSTANTS[number]
    if text == "min":
        return fmt.hidden
    double = int.from_bytes(pack("<d", float(text)), "little")
    return convert(double, DOUBLE, fmt, NEAREST_EVEN)[0]


# Minimum and maximum: a NaN wins against a number


@instruction("0010100 rs2:5 rs1:5 010 rd:5 1010011", "fminm.s rd, rs1, rs2")
def fminm_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmin", single(f[rs1]), single(f[rs2])))


@instruction("0010100 rs2:5 rs1:5 011 rd:5 1010011", "fmaxm.s rd, rs1, rs2")
def fmaxm_s(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmax", single(f[rs1]), single(f[rs2])))


@instruction("0010101 rs2:5 rs1:5 010 rd:5 1010011", "fminm.d rd, rs1, rs2")
def fminm_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = machine.fp("fmin", f[rs1], f[rs2])


@instruction("0010101 rs2:5 rs1:5 011 rd:5 1010011", "fmaxm.d rd, rs1, rs2")
def fmaxm_d(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = machine.fp("fmax", f[rs1], f[rs2])


@instruction("0010110 rs2:5 rs1:5 010 rd:5 1010011", "fminm.h rd, rs1, rs2")
def fminm_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmin", half(f[rs1]), half(f[rs2])))


@instruction("0010110 rs2:5 rs1:5 011 rd:5 1010011", "fmaxm.h rd, rs1, rs2")
def fmaxm_h(machine: Trace, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    f[rd] = boxed(machine.fp("fmax", half(f[rs1]), half(f[rs2])))


# Rounding to integral values; FROUNDNX raises inexact


@instruction("0100000 00100 rs1:5 rm:3!=5,6 rd:5 1010011", "fround.s rd, rs1, rm")
def fround_s(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fround", single(f[rs1]), rounding=rm, exact=False))


@instruction("0100000 00101 rs1:5 rm:3!=5,6 rd:5 1010011", "froundnx.s rd, rs1, rm")
def froundnx_s(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fround", single(f[rs1]), rounding=rm, exact=True))


@instruction("0100001 00100 rs1:5 rm:3!=5,6 rd:5 1010011", "fround.d rd, rs1, rm")
def fround_d(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("fround", f[rs1], rounding=rm, exact=False)


@instruction("0100001 00101 rs1:5 rm:3!=5,6 rd:5 1010011", "froundnx.d rd, rs1, rm")
def froundnx_d(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = machine.fp("fround", f[rs1], rounding=rm, exact=True)


@instruction("0100010 00100 rs1:5 rm:3!=5,6 rd:5 1010011", "fround.h rd, rs1, rm")
def fround_h(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fround", half(f[rs1]), rounding=rm, exact=False))


@instruction("0100010 00101 rs1:5 rm:3!=5,6 rd:5 1010011", "froundnx.h rd, rs1, rm")
def froundnx_h(machine: Trace, f: Registers, rd: R, rs1: R, rm: int) -> None:
    f[rd] = boxed(machine.fp("fround", half(f[rs1]), rounding=rm, exact=True))


# Conversion to an integer modulo 2**32


@instruction("1100001 01000 rs1:5 001 rd:5 1010011", "fcvtmod.w.d rd, rs1, rtz")
def fcvtmod_w_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R) -> None:
    x[rd] = machine.fp("float_to_int_modular", f[rs1], width=32, rounding=TOWARD_ZERO).sext(XLEN)


# Comparison that is silent about quiet NaNs


@instruction("1010000 rs2:5 rs1:5 100 rd:5 1010011", "fleq.s rd, rs1, rs2")
def fleq_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("fle_quiet", single(f[rs1]), single(f[rs2])).zext(XLEN)


@instruction("1010000 rs2:5 rs1:5 101 rd:5 1010011", "fltq.s rd, rs1, rs2")
def fltq_s(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("flt_quiet", single(f[rs1]), single(f[rs2])).zext(XLEN)


@instruction("1010001 rs2:5 rs1:5 100 rd:5 1010011", "fleq.d rd, rs1, rs2")
def fleq_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("fle_quiet", f[rs1], f[rs2]).zext(XLEN)


@instruction("1010001 rs2:5 rs1:5 101 rd:5 1010011", "fltq.d rd, rs1, rs2")
def fltq_d(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("flt_quiet", f[rs1], f[rs2]).zext(XLEN)


@instruction("1010010 rs2:5 rs1:5 100 rd:5 1010011", "fleq.h rd, rs1, rs2")
def fleq_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("fle_quiet", half(f[rs1]), half(f[rs2])).zext(XLEN)


@instruction("1010010 rs2:5 rs1:5 101 rd:5 1010011", "fltq.h rd, rs1, rs2")
def fltq_h(machine: Trace, x: Registers, f: Registers, rd: R, rs1: R, rs2: R) -> None:
    x[rd] = machine.fp("flt_quiet", half(f[rs1]), half(f[rs2])).zext(XLEN)
