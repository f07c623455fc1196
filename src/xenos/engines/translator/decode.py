"""From a word to its form and its operands."""

from __future__ import annotations

from xenos.engines.native.words import i32, i64, u32
from xenos.engines.translator import layout as at


def pair(book: int, first: int, second: int) -> int:
    """What the hash table has for two numbers; NONE if nothing."""
    mask = i64[book + at.PAIRS_MASK]
    table = book + i64[book + at.PAIRS]
    place = (first * 0x9E3779B97F4A7C15 + second) * 0xBF58476D1CE4E5B9 >> 32 & mask
    while True:
        entry = table + place * at.PAIR
        held = u32[entry]
        if held == first + 1 and u32[entry + 4] == second:
            return u32[entry + 8]
        if held == 0:
            return at.NONE
        place = place + 1 & mask
    return at.NONE


def field(spec: int, word: int) -> int:
    """The value of a field, gathered from its pieces."""
    value = 0
    piece = spec + at.FIELD_PIECES
    for _ in range(u32[spec + at.FIELD_COUNT]):
        value |= (word >> u32[piece] & u32[piece + 8]) << u32[piece + 4]
        piece += at.PIECE
    sign = u32[spec + at.FIELD_SIGN]
    return (value ^ sign) - sign + i32[spec + at.FIELD_BIAS]


def leaf_of(book: int, word: int, length: int) -> int:
    """The encoding that a word of `length` bytes is of, as an address; 0 if there is none."""
    node = 1 if length == 2 else 0
    while node & at.LEAF_BIT == 0:
        node = pair(book, node, word & u32[book + i64[book + at.NODES] + 4 * node])
        if node == at.NONE:
            return 0
    leaf = book + i64[book + at.LEAVES] + at.LEAF * (node & ~at.LEAF_BIT)
    while not fits(book, leaf, word):
        if u32[leaf + at.LEAF_MORE] == 0:
            return 0
        leaf += at.LEAF
    return leaf


def fits(book: int, leaf: int, word: int) -> int:
    """Whether a word has the bits of an encoding, and none of the values that it never has."""
    if word & u32[leaf + at.LEAF_MASK] != u32[leaf + at.LEAF_VALUE]:
        return 0
    never = book + u32[leaf + at.LEAF_NEVER]
    for _ in range(u32[leaf + at.LEAF_NEVERS]):
        if word & u32[never] == u32[never + 4]:
            return 0
        never += 8
    return 1


def decode(desk: int, word: int, length: int) -> int:
    """The form of a word, as an address; its registers and immediates are laid on the desk. 0 if it is illegal."""
    book = i64[desk + at.BOOK]
    leaf = leaf_of(book, word, length)
    if leaf == 0:
        return 0
    form = book + u32[leaf + at.LEAF_FORM]
    for i in range(u32[form + at.FORM_REGISTERS]):
        i64[desk + at.REGISTER + 8 * i] = field(book + u32[leaf + at.LEAF_FIELDS + 4 * i], word)
    for i in range(u32[form + at.FORM_IMMEDIATES]):
        i64[desk + at.VALUE + 8 * i] = field(book + u32[leaf + at.LEAF_FIELDS + 4 * at.OPERANDS + 4 * i], word)
    return form
