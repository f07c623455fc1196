"""Where an x86-64 instruction keeps its registers and branch targets: enough decoding to take LLVM's output apart.

Covers what LLVM emits for stencils up to x86-64-v3 (no EVEX): legacy, REX and VEX encodings (Intel SDM vol. 2, ch. 2 and app. A).
An opcode outside these tables raises EngineError, so that nothing is renamed that is not understood.
"""

from __future__ import annotations

from xenos.errors import EngineError

GENERAL, VECTOR = "x", "f"


class RegisterPlace:
    """One register operand of an instruction: its number and where its bits stand.

    `low` is (byte, shift) of three bits, `high` (byte, bit) of the fourth, None where the encoding has none. VEX keeps some of
    them inverted, which renaming by exclusive-or need not know. Offsets are relative to the start of the code.
    """

    __slots__ = ("bank", "high", "low", "number")

    def __init__(self, bank: str, number: int, low: tuple[int, int], high: tuple[int, int] | None) -> None:
        self.bank = bank
        self.number = number
        self.low = low
        self.high = high

    def moved(self, by: int) -> RegisterPlace:
        """The same place in code that lies `by` bytes further on."""
        high = None if self.high is None else (self.high[0] + by, self.high[1])
        return RegisterPlace(self.bank, self.number, (self.low[0] + by, self.low[1]), high)

    def rename(self, number: int) -> int | None:
        """What to exclusive-or to the code, read as a little-endian number, to name another register; None if there is no room."""
        change = self.number ^ number
        if change & 8 and self.high is None:
            return None
        mask = (change & 7) << (8 * self.low[0] + self.low[1])
        if change & 8 and self.high is not None:
            mask |= 1 << (8 * self.high[0] + self.high[1])
        return mask


class Instruction:
    """One decoded instruction.

    `target` is the offset a relative branch goes to, `condition` whether it may fall through, `ends` whether it never does.
    `implicit` are general registers it uses without naming them.
    """

    __slots__ = ("condition", "end", "ends", "implicit", "places", "start", "target", "touches_stack")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.places: list[RegisterPlace] = []
        self.implicit: set[int] = set()
        self.target: int | None = None
        self.condition = False
        self.ends = False
        self.touches_stack = False


_IMM8_0F = {0x70, 0x71, 0x72, 0x73, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC5, 0xC6}
_RAX, _RCX, _RDX, _RBX = 0, 1, 2, 3
_KEPT = (0x55, 0x5D)    # push and pop of rbp, which no operand lies in: a fault puts it and the stack back


def decode(code: bytes) -> list[Instruction]:
    """Every instruction of `code`, in order."""
    found = []
    at = 0
    while at < len(code):
        found.append(_decode_one(code, at))
        at = found[-1].end
    return found


def _decode_one(code: bytes, start: int) -> Instruction:
    made = Instruction(start)
    at = start
    prefixes = set()
    while code[at] in (0x66, 0xF2, 0xF3, 0xF0, 0x2E, 0x3E, 0x64, 0x65):
        prefixes.add(code[at])
        at += 1
    if code[at] in (0xC4, 0xC5):
        return _vex(code, made, at)
    rex = None
    if code[at] & 0xF0 == 0x40:
        rex = at
        at += 1
    opcode = code[at]
    at += 1
    if opcode == 0x0F:
        opcode = code[at]
        at += 1
        if opcode in (0x38, 0x3A):
            table = opcode
            opcode = code[at]
            at += 1
            return _three_byte(code, made, at, table, opcode, prefixes, rex)
        return _two_byte(code, made, at, opcode, prefixes, rex)
    return _one_byte(code, made, at, opcode, prefixes, rex)


