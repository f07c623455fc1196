"""Spare pins: registers of the host that no guest register has for its own, nor stencils for what they hand on.

A result whose register has no pin is computed in one of them, and stored in its home at once: whatever leaves the block finds all
homes as they should be. Until the block ends, or a stencil uses the spare pin for itself, it is read there and not from its home:
what was just stored takes some cycles to come back.
"""

from __future__ import annotations

from xenos.engines.native.words import i32, i64, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.operands import file_of, home_of, is_general, pin_of, use_of


def forget_spares(desk: int) -> None:
    """A block begins: nothing is held."""
    for number in range(at.SPARES_MOST):
        i64[desk + at.HOLDS + 8 * number] = -1


def held(desk: int, home: int) -> int:
    """The spare pin that holds what lies in a home, or NONE."""
    for number in range(at.SPARES_MOST):
        if i64[desk + at.HOLDS + 8 * number] == home:
            return i64[i64[desk + at.BOOK] + at.FIRST_SPARE] + number
    return at.NONE


def pin_for(desk: int, form: int, operand: int) -> int:
    """The pin that an operand is in, for good or for now, or NONE."""
    book = i64[desk + at.BOOK]
    file = file_of(book, form, operand)
    pin = pin_of(book, file, i64[desk + at.REGISTER + 8 * operand])
    if pin != at.NONE or u32[file + at.FILE_VECTOR]:
        return pin
    if use_of(form, operand) & at.WRITTEN == 0:
        return held(desk, home_of(desk, form, operand))
    return i64[desk + at.RESULT_PIN] if operand == u32[form + at.FORM_RESULT] else at.NONE


def reserve(desk: int, form: int) -> None:
    """Have a spare pin for the result of the instruction on the desk, if it has none and is read again."""
    i64[desk + at.RESULT_PIN] = at.NONE
    result = u32[form + at.FORM_RESULT]
    if result == at.NONE or u32[form + at.FORM_FLAGS] & (at.HELD | at.ENDS) or use_of(form, result) & at.READ:
        return
    if may_hold(desk, form, result):
        i64[desk + at.RESULT_PIN] = held(desk, home_of(desk, form, result))
        if i64[desk + at.RESULT_PIN] == at.NONE:
            i64[desk + at.RESULT_PIN] = free_spare(desk)


def may_hold(desk: int, form: int, operand: int) -> int:
    """Whether an operand's register is to be in a spare pin behind the instruction: it has no pin, and is read again."""
    if not is_general(desk, form, operand):
        return 0
    file = file_of(i64[desk + at.BOOK], form, operand)
    register = i64[desk + at.REGISTER + 8 * operand]
    if i64[desk + at.WANTED] >> (register & 63) & 1 == 0 or register == i32[file + at.FILE_ZERO]:
        return 0
    return pin_of(i64[desk + at.BOOK], file, register) == at.NONE


def free_spare(desk: int) -> int:
    """A spare pin that holds nothing, or NONE."""
    book = i64[desk + at.BOOK]
    for number in range(i64[book + at.SPARES]):
        if i64[desk + at.HOLDS + 8 * number] < 0:
            return i64[book + at.FIRST_SPARE] + number
    return at.NONE


def drop(desk: int, home: int) -> None:
    """What lies in a home is held no more."""
    for number in range(at.SPARES_MOST):
        if i64[desk + at.HOLDS + 8 * number] == home:
            i64[desk + at.HOLDS + 8 * number] = -1


def settle_spares(desk: int, form: int) -> None:
    """The chosen stencil is placed: note what spare pins hold behind it."""
    book = i64[desk + at.BOOK]
    taken = u32[i64[desk + at.CHOSEN] + at.TAKEN] >> i64[book + at.FIRST_SPARE]
    for number in range(i64[book + at.SPARES]):
        if taken >> number & 1:
            i64[desk + at.HOLDS + 8 * number] = -1
    for operand in range(u32[form + at.FORM_REGISTERS]):
        if not is_general(desk, form, operand):
            continue
        home = home_of(desk, form, operand)
        if use_of(form, operand) & at.WRITTEN or i64[desk + at.WANTED] >> (i64[desk + at.REGISTER + 8 * operand] & 63) & 1 == 0:
            drop(desk, home)
        if in_spare(desk, form, operand):
            i64[desk + at.HOLDS + 8 * (i64[desk + at.RESULT_PIN] - i64[book + at.FIRST_SPARE])] = home


def in_spare(desk: int, form: int, operand: int) -> int:
    """Whether the chosen stencil leaves this operand in a spare pin, from where it is to be stored."""
    if i64[desk + at.RESULT_PIN] == at.NONE or operand != u32[form + at.FORM_RESULT]:
        return 0
    return i64[desk + at.LETTER + 8 * operand] == at.P
