"""Placing stencils: from an instruction word to the host code for it, remembered per word.

`Placer.memo` holds for each word its bytes, or a tuple that starts with what kind of code it is:

    (MID, made)                          code with cold parts or references to constants
    (MID_AT, make)                       code that depends on its address
    (BRANCH, hot code, site, distance)   may go on at pc + distance; the jump's 32-bit field is at `site`
    (JUMP, hot code, site, distance)     goes on there
    (JUMP_AT, make, distance)
    (INDIRECT, made), (INDIRECT_AT, make)
    (STUB, why)                          leaves generated code

`made` is (hot code, cold code, jumps between the two, ways out as (site, name), references to constants as (site, offset)), and
`make(pc, next)` gives one.
"""

from __future__ import annotations

from xenos.engines.code.segment import BREAKPOINT, ILLEGAL, SLOW, SYNC
from xenos.engines.llvm.emit import immediate_only
from xenos.engines.stencil.binding import source
from xenos.engines.stencil.choosing import Choice, Chooser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from xenos.engines.stencil.library import Stencil
    from xenos.isa.guest import Guest
    from xenos.semantics.decoder import Leaf
    from xenos.semantics.instruction import Form

    Made = tuple[bytes, bytes, tuple[tuple[int, int], ...], tuple[tuple[int, str], ...], tuple[tuple[int, int], ...]]

MID, MID_AT, BRANCH, JUMP, JUMP_AT, INDIRECT, INDIRECT_AT, STUB = range(8)
_STUBS = {"sync_code": SYNC, "breakpoint": BREAKPOINT, "illegal": ILLEGAL}
LOW = 1 << 31   # addresses below fit the short holes


class _Kind:
    """What is known of an encoding: which bits decide all but the immediate, and how to get that."""

    __slots__ = ("known", "leaf", "mask", "value")

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.known: dict[int, _Prepared] = {}
        ours = getattr(leaf.entry, "operands", {name: name for name in leaf.pattern.fields})
        immediates = [f for n, f in leaf.target.pattern.fields.items() if f.kind in ("signed", "unsigned")]
        self.mask = -1
        self.value: Callable[[int], int] | None = None
        if len(immediates) == 1 and isinstance(ours[immediates[0].name], str):
            field = leaf.pattern.fields[ours[immediates[0].name]]
            self.mask = ~field.mask
            self.value = eval(f"lambda w: {field.source()}", {})


class _Prepared:
    """An encoding with its registers: choices by class of immediates, each as (code, holes, moves before and behind)."""

    __slots__ = ("choices", "distance", "form", "name", "operands", "short")

    def __init__(self, form: Form, operands: dict[str, int]) -> None:
        self.form = form
        self.operands = operands
        self.name = form.immediates[0] if form.immediates else ""
        self.choices: dict[str, Any] = {}    # a `Choice`, `nothing`, `slow`, or a stub as in `memo`
        self.short = bool(self.name) and form.instruction.pattern.fields[self.name].kind == "unsigned"


