""""Zicsr" and "Zicntr": control and status registers that a user program sees (ch. "Zicsr", "Zicntr").

A register that is not listed is an illegal instruction; so is writing a counter. CSRRS and CSRRC with rs1=x0 (or a zero
immediate) do not write, and so may read counters: they are encodings of their own here, all of them aliases of `csrr`.
"""

from __future__ import annotations

from xenos.isa.riscv.registers import alias, instruction
from xenos.semantics.trace import RegisterField, Registers, Trace
from xenos.semantics.values import Value

R = RegisterField

FFLAGS, FRM, FCSR = 0x001, 0x002, 0x003
COUNTERS = {0xC00: "cycle", 0xC01: "time", 0xC02: "instret"}


def _read(machine: Trace, csr: int) -> Value:
    if csr == FFLAGS:
        return machine.get_flags()
    if csr == FRM:
        return machine.get_rounding()
    if csr == FCSR:
        return machine.get_rounding() << 5 | machine.get_flags()
    return machine.counter(COUNTERS[csr])


def _write(machine: Trace, csr: int, value: Value) -> None:
    if csr in (FRM, FCSR):
        machine.set_rounding(value >> 5 if csr == FCSR else value)
    if csr in (FFLAGS, FCSR):
        machine.set_flags(value)


@instruction("csr:12=0x001,0x002,0x003 rs1:5 001 rd:5 1110011", "csrrw rd, csr, rs1")
def csrrw(machine: Trace, x: Registers, rd: R, rs1: R, csr: int) -> None:
    value = x[rs1]
    x[rd] = _read(machine, csr)
    _write(machine, csr, value)


@instruction("csr:12=0x001,0x002,0x003 rs1:5!=0 010 rd:5 1110011", "csrrs rd, csr, rs1")
def csrrs(machine: Trace, x: Registers, rd: R, rs1: R, csr: int) -> None:
    old = _read(machine, csr)
    value = old | x[rs1]
    x[rd] = old
    _write(machine, csr, value)


@instruction("csr:12=0x001,0x002,0x003 rs1:5!=0 011 rd:5 1110011", "csrrc rd, csr, rs1")
def csrrc(machine: Trace, x: Registers, rd: R, rs1: R, csr: int) -> None:
    old = _read(machine, csr)
    value = old & ~x[rs1]
    x[rd] = old
    _write(machine, csr, value)


@instruction("csr:12=0x001,0x002,0x003 uimm:5 101 rd:5 1110011", "csrrwi rd, csr, uimm")
def csrrwi(machine: Trace, x: Registers, rd: R, uimm: Value, csr: int) -> None:
    x[rd] = _read(machine, csr)
    _write(machine, csr, uimm)


@instruction("csr:12=0x001,0x002,0x003 uimm:5!=0 110 rd:5 1110011", "csrrsi rd, csr, uimm")
def csrrsi(machine: Trace, x: Registers, rd: R, uimm: Value, csr: int) -> None:
    old = _read(machine, csr)
    x[rd] = old
    _write(machine, csr, old | uimm)


@instruction("csr:12=0x001,0x002,0x003 uimm:5!=0 111 rd:5 1110011", "csrrci rd, csr, uimm")
def csrrci(machine: Trace, x: Registers, rd: R, uimm: Value, csr: int) -> None:
    old = _read(machine, csr)
    x[rd] = old
    _write(machine, csr, old & ~uimm)


# Reading alone


@instruction("csr:12=0x001,0x002,0x003,0xC00,0xC01,0xC02 00000 010 rd:5 1110011", "csrr rd, csr")
def csrr(machine: Trace, x: Registers, rd: R, csr: int) -> None:
    x[rd] = _read(machine, csr)


alias("csr:12=0x001,0x002,0x003,0xC00,0xC01,0xC02 00000 011 rd:5 1110011", "csrrc rd, csr, zero", csrr)
alias("csr:12=0x001,0x002,0x003,0xC00,0xC01,0xC02 00000 110 rd:5 1110011", "csrrsi rd, csr, 0", csrr)
alias("csr:12=0x001,0x002,0x003,0xC00,0xC01,0xC02 00000 111 rd:5 1110011", "csrrci rd, csr, 0", csrr)
