"""Where things lie in the two pieces of memory that the translator works on: its book, and its desk.

The *book* says all that is known of a guest on a host: how words are decoded, which stencil an instruction gets, the stencils.
`engines/stencil/book.py` writes it, once; it is only read here. A place in it is a number of bytes from its start. The *desk*
holds what is at hand: on it lie the block that is being made, and the lists for its unit.
"""

from __future__ import annotations

# The book begins with numbers of 64 bits.
SHORT_MASK, SHORT_VALUE = 0, 8      # how the first 16 bits of a word say that it has 32
NODES, LEAVES, FILES = 16, 24, 32   # tables: masks of decoding steps, encodings, register files
PAIRS, PAIRS_MASK = 40, 48          # the hash table: two numbers -> a third
POLL, GOTO, COUNT, STUB, PLAIN_STUB = 56, 64, 72, 80, 88   # stencils of no instruction
SPACING = 96                        # what a guest address is shifted by to be a place in the table of blocks
ROOM = 104                          # bytes that any unit fits in
DROPPED = 112                       # home of what nobody reads
FIRST_SPARE, SPARES = 120, 128      # pins of no register: the first, how many
BOOK_HEAD = 136

PAIR = 16                           # an entry of the hash table: u32 first + 1, second, third
LEAF_BIT = 1 << 31                  # a decoding step ends at a leaf of this number
FORMS = 1 << 24                     # first numbers of pairs from here on: forms, others are decoding steps

# An encoding: numbers of 32 bits.
LEAF_MASK, LEAF_VALUE, LEAF_MORE, LEAF_FORM, LEAF_NEVERS, LEAF_NEVER, LEAF_FIELDS = 0, 4, 8, 12, 16, 20, 24
OPERANDS = 6                        # at most, of each kind: registers, then immediates
LEAF = LEAF_FIELDS + 4 * 2 * OPERANDS

# A field: a number that is added, its sign bit, how many pieces; each: bit in the word, bit in the value, mask.
FIELD_BIAS, FIELD_SIGN, FIELD_COUNT, FIELD_PIECES, PIECE = 0, 4, 8, 12, 12

# A form: numbers of 32 bits. An operand: register file, and what is done with it.
FORM_KIND, FORM_WHY, FORM_RULE, FORM_FLAGS, FORM_NUMBER, FORM_GOAL, FORM_RESULT = 0, 4, 8, 12, 16, 20, 24
FORM_IMMEDIATES, FORM_REGISTERS, FORM_OPERANDS = 28, 32, 36
OPERAND = 8
PLAIN, BRANCH, JUMP, INDIRECT, LEAVES_CODE = range(5)
ANY, SHORT, LONG, CONTROL = range(4)            # rules by which an immediate's class is found
ROUNDS, ACTS, HELD, ENDS = 1, 2, 4, 8           # flags
READ, WRITTEN = 1, 2

# A register file: numbers of 32 bits; pins by register, the moves by pin: to its home, from its home.
FILE_ZERO, FILE_HOME, FILE_STRIDE, FILE_VECTOR, FILE_PINS, FILE_MOVES, FILE = 0, 4, 8, 12, 16, 20, 24
NONE = (1 << 32) - 1

# A stencil: numbers of 32 bits, and behind them its lists in this order.
SIZE, SPLIT, CODE, TAKEN, RENAMES, HOLES, NEAR, WAYS, CROSSINGS, STENCIL = 0, 4, 8, 12, 16, 20, 24, 28, 32, 36
HOLE = 16                           # bit, expression, mask in two halves
WHERE = 8                           # of the other lists: two numbers each
SLOW_WAY = 1                        # of a way out: to a stub that has the instruction done otherwise; 0 is the jump's own
DEPENDS = 1 << 31                   # mark of an expression that the address decides

# Shapes as three bits for each operand, and classes of immediates (engines/stencil/library.py).
LETTERS = "PMDZNS"
P, M, D, Z, N, S = range(6)
CLASSES = ("", "b", "B", "w", "W", "s", "S", "z", "L")
BYTE, MINUS_BYTE, WORD, MINUS_WORD, LOW_SHIFT, HIGH_SHIFT, NOUGHT, FAR = range(1, 9)
NEAR_LIMIT = 1 << 31                # addresses below fit the short holes