def _one_byte(code: bytes, made: Instruction, at: int, op: int, prefixes: set[int], rex: int | None) -> Instruction:
    word = 2 if 0x66 in prefixes else 4
    wide = rex is not None and bool(code[rex] & 8)
    if op < 0x40 and op & 7 in (4, 5):
        made.end = at + (1 if op & 7 == 4 else word)
        made.implicit.add(_RAX)
    elif op < 0x40 and op & 7 < 4 or op in (0x63, 0x8D) or 0x84 <= op <= 0x8B:
        made.end = _modrm(code, made, at, rex, GENERAL, GENERAL)
    elif op in (0x69, 0x6B):
        made.end = _modrm(code, made, at, rex, GENERAL, GENERAL) + (1 if op == 0x6B else word)
    elif 0x70 <= op <= 0x7F or op == 0xEB:
        made.end = at + 1
        made.target = at + 1 + int.from_bytes(code[at:at + 1], "little", signed=True)
        made.condition = op != 0xEB
        made.ends = op == 0xEB
    elif op in (0xE8, 0xE9):
        made.end = at + 4
        made.target = at + 4 + int.from_bytes(code[at:at + 4], "little", signed=True)
        made.touches_stack = op == 0xE8
        made.ends = op == 0xE9
    elif op in (0x80, 0x81, 0x83, 0xC0, 0xC1, 0xC6, 0xC7):
        made.end = _modrm(code, made, at, rex, None, GENERAL) + (word if op in (0x81, 0xC7) else 1)
    elif 0xD0 <= op <= 0xD3 or op in (0xFE, 0xFF):
        made.end = _modrm(code, made, at, rex, None, GENERAL)
        if op in (0xD2, 0xD3):
            made.implicit.add(_RCX)
        made.ends = op == 0xFF and code[at] >> 3 & 7 == 4
        if op == 0xFF and code[at] >> 3 & 7 in (2, 3):
            raise EngineError("a stencil calls: what that changes is not known to the renamer")
    elif op in (0xF6, 0xF7):
        digit = code[at] >> 3 & 7
        made.end = _modrm(code, made, at, rex, None, GENERAL) + ((1 if op == 0xF6 else word) if digit < 2 else 0)
        if digit >= 4:
            made.implicit |= {_RAX, _RDX}
    elif 0x90 <= op <= 0x97:
        made.end = at
        made.implicit.add(_RAX)
        if op != 0x90 or rex is not None and code[rex] & 1:
            _embedded(code, made, at - 1, rex)
    elif op in (0x98, 0x99):
        made.end = at
        made.implicit |= {_RAX, _RDX} if op == 0x99 else {_RAX}
    elif op in (0xA8, 0xA9):
        made.end = at + (1 if op == 0xA8 else word)
        made.implicit.add(_RAX)
    elif 0xB0 <= op <= 0xBF:
        made.end = at + (1 if op < 0xB8 else 8 if wide else word)
        _embedded(code, made, at - 1, rex)
    elif 0x50 <= op <= 0x5F or op == 0xC3:
        made.end = at
        made.touches_stack = rex is not None or op not in _KEPT
        if op != 0xC3:
            _embedded(code, made, at - 1, rex)
    elif op == 0xCC:
        made.end = at
    else:
        raise EngineError(f"x86-64 opcode {op:02x} is not known to the renamer")
    return made


def _two_byte(code: bytes, made: Instruction, at: int, op: int, prefixes: set[int], rex: int | None) -> Instruction:
    if 0x80 <= op <= 0x8F:
        made.end = at + 4
        made.target = at + 4 + int.from_bytes(code[at:at + 4], "little", signed=True)
        made.condition = True
    elif op == 0x0B:
        made.end = at
    elif 0xC8 <= op <= 0xCF:
        made.end = at
        _embedded(code, made, at - 1, rex)
    else:
        reg, rm = _banks_0f(op, prefixes)
        made.end = _modrm(code, made, at, rex, reg, rm) + (op in _IMM8_0F)
        if op in (0xA5, 0xAD):
            made.implicit.add(_RCX)
        if op in (0xB0, 0xB1):
            made.implicit.add(_RAX)
        if op == 0xC7:
            made.implicit |= {_RAX, _RDX, _RCX, _RBX}
    return made


def _banks_0f(op: int, prefixes: set[int]) -> tuple[str | None, str]:
    """Which bank the reg and rm fields of a two-byte opcode number."""
    if (0x40 <= op <= 0x4F or op in (0xA3, 0xAB, 0xB3, 0xBB, 0xA4, 0xA5, 0xAC, 0xAD, 0xAF, 0xB0, 0xB1, 0xB6, 0xB7)
            or 0xB8 <= op <= 0xC1 and op != 0xBA or op == 0x1F or op == 0xC3):
        return GENERAL, GENERAL
    if op in (0xAE, 0xBA, 0xC7) or 0x90 <= op <= 0x9F:
        return None, GENERAL
    if op in (0x71, 0x72, 0x73):
        return None, VECTOR
    if op in (0x2A, 0x6E, 0xC4) or op == 0x7E and 0xF3 not in prefixes:
        return VECTOR, GENERAL
    if op in (0x2C, 0x2D, 0x50, 0xC5, 0xD7):
        return GENERAL, VECTOR
    if 0x10 <= op <= 0x17 or 0x28 <= op <= 0x2F or 0x51 <= op <= 0x7F or op in (0xC2, 0xC6) or op >= 0xD0:
        return VECTOR, VECTOR
    raise EngineError(f"x86-64 opcode 0f {op:02x} is not known to the renamer")


