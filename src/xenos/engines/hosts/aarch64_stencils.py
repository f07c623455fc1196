"""Taking a function compiled for AArch64 apart into a stencil: hot part, cold part, registers, holes and exits.

A hole comes as a run of MOVZ and MOVK of 16 bits each; those that the hole's range makes needless are dropped. A home
of a register comes as a load or store at an offset that stands for it.
"""

from __future__ import annotations

from xenos.engines.code.object import Function
from xenos.engines.hosts.aarch64 import GENERAL_PINS, HOME_PROBES, STATE_REGISTER
from xenos.engines.hosts.aarch64_instructions import BRANCH, NONE, aimed, ends, inverted, jump, registers
from xenos.errors import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.stencil.binding import Hole

# Relocation types (ELF for the Arm 64-bit architecture, tables 5.7.4 and 5.7.8).
_MOVW = {263: 0, 264: 0, 265: 16, 266: 16, 267: 32, 268: 32, 269: 48}
_JUMP26 = 282
_HOME = "home"


class RegisterPlace:
    """A register field: `at` is its bit in the code read as one number."""

    __slots__ = ("at", "bank", "number")

    def __init__(self, bank: str, number: int, at: int) -> None:
        self.bank = bank
        self.number = number
        self.at = at

    def rename(self, number: int) -> int | None:
        """What to exclusive-or to the code to name another register."""
        return (self.number ^ number) << self.at


class Pieces:
    """A dissected function, as for x86-64: code in two parts, exits and crossings by the offset of their branch.

    `fields` are the (bit, mask, symbol, template of the value) of all holes.
    """

    __slots__ = ("code", "crossings", "exits", "fields", "holes", "implicit", "places", "split")

    def __init__(self) -> None:
        self.code = b""
        self.split = 0
        self.exits: list[tuple[int, str]] = []
        self.crossings: list[tuple[int, int]] = []
        self.holes: list[tuple[int, int, str, int, bool]] = []   # none: references to constants are refused
        self.fields: list[tuple[int, int, str, str]] = []
        self.places: list[RegisterPlace] = []
        self.implicit: set[int] = set()


class _Step:
    """An instruction on its way to its new place.

    `goal` is a symbol or an old offset that it jumps to; `over` says that it does so by a jump over a B.
    """

    __slots__ = ("at", "fields", "goal", "old", "over", "word")

    def __init__(self, old: int, word: int, goal: str | int | None) -> None:
        self.old = old
        self.word = word
        self.goal = goal
        self.over = False
        self.at = 0
        self.fields: list[tuple[int, int, str, str]] = []

    @property
    def size(self) -> int:
        """Bytes in the new place."""
        return 8 if self.over else 4

    @property
    def ends(self) -> bool:
        """Whether nothing goes on behind it."""
        return ends(self.word)


def dissect(function: Function, holes: dict[str, Hole]) -> Pieces:
    """Thread jumps to jumps, split at the first way out, and drop the jump to `NEXT` at the end of the hot part."""
    steps = _steps(function, holes)
    first_end = next(i for i, s in enumerate(steps) if s.ends)
    hot, rest = steps[:first_end + 1], steps[first_end + 1:]
    cold = [s for i, s in enumerate(rest) if not (s.word == BRANCH and (rest[i - 1] if i else hot[-1]).ends)]
    if hot[-1].goal == "NEXT" and hot[-1].ends:
        hot.pop()
    inside = {id(s): True for s in hot}
    where = {s.old: id(s) in inside for s in hot + cold}
    for step in hot + cold:
        info = jump(step.word)
        if info is not None and info.conditional:
            # Far ways out, and short jumps to another part, go by a B.
            here = id(step) in inside
            near = where[step.goal] == here if isinstance(step.goal, int) else step.goal == "NEXT" and here
            step.over = step.goal == "TAKEN" or (info.short and not near)
    made = Pieces()
    at = 0
    for step in hot:
        step.at = at
        at += step.size
    made.split = at
    for step in cold:
        step.at = at
        at += step.size
    places = {s.old: s.at for s in hot + cold}
    exclusive = False
    for step in hot + cold:
        exclusive = exclusive or step.word & 0x3F60_0000 == 0x0800_0000      # STXR, STLXR
        made.code += _settle(step, made, places)
    if exclusive and any(s.word & 0x3F60_0000 == 0x0840_0000 and s.word & 31 in GENERAL_PINS for s in hot + cold):
        raise EngineError("a store-exclusive that faults would find a pin changed by the load-exclusive")
    return made