# Steps of an expression; a number follows the first.
(NUMBER, IMMEDIATE, HOME, PC, FOLLOWING, ADD, SUBTRACT, AND, OR, XOR, LEFT, RIGHT, INVERT, NEGATE, SELECT, END) = range(16)

# The desk begins with what the caller sets: numbers of 64 bits, addresses where they speak of memory.
BOOK, SEGMENT, TABLE, TABLE_MASK, MEMORY, SINGLE, SOFT, FLUSH = 0, 8, 16, 24, 32, 40, 48, 56
ENTERED = 64                        # entries of the table of blocks that were free before
MOVE, GONE = 464, 472               # a function that copies memory and tells of a fault, or 0; what it could not read
# The instruction at hand.
CHOSEN, LETTER, REGISTER, VALUE, STACK = 72, 80, 128, 176, 224
# The block at hand: where it ends in the guest, instructions, bytes of its body and of all of it, where it jumps, why it leaves
# generated code, bytes before the body, the end of what was read to know all that.
AFTER, DONE, BODY, WHOLE, TARGET, WHY, PREFIX, SEEN, FLAGS = 352, 360, 368, 376, 384, 392, 400, 448, 456
# Spare pins: the home of the register that each holds, or -1; the one for the result of the instruction at hand, or NONE; which
# registers are read behind it.
HOLDS, SPARES_MOST, RESULT_PIN, WANTED = 480, 3, 504, 512
FOLLOW = 520                        # set by the caller: whether a unit may go on where a jump goes, and a call
BUT_CALLS = 2       # or only a jump
# The unit at hand: how many tails, exits, blocks; bytes of cold code, and of what lies in the segment.
TAILS, EXITS, BLOCKS, COLDS, LENGTH = 408, 416, 424, 432, 440
MOST = 64                           # instructions of a block, and after so many a unit ends
COPYING = 528                       # whether its blocks are copies from here on, that nobody else goes to
UNTIL, GUEST, WINDOW = 536, 544, 552    # how far guest code is there, where the guest's address 0 lies, which copy of it is at hand
PLACES, PLACE = 560, 16             # of each instruction of the block: address, bytes before it
TAIL_LIST, TAIL = PLACES + PLACE * (MOST + 1), 48
EXIT_LIST, EXIT = TAIL_LIST + TAIL * 3 * MOST, 40
WAYS_MOST = 7                       # ways out of one stencil
EXITS_MOST = (WAYS_MOST + 2) * 2 * MOST
BLOCK_LIST, BLOCK = EXIT_LIST + EXIT * EXITS_MOST, 40
LINES, LINE = BLOCK_LIST + BLOCK * 3 * MOST, 128
SCRATCH = LINES + LINE * MOST
HOT = SCRATCH + (1 << 12)           # of a block
COLD = HOT + (1 << 18)              # of a unit
FETCHED = COLD + (1 << 19)          # the guest's bytes that the unit at hand is made of
FETCHED_MOST = 4 * 2 * MOST + 8     # no unit reads more
PAGE = 4096
FETCHED_ROOM = 1024                 # of one window: there is another, to look where a jump goes
DESK = FETCHED + 2 * FETCHED_ROOM

# Of an instruction of the block: its form, its size, the registers (a bit each) that are read behind it before they are written,
# and its registers and immediates as they lie on the desk.
LINE_FORM, LINE_SIZE, LATER, LINE_OPERANDS = 0, 8, 16, 24
# Of a tail: where its hot part and its cold part are, stencil, guest address, instructions of the block before it, later those
# from it on; where it jumps to.
AT, OF, REST, PLACED, BEFORE, GOES = 0, 8, 16, 24, 32, 40
# Of an exit: site, why, guest address, instructions counted but not done, stub.
SITE, REASON, GOAL, BACK, OUT = 0, 8, 16, 24, 32

# Of a block: guest address, where its code is, where the next instruction is, the end of what was read of the guest, whether there
# is code for that address already.
START, CODE_AT, BEHIND, READ_TO, COPY = 0, 8, 16, 24, 32
COPIED = 12                         # instructions, at most, from one that has code already to a jump that ends them well

# What `translate` answers.
FULL, MORE, FINE, LOST = range(4)
