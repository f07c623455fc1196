"""One block: instructions up to the next jump, placed one behind the other; and what stands before them."""

from __future__ import annotations

from xenos.engines.code.segment import ILLEGAL, LINK, SLOW
from xenos.engines.native.words import i64, u16, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.decode import decode
from xenos.engines.translator.operands import is_general, use_of
from xenos.engines.translator.place import copy, evaluate, place, special
from xenos.engines.translator.spares import forget_spares


def block(desk: int, pc: int, limit: int) -> int:
    """Place what stands at `pc`, up to `limit`; gives what kind of form ends it, its code on the desk.

    Where nothing native does the last instruction, or nothing may be read, the block ends before it, as if by a form that leaves
    generated code.
    """
    book = i64[desk + at.BOOK]
    start = pc
    read = read_lines(desk, pc, limit)
    look_ahead(desk, read)
    forget_spares(desk)
    size = count = 0
    kind, why = at.LEAVES_CODE, i64[desk + at.WHY]
    i64[desk + at.TARGET] = -1
    while count < read:
        line = desk + at.LINES + at.LINE * count
        form, after = i64[line + at.LINE_FORM], pc + i64[line + at.LINE_SIZE]
        i64[desk + at.PLACES + at.PLACE * count] = pc
        i64[desk + at.PLACES + at.PLACE * count + 8] = size
        copy(desk + at.REGISTER, line + at.LINE_OPERANDS, 16 * at.OPERANDS)
        i64[desk + at.WANTED] = i64[line + at.LATER]
        kind = u32[form + at.FORM_KIND]
        if kind == at.BRANCH or kind == at.JUMP:
            i64[desk + at.TARGET] = evaluate(desk, form, book + u32[form + at.FORM_GOAL], pc, after)
        more = place(desk, form, pc, after, size, count)
        if more < 0:
            kind, why = at.LEAVES_CODE, SLOW
            i64[desk + at.TARGET] = -1
            break
        i64[desk + at.BODY] = size
        count += 1
        pc = after
        size += more
        if kind == at.PLAIN:
            kind = at.LEAVES_CODE
    if kind == at.LEAVES_CODE:
        i64[desk + at.BODY] = size
    i64[desk + at.WHOLE] = size
    i64[desk + at.DONE] = count
    i64[desk + at.AFTER] = pc
    i64[desk + at.WHY] = why
    target = i64[desk + at.TARGET]
    i64[desk + at.PREFIX] = prefix_size(desk, count, target >= 0 and target <= start and not i64[desk + at.SINGLE])
    return kind


def read_lines(desk: int, pc: int, limit: int) -> int:
    """Read instructions from `pc` on, up to `limit`, to the first that is not followed by the next, or that leaves generated code:
    how many are to be placed. On the desk: the end of what was read, why code is left behind them."""
    book = i64[desk + at.BOOK]
    i64[desk + at.SEEN] = pc
    i64[desk + at.WHY] = LINK
    for count in range(at.MOST):
        if pc + 2 > limit:
            return count
        memory = i64[desk + at.MEMORY] + pc
        word, length = u16[memory], 2
        if word & i64[book + at.SHORT_MASK] == i64[book + at.SHORT_VALUE]:
            i64[desk + at.SEEN] = pc + 2
            if pc + 4 > limit:
                return count
            word, length = word | u16[memory + 2] << 16, 4
        pc += length
        i64[desk + at.SEEN] = pc
        form = decode(desk, word, length)
        if form == 0:
            i64[desk + at.WHY] = ILLEGAL
            return count
        kind = u32[form + at.FORM_KIND]
        if kind == at.LEAVES_CODE or i64[desk + at.SOFT] and u32[form + at.FORM_FLAGS] & at.ROUNDS:
            i64[desk + at.WHY] = u32[form + at.FORM_WHY] if kind == at.LEAVES_CODE else SLOW
            return count
        line = desk + at.LINES + at.LINE * count
        i64[line + at.LINE_FORM] = form
        i64[line + at.LINE_SIZE] = length
        copy(line + at.LINE_OPERANDS, desk + at.REGISTER, 16 * at.OPERANDS)
        if kind != at.PLAIN:
            return count + 1
    return at.MOST


def look_ahead(desk: int, count: int) -> None:
    """Note at each of the lines which registers are read behind it, before they are written."""
    wanted = 0
    for back in range(count):
        line = desk + at.LINES + at.LINE * (count - 1 - back)
        form = i64[line + at.LINE_FORM]
        i64[line + at.LATER] = wanted
        for mode in range(2):
            for operand in range(u32[form + at.FORM_REGISTERS]):
                bit = 1 << (i64[line + at.LINE_OPERANDS + 8 * operand] & 63)
                if is_general(desk, form, operand):
                    if mode == 0 and use_of(form, operand) & at.WRITTEN:
                        wanted &= ~bit
                    if mode == 1 and use_of(form, operand) & at.READ:
                        wanted |= bit


def prefix_size(desk: int, count: int, loops: int) -> int:
    """Bytes of what stands before a block: a poll if it `loops`, and the count of its instructions if it has any."""
    book = i64[desk + at.BOOK]
    size = u32[book + i64[book + at.COUNT] + at.SIZE] if count else 0
    if loops:
        size += u32[book + i64[book + at.POLL] + at.SIZE]
    return size


def prefix(desk: int, to: int) -> int:
    """Put what stands before the block at hand; gives where the poll's jump is, or -1."""
    book = i64[desk + at.BOOK]
    count = i64[desk + at.DONE]
    poll, size = -1, 0
    if i64[desk + at.PREFIX] > prefix_size(desk, count, 0):
        poll = way(book + i64[book + at.POLL])
        size = special(book, to, book + i64[book + at.POLL], 0)
    if count:
        special(book, to + size, book + i64[book + at.COUNT], count)
    return poll


def way(stencil: int) -> int:
    """The site of a stencil's first way out."""
    lists = stencil + at.STENCIL + 8 * u32[stencil + at.RENAMES] + at.HOLE * u32[stencil + at.HOLES]
    return u32[lists + at.WHERE * u32[stencil + at.NEAR]]


def locate(desk: int, pc: int, limit: int, offset: int) -> int:
    """Which instruction of the block at `pc` the code at `offset` from its start belongs to, by its number; -1 if none.

    The block is placed once more: the same words give the same code, so that no table of addresses is kept. Their addresses
    stand in the list of places, the instruction's flags on the desk.
    """
    i64[desk + at.TAILS] = 0
    i64[desk + at.COLDS] = 0
    block(desk, pc, limit)
    inside = offset - i64[desk + at.PREFIX]
    number = i64[desk + at.DONE] - 1
    while number >= 0 and i64[desk + at.PLACES + at.PLACE * number + 8] > inside:
        number -= 1
    if number >= 0:
        form = form_at(desk, i64[desk + at.PLACES + at.PLACE * number])
        i64[desk + at.FLAGS] = u32[form + at.FORM_FLAGS]
    return number


def form_at(desk: int, pc: int) -> int:
    """The form of the instruction at `pc`."""
    memory = i64[desk + at.MEMORY] + pc
    if length_at(desk, pc) == 4:
        return decode(desk, u16[memory] | u16[memory + 2] << 16, 4)
    return decode(desk, u16[memory], 2)


def length_at(desk: int, pc: int) -> int:
    """Bytes of the instruction at `pc`."""
    book = i64[desk + at.BOOK]
    return 4 if u16[i64[desk + at.MEMORY] + pc] & i64[book + at.SHORT_MASK] == i64[book + at.SHORT_VALUE] else 2