def _steps(function: Function, holes: dict[str, Hole]) -> list[_Step]:
    """The instructions that are kept. Branches are cleared of their distance."""
    code = function.code
    relocations = {r.offset: r for r in function.relocations}
    steps = []
    for old in range(0, len(code), 4):
        word = int.from_bytes(code[old:old + 4], "little")
        relocation = relocations.get(old)
        info = jump(word)
        if info is not None:
            if relocation is not None and relocation.type != _JUMP26:
                raise EngineError(f"relocation type {relocation.type} of a branch in a stencil")
            step = _Step(old, aimed(word, 0), relocation.symbol if relocation else old + info.distance)
        elif relocation is not None:
            made = _moved(old, word, relocation.type, relocation.symbol, relocation.addend, function.name, holes)
            if made is None:
                continue
            step = made
        else:
            step = _Step(old, word, None)
            _home(step)
        steps.append(step)
    kept = {s.old for s in steps}
    for step in steps:
        # A jump to an instruction that was dropped goes to the one behind it.
        while isinstance(step.goal, int) and step.goal not in kept:
            step.goal += 4
    by_start = {s.old: s for s in steps}
    for step in steps:
        seen = 0
        while isinstance(step.goal, int) and by_start[step.goal].word == BRANCH and seen < 8:
            step.goal = by_start[step.goal].goal
            seen += 1
    return steps


