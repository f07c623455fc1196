"""A region as LLVM text IR: one function with the signature of a stencil, registers in variables, ways out at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.cpu import layout as at
from xenos.engines.code.segment import LINK, POLL, SLOW
from xenos.engines.llvm.emit import LIKELY, METADATA, UNLIKELY, Emit, Slow
from xenos.engines.region.binding import RegionBinding
from xenos.engines.stencil.render import Convention
from xenos.semantics.block import Conditional, Direct, Indirect

if TYPE_CHECKING:
    from types import ModuleType

    from xenos.cpu.layout import Layout
    from xenos.engines.llvm.emit import Floats
    from xenos.engines.region.graph import Graph, Node, Place
    from xenos.semantics.decoder import Decoded
    from xenos.semantics.instruction import Form


class RegionEmit(Emit):
    """Emits instruction after instruction of a region; the slow way of each is its own."""

    def __init__(self, binding: RegionBinding, host: Floats) -> None:
        super().__init__([], binding, host)
        self.slow = ""

    def instruction(self, form: Form, slow: str) -> None:
        """Emit one; `slow` is the label of its way out to the reference engine."""
        self.effects, self.end, self.slow, self.uses_slow = form.effects, None, slow, False
        self._values = {}
        self.run()

    def slow_unless(self, condition: str) -> None:
        """Leave where the condition is false."""
        self.uses_slow = True
        go = f"go{self.name()[2:]}"
        self.do(f"br i1 {condition}, label %{go}, label %{self.slow}, {LIKELY}")
        self.label(go)


class RegionText:
    """Writes the module of one graph. `exits` are (why, guest address) of its symbols `exit0`, `exit1` and so on."""

    def __init__(self, graph: Graph, layout: Layout, pins: dict[int, str], host: ModuleType, floats: Floats, base: int,
                 alignment: int) -> None:
        self._graph = graph
        self._pins = pins
        self._convention = Convention(host)
        self._binding = RegionBinding(layout, base)
        self._emit = RegionEmit(self._binding, floats)
        self._alignment = alignment
        self.exits: list[tuple[int, int]] = []
        self._tails: dict[str, list[str]] = {}      # blocks that leave, to stand at the end
        self._written: dict[Place, set[int]] = {}
        self._leaving: dict[str, set[Place]] = {}   # label of a way out -> nodes that come to it

    def write(self) -> str:
        """The module."""
        emit, graph = self._emit, self._graph
        for node in graph.nodes.values():
            emit.label(self._label(node.place))
            self._node(node)
        body = emit.lines
        emit.lines = []
        self._ways_out()
        tails = emit.lines
        emit.lines = []
        self._entry()
        entry = emit.lines
        text = "\n".join([*entry, *body, *tails])
        c = self._convention
        return "".join([
            METADATA, *(d + "\n" for d in sorted(emit.declares)),
            *(f"declare hidden preserve_nonecc void @exit{n}({c.parameters})\n" for n in range(len(self.exits))),
            f"define dso_local preserve_nonecc void @region({c.parameters}) nounwind strictfp {{\nentry:\n{text}\n}}\n"])

    @staticmethod
    def _label(place: Place) -> str:
        return "b" + "_".join(f"{n:x}" for n in (place[0], *place[1]))

    def _node(self, node: Node) -> None:
        emit, binding = self._emit, self._binding
        binding.clear()
        written: set[int] = set()
        self._written[node.place] = written
        last = len(node.instructions) - 1
        for number, (pc, decoded) in enumerate(node.instructions):
            binding.begin(pc, decoded)
            slow = f"slow{emit.name()[2:]}"
            before = dict(binding.held), set(binding.dirty)
            emit.instruction(decoded.form, slow)
            if emit.uses_slow:
                self._slow(slow, node, pc, number, before)
            binding.finish()
            written |= binding.dirty
            if number == last:
                binding.flush(emit)
                self._count(len(node.instructions))
        self._terminal(node)

    def _count(self, instructions: int) -> None:
        emit = self._emit
        count = emit.line("load i64, ptr %count")
        emit.do(f"store i64 {emit.line(f'add i64 {count}, {instructions}')}, ptr %count")

    def _slow(self, label: str, node: Node, pc: int, done: int, before: tuple[dict[int, str], set[int]]) -> None:
        """A way out in the middle of a block: the variables get what was computed so far."""
        emit, binding = self._emit, self._binding
        lines, emit.lines = emit.lines, [f"{label}:"]
        held, dirty = binding.held, binding.dirty
        binding.held, binding.dirty = before
        binding.flush(emit)
        if done:
            self._count(done)
        emit.do(f"br label %{self._exit(SLOW, pc, node)}")
        binding.held, binding.dirty = held, dirty
        self._tails[label], emit.lines = emit.lines, lines

    def _exit(self, why: int, pc: int, node: Node) -> str:
        """The label of a way out."""
        if (why, pc) not in self.exits:
            self.exits.append((why, pc))
        label = f"exit_{self.exits.index((why, pc))}"
        self._leaving.setdefault(label, set()).add(node.place)
        return label

    def _way(self, node: Node, pc: int) -> str:
        """The label for going on at a guest address: in the region, if that is one of the places that it goes to."""
        goal = next((place for place in node.goes if place[0] == pc), None)
        if goal is None:
            return self._exit(LINK, pc, node)
        if not self._back(node, goal):
            return self._label(goal)
        label = f"poll_{self._label(node.place)}_{self._label(goal)}"
        if label not in self._tails:
            emit = self._emit
            lines, emit.lines = emit.lines, [f"{label}:"]
            limit = emit.line(f"load volatile i64, ptr {emit.state(at.LIMIT)}")
            count = emit.line("load i64, ptr %count")
            over = emit.line(f"icmp uge i64 {count}, {limit}")
            emit.do(f"br i1 {over}, label %{self._exit(POLL, pc, node)}, label %{self._label(goal)}, {UNLIKELY}")
            self._tails[label], emit.lines = emit.lines, lines
        return label

    def _back(self, node: Node, goal: Place) -> bool:
        """Whether a way goes back, so that there is a poll on every circle."""
        order = self._order()
        return order[goal] <= order[node.place]

    def _order(self) -> dict[Place, int]:
        """Nodes in reverse postorder from the header: in every circle one way goes against it."""
        if not hasattr(self, "_ranks"):
            seen: set[Place] = set()
            post: list[Place] = []
            stack = [(self._graph.header, iter(self._graph.nodes[self._graph.header].goes))]
            seen.add(self._graph.header)
            while stack:
                place, goes = stack[-1]
                for goal in goes:
                    if goal not in seen:
                        seen.add(goal)
                        stack.append((goal, iter(self._graph.nodes[goal].goes)))
                        break
                else:
                    post.append(place)
                    stack.pop()
            for place in self._graph.nodes:
                if place not in seen:
                    post.insert(0, place)
            self._ranks = {place: rank for rank, place in enumerate(reversed(post))}
        return self._ranks

    def _terminal(self, node: Node) -> None:
        emit, end = self._emit, node.terminal
        pc, decoded = node.instructions[-1]
        if isinstance(end, Conditional):
            assert emit.end is not None
            taken, on = self._way(node, end.target(decoded, pc)), self._way(node, node.end)
            emit.do(f"br i1 {emit.end[1][0]}, label %{taken}, label %{on}")
        elif isinstance(end, Direct):
            emit.do(f"br label %{self._way(node, end.target(decoded, pc))}")
        elif isinstance(end, Indirect):
            assert emit.end is not None
            self._indirect(node, emit.end[1][0])
        else:
            emit.do(f"br label %{self._way(node, node.end)}")

    def _indirect(self, node: Node, target: str) -> None:
        """Compare with where it went before; else it is looked up as stencils do."""
        emit = self._emit
        for goal in node.goes:
            same = emit.line(f"icmp eq i64 {target}, {goal[0]}")
            other = f"other{emit.name()[2:]}"
            emit.do(f"br i1 {same}, label %{self._way(node, goal[0])}, label %{other}")
            emit.label(other)
        label = f"jump_{self._label(node.place)}"
        self._leaving.setdefault(label, set()).add(node.place)
        emit.do(f"store i64 {target}, ptr %target")
        emit.do(f"br label %{label}")

    # Entry, and ways out.

    def _entry(self) -> None:
        """Variables for all registers that are used, with what they hold."""
        emit = self._emit
        for offset, floating in sorted(self._binding.used.items()):
            kind = "double" if floating else "i64"
            emit.do(f"%r{offset} = alloca {kind}")
            value = self._pins.get(offset) or emit.line(f"load {kind}, ptr {emit.state(offset)}")
            emit.do(f"store {kind} {value}, ptr %r{offset}")
        emit.do("%count = alloca i64")
        emit.do("%target = alloca i64")
        emit.do("store i64 %ct, ptr %count")
        emit.do(f"br label %{self._label(self._graph.header)}")

    def _ways_out(self) -> None:
        emit = self._emit
        dirty = self._dirty()
        for lines in self._tails.values():
            emit.lines += lines
        for label, places in self._leaving.items():
            emit.label(label)
            changed: dict[str, str] = {}
            written: set[int] = set().union(*(dirty[place] for place in places))
            for offset in sorted(written):
                floating = self._binding.used[offset]
                kind = "double" if floating else "i64"
                value = emit.line(f"load {kind}, ptr %r{offset}")
                if offset in self._pins:
                    changed[self._pins[offset]] = value
                else:
                    emit.store_state(offset, value, kind)
            count = emit.line("load i64, ptr %count")
            if label.startswith("exit_"):
                emit.lines += self._convention.leave(f"@exit{label[5:]}", changed, count)
            else:
                self._jump(label, changed, count)

    def _jump(self, label: str, changed: dict[str, str], count: str) -> None:
        """Look a target up in the jump cache; behind it stands the runtime's lookup."""
        emit, convention = self._emit, self._convention
        target = emit.line("load i64, ptr %target")
        shift = 5 - self._alignment.bit_length()
        index = emit.line(f"and i64 {emit.line(f'shl i64 {target}, {shift}')}, {at.JUMP_CACHE_SIZE - 16}")
        entry = emit.line(f"getelementptr i8, ptr %st, i64 {index}")
        tag = emit.line(f"load i64, ptr {emit.line(f'getelementptr i8, ptr {entry}, i64 {at.JUMP_CACHE}')}")
        hit = emit.line(f"icmp eq i64 {tag}, {target}")
        emit.do(f"br i1 {hit}, label %{label}_hit, label %{label}_miss, {LIKELY}")
        emit.label(f"{label}_hit")
        code = emit.line(f"load ptr, ptr {emit.line(f'getelementptr i8, ptr {entry}, i64 {at.JUMP_CACHE + 8}')}")
        emit.lines += convention.leave(code, changed, count)
        emit.label(f"{label}_miss")
        emit.store_state(at.PC, target)
        thunk = emit.load_state(at.LOOKUP, "ptr")
        emit.lines += convention.leave(thunk, changed, count)

    def _dirty(self) -> dict[Place, set[int]]:
        """Registers that may have been written when a node has run, by place."""
        nodes = self._graph.nodes
        after = {place: set(self._written[place]) for place in nodes}
        work = list(nodes)
        while work:
            place = work.pop()
            for goal in nodes[place].goes:
                more = after[place] - after[goal]
                if more:
                    after[goal] |= more
                    work.append(goal)
        return after


def usable(decoded: Decoded, floats: Floats, layout: Layout) -> bool:
    """Whether an instruction can be part of a region: exact code for it exists on this host, and it needs nobody's help."""
    form = decoded.form
    known: bool | None = getattr(form, "in_regions", None)
    if known is None:
        known = _usable(form, decoded, floats, layout)
        form.in_regions = known     # type: ignore[attr-defined]
    return known


_NEVER = {"counter", "trap", "syscall", "sync_code", "get_flags", "set_flags", "get_rounding", "set_rounding"}


def _usable(form: Form, decoded: Decoded, floats: Floats, layout: Layout) -> bool:
    if any(op.op in _NEVER for op in form.effects):
        return False
    binding = RegionBinding(layout, 0)
    binding.begin(0, decoded)
    emit = RegionEmit(binding, floats)
    try:
        emit.instruction(form, "slow")
    except Slow:
        return False
    return "mxcsr" not in "\n".join(emit.lines)