class Placer:
    """Turns words into code. `soft_rounding` sends everything that rounds to the reference engine."""

    def __init__(self, guest: Guest, host: ModuleType, stencils: dict[str, bytes],
                 special: dict[str, Stencil], slow: dict[str, str]) -> None:
        self.memo: dict[int, Any] = {}
        self.soft_rounding = False
        self.chooser = Chooser(guest, host, stencils, special)
        self.short = guest.instructions().short or (0, 0)
        self._leaf = guest.instructions().decoder.leaf
        self._slow = slow
        self._kinds: dict[Leaf, _Kind] = {}
        self._distances: dict[tuple[Form, int], Callable[[dict[str, int]], int] | None] = {}
        self._sources: dict[str, Callable[..., int]] = {}
        self.poll = self.chooser.special("poll", 0), special["poll"][6][0][0]
        self.goto = self.chooser.special("goto", 0), special["goto"][6][0][0]
        self.counts = [self.chooser.special("count" if n < 128 else "count_wide", n) for n in range(256)]
        self.stubs: dict[int, bytes] = {0: self.chooser.special("link", 0)}

    def stub(self, back: int) -> bytes:
        """A way out that uncounts `back` instructions."""
        if back not in self.stubs:
            self.stubs[back] = self.chooser.special("stub", back)
        return self.stubs[back]

    def forget(self) -> None:
        """Learn all words anew."""
        self.memo.clear()
        self._kinds.clear()

    def learn(self, word: int, length: int) -> Any:
        """What `memo` is to hold of a word seen for the first time."""
        leaf = self._leaf(word, length)
        if leaf is None:
            known: Any = (STUB, ILLEGAL)
        else:
            kind = self._kinds.get(leaf)
            if kind is None:
                kind = self._kinds[leaf] = _Kind(leaf)
            key = word & kind.mask
            prepared = kind.known.get(key)
            if prepared is None:
                operands = leaf.extract(word)
                prepared = kind.known[key] = _Prepared(leaf.form or leaf.target.form(operands), operands)
            known = self._code(prepared, kind.value(word) if kind.value is not None else None, length)
        self.memo[word] = known
        return known

    def _code(self, prepared: _Prepared, value: int | None, length: int) -> Any:
        form = prepared.form
        cls = ""
        if prepared.name:
            number = prepared.operands[prepared.name] if value is None else value
            if prepared.short:
                cls = "s" if 0 < number < 32 else "S" if number else ""   # by 0, and by half a register or more, encode otherwise
            elif number == 0 and form.control is not None:
                cls = "z"
            elif -128 <= number < 128:
                cls = "b" if number >= 0 else "B"
            else:
                cls = "w" if number >= 0 else "W"
        choice = prepared.choices.get(cls)
        if choice is None:
            choice = prepared.choices[cls] = self._prepare(form, prepared.operands, cls)
        if choice.__class__ is tuple:
            return choice                        # a stub, whatever the immediate
        control = form.control
        if control is None:
            if choice.__class__ is str:
                return b"" if choice == "nothing" else (STUB, SLOW)
            stencil = choice.stencil
            holes = choice.holes
            if len(holes) == 1 and value is not None and stencil[0] == stencil[1] and not (stencil[5] or stencil[6]):
                # The common case: one immediate, nothing but hot code.
                shift, mask, text = holes[0]
                if text[-len(prepared.name) - 5:] == f"f['{prepared.name}']":
                    bias = int(text.split(" + ")[0]) if " + " in text else 0
                    return choice.before + (choice.number | (value + bias & mask) << shift).to_bytes(
                        stencil[0], "little") + choice.after
        return self._general(form, prepared, choice, value, length)

    def _prepare(self, form: Form, operands: dict[str, int], cls: str) -> Any:
        control = form.control
        if control is not None and control.op not in ("jump", "branch", "syscall"):
            return STUB, _STUBS[control.attr("cause") if control.op == "trap" else control.op]
        if form.name in self._slow or self.soft_rounding and _rounds(form):
            return STUB, SLOW
        choice = self.chooser.choose(form, operands, cls)
        return (STUB, SLOW) if choice == "slow" else choice

    def _general(self, form: Form, prepared: _Prepared, choice: Choice, value: int | None, length: int) -> Any:
        """Code of any kind, its holes filled now or, if they depend on the address, when it is placed."""
        control = form.control
        distance = None if control is None else self._distance(form, length)
        if not choice.depends:
            made = choice.made
            if made is None or choice.holes:
                operands = prepared.operands if value is None else {**prepared.operands, prepared.name: value}
                made = choice.made = self._made(choice, self._fill(choice, operands, 0, 0))
            if control is None:
                return made[0] if not any(made[1:]) else (MID, made)
            if distance is None:
                return INDIRECT, made
            return (BRANCH if control.op == "branch" else JUMP, made[0], made[3][0][0],
                    distance(prepared.operands if value is None else {prepared.name: value}))
        operands = prepared.operands if value is None else {**prepared.operands, prepared.name: value}
        long = self._long(form, prepared)

        def make(pc: int, following: int) -> Made:
            number = self._fill(choice, operands, pc, following)
            if number >= 0:
                return self._made(choice, number)
            wide = long()
            return self._made(wide, self._fill(wide, operands, pc, following, wide=True))

        if control is None:
            return MID_AT, make
        return (INDIRECT_AT, make) if distance is None else (JUMP_AT, make, distance(operands))

    def _long(self, form: Form, prepared: _Prepared) -> Callable[[], Choice]:
        """The same instruction with room for addresses above 2 GiB, chosen when it is wanted."""
        def find() -> Choice:
            found = prepared.choices.get("L")
            if found is None:
                found = prepared.choices["L"] = self.chooser.choose(form, prepared.operands, "L")
            assert isinstance(found, Choice), form
            return found
        return find

    def _distance(self, form: Form, length: int) -> Callable[[dict[str, int]], int] | None:
        """How far a direct jump goes from its own address, as a function of its operands; None if the jump is indirect."""
        try:
            return self._distances[form, length]
        except KeyError:
            assert form.control is not None
            goal = form.control.args[-1] if form.control.args else None
            found = None
            if goal is not None and immediate_only(goal):
                # The target is pc + distance: at an address far up, so that a jump back stays positive.
                far = 1 << 40
                text = f"lambda f, pc={far}, next={far + length}: {source(goal)} - {far}"
                found = eval(text, {"__builtins__": {}})
            self._distances[form, length] = found
            return found

    def _fill(self, choice: Choice, operands: dict[str, int], pc: int, following: int, wide: bool = False) -> int:
        """The code with its holes filled; -1 if an address does not fit a short hole."""
        number = choice.number
        for shift, mask, text in choice.holes:
            value = self._expression(text)(operands, pc, following)
            if not (wide or 0 <= value < LOW) and ("pc" in text or "next" in text):
                return -1
            number |= (value & mask) << shift
        return number

    def _expression(self, text: str) -> Callable[..., int]:
        known = self._sources.get(text)
        if known is None:
            known = self._sources[text] = eval(f"lambda f, pc, next: {text}", {"__builtins__": {}})
        return known

    @staticmethod
    def _made(choice: Choice, number: int) -> Made:
        size, split = choice.stencil[0], choice.stencil[1]
        code = number.to_bytes(size, "little")
        crossings, ways, near = choice.stencil[7][0], choice.stencil[6], choice.stencil[5]
        before, after = len(choice.before), len(choice.before) + len(choice.after)
        if after:
            def moved(offset: int) -> int:
                return offset + (before if offset < split else after)

            crossings = tuple((moved(s), t + before if t <= split <= s else moved(t)) for s, t in crossings)
            ways = tuple((moved(s), name) for s, name in ways)
            near = tuple((moved(s), where) for s, where in near)
        return choice.before + code[:split] + choice.after, code[split:], crossings, ways, near


def _rounds(form: Form) -> bool:
    """Whether a form uses, or changes, the dynamic rounding mode."""
    return any(dict(op.attrs).get("rounding") == 7 or op.op == "set_rounding" for op in form.effects)
