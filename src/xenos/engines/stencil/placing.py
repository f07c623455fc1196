"""Placing stencils: from an instruction word to the host code for it, with registers named and holes filled."""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.code.segment import BREAKPOINT, ILLEGAL, SLOW, SYNC, SYSCALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from xenos.engines.stencil.library import Stencil
    from xenos.isa.guest import Guest
    from xenos.semantics.decoder import Decoded

    # hot code, cold code, jumps between the two, ways out as (site, name), references to constants, target of a direct jump
    Placed = tuple[bytes, bytes, tuple[tuple[int, int], ...], tuple[tuple[int, str], ...], tuple[tuple[int, int], ...],
                   int]

_STUBS = {"syscall": SYSCALL, "sync_code": SYNC, "breakpoint": BREAKPOINT, "illegal": ILLEGAL}
INDIRECT = -1


class Placer:
    """Knows a guest's stencils on this host.

    `memo` maps an instruction word to its bytes, or to a tuple: ("stub", kind); ("mid", made) for code with parts that the
    translator must place; ("end", falls through?, made) for one that ends a block. `made` is a `Placed`, or a function of
    (pc, next) that gives one.
    """

    def __init__(self, guest: Guest, host: ModuleType, stencils: dict[tuple[str, str, str], Stencil],
                 special: dict[str, Stencil], slow: dict[str, str]) -> None:
        self.memo: dict[int, Any] = {}
        self.halves_only_exact = True
        self.guest = guest
        self.slow = slow
        self.soft_rounding = False
        self._decode = guest.instructions().decoder.decode
        self.short = guest.instructions().short or (0, 0)
        self._stencils = stencils
        self._special = special
        self._sources: dict[str, Callable[..., int]] = {}
        layout = guest.layout
        self._home = {name: (layout.offsets[name], layout.strides[name]) for name in layout.files}
        self._zero = {name: file.zero for name, file in layout.files.items()}
        self._pin: dict[str, dict[int, int]] = {}
        self._letter: dict[str, str] = {}
        for name, file in layout.files.items():
            order = host.VECTOR_ORDER if file.floating else host.GENERAL_ORDER
            self._pin[name] = dict(zip(guest.pins.get(name, ()), order, strict=False))
            self._letter[name] = "f" if file.floating else "p"
        self.poll = self._fixed("poll")
        self.goto = self._fixed("goto")
        self._link = self._bytes("link", 0)
        self._counts: dict[int, bytes] = {}
        self._backs: dict[int, bytes] = {0: self._link}

    def homes(self) -> dict[str, int]:
        """State-block offset of each pin's register, by argument name."""
        return {f"%{self._letter[file]}{pin}": self._home[file][0] + self._home[file][1] * register
                for file, pins in self._pin.items() for register, pin in pins.items()}

    def _fixed(self, name: str) -> tuple[bytes, int]:
        size, _, base, _, _, _, exits, _ = self._special[name]
        return base.to_bytes(size, "little"), exits[0][0]

    def _bytes(self, name: str, value: int) -> bytes:
        size, _, base, _, holes, _, _, _ = self._special[name]
        for shift, mask, _ in holes:
            base |= (value & mask) << shift
        return base.to_bytes(size, "little")

    def count(self, instructions: int) -> bytes:
        """Code that counts so many instructions."""
        if instructions not in self._counts:
            self._counts[instructions] = self._bytes("count" if instructions < 128 else "count_wide", instructions)
        return self._counts[instructions]

    def stub(self, back: int) -> bytes:
        """A way out that uncounts `back` instructions."""
        if back not in self._backs:
            self._backs[back] = self._bytes("stub", back)
        return self._backs[back]

    # Words.

    def learn(self, word: int, length: int) -> Any:
        """What `memo` holds of a word seen for the first time."""
        decoded = self._decode(word, length)
        self.memo[word] = known = ("stub", ILLEGAL) if decoded is None else self._understand(decoded)
        return known

    def _understand(self, decoded: Decoded) -> Any:
        form = decoded.form
        control = form.control
        if control is not None and control.op not in ("jump", "branch"):
            return "stub", _STUBS.get(control.op) or _STUBS[control.attr("cause")]
        if form.name in self.slow or self.soft_rounding and _rounds(form):
            return "stub", SLOW
        operands = decoded.operands
        moves = self._choose(decoded)
        if moves is None:
            return "stub", SLOW
        if moves == ():
            return b""
        stencil, letters, before, after = moves
        base = self._named(stencil, decoded, letters)
        depends = any("pc" in source or "next" in source for _, _, source in stencil[4])
        target = None if control is None else self._target(control)
        if not depends and (control is None or target is None):
            placed = self._place(stencil, self._filled(stencil, base, decoded, letters, 0, 0), before, after, INDIRECT)
            if control is not None:
                return "end", False, placed
            if not (placed[1] or placed[2] or placed[3] or placed[4]):
                return placed[0]
            return "mid", placed

        def place(pc: int, following: int) -> Placed:
            number = self._filled(stencil, base, decoded, letters, pc, following)
            goal = INDIRECT if target is None else target(operands, pc, following) & 0xFFFF_FFFF_FFFF_FFFF
            return self._place(stencil, number, before, after, goal)

        if control is None:
            return "mid", place
        return "end", control.op == "branch", place

    def _target(self, control: Any) -> Callable[..., int] | None:
        from xenos.engines.llvm.emit import immediate_only
        from xenos.engines.stencil.binding import source

        goal = control.args[-1]
        return self._expression(source(goal)) if immediate_only(goal) else None

    def _expression(self, source: str) -> Callable[..., int]:
        if source not in self._sources:
            self._sources[source] = eval(f"lambda f, pc, next: {source}", {"__builtins__": {}})  # noqa: S307
        return self._sources[source]

    # Choosing a shape.

    def _choose(self, decoded: Decoded) -> Any:
        """The stencil, a letter for each operand, and the moves before and behind it; () for nothing to do, None for no way."""
        form = decoded.form
        operands = list(form.registers.items())
        cls = self._class(decoded)
        avoid: set[int] = set()
        for _ in range(4):
            letters = self._letters(decoded, operands, avoid)
            if letters is None:
                return ()
            stencil = self._find(form.name, letters, cls)
            if stencil is None:
                return None
            stencil, letters = stencil
            clash = self._clashes(stencil, letters, decoded, operands)
            if not clash:
                break
            avoid |= clash
        else:
            return None
        before, after = b"", b""
        for i, (name, (file, use)) in enumerate(operands):
            pin = self._pin[file].get(decoded.operands[name])
            if letters[i] == "M" and pin is not None:
                offset, stride = self._home[file]
                home = offset + stride * decoded.operands[name]
                which = f"{self._letter[file]}{pin}"
                if "r" in use:
                    before += self._bytes("store" + which, home)
                if "w" in use:
                    after += self._bytes("load" + which, home)
        if form.control is not None and after:
            return None
        return stencil, letters, before, after

    def _letters(self, decoded: Decoded, operands: list[tuple[str, tuple[str, str]]], avoid: set[int]) -> str | None:
        result = next((i for i, (_, (_, use)) in enumerate(operands) if "w" in use), None)
        letters = ""
        values = decoded.operands
        for i, (name, (file, use)) in enumerate(operands):
            register = values[name]
            zero = register == self._zero[file]
            if "w" in use and zero:
                if decoded.form.control is not None:
                    letters += "N"
                    continue
                if not _acts(decoded.form):
                    return None
            if zero:
                letters += "M" if "w" in use or "Z" in letters else "Z"
            elif register not in self._pin[file] or i in avoid:
                letters += "M"
            elif result is not None and i != result and operands[result][1][0] == file and values[
                    operands[result][0]] == register and "w" not in use and result not in avoid:
                letters += "D"
            else:
                letters += "P"
        return letters

    def _find(self, form: str, letters: str, cls: str) -> tuple[Stencil, str] | None:
        for shape in (letters, letters.replace("Z", "M"), letters.replace("D", "P") if "P" not in letters else letters,
                      "".join("N" if c == "N" else "M" for c in letters)):
            for one in (cls, "") if cls != "L" else ("L",):
                stencil = self._stencils.get((form, shape, one))
                if stencil is not None:
                    return stencil, shape
        return None

    def _class(self, decoded: Decoded) -> str:
        if not decoded.form.immediates:
            return ""
        value = decoded.operands[decoded.form.immediates[0]]
        field = decoded.form.instruction.pattern.fields[decoded.form.immediates[0]]
        if field.kind == "unsigned":
            return "s"
        if -128 <= value < 128:
            return "b" if value >= 0 else "B"
        return "w" if value >= 0 else "W"

    def _clashes(self, stencil: Stencil, letters: str, decoded: Decoded,
                 operands: list[tuple[str, tuple[str, str]]]) -> set[int]:
        """Operands in pins that the stencil uses for itself, or cannot name."""
        taken = stencil[7][1]
        clash = set()
        tables = dict(stencil[3])
        for i, (name, (file, _)) in enumerate(operands):
            if letters[i] in "PD":
                pin = self._pin[file][decoded.operands[name]]
                if self._letter[file] == "p" and pin in taken:
                    clash.add(i)
                if i in tables and tables[i][pin] is None:
                    clash.add(i)
        return clash

    # Filling in.

    def _named(self, stencil: Stencil, decoded: Decoded, letters: str) -> int:
        number = stencil[2]
        names = list(decoded.form.registers.items())
        for operand, table in stencil[3]:
            name, (file, _) = names[operand]
            number ^= table[self._pin[file][decoded.operands[name]]]
        return number

    def _filled(self, stencil: Stencil, number: int, decoded: Decoded, letters: str, pc: int, following: int) -> int:
        for shift, mask, source in stencil[4]:
            if source.startswith("home "):
                name = source[5:]
                file, use = decoded.form.registers[name]
                register = decoded.operands[name]
                if "w" in use and register == self._zero[file]:
                    value = at.SCRATCH + 8
                else:
                    offset, stride = self._home[file]
                    value = offset + stride * register
            else:
                value = self._expression(source)(decoded.operands, pc, following)
            number |= (value & mask) << shift
        return number

    @staticmethod
    def _place(stencil: Stencil, number: int, before: bytes, after: bytes, target: int) -> Placed:
        size, split = stencil[0], stencil[1]
        code = number.to_bytes(size, "little")
        crossings, ways, near = stencil[7][0], stencil[6], stencil[5]
        if before or after:
            b, total = len(before), len(before) + len(after)
            move = [b if o < split else total for o in range(size)]
            crossings = tuple((s + move[s], t + (b if t <= split <= s else total)) for s, t in crossings)
            ways = tuple((s + move[s], name) for s, name in ways)
            near = tuple((s + move[s], where) for s, where in near)
            return before + code[:split] + after, code[split:], crossings, ways, near, target
        return code[:split], code[split:], crossings, ways, near, target


def _acts(form: Any) -> bool:
    """Whether a form does something besides computing its result."""
    from xenos.semantics.operations import TABLE

    return any(TABLE[op.op].effect in ("memory", "fp") or op.op in ("set_flags", "set_rounding", "fence")
               for op in form.effects)


def _rounds(form: Any) -> bool:
    """Whether a form uses, or changes, the dynamic rounding mode."""
    return any(dict(op.attrs).get("rounding") == 7 or op.op == "set_rounding" for op in form.effects)
