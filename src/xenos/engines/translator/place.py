"""From a chosen stencil to code: registers renamed, holes filled, pins moved home and back where the stencil wants them there."""

from __future__ import annotations

from xenos.engines.native.words import i32, i64, u8, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.choose import (
    READY,
    SLOWLY,
    choose,
    class_of,
)
from xenos.engines.translator.operands import file_of, home_of, pin_of, use_of
from xenos.engines.translator.spares import free_spare, held, in_spare, may_hold, pin_for, reserve, settle_spares


def copy(to: int, source: int, size: int) -> None:
    """Copy bytes, by eight: up to seven more are written."""
    for i in range(size + 7 >> 3):
        i64[to + 8 * i] = i64[source + 8 * i]


def put(to: int, bit: int, value: int) -> None:
    """Or a number into code, from a bit on."""
    i64[to + (bit >> 3)] |= value << (bit & 7)


def special(book: int, to: int, stencil: int, value: int) -> int:
    """Put a stencil that belongs to no instruction, with one number filled in; gives its size."""
    size = u32[stencil + at.SIZE]
    copy(to, book + u32[stencil + at.CODE], size)
    hole = stencil + at.STENCIL
    for _ in range(u32[stencil + at.HOLES]):
        put(to, u32[hole], value & (u32[hole + 8] | u32[hole + 12] << 32))
        hole += at.HOLE
    return size


def evaluate(desk: int, form: int, step: int, pc: int, following: int) -> int:
    """The value of an expression."""
    top = desk + at.STACK - 8       # of what is computed with, upward
    while True:
        kind = i64[step]
        if kind == at.END:
            return i64[top]
        step += 8
        if kind <= at.HOME:
            top += 8
            held = i64[step]
            step += 8
            if kind == at.IMMEDIATE:
                held = i64[desk + at.VALUE + 8 * held]
            elif kind == at.HOME:
                held = home_of(desk, form, held)
            i64[top] = held
        elif kind <= at.FOLLOWING:
            top += 8
            i64[top] = pc if kind == at.PC else following
        elif kind <= at.RIGHT:
            second = i64[top]
            top -= 8
            i64[top] = binary(kind, i64[top], second)
        elif kind == at.SELECT:     # body, test, otherwise, as Python writes it
            top -= 16
            if i64[top + 8] == 0:
                i64[top] = i64[top + 16]
        else:
            i64[top] = ~i64[top] if kind == at.INVERT else -i64[top]
    return 0


def binary(kind: int, first: int, second: int) -> int:
    """An operation of two numbers."""
    if kind == at.ADD:
        return first + second
    if kind == at.SUBTRACT:
        return first - second
    if kind == at.AND:
        return first & second
    if kind == at.OR:
        return first | second
    if kind == at.XOR:
        return first ^ second
    return first << second if kind == at.LEFT else first >> second


def rename(desk: int, form: int, stencil: int, to: int) -> int:
    """Name the pins of the operands instead of those that the stencil was compiled with; gives where its holes are listed."""
    book = i64[desk + at.BOOK]
    entry = stencil + at.STENCIL
    for _ in range(u32[stencil + at.RENAMES]):
        operand = u32[entry]
        pin = pin_for(desk, form, operand)
        change = book + u32[book + u32[entry + 4] + 4 * pin]
        while u32[change] != 0:
            u8[to + (u32[change] >> 8)] ^= u32[change] & 255
            change += 4
        entry += 8
    return entry


def fill(desk: int, form: int, to: int, pc: int, following: int, far: int) -> int:
    """Put the chosen stencil's code; 0 if an address does not fit a short hole."""
    book = i64[desk + at.BOOK]
    stencil = i64[desk + at.CHOSEN]
    copy(to, book + u32[stencil + at.CODE], u32[stencil + at.SIZE])
    hole = rename(desk, form, stencil, to)
    for _ in range(u32[stencil + at.HOLES]):
        expression = u32[hole + 4]
        value = evaluate(desk, form, book + (expression & ~at.DEPENDS), pc, following)
        if expression & at.DEPENDS and not far:
            if value < 0 or value >= at.NEAR_LIMIT:
                return 0
        put(to, u32[hole], value & (u32[hole + 8] | u32[hole + 12] << 32))
        hole += at.HOLE
    return 1


