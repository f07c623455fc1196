"""Registers of RV64, their ABI names (psABI, ch. 1), and the instruction set that the chapters add to."""

from __future__ import annotations

from xenos.cpu.layout import RegisterFile
from xenos.isa.riscv.spellings import SPELLINGS
from xenos.semantics.instruction import InstructionSet

XLEN = 64
FLEN = 64

X = RegisterFile("x", XLEN, 32, zero=0)
F = RegisterFile("f", FLEN, 32, floating=True)

X_NAMES = ("zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 "
           "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6").split()
F_NAMES = ("ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 "
           "fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11").split()

# 16 bits unless the lowest two are both ones (§1.5); longer instructions are not defined yet.
RISCV = InstructionSet((X, F), XLEN, short=(0b11, 0b11), spellings=SPELLINGS)
instruction = RISCV.instruction
alias = RISCV.alias
