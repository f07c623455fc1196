"""Where an instruction's register operands may lie, as one letter each: the shapes that stencils are compiled for.

    P   in a host register of its own (any pin: stencils are renamed)
    D   in the same host register as the result
    S   the same register as the operand read before it
    M   in its home in the state block
    Z   the register that is always zero, read
    N   the register that is always zero, written: the result is dropped (of jumps; elsewhere nothing would be left to do)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from xenos.cpu.layout import RegisterFile
from xenos.semantics.instruction import Form
from xenos.semantics.operations import TABLE


def shapes(form: Form, files: dict[str, RegisterFile]) -> Iterator[str]:
    """Every shape of a form that gets a stencil, a letter per register operand in the order of `form.registers`."""
    operands = list(form.registers.values())
    results = [i for i, (_, use) in enumerate(operands) if "w" in use]
    if _seldom(form):
        yield "M" * len(operands)
        return
    bases, idle, slow = _bases(form), _idle(form), _slow(form)
    choices = []
    for i, (file, use) in enumerate(operands):
        letters = "M" if held_back(form) and "w" in use else "PM"
        if use == "r":
            if results and operands[results[0]][0] == file:
                letters += "D"
            if files[file].zero is not None and i not in bases and not idle:
                letters += "Z"
            if twins(form, i):
                letters += "S"
        elif form.control is not None and files[file].zero is not None:
            letters += "N"
        choices.append(letters)
    for row in product(*choices):
        shape = "".join(row)
        if "D" in shape and shape[results[0]] != "P" or shape.count("Z") > 1:
            continue
        if len(operands) > 3 and shape.count("D") > 1:
            continue        # of three that are added and multiplied, two are seldom the same
        if "S" in shape and shape[shape.index("S") - 1] not in "PMD":
            continue
        if slow and "M" in shape and shape.strip("M"):
            continue        # what all operands are moved to memory for, where not all are in registers
        yield shape


def _bases(form: Form) -> set[int]:
    """Operands that addresses are made of. A constant one would be taken from where the code stands, which is not known here."""
    names = list(form.registers)
    made = [op.args[0] for op in form.effects if TABLE[op.op].effect == "memory"]
    read = [a for address in made for a in (address, *address.args) if a.op == "read"]
    return {names.index(a.attr("field")) for a in read if a.attr("field") in names}


def _seldom(form: Form) -> bool:
    """Whether compilers hardly ever use a form: arithmetic with rounding fixed by the encoding, which they want for conversions to
    integers only; constants that it names."""
    if not form.immediates and all(op.op in ("const", "box", "write") for op in form.effects):
        return True
    if any(op.op in ("get_flags", "set_flags", "get_rounding", "set_rounding") for op in form.effects):
        return True     # programs that ask for them do so for want of instructions; the host's own take longer than any move
    fixed = any(op.op != "field" and dict(op.attrs).get("rounding", 7) not in (0, 7) for op in form.effects)
    return fixed and not any(op.op.startswith("float_to_int") or op.op == "fround" for op in form.effects)


def _slow(form: Form) -> bool:
    """Whether a form sets the host's rounding mode and puts it back, which takes so long that a few moves are not noticed:
    arithmetic that rounds to nearest whatever mode is set."""
    return any(op.op in _ROUNDS and dict(op.attrs).get("rounding") == 0 for op in form.effects)


_ROUNDS = {"fadd", "fsub", "fmul", "fdiv", "fsqrt", "fma"}
# With zero for an operand these give a constant, or the other operand.
_IDLE = {"and", "or", "xor", "shl", "lshr", "ashr", "rotl", "rotr", "mul", "mulhs", "mulhu", "mulhsu", "sdiv", "udiv", "srem",
         "urem", "smin", "smax", "umin", "umax", "clz", "ctz", "popcount", "reverse_bytes", "clmul", "clmulh"}


def _idle(form: Form) -> bool:
    """Whether nobody writes this form with the register that is always zero: it computes, and what comes out is known."""
    plain = all(TABLE[op.op].effect == "pure" or op.op in ("field", "read", "write") for op in form.effects)
    return plain and any(op.op in _IDLE for op in form.effects)


def held_back(form: Form) -> bool:
    """Whether results go through memory: compilers set the result's register before an access in one step, which may yet fault."""
    return any(op.op in ("amo", "compare_exchange", "store_conditional") for op in form.effects)


def twins(form: Form, operand: int) -> bool:
    """Whether reading the same register twice makes this form simpler: bit logic over the floating-point file (moves, signs)."""
    operands = list(form.registers.values())
    if operand == 0 or operands[operand] != operands[operand - 1] or any(
            TABLE[op.op].effect not in ("pure", "state") for op in form.effects):
        return False
    return form.instruction.owner.files[[f.name for f in form.instruction.owner.files].index(
        operands[operand][0])].floating
