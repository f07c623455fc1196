"""Building the stencil library: every form in every shape, compiled by LLVM, taken apart, and kept as numbers.

A stencil is its code read as one little-endian number with zeros in the holes. Naming another pin is an exclusive-or with a
number from a table, filling a hole an or: placing a stencil is a handful of operations on integers, whatever the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from xenos.engines.code.object import ObjectFile
from xenos.engines.hosts import host_stencils
from xenos.engines.llvm.compiler import Compiler
from xenos.engines.llvm.emit import Floats, Slow, immediate_only
from xenos.engines.llvm.workers import Workers
from xenos.engines.stencil import render
from xenos.engines.stencil.binding import StencilBinding
from xenos.engines.stencil.shapes import shapes
from xenos.errors import EngineError
from xenos.isa.guest import Guest
from xenos.semantics.instruction import Form

Stencil = tuple[
    int, int, int,                                      # bytes, how many of them are hot, the code as a number
    tuple[tuple[int, tuple[int | None, ...]], ...],     # an operand, and by pin what renames it; None where nothing does
    tuple[tuple[int, int, str], ...],                   # holes: bit, mask, Python expression
    tuple[tuple[int, int], ...],                        # references to constants: where, offset in the pool
    tuple[tuple[int, str], ...],                        # ways out: where, name
    tuple[tuple[tuple[int, int], ...], tuple[int, ...]]]    # jumps between hot and cold: where, target; pins it uses itself
Batch = tuple[dict[str, render.Rendered], Callable[[], ObjectFile]]
BATCH = 128   # functions to a module: LLVM's time per function grows slowly with it, and the workers should end together

# A probe stands for an immediate while LLVM chooses the encoding: one pair per class of values that encodes alike.
_BYTE, _SHIFT, _FAR = (53, 92), (13, 22), (45, 54)


class Plan:
    """A stencil to be: the form, its shape, and which class of immediate values it is for, or classes that should encode alike.

    Classes: `` any, `L` any with addresses above 2 GiB, `b` `B` `w` `W` one or four bytes, plus or minus, `s` `S` a shift
    amount of 1-31 or 32-63, `z` nought.
    """

    __slots__ = ("cls", "form", "names", "shape", "wide")

    def __init__(self, form: Form, shape: str, cls: str, wide: bool) -> None:
        self.form = form
        self.shape = shape
        self.cls = cls
        self.wide = wide
        self.names: list[str] = []


class Builder:
    """Builds the library of one guest for one host level. `slow` collects the forms that the host has no exact code for."""

    def __init__(self, guest: Guest, host: ModuleType, floats: Floats, level: int, base: int) -> None:
        self.guest = guest
        self.host = host
        self.floats = floats
        self.base = base
        self.convention = render.Convention(host)
        self.spare = (*host.GENERAL_PINS, *host.SPARE_PINS)     # what renaming may name: the pins, and those that hold for a while
        self.tools = host_stencils(host.NAME)
        cpu, features = host.CPUS[level]
        self.compiler = Compiler(host.TRIPLE, cpu, features, host.STENCIL_MODEL)
        self.files = {f.name: f for f in guest.registers}
        self.slow: dict[str, str] = {}
        self.refused: dict[str, tuple[str, bytes]] = {}
        self.constants = bytearray()
        self._constant_at: dict[bytes, int] = {}
        self.stencils: dict[tuple[str, str, str], Stencil] = {}
        self._names: dict[str, str] = {}                    # of functions, by their texts
        self._rendered: dict[str, render.Rendered] = {}     # and under these names, what they are and what they became
        self._pieces: dict[str, Any] = {}
        self._done = 0

    def build(self, forms: list[Form] | None = None, progress: Callable[[int, int], None] | None = None,
              workers: Workers | None = None) -> None:
        """Fill `stencils`: (form name, shape, class) -> stencil. `workers` may be given some that have more to do."""
        if workers is None:
            with Workers() as own:
                return self.build(forms, progress, own)
        plans = [p for form in (forms if forms is not None else list(self.guest.instructions().forms()))
                 for p in self.plans(form)]
        # Where two classes turn out not to encode alike, each gets a stencil of its own: they come first, so that those are
        # compiled beside all others.
        several = [plan for plan in plans if len(plan.cls) > 1]
        first, then = self._begin(several, workers), self._begin([plan for plan in plans if len(plan.cls) <= 1], workers)
        self._end(first, progress)
        apart = [Plan(plan.form, plan.shape, cls, plan.wide) for plan in self._stencils_of(several) for cls in plan.cls]
        last = self._begin(apart, workers)
        self._end(then, progress)
        self._end(last, progress)
        self._stencils_of([*(plan for plan in plans if len(plan.cls) <= 1), *apart])

    def _begin(self, plans: list[Plan], workers: Workers) -> list[Batch]:
        """Have compiled what is planned, but for what is already."""
        batches: list[Batch] = []
        fresh: list[str] = []

        def hand_on() -> None:
            batch = {name: self._rendered[name] for name in fresh}
            batches.append((batch, self.compiler.begin(workers, render.module(batch, self.convention))))
            fresh.clear()

        for plan in plans:
            try:
                for probe in self._probes(plan):
                    one = self._render(plan, probe)
                    name = self._names.get(one.text)
                    if name is None:
                        name = self._names[one.text] = f"s{len(self._names)}"
                        self._rendered[name] = one
                        fresh.append(name)
                    plan.names.append(name)
            except Slow as reason:
                self.slow[plan.form.name] = str(reason)
            if len(fresh) >= BATCH:
                hand_on()
        if fresh:
            hand_on()
        return batches

    def _end(self, batches: list[Batch], progress: Callable[[int, int], None] | None) -> None:
        """Wait for what was begun, and take it apart."""
        for batch, made in batches:
            self._pieces.update(self._dissect(batch, made()))
            self._done += len(batch)
            if progress:
                progress(self._done, len(self._names))

    def _stencils_of(self, plans: list[Plan]) -> list[Plan]:
        """Keep the stencils of these plans; gives the plans for several classes that none was found for."""
        left = []
        for plan in plans:
            if plan.form.name in self.slow or not all(n in self._pieces for n in plan.names):
                continue
            stencil = self._stencil(plan, [self._pieces[n] for n in plan.names], self._rendered)
            if stencil is not None:
                self.stencils.update({(plan.form.name, plan.shape, cls): stencil for cls in plan.cls or ("",)})
            elif len(plan.cls) > 1:
                left.append(plan)
        return left

    def special(self) -> dict[str, Stencil]:
        """The stencils that belong to no form: poll, count, stub, and moves between each pin and its home."""
        c = self.convention
        functions = {"poll": render.render_poll(c), "count13": render.render_count(c, 53),
                     "count22": render.render_count(c, 92), "count_wide": render.render_count(c, 1000),
                     "count_wide2": render.render_count(c, 1999), "stub": render.render_stub(c, "stub"),
                     "link": render.render_stub(c, "link"), "goto": render.render_goto(c)}
        for pin in (*c.general, *c.vector):
            functions[f"store{pin[1:]}"] = render.render_move(c, pin, store=True)
            functions[f"load{pin[1:]}"] = render.render_move(c, pin, store=False)
        pieces = self._compile(functions)
        made: dict[str, Stencil] = {}
        for name, one in pieces.items():
            if not name.startswith("count"):
                made[name] = self._finish(one, functions[name], [], "", [])
        slot = self.convention.general[self.host.GENERAL_SLOTS[0]]
        for way in ("store", "load"):
            name = f"{way}{slot[1:]}"
            for number in range(len(self.host.GENERAL_PINS), len(self.spare)):
                made[f"{way}p{number}"] = self._renamed(self._finish(pieces[name], functions[name], [], "", [(0, slot)]), number)
        for name, first, second, values in (("count", "count13", "count22", _BYTE),
                                            ("count_wide", "count_wide", "count_wide2", (1000, 1999))):
            found = self.tools.probed(pieces[first], pieces[second], values)
            if found is None:
                raise EngineError("the counting stencil keeps its number where it cannot be found")
            made[name] = self._finish(pieces[first], functions[first], found, "back", [])
        return made

    @staticmethod
    def _renamed(stencil: Stencil, pin: int) -> Stencil:
        """A stencil of one operand, with a pin of no argument for it."""
        size, split, code, tables, holes, near, ways, rest = stencil
        change = tables[0][1][pin]
        if change is None:
            raise EngineError(f"a move cannot name pin {pin}")
        return size, split, code ^ change, (), holes, near, ways, rest

    def plans(self, form: Form) -> Iterator[Plan]:
        """Every stencil that a form wants."""
        if any(op.op in ("trap", "sync_code") for op in form.effects):
            self.slow[form.name] = "leaves generated code"
            return
        try:
            wide = any(op.op in ("pc", "next", "syscall") for op in form.effects)
            for shape in shapes(form, self.files):
                yield Plan(form, shape, "", False)
                if wide:
                    yield Plan(form, shape, "L", True)
                for cls in self._classes(form):
                    yield Plan(form, shape, cls, False)
        except Slow as reason:
            self.slow[form.name] = str(reason)

    def _classes(self, form: Form) -> Iterator[str]:
        """Classes of immediates worth their own stencils: for plain computation with one immediate."""
        if len(form.immediates) != 1:
            return
        names = {op.op for op in form.effects}
        if form.control is not None and form.control.op == "jump" and not immediate_only(form.control.args[0]):
            yield "z"
        elif not names & {"pc", "next", "load", "store", "branch", "jump", "reserve", "amo"}:
            field = form.instruction.pattern.fields[form.immediates[0]]
            if field.kind == "unsigned":
                wanted = {5: "s", 6: "sS"}.get(field.width, "")
            else:
                wanted = "wW" if min(shift for _, _, shift in field.pieces) else "bBwW"
                if "add" in names and "b" in wanted:
                    yield "z"
            for classes in self.host.CLASSES:
                if classes[0] in wanted:
                    yield classes if classes[-1] in wanted else classes[0]

    @staticmethod
    def _probes(plan: Plan) -> list[dict[str, int]]:
        if plan.cls in ("", "L"):
            return [{}]
        name = plan.form.immediates[0]
        if plan.cls == "z":
            return [{name: 0}]
        field = plan.form.instruction.pattern.fields[name]
        first, second = {"s": _SHIFT, "S": _FAR, "sS": (_SHIFT[0], _FAR[1])}.get(plan.cls, _BYTE)
        if plan.cls in ("w", "W", "wW"):
            low = min(shift for _, _, shift in field.pieces)
            first, second = (0x3A5, 0x5C7) if low == 0 else (0x3A5C7 << low & (1 << field.width - 1) - 1, 0x5C3A9 << low & (
                1 << field.width - 1) - 1)
        return [{name: -first if plan.cls in "BW" else first}, {name: -second if plan.cls in ("B", "W", "bB", "wW") else second}]

    def _render(self, plan: Plan, probe: dict[str, int]) -> render.Rendered:
        binding = StencilBinding(plan.form, plan.shape, self.slots(plan.form), self.base, plan.wide, probe,
                                 self.convention.homes)
        return render.render(plan.form, binding, self.convention, self.floats, self.guest.alignment)

    def slots(self, form: Form) -> dict[str, str]:
        """The argument that stands for each register operand while its stencil is compiled."""
        slots, general, vector = {}, 0, 0
        for name, (file, _) in form.registers.items():
            if self.files[file].floating:
                slots[name] = self.convention.vector[self.host.VECTOR_SLOTS[vector]]
                vector += 1
            else:
                slots[name] = self.convention.general[self.host.GENERAL_SLOTS[general]]
                general += 1
        return slots

    def _compile(self, functions: dict[str, render.Rendered]) -> dict[str, Any]:
        return self._dissect(functions, self.compiler.compile(render.module(functions, self.convention)))

    def _dissect(self, functions: dict[str, render.Rendered], made: ObjectFile) -> dict[str, Any]:
        pieces = {}
        for name in functions:
            try:
                pieces[name] = self.tools.dissect(made.functions[name], functions[name].holes)
            except EngineError as error:
                self.refused[name] = (str(error), made.functions[name].code)
        for one in pieces.values():
            one.holes = [self._constant(hole, made.constants) for hole in one.holes]
        return pieces

    def _constant(self, hole: tuple[int, int, str, int, bool], pools: dict[str, bytes]) -> tuple[int, int, str, int, bool]:
        """Constants go into one pool that lies at the start of every code segment."""
        offset, size, symbol, addend, relative = hole
        if symbol not in pools:
            return hole
        start = addend + 4
        entry = pools[symbol][start:start + 16].ljust(16, b"\0")
        if entry not in self._constant_at:
            self._constant_at[entry] = len(self.constants)
            self.constants += entry
        return offset, size, ".constant", self._constant_at[entry], relative

    def _stencil(self, plan: Plan, pieces: list[Any], rendered: dict[str, render.Rendered]) -> Stencil | None:
        values: list[tuple[int, int, str]] = []
        value = ""
        if plan.cls not in ("", "L", "z"):
            name = plan.form.immediates[0]
            probes = [p[name] for p in self._probes(plan)]
            found = self.tools.probed(pieces[0], pieces[1], (probes[0], probes[1]))
            if found is None:
                return None
            values, value = found, f"f['{name}']"
        operands = list(plan.form.registers)
        slots = self.slots(plan.form)
        renames = [(i, slots[n]) for i, (n, letter) in enumerate(zip(operands, plan.shape, strict=True)) if letter == "P"]
        return self._finish(pieces[0], rendered[plan.names[0]], values, value, renames)

    def _finish(self, pieces: Any, text: render.Rendered, values: list[tuple[int, int, str]], value: str,
                renames: list[tuple[int, str]]) -> Stencil:
        """Pieces as numbers. `values` are the (bit, mask, template) of `value`, where it was compiled in."""
        base = int.from_bytes(pieces.code, "little")
        holes: list[tuple[int, int, str]] = []
        near: list[tuple[int, int]] = []
        for offset, size, symbol, addend, _ in pieces.holes:
            if symbol == ".constant":
                near.append((offset, addend))
                continue
            base &= ~(((1 << 8 * size) - 1) << 8 * offset)
            source = text.holes[symbol].source
            holes.append((8 * offset, (1 << 8 * size) - 1, f"{source} + {addend}" if addend else source))
        fields = [(bit, mask, text.holes[symbol].source, template) for bit, mask, symbol, template in pieces.fields]
        for bit, mask, source, template in [*fields, *((b, m, value, t) for b, m, t in values)]:
            base &= ~(mask << bit)
            holes.append((bit, mask, template.replace("{}", source)))
        own = {self._number(slot) for _, slot in renames}
        tables = []
        for operand, slot in renames:
            bank, number = self._number(slot)
            pins = self.spare if bank == "x" else self.host.VECTOR_PINS
            tables.append((operand, tuple(self._rename(pieces, bank, number, pin) for pin in pins)))
        used = {(p.bank, p.number) for p in pieces.places} | {("x", n) for n in pieces.implicit}
        taken = tuple(i for i, pin in enumerate(self.spare) if ("x", pin) in used - own)
        return (len(pieces.code), pieces.split, base, tuple(tables), tuple(holes), tuple(near),
                tuple(pieces.exits), (tuple(pieces.crossings), taken))

    def _number(self, slot: str) -> tuple[str, int]:
        index = int(slot[2:])
        return ("f", self.host.VECTOR_PINS[index]) if slot[1] == "f" else ("x", self.host.GENERAL_PINS[index])

    @staticmethod
    def _rename(pieces: Any, bank: str, number: int, pin: int) -> int | None:
        change = 0
        for place in pieces.places:
            if place.bank == bank and place.number == number:
                one = place.rename(pin)
                if one is None:
                    return None
                change ^= one
        return change