def _moved(old: int, word: int, type_: int, symbol: str, addend: int, own: str, holes: dict[str, Hole]) -> _Step | None:
    """A MOVZ or MOVK of 16 bits of a symbol, as short as the symbol's range allows; None if it is not needed."""
    if type_ not in _MOVW:
        raise EngineError(f"relocation type {type_} in a stencil")
    part = _MOVW[type_]
    register = word & 31
    if symbol == own:
        # The stencil's own address: ADR.
        return _Step(old, 0x1000_0000 | register, own) if part == 0 else None
    hole = holes.get(symbol)
    if hole is None:
        raise EngineError(f"a reference to {symbol} in a stencil")
    low, high = hole.range[0] + addend, hole.range[1] + addend
    everything = hole.range == (-1, -1)
    value = f"{{}} + {addend}" if addend else "{}"
    first = 0x5280_0000 | (word & 0x8000_0000) | register      # MOVZ
    if part == 0:
        if everything or low >= 0:
            step = _Step(old, first, None)
            step.fields.append((5, 0xFFFF, symbol, value))
        else:
            # MOVN where the value is negative: it sets all the ones above. Bit 30 tells it from MOVZ.
            step = _Step(old, first & ~(1 << 30), None)
            negative, other = f"~({value}) & 65535", f"({value}) & 65535 | {1 << 25}"
            step.fields.append((5, 0x200_FFFF, symbol, f"({negative} if ({value}) >> 63 & 1 else {other})"))
        return step
    if not everything and low >= -(1 << part) and high < 1 << part:
        return None
    step = _Step(old, 0x7280_0000 | (word & 0x8000_0000) | part // 16 << 21 | register, None)
    step.fields.append((5, 0xFFFF, symbol, f"(({value}) >> {part})"))
    return step


def _home(step: _Step) -> None:
    """A load or store of eight bytes at the offset that stands for a home: its field becomes a hole."""
    word = step.word
    if word & 0x3B00_0000 != 0x3900_0000 or word >> 5 & 31 != STATE_REGISTER:
        return
    size = word >> 30
    offset = (word >> 10 & 0xFFF) << size
    for number, probe in enumerate(HOME_PROBES):
        if probe <= offset < probe + 8:
            if size != 3 or offset != probe:
                raise EngineError("part of a home is loaded")
            step.word &= ~(0xFFF << 10)
            # The offset is in units of 8 from bit 10 on: in units of 1 it stands three bits lower.
            step.fields.append((7, 0x7FF8, f"{_HOME}{number}", "{}"))


def _settle(step: _Step, made: Pieces, places: dict[int, int]) -> bytes:
    """The bytes of a step in its new place; notes in `made` what stands in them."""
    word = step.word
    made.fields += [(8 * step.at + bit, mask, symbol, template) for bit, mask, symbol, template in step.fields]
    if word & 0x9F00_0000 == 0x1000_0000:               # ADR of the stencil's own start
        distance = -step.at
        word |= (distance & 3) << 29 | (distance >> 2 & 0x7FFFF) << 5
        step.goal = None
    for at, bank in registers(word):
        made.places.append(RegisterPlace(bank, word >> at & 31, 8 * step.at + at))
    if word >> 5 & 31 == NONE and jump(word) is None and word & 0x0A00_0000 == 0x0800_0000:
        raise EngineError("a stencil that uses the stack")
    if step.goal is None:
        return word.to_bytes(4, "little")
    lead = b""
    site = step.at
    if step.over:
        lead = aimed(inverted(word), 8).to_bytes(4, "little")
        word = BRANCH
        site += 4
    hot = site < made.split
    if isinstance(step.goal, int):
        goal = places[step.goal]
    elif step.goal == "NEXT":
        goal = made.split
    else:
        made.exits.append((site, step.goal))
        return lead + word.to_bytes(4, "little")
    if (goal < made.split or step.goal == "NEXT") == hot:
        word = aimed(word, goal - site)
    else:
        made.crossings.append((site, goal))
    return lead + word.to_bytes(4, "little")


def probed(first: Pieces, second: Pieces, values: tuple[int, int]) -> list[tuple[int, int, str]] | None:
    """Where two codes made for two values hold them, as (bit, mask, template); None if that is not plain."""
    a, b = first.code, second.code
    if len(a) != len(b) or first.split != second.split or a == b:
        return None
    found = []
    for at in range(0, len(a), 4):
        words = int.from_bytes(a[at:at + 4], "little"), int.from_bytes(b[at:at + 4], "little")
        if words[0] == words[1]:
            continue
        one = _held(words, values)
        if one is None:
            return None
        found += [(8 * at + bit, mask, template) for bit, mask, template in one]
    return found


def _held(words: tuple[int, int], values: tuple[int, int]) -> list[tuple[int, int, str]] | None:
    """The fields of one instruction in which the two values stand."""
    found = []
    rest = words[0] ^ words[1]
    for low, mask, ways in _candidates(words[0]):
        if not rest >> low & mask:
            continue                                    # the same in both: part of the operation
        rest &= ~(mask << low)
        template = next((text for text, sign, base, part in ways
                         if all(w >> low & mask == (base + sign * v >> part) & mask
                                for w, v in zip(words, values, strict=True))), None)
        if template is None or (mask == 0xFFF and not 0 <= (values[0] if template == "{}" else -values[0]) <= mask):
            return None
        found.append((low, mask, template))
    return None if rest or not found else found


def _candidates(word: int) -> list[tuple[int, int, list[tuple[str, int, int, int]]]]:
    """Fields that may hold a value: (position, mask, ways), a way being (template, sign, base, part).

    The field is then the bits from `part` on of base + sign * value.
    """
    width = 64 if word >> 31 else 32
    # Shift amounts stand as they are, or are taken from the width (shifts to the left), or from the width less one.
    amounts = [("{}", 1, 0, 0), (f"({width} - {{}})", -1, width, 0), (f"({width - 1} - {{}})", -1, width - 1, 0)]
    kind = word & 0x1F80_0000
    if kind == 0x1100_0000:                             # add and subtract, immediate
        return [(10, 0xFFF, [("{}", 1, 0, 0), ("(-{})", -1, 0, 0)])]
    if kind == 0x1280_0000:                             # MOVN, MOVZ, MOVK
        part = (word >> 21 & 3) * 16
        return [(5, 0xFFFF, [(f"(({{}}) >> {part})", 1, 0, part), (f"(~({{}}) >> {part})", -1, -1, part)])]
    if kind in (0x1300_0000, 0x1200_0000):              # bit field, logical: immr, imms
        return [(16, width - 1, amounts), (10, width - 1, amounts)]
    if kind == 0x1380_0000:                             # EXTR
        return [(10, width - 1, amounts)]
    return []
