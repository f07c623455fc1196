"""Which stencil an instruction gets: the shape that its registers make, and the class of its immediate."""

from __future__ import annotations

from xenos.engines.native.words import i32, i64, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.decode import pair
from xenos.engines.translator.operands import file_of, pin_of, use_of
from xenos.engines.translator.spares import pin_for

NOTHING, SLOWLY, READY = 0, 1, 2     # nothing is to be done; no stencil does it; it is chosen


def class_of(desk: int, form: int) -> int:
    """The class of the first immediate."""
    rule = u32[form + at.FORM_RULE]
    number = i64[desk + at.VALUE]
    if rule == at.ANY:
        return 0
    if rule == at.SHORT:
        # Shifts by nothing, and by half a register or more, encode otherwise.
        return 0 if number == 0 else at.LOW_SHIFT if number < 32 else at.HIGH_SHIFT
    if number == 0:
        return at.NOUGHT
    if number >= -128 and number < 128:
        return at.BYTE if number >= 0 else at.MINUS_BYTE
    return at.WORD if number >= 0 else at.MINUS_WORD


def letters(desk: int, form: int, avoid: int) -> int:
    """The shape, also laid on the desk; -1 if there is nothing to do. Operands of the set `avoid` keep out of pins."""
    book = i64[desk + at.BOOK]
    flags = u32[form + at.FORM_FLAGS]
    result = u32[form + at.FORM_RESULT]
    shape = zeros = 0
    for i in range(u32[form + at.FORM_REGISTERS]):
        register = i64[desk + at.REGISTER + 8 * i]
        use = use_of(form, i)
        file = file_of(book, form, i)
        letter = at.P
        if register == i32[file + at.FILE_ZERO]:
            if use & at.WRITTEN:
                if flags & (at.ENDS | at.ACTS) == 0:
                    return -1
                letter = at.N if flags & at.ENDS else at.M
            else:
                letter = at.M if zeros else at.Z
                zeros = 1
        elif avoid >> i & 1 or pin_for(desk, form, i) == at.NONE:
            letter = at.M
        elif result != at.NONE and use & at.WRITTEN == 0 and avoid >> result & 1 == 0:
            if file_of(book, form, result) == file and i64[desk + at.REGISTER + 8 * result] == register:
                letter = at.D if pin_for(desk, form, result) == pin_for(desk, form, i) else at.P
        i64[desk + at.LETTER + 8 * i] = letter
        shape |= letter << 3 * i
    return shape


def twins(desk: int, form: int, shape: int) -> int:
    """The shape that says where the same register is read twice in a row."""
    for i in range(1, u32[form + at.FORM_REGISTERS]):
        if use_of(form, i) == at.READ and use_of(form, i - 1) == at.READ:
            here, before = form + at.FORM_OPERANDS + at.OPERAND * i, form + at.FORM_OPERANDS + at.OPERAND * (i - 1)
            if u32[here] == u32[before] and i64[desk + at.REGISTER + 8 * i] == i64[desk + at.REGISTER + 8 * (i - 1)]:
                shape = shape & ~(7 << 3 * i) | at.S << 3 * i
    return shape


def kept(form: int, shape: int, letter: int, instead: int) -> int:
    """The shape with one letter, or with all but that (`instead` is -1), made M."""
    for i in range(u32[form + at.FORM_REGISTERS]):
        held = shape >> 3 * i & 7
        if held == letter if instead >= 0 else held != letter:
            shape = shape & ~(7 << 3 * i) | at.M << 3 * i
    return shape


def stencil_for(desk: int, form: int, shape: int, kind: int) -> int:
    """The stencil of a shape; any class serves if its own is missing. It is on the desk then; 0 if there is none."""
    book = i64[desk + at.BOOK]
    number = at.FORMS + u32[form + at.FORM_NUMBER]
    found = pair(book, number, shape << 4 | kind)
    if found == at.NONE and kind != at.FAR:
        found = pair(book, number, shape << 4)
    if found == at.NONE:
        return 0
    for i in range(u32[form + at.FORM_REGISTERS]):
        i64[desk + at.LETTER + 8 * i] = shape >> 3 * i & 7
    i64[desk + at.CHOSEN] = book + found
    return 1


def nearest(desk: int, form: int, shape: int, kind: int) -> int:
    """Choose the stencil for a shape, or for one that says less of the same registers; 0 if there is none."""
    if stencil_for(desk, form, twins(desk, form, shape), kind) or stencil_for(desk, form, shape, kind):
        return 1
    if stencil_for(desk, form, kept(form, shape, at.Z, 1), kind):
        return 1
    return stencil_for(desk, form, kept(form, shape, at.N, -1), kind)


def rename_of(desk: int, stencil: int, operand: int) -> int:
    """Where the renames of an operand stand, by pin; 0 if it has none."""
    entry = stencil + at.STENCIL
    for _ in range(u32[stencil + at.RENAMES]):
        if u32[entry] == operand:
            return i64[desk + at.BOOK] + u32[entry + 4]
        entry += 8
    return 0


def clashes(desk: int, form: int) -> int:
    """The set of operands in pins that the chosen stencil uses for itself, or cannot name."""
    book = i64[desk + at.BOOK]
    stencil = i64[desk + at.CHOSEN]
    found = 0
    for i in range(u32[form + at.FORM_REGISTERS]):
        letter = i64[desk + at.LETTER + 8 * i]
        if letter == at.P or letter == at.D:
            file = file_of(book, form, i)
            pin = pin_for(desk, form, i)
            renames = rename_of(desk, stencil, i)
            if u32[file + at.FILE_VECTOR] == 0 and u32[stencil + at.TAKEN] >> pin & 1:
                found |= 1 << i
            elif renames and u32[renames + 4 * pin] == at.NONE:
                found |= 1 << i
    return found


def choose(desk: int, form: int, kind: int) -> int:
    """Choose a stencil for the instruction on the desk."""
    avoid = 0
    if u32[form + at.FORM_FLAGS] & at.HELD:
        for i in range(u32[form + at.FORM_REGISTERS]):
            if use_of(form, i) & at.WRITTEN:
                avoid |= 1 << i
    while True:
        shape = letters(desk, form, avoid)
        if shape < 0:
            return NOTHING
        if not nearest(desk, form, shape, kind):
            return SLOWLY
        clash = clashes(desk, form)
        if clash == 0:
            break
        if clash & ~avoid == 0:
            return SLOWLY
        avoid |= clash
    if u32[form + at.FORM_FLAGS] & at.ENDS:
        # Nothing can be moved behind a jump.
        book = i64[desk + at.BOOK]
        for i in range(u32[form + at.FORM_REGISTERS]):
            if i64[desk + at.LETTER + 8 * i] == at.M and use_of(form, i) & at.WRITTEN:
                if pin_of(book, file_of(book, form, i), i64[desk + at.REGISTER + 8 * i]) != at.NONE:
                    return SLOWLY
    return READY
