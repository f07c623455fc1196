"""One block: instructions up to the next jump, placed one behind the other; and what stands before them."""

from __future__ import annotations

from xenos.engines.code.segment import ILLEGAL, LINK, SLOW
from xenos.engines.native.words import i64, u16, u32
from xenos.engines.translator import layout as at
from xenos.engines.translator.decode import decode
from xenos.engines.translator.place import evaluate, place, special


def block(desk: int, pc: int, limit: int) -> int:
    """Place what stands at `pc`, up to `limit`; gives what kind of form ends it, its code on the desk.

    Where nothing native does the last instruction, or nothing may be read, the block ends before it, as if by a form that leaves
    generated code.
    """
    book = i64[desk + at.BOOK]
    start = seen = pc
    size = count = 0
    kind, why = at.LEAVES_CODE, LINK
    i64[desk + at.TARGET] = -1
    while count < at.MOST:
        i64[desk + at.PLACES + at.PLACE * count] = pc
        i64[desk + at.PLACES + at.PLACE * count + 8] = size
        if pc + 2 > limit:
            break
        memory = i64[desk + at.MEMORY] + pc
        word, length = u16[memory], 2
        if word & i64[book + at.SHORT_MASK] == i64[book + at.SHORT_VALUE]:
            seen = pc + 2
            if pc + 4 > limit:
                break
            word, length = word | u16[memory + 2] << 16, 4
        seen = pc + length
        form = decode(desk, word, length)
        if form == 0:
            why = ILLEGAL
            break
        kind, why = u32[form + at.FORM_KIND], u32[form + at.FORM_WHY]
        if i64[desk + at.SOFT] and u32[form + at.FORM_FLAGS] & at.ROUNDS:
            kind, why = at.LEAVES_CODE, SLOW
        if kind == at.LEAVES_CODE:
            break
        if kind == at.BRANCH or kind == at.JUMP:
            i64[desk + at.TARGET] = evaluate(desk, form, book + u32[form + at.FORM_GOAL], pc, pc + length)
        more = place(desk, form, pc, pc + length, size, count)
        if more < 0:
            kind, why = at.LEAVES_CODE, SLOW
            i64[desk + at.TARGET] = -1
            break
        count += 1
        pc += length
        if kind != at.PLAIN:
            i64[desk + at.BODY] = size
            size += more
            break
        size += more
        kind, why = at.LEAVES_CODE, LINK
    if kind == at.LEAVES_CODE:
        i64[desk + at.BODY] = size
    i64[desk + at.WHOLE] = size
    i64[desk + at.DONE] = count
    i64[desk + at.AFTER] = pc
    i64[desk + at.SEEN] = seen
    i64[desk + at.WHY] = why
    target = i64[desk + at.TARGET]
    i64[desk + at.PREFIX] = prefix_size(desk, count, target >= 0 and target <= start and not i64[desk + at.SINGLE])
    return kind


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
    book = i64[desk + at.BOOK]
    memory = i64[desk + at.MEMORY] + pc
    word = u16[memory]
    if word & i64[book + at.SHORT_MASK] == i64[book + at.SHORT_VALUE]:
        return decode(desk, word | u16[memory + 2] << 16, 4)
    return decode(desk, word, 2)