def _three_byte(code: bytes, made: Instruction, at: int, table: int, op: int, prefixes: set[int],
                rex: int | None) -> Instruction:
    if table == 0x38:
        general = op >= 0xF0
        made.end = _modrm(code, made, at, rex, *((GENERAL, GENERAL) if general else (VECTOR, VECTOR)))
    else:
        rm = GENERAL if op in (0x14, 0x15, 0x16, 0x17, 0x20, 0x22) else VECTOR
        made.end = _modrm(code, made, at, rex, VECTOR, rm) + 1
    return made


def _vex(code: bytes, made: Instruction, at: int) -> Instruction:
    """VEX: R, X, B and vvvv are stored inverted; the two-byte form has only R."""
    three = code[at] == 0xC4
    table = code[at + 1] & 0x1F if three else 1
    last = at + 2 if three else at + 1
    op = code[last + 1]
    prefixes = {0: set(), 1: {0x66}, 2: {0xF3}, 3: {0xF2}}[code[last] & 3]
    reg: str | None
    third: str | None = VECTOR
    if table == 1:
        reg, rm = _banks_0f(op, prefixes)
        immediate = op in _IMM8_0F
        if reg == GENERAL:
            third = None
    elif table == 2:
        general = op >= 0xF0
        reg, rm = (None if op == 0xF3 else GENERAL, GENERAL) if general else (VECTOR, VECTOR)
        third = GENERAL if general else VECTOR
        immediate = False
        if op == 0xF6:
            made.implicit.add(_RDX)
    else:
        general = op == 0xF0
        reg, rm = (GENERAL, GENERAL) if general else (VECTOR, GENERAL if op in (0x14, 0x16, 0x20, 0x22) else VECTOR)
        third = None if general else VECTOR
        immediate = True
    made.end = _modrm(code, made, last + 2, at + 1, reg, rm, vex=3 if three else 2) + immediate
    if third is not None:
        number = code[last] >> 3 & 15 ^ 15
        made.places.append(RegisterPlace(third, number, (last, 3), (last, 6)))
    if table == 3 and op in (0x4A, 0x4B, 0x4C):
        raise EngineError("vblendv names its fourth register in an immediate: not known to the renamer")
    return made


def _embedded(code: bytes, made: Instruction, at: int, rex: int | None) -> None:
    high = code[rex] & 1 if rex is not None else 0
    place = (rex, 0) if rex is not None else None
    made.places.append(RegisterPlace(GENERAL, code[at] & 7 | high << 3, (at, 0), place))


def _modrm(code: bytes, made: Instruction, at: int, prefix: int | None, reg: str | None, rm: str, vex: int = 0) -> int:
    """Note the registers of a ModRM byte at `at`, with its SIB byte and displacement; gives the offset behind them."""
    def high(bit: int) -> tuple[int, tuple[int, int] | None]:
        if vex == 2 and bit != 2:
            return 0, None
        if vex:
            assert prefix is not None
            return (code[prefix] >> (5 + bit) & 1) ^ 1, (prefix, 5 + bit)
        return (0, None) if prefix is None else (code[prefix] >> bit & 1, (prefix, bit))

    def place(bank: str, byte: int, shift: int, bit: int) -> None:
        top, where = high(bit)
        made.places.append(RegisterPlace(bank, code[byte] >> shift & 7 | top << 3, (byte, shift), where))

    modrm = code[at]
    mod, low = modrm >> 6, modrm & 7
    if reg is not None:
        place(reg, at, 3, 2)
    end = at + 1
    if mod == 3:
        place(rm, at, 0, 0)
        return end
    if low == 4:
        sib = code[end]
        if sib >> 3 & 7 != 4 or high(1)[0]:
            place(GENERAL, end, 3, 1)
        if not (sib & 7 == 5 and mod == 0):
            place(GENERAL, end, 0, 0)
        end += 1
        if sib & 7 == 5 and mod == 0:
            end += 4
    elif low == 5 and mod == 0:
        end += 4  # relative to rip
    else:
        place(GENERAL, at, 0, 0)
    if any(p.bank == GENERAL and p.number == 4 for p in made.places[-2:]):
        made.touches_stack = True
    return end + (1 if mod == 1 else 4 if mod == 2 else 0)
