"""Taking a compiled function apart into a stencil: hot part, cold part, and where registers, holes and exits stand."""

from __future__ import annotations

from xenos.engines.code.object import Function
from xenos.engines.hosts.x86_64 import GENERAL_PINS, GENERAL_SLOTS
from xenos.engines.hosts.x86_64_instructions import VECTOR, Instruction, RegisterPlace, decode
from xenos.errors import EngineError

# Relocation types (System V ABI, AMD64 supplement, table 4.9).
_R_64, _R_PC32, _R_PLT32, _R_32, _R_32S, _R_8 = 1, 2, 4, 10, 11, 14
_SIZES = {_R_64: 8, _R_PC32: 4, _R_PLT32: 4, _R_32: 4, _R_32S: 4, _R_8: 1}
_RELATIVE = (_R_PC32, _R_PLT32)
_SLOTS = {GENERAL_PINS[slot] for slot in GENERAL_SLOTS}


class Pieces:
    """A dissected function.

    `code` is the hot part and behind it, from `split` on, the cold one. `exits` are the (offset, symbol) of 32-bit relative
    jumps out of it; `crossings` the (offset, target offset) of those between the parts; `holes` the
    (offset, size, symbol, addend, relative) of the rest. The hot part ends where the next stencil begins.
    """

    __slots__ = ("code", "crossings", "exits", "fields", "holes", "implicit", "places", "split")

    def __init__(self) -> None:
        self.code = b""
        self.split = 0
        self.exits: list[tuple[int, str]] = []
        self.crossings: list[tuple[int, int]] = []
        self.holes: list[tuple[int, int, str, int, bool]] = []
        self.fields: list[tuple[int, int, str, str]] = []   # holes in parts, on hosts that have them
        self.places: list[RegisterPlace] = []
        self.implicit: set[int] = set()


class _Step:
    """An instruction on its way to its new place; `goal` is a symbol or an old offset it jumps to."""

    __slots__ = ("at", "flip", "goal", "old")

    def __init__(self, old: Instruction, goal: str | int | None) -> None:
        self.old = old
        self.goal = goal
        self.flip = False
        self.at = 0

    @property
    def size(self) -> int:
        """Bytes in the new place: all jumps are of the long kind."""
        if self.goal is None:
            return self.old.end - self.old.start
        return 6 if self.old.condition else 5


def dissect(function: Function, holes: object = None) -> Pieces:
    """Thread jumps to jumps, split at the first way out, and drop the jump to `NEXT` at the end of the hot part."""
    steps = _steps(function)
    if any(place.bank == VECTOR or place.number in _SLOTS
           for step in steps if step.old.touches_stack for place in step.old.places):
        # A spilled operand frees its register for something else, which renaming could let coincide with another operand's.
        raise EngineError("the stencil spills an operand")
    first_end = next(i for i, s in enumerate(steps) if s.old.ends)
    hot, rest = steps[:first_end + 1], steps[first_end + 1:]
    cold = [s for i, s in enumerate(rest) if not (_is_jump(s) and (rest[i - 1] if i else hot[-1]).old.ends)]
    last = hot[-1]
    if _is_jump(last):
        if last.goal == "NEXT":
            hot.pop()
        elif len(hot) > 1 and hot[-2].old.condition and hot[-2].goal == "NEXT":
            hot.pop()
            hot[-1].flip, hot[-1].goal = True, last.goal
    made = Pieces()
    at = 0
    for step in hot:
        step.at = at
        at += step.size
    made.split = at
    for step in cold:
        step.at = at
        at += step.size
    places = {s.old.start: s.at for s in hot + cold}
    for step in hot + cold:
        made.code += _settle(step, made, places, function)
    return made


def _is_jump(step: _Step) -> bool:
    return step.goal is not None and not step.old.condition


def _steps(function: Function) -> list[_Step]:
    symbols = {r.offset: r.symbol for r in function.relocations if r.type in _RELATIVE}
    steps = []
    for one in decode(function.code):
        goal: str | int | None = None
        if one.target is not None:
            goal = symbols.get(one.end - 4, one.target)
        steps.append(_Step(one, goal))
    by_start = {s.old.start: s for s in steps}
    for step in steps:
        seen = 0
        while isinstance(step.goal, int) and _is_jump(by_start[step.goal]) and seen < 8:
            step.goal = by_start[step.goal].goal
            seen += 1
    return steps


def _settle(step: _Step, made: Pieces, places: dict[int, int], function: Function) -> bytes:
    """The bytes of a step in its new place; notes in `made` what stands in them."""
    old = step.old
    if step.goal is None:
        for relocation in function.relocations:
            if old.start <= relocation.offset < old.end:
                if relocation.type not in _SIZES:
                    raise EngineError(f"relocation type {relocation.type} in a stencil")
                if relocation.type in _RELATIVE and relocation.symbol[0] != ".":
                    raise EngineError("the stencil addresses a hole relative to itself")   # it does not know its place
                made.holes.append((relocation.offset - old.start + step.at, _SIZES[relocation.type], relocation.symbol,
                                   relocation.addend, relocation.type in _RELATIVE))
        made.places += [p.moved(step.at - old.start) for p in old.places]
        made.implicit |= old.implicit
        return function.code[old.start:old.end]
    field = step.at + step.size - 4
    relative = 0
    if isinstance(step.goal, int):
        goal = places[step.goal]
        if (goal < made.split) == (step.at < made.split):
            relative = goal - step.at - step.size
        else:
            made.crossings.append((field, goal))
    elif step.goal == "NEXT":
        if step.at < made.split:
            relative = made.split - step.at - step.size
        else:
            made.crossings.append((field, made.split))
    else:
        made.exits.append((field, step.goal))
    opcode = b"\xe9"
    if old.condition:
        opcode = bytes((0x0F, 0x80 | (_condition(function.code, old) ^ step.flip)))
    return opcode + relative.to_bytes(4, "little", signed=True)


def _condition(code: bytes, jump: Instruction) -> int:
    """The condition code of a jcc, short or long."""
    at = jump.start
    return code[at + 1] & 15 if code[at] == 0x0F else code[at] & 15


def probed(first: Pieces, second: Pieces, values: tuple[int, int]) -> list[tuple[int, int, str]] | None:
    """Where the probe stands, as (bit, mask, template): the only difference of the codes, and each holds its own value there."""
    a, b = first.code, second.code
    if len(a) != len(b) or first.split != second.split:
        return None
    differ = [i for i in range(len(a)) if a[i] != b[i]]
    for size in (1, 4):
        for start in ({differ[0], differ[0] - 1} if differ else ()):
            if start < 0 or start + size <= differ[-1]:
                continue
            held = [int.from_bytes(c[start:start + size], "little", signed=True) for c in (a, b)]
            if tuple(held) == values:
                return [(8 * start, (1 << 8 * size) - 1, "{}")]
    return None
