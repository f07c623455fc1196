"""An instruction's register operands: their file, their use, their pin, their home."""

from __future__ import annotations

from xenos.engines.native.words import i32, i64, u32
from xenos.engines.translator import layout as at


def file_of(book: int, form: int, operand: int) -> int:
    """The register file of an operand."""
    return book + i64[book + at.FILES] + at.FILE * u32[form + at.FORM_OPERANDS + at.OPERAND * operand]


def is_general(desk: int, form: int, operand: int) -> int:
    """Whether an operand is of a file that goes to the host's general registers."""
    return u32[file_of(i64[desk + at.BOOK], form, operand) + at.FILE_VECTOR] == 0


def use_of(form: int, operand: int) -> int:
    """Whether an operand is read, written, or both."""
    return u32[form + at.FORM_OPERANDS + at.OPERAND * operand + 4]


def pin_of(book: int, file: int, register: int) -> int:
    """The pin of a register, or NONE."""
    return u32[book + u32[file + at.FILE_PINS] + 4 * register]


def home_of(desk: int, form: int, operand: int) -> int:
    """Where an operand's register lies in the state block; what is written to the one that is always zero is dropped."""
    book = i64[desk + at.BOOK]
    file = file_of(book, form, operand)
    register = i64[desk + at.REGISTER + 8 * operand]
    if use_of(form, operand) & at.WRITTEN and register == i32[file + at.FILE_ZERO]:
        return i64[book + at.DROPPED]
    return i32[file + at.FILE_HOME] + i32[file + at.FILE_STRIDE] * register
