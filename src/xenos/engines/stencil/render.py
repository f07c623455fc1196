"""One stencil as an LLVM function: the convention that all stencils share, and the ways out of them."""

from __future__ import annotations

from types import ModuleType

from xenos.cpu import layout as at
from xenos.engines.llvm.emit import LIKELY, METADATA, Emit, Floats, Slow, immediate_only
from xenos.engines.stencil.binding import Hole, StencilBinding
from xenos.semantics.instruction import Form
from xenos.semantics.operations import mask
from xenos.semantics.values import Value

EXITS = ("NEXT", "TAKEN", "SLOW")


class Convention:
    """Arguments of every stencil on a host: state pointer, count of instructions, general and vector pins."""

    def __init__(self, host: ModuleType) -> None:
        self.general = [f"%p{i}" for i in range(len(host.GENERAL_PINS))]
        self.vector = [f"%f{i}" for i in range(len(host.VECTOR_PINS))]
        kinds = ["ptr %st", "i64 %ct", *(f"i64 {p}" for p in self.general), *(f"double {f}" for f in self.vector)]
        self.parameters = ", ".join(kinds)
        self.homes: tuple[int, ...] = host.HOME_PROBES

    def leave(self, target: str, changed: dict[str, str], count: str = "%ct") -> list[str]:
        """The lines of a tail call that hands on all pins, some of them changed."""
        words = ["ptr %st", f"i64 {count}", *(f"i64 {changed.get(p, p)}" for p in self.general),
                 *(f"double {changed.get(f, f)}" for f in self.vector)]
        return [f" musttail call preserve_nonecc void {target}({', '.join(words)})", " ret void"]

    def function(self, name: str, lines: list[str]) -> str:
        """A definition with that body."""
        body = "\n".join(lines)
        return (f"define dso_local preserve_nonecc void @{name}({self.parameters}) nounwind optsize strictfp {{\n"
                f"entry:\n{body}\n}}\n")

    def declarations(self) -> str:
        """The symbols for the ways out."""
        return "".join(f"declare hidden preserve_nonecc void @{name}({self.parameters})\n" for name in EXITS)


class Rendered:
    """The text of a function, the holes in it, and the intrinsics it declares."""

    __slots__ = ("declares", "holes", "text")

    def __init__(self, text: str, holes: dict[str, Hole], declares: set[str]) -> None:
        self.text = text
        self.holes = holes
        self.declares = declares


def render(form: Form, binding: StencilBinding, convention: Convention, floats: Floats, alignment: int) -> Rendered:
    """The function of one form in one shape; raises Slow if the host has no exact code for it."""
    names = {op.op for op in form.effects}
    if "counter" in names:
        raise Slow("a counter: seldom, and simpler in the reference engine")
    emit = Emit(form.effects, binding, floats)
    emit.run()
    end = emit.end
    if end is not None and end[0].op in ("trap", "sync_code"):
        raise Slow(end[0].op)
    binding.flush(emit)
    changed = binding.written
    if end is None:
        emit.lines += convention.leave("@NEXT", changed)
    elif end[0].op == "syscall":
        # The runtime's own way into the host's kernel stands in the state block; it goes on at PC.
        emit.store_state(at.PC, binding.following())
        emit.lines += convention.leave(emit.load_state(at.KERNEL, "ptr"), changed)
    elif end[0].op == "branch":
        emit.do(f"br i1 {end[1][0]}, label %taken, label %next")
        emit.label("taken")
        emit.lines += convention.leave("@TAKEN", changed)
        emit.label("next")
        emit.lines += convention.leave("@NEXT", changed)
    elif immediate_only(end[0].args[0]):
        emit.lines += convention.leave("@TAKEN", changed)
    else:
        _indirect(emit, end[0].args[0], convention, changed, alignment)
    if emit.uses_slow:
        emit.label("slow")
        emit.lines += convention.leave("@SLOW", {})
    return Rendered("\n".join(emit.lines), binding.holes, emit.declares)