def moves(desk: int, form: int, to: int, back: int) -> int:
    """Move pinned operands home that the stencil reads there, or `back` those that it writes there; and home what it leaves in a
    spare pin. Gives the size."""
    book = i64[desk + at.BOOK]
    size = 0
    for i in range(u32[form + at.FORM_REGISTERS]):
        file = file_of(book, form, i)
        if back and in_spare(desk, form, i):
            size += put_move(desk, to + size, file, i64[desk + at.RESULT_PIN], home_of(desk, form, i), 0)
        elif i64[desk + at.LETTER + 8 * i] == at.M and use_of(form, i) & (at.WRITTEN if back else at.READ):
            register = i64[desk + at.REGISTER + 8 * i]
            pin = pin_of(book, file, register)
            if pin != at.NONE:
                home = i32[file + at.FILE_HOME] + i32[file + at.FILE_STRIDE] * register
                size += put_move(desk, to + size, file, pin, home, back)
    return size


def put_move(desk: int, to: int, file: int, pin: int, home: int, back: int) -> int:
    """Put a move from a pin of a file to a home, or back; gives its size."""
    book = i64[desk + at.BOOK]
    return special(book, to, book + u32[book + u32[file + at.FILE_MOVES] + 8 * pin + (4 if back else 0)], home)


def bring(desk: int, form: int, to: int) -> int:
    """Load operands that are read again into spare pins; gives the size."""
    book = i64[desk + at.BOOK]
    size = 0
    for operand in range(u32[form + at.FORM_REGISTERS]):
        home = home_of(desk, form, operand)
        if use_of(form, operand) == at.READ and may_hold(desk, form, operand) and held(desk, home) == at.NONE:
            pin = free_spare(desk)
            # The last is one that many stencils take.
            if pin < i64[book + at.FIRST_SPARE] + i64[book + at.SPARES] - 1 and pin != i64[desk + at.RESULT_PIN]:
                size += put_move(desk, to + size, file_of(book, form, operand), pin, home, 1)
                i64[desk + at.HOLDS + 8 * (pin - i64[book + at.FIRST_SPARE])] = home
    return size


def place(desk: int, form: int, pc: int, following: int, size: int, before: int) -> int:
    """Add an instruction's code to the block at hand, of `size` bytes and `before` instructions by now; its size, or -1 if
    nothing native does it. Cold parts, and ways out, are noted as a tail."""
    hot = desk + at.HOT + size
    reserve(desk, form)
    lead = bring(desk, form, hot)
    answer = choose(desk, form, class_of(desk, form))
    if answer != READY:
        return -1 if answer == SLOWLY else lead
    scratch = desk + at.SCRATCH
    if not fill(desk, form, scratch, pc, following, 0):
        if choose(desk, form, at.FAR) != READY:
            return -1
        fill(desk, form, scratch, pc, following, 1)
    stencil = i64[desk + at.CHOSEN]
    lead += moves(desk, form, hot + lead, 0)
    split = u32[stencil + at.SPLIT]
    copy(hot + lead, scratch, split)
    cold = u32[stencil + at.SIZE] - split
    if cold or u32[stencil + at.NEAR] or u32[stencil + at.WAYS]:
        number = i64[desk + at.TAILS]
        i64[desk + at.TAILS] = number + 1
        tail = desk + at.TAIL_LIST + at.TAIL * number
        i64[tail + at.AT] = size + lead
        i64[tail + at.OF] = stencil
        i64[tail + at.REST] = i64[desk + at.COLDS]
        i64[tail + at.PLACED] = pc
        i64[tail + at.BEFORE] = before
        i64[tail + at.GOES] = i64[desk + at.TARGET]
        copy(desk + at.COLD + i64[desk + at.COLDS], scratch + split, cold)
        i64[desk + at.COLDS] += cold
    back = moves(desk, form, hot + lead + split, 1)
    settle_spares(desk, form)
    return lead + split + back