def _indirect(emit: Emit, target: Value, convention: Convention, changed: dict[str, str], alignment: int) -> None:
    """Look the target up in the jump cache; behind it stands the runtime's lookup."""
    # An entry has 16 bytes, neighbouring instructions take neighbouring entries: hosts scale the index as they address it.
    scale = 16 // alignment
    asked = emit.value(_unaligned(target, alignment))
    low = emit.line(f"trunc i64 {asked} to i32")
    index = emit.line(f"zext i32 {emit.line(f'and i32 {low}, {(at.JUMP_CACHE_SIZE - 16) // scale}')} to i64")
    entry = emit.line(f"getelementptr [{scale} x i8], ptr %st, i64 {index}")
    tag = emit.line(f"load i64, ptr {emit.line(f'getelementptr i8, ptr {entry}, i64 {at.JUMP_CACHE}')}")
    hit = emit.line(f"icmp eq i64 {tag}, {asked}")
    emit.do(f"br i1 {hit}, label %hit, label %miss, {LIKELY}")
    emit.label("hit")
    code = emit.line(f"load ptr, ptr {emit.line(f'getelementptr i8, ptr {entry}, i64 {at.JUMP_CACHE + 8}')}")
    emit.lines += convention.leave(code, changed)
    emit.label("miss")
    emit.store_state(at.PC, emit.value(target))
    thunk = emit.load_state(at.LOOKUP, "ptr")
    emit.lines += convention.leave(thunk, changed)


def _unaligned(target: Value, alignment: int) -> Value:
    """A jump's target before its lowest bits are cleared. All addresses in the jump cache are aligned: if it is found there, they
    were clear."""
    if target.op == "and":
        for constant, other in (target.args, target.args[::-1]):
            if constant.op == "const" and constant.attr("value") == mask(target.width) & -alignment:
                return other
    return target


def render_poll(convention: Convention) -> Rendered:
    """Leave if the count has reached the limit."""
    lines = [f" %w = getelementptr i8, ptr %st, i64 {at.LIMIT}", " %limit = load volatile i64, ptr %w",
             " %over = icmp uge i64 %ct, %limit", " br i1 %over, label %slow, label %next, !prof !2", "slow:",
             *convention.leave("@SLOW", {}), "next:", *convention.leave("@NEXT", {})]
    return Rendered("\n".join(lines), {}, set())


def render_count(convention: Convention, instructions: int) -> Rendered:
    """Count the instructions of a block."""
    lines = [f" %n = add i64 %ct, {instructions}", *convention.leave("@NEXT", {}, "%n")]
    return Rendered("\n".join(lines), {}, set())


def render_goto(convention: Convention) -> Rendered:
    """Go on elsewhere."""
    return Rendered("\n".join(convention.leave("@TAKEN", {})), {}, set())


def render_stub(convention: Convention, name: str) -> Rendered:
    """Leave generated code; the runtime's caller knows by the stub's own address why. `back` uncounts what was not done."""
    hole = Hole("hole_back", "back", (0, 1 << 12))
    uncount = " %n = sub i64 %ct, ptrtoint (ptr @hole_back to i64)" if name == "stub" else " %n = add i64 %ct, 0"
    lines = [f" %here = getelementptr i8, ptr @{name}, i64 0", f" %info = getelementptr i8, ptr %st, i64 {at.EXIT_INFO}",
             " store ptr %here, ptr %info", uncount,
             f" %w = getelementptr i8, ptr %st, i64 {at.LEAVE}", " %leave = load ptr, ptr %w",
             *convention.leave("%leave", {}, "%n")]
    return Rendered("\n".join(lines), {hole.symbol: hole} if name == "stub" else {}, set())


def render_move(convention: Convention, into: str, store: bool) -> Rendered:
    """Between a pin and its home."""
    hole = Hole("home0" if convention.homes else "hole_home", "home", (0, 1 << 14))
    offset = convention.homes[0] if convention.homes else f"ptrtoint (ptr @{hole.symbol} to i64)"
    kind = "double" if into.startswith("%f") else "i64"
    where = f" %w = getelementptr i8, ptr %st, i64 {offset}"
    if store:
        lines = [where, f" store {kind} {into}, ptr %w", *convention.leave("@NEXT", {})]
    else:
        lines = [where, f" %v = load {kind}, ptr %w", *convention.leave("@NEXT", {into: "%v"})]
    return Rendered("\n".join(lines), {hole.symbol: hole}, set())


def module(functions: dict[str, Rendered], convention: Convention) -> str:
    """A module of many functions, each rendering under its name."""
    holes = {h.symbol: h for r in functions.values() for h in r.holes.values()}
    declares = set().union(*(r.declares for r in functions.values())) if functions else set()
    return "".join([
        convention.declarations(), METADATA, *(d + "\n" for d in sorted(declares)),
        *(hole.declare(10 + i) for i, hole in enumerate(holes.values())),
        *(convention.function(name, [r.text]) for name, r in functions.items())])


