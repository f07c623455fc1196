"""A region as LLVM text IR: one function with the signature of a stencil, registers in variables, ways out at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.cpu import layout as at
from xenos.engines.code.segment import HERE, LINK, POLL, SLOW
from xenos.engines.llvm.emit import LIKELY, METADATA, UNLIKELY
from xenos.engines.region.binding import RegionBinding
from xenos.engines.region.emit import ExactEmit, PlainEmit
from xenos.engines.region.loops import ranks, unpolled
from xenos.engines.region.numbers import TESTS, Numbers, canonical, computes, copied, foreign, quietly, settled
from xenos.engines.stencil.render import Convention
from xenos.semantics.block import Conditional, Direct, Indirect

if TYPE_CHECKING:
    from types import ModuleType

    from xenos.cpu.layout import Layout
    from xenos.engines.llvm.emit import Floats
    from xenos.engines.region.graph import Graph, Node, Place
    from xenos.semantics.decoder import Decoded


_JUMP = -1      # a way out of its own kind: to an address in a register
_MOST = 1 << 24     # of the weight of a branch


def _weights(times: float, others: float) -> str:
    """What LLVM is told of a branch that was taken so many times, and not so many."""
    if times + others <= 0:
        return ""
    scale = min(16.0, _MOST / (times + others))
    return f', !prof !{{!"branch_weights", i32 {int(scale * times) + 1}, i32 {int(scale * max(others, 0.0)) + 1}}}'


class RegionText:
    """Writes the module of one graph. `exits` are (why, guest address) of its symbols `exit0`, `exit1` and so on."""

    def __init__(self, graph: Graph, layout: Layout, pins: dict[int, str], host: ModuleType, floats: Floats, base: int,
                 alignment: int, exact: bool = True) -> None:
        self._graph = graph
        self._pins = pins
        self._convention = Convention(host)
        self._binding = RegionBinding(layout, base)
        self._emit: ExactEmit | PlainEmit = (ExactEmit if exact else PlainEmit)(self._binding, floats)
        self._emit.lazy = floats.own_nans
        self._zeros = {file.name: file.zero for file in layout.files.values()}
        self._alignment = alignment
        self.exits: list[tuple[int, int]] = []
        self._tails: dict[str, list[str]] = {}      # blocks that leave, to stand at the end
        self._written: dict[Place, set[int]] = {}
        # Ways out: why, guest address, and which registers hold computed numbers there -> label, nodes that come to it.
        self._leaving: dict[tuple[int, int, tuple[tuple[int, int], ...]], tuple[str, set[Place]]] = {}
        # Every circle that such a jump is part of goes through the beginning of what leads to it: there it is polled.
        self._ranks = ranks(graph.header, graph.nodes) | {place: -1 for place in graph.tails if place in graph.nodes}
        self._unpolled = unpolled(graph.nodes, self._ranks)
        self._before = self._numbers()
        self._silent: dict[tuple[Place, int], bool] = {}    # instructions of nodes that compare, and flags stay what they were

    @property
    def places(self) -> list[int] | None:
        """The guest addresses of accesses by number, where these have no ways out."""
        return list(self._emit.places) if isinstance(self._emit, PlainEmit) else None

    def write(self) -> str:
        """The module."""
        emit, graph = self._emit, self._graph
        for node in graph.nodes.values():
            emit.label(self._label(node.place))
            self._node(node)
        if isinstance(emit, PlainEmit):
            emit.settle()
        body, emit.lines = emit.lines, []
        self._ways_out()
        tails, emit.lines = emit.lines, []
        self._entry()
        entry = emit.lines
        text = "\n".join([*entry, *body, *tails])
        c = self._convention
        return "".join([
            METADATA, emit.metadata() if isinstance(emit, PlainEmit) else "", *(d + "\n" for d in sorted(emit.declares)),
            *(f"declare hidden preserve_nonecc void @exit{n}({c.parameters})\n" for n in range(len(self.exits))),
            f"define dso_local preserve_nonecc void @region({c.parameters}) nounwind strictfp {{\nentry:\n{text}\n}}\n"])

    @staticmethod
    def _label(place: Place) -> str:
        return "b" + "_".join(f"{n:x}" for n in (place[0], *place[1])) + "." * (place[2] > 0) + str(place[2] or "")

    def _numbers(self) -> dict[Place, dict[int, int]]:
        """Which registers hold computed numbers when a node begins."""
        if not self._emit.lazy:
            return {place: {} for place in self._graph.nodes}
        written: dict[Place, dict[int, int]] = {}
        for place, node in self._graph.nodes.items():
            found = written[place] = {}
            for _, decoded in node.instructions:
                self._binding.decoded = decoded
                width = computes(decoded, self._zeros)
                copy = copied(decoded)
                if copy is not None:
                    source = self._binding.register(copy[0])
                    width = found.get(source, ~source)
                for op in decoded.form.effects:
                    if op.op == "write":
                        offset = self._binding.register(op)
                        if offset >= 0 and self._binding.used[offset]:
                            found[offset] = width
        self._binding.used.clear()
        return Numbers(self._graph.nodes, written).before

    def _node(self, node: Node) -> None:
        emit, binding = self._emit, self._binding
        binding.clear(self._before[node.place])
        written: set[int] = set()
        self._written[node.place] = written
        last = len(node.instructions) - 1
        for number, (pc, decoded) in enumerate(node.instructions):
            binding.begin(pc, decoded)
            emit.quiet = self._quiet(node, number)
            if self._copied(decoded) or self._quiet(node, number - 1):
                written |= binding.dirty
                if number == last:
                    binding.flush(emit)
                    self._count(len(node.instructions))
                continue
            slow = f"slow{emit.name()[2:]}"
            before = dict(binding.held), set(binding.dirty)
            emit.instruction(decoded.form, slow)
            if emit.uses_slow:
                self._slow(slow, node, pc, number, before)
            binding.finish(computes(decoded, self._zeros) if emit.lazy else 0, settled(decoded))
            written |= binding.dirty
            if number == last:
                binding.flush(emit)
                self._count(len(node.instructions))
        self._terminal(node)

    def _copied(self, decoded: Decoded) -> bool:
        """Whether an instruction was one that copies a number, and that is done."""
        fields = copied(decoded) if self._emit.lazy else None
        if fields is None:
            return False
        source, to = (self._binding.register(op) for op in fields[:2])
        if fields[2] < 64 and self._binding.computed.get(source) != fields[2]:
            return False
        self._binding.copy(self._emit, to, source)
        return True

    def _quiet(self, node: Node, number: int) -> bool:
        """Whether an instruction compares numbers, flags being saved before and restored behind it. None would be raised: what
        was computed is no signaling NaN, and what comparing others raises is not kept."""
        if not self._emit.lazy or not 0 < number < len(node.instructions) - 1:
            return False
        known = self._silent.get((node.place, number))
        if known is None:
            decoded = node.instructions[number][1]
            widths = {op.args[0].width for op in decoded.form.effects if op.op in TESTS}
            known = quietly(*(one for _, one in node.instructions[number - 1:number + 2])) and all(
                self._binding.computed_at(op, decoded) in widths for op in decoded.form.effects if op.op == "read")
            self._silent[node.place, number] = known
        return known

    def _count(self, instructions: int) -> None:
        emit = self._emit
        count = emit.line("load i64, ptr %count")
        emit.do(f"store i64 {emit.line(f'add i64 {count}, {instructions}')}, ptr %count")

    def _slow(self, label: str, node: Node, pc: int, done: int, before: tuple[dict[int, str], set[int]]) -> None:
        """A way out in the middle of a block: the variables get what was computed so far."""
        emit, binding = self._emit, self._binding
        lines, emit.lines = emit.lines, []
        block = emit.block
        emit.label(label)
        held, dirty = binding.held, binding.dirty
        binding.held, binding.dirty = before
        if isinstance(emit, ExactEmit):
            emit.keep_apart()
        binding.flush(emit)
        if done:
            self._count(done)
        # All of a block share what puts registers back: it is most of a region's code.
        emit.do(f"store i64 {pc}, ptr %pc")
        emit.do(f"br label %{self._exit(HERE, node.pc, node)}")
        binding.held, binding.dirty = held, dirty
        self._tails[label], emit.lines = emit.lines, lines
        emit.block = block

    def _exit(self, why: int, pc: int, node: Node) -> str:
        """The label of a way out."""
        key = why, pc, tuple(sorted(self._binding.computed.items()))
        label, places = self._leaving.setdefault(key, (f"out{len(self._leaving)}", set()))
        places.add(node.place)
        return label

    def _way(self, node: Node, pc: int) -> str:
        """The label for going on at a guest address: in the region, if that is one of the places that it goes to.

        On every circle of guest code there is a jump back to a lower address, and somewhere it has to be looked whether the CPU is
        to stop. A circle in the region has a way back by rank. One that also goes through other code, which looks at its own jumps
        back, has one here or leaves behind one.
        """
        goal = next((place for place in node.goes if place[0] == pc), None)
        lower = pc <= node.instructions[-1][0] or node.place in self._unpolled
        if goal is None:
            back, other = lower, set()
            if not lower:
                return self._exit(LINK, pc, node)
            label = f"out_{self._label(node.place)}_{pc:x}"
        else:
            back = self._ranks[goal] <= self._ranks[node.place]
            other = {offset for offset in {**self._before[goal], **self._binding.computed}
                     if (self._before[goal].get(offset) or 0) != self._binding.computed.get(offset, 0)}
            if not back and not other:
                return self._label(goal)
            label = f"way_{self._label(node.place)}_{self._label(goal)}"
        if label not in self._tails:
            emit = self._emit
            lines, emit.lines, block = emit.lines, [], emit.block
            emit.label(label)
            if back or lower:
                limit = emit.line(f"load volatile i64, ptr {emit.state(at.LIMIT)}")
                over = emit.line(f"icmp uge i64 {emit.line('load i64, ptr %count')}, {limit}")
                on = f"on{emit.name()[2:]}"
                emit.do(f"br i1 {over}, label %{self._exit(POLL, pc, node)}, label %{on}, {UNLIKELY}")
                emit.label(on)
            if goal is not None:
                self._pass(node, goal, sorted(other))
            emit.do(f"br label %{self._label(goal) if goal is not None else self._exit(LINK, pc, node)}")
            self._tails[label], emit.lines, emit.block = emit.lines, lines, block
        return label

    def _pass(self, node: Node, goal: Place, offsets: list[int]) -> None:
        """See that registers hold the kind of number that the next node wants; else leave."""
        emit = self._emit
        for offset in offsets:
            wanted, held = self._before[goal].get(offset, 0), self._binding.computed.get(offset, 0)
            self._binding.used[offset] = True
            bits = self._binding.load(emit, offset, held)
            if held:
                self._binding.store(emit, offset, canonical(emit, bits, held), 0)
            else:
                on = f"pass{emit.name()[2:]}"
                emit.do(f"br i1 {foreign(emit, bits, wanted)}, label %{self._exit(LINK, goal[0], node)}, label %{on}, {UNLIKELY}")
                emit.label(on)
                self._binding.store(emit, offset, bits, wanted)

    def _terminal(self, node: Node) -> None:
        emit, end = self._emit, node.terminal
        pc, decoded = node.instructions[-1]
        if isinstance(end, Conditional):
            assert emit.end is not None
            goal = end.target(decoded, pc)
            taken, on = self._way(node, goal), self._way(node, node.end)
            weights = _weights(node.times.get(goal, 0), node.times.get(node.end, 0))
            emit.do(f"br i1 {emit.end[1][0]}, label %{taken}, label %{on}{weights}")
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
        rest = sum(node.times.values())
        for goal in node.goes:
            same = emit.line(f"icmp eq i64 {target}, {goal[0]}")
            other = f"other{emit.name()[2:]}"
            times = node.times.get(goal[0], 0)
            rest -= times
            emit.do(f"br i1 {same}, label %{self._way(node, goal[0])}, label %{other}{_weights(times, rest)}")
            emit.label(other)
        emit.do(f"store i64 {target}, ptr %target")
        emit.do(f"br label %{self._exit(_JUMP, node.instructions[-1][0], node)}")

    # Entry, and ways out.

    def _entry(self) -> None:
        """Variables for all registers that are used, with what they hold."""
        emit = self._emit
        for offset, floating in sorted(self._binding.used.items()):
            kind = "double" if floating else "i64"
            emit.do(f"%r{offset} = alloca {kind}")
            value = self._pins.get(offset) or emit.line(f"load {kind}, ptr {emit.state(offset)}")
            emit.do(f"store {kind} {value}, ptr %r{offset}")
            if floating:
                emit.do(f"%s{offset} = alloca float")
        emit.do("%count = alloca i64")
        emit.do("%target = alloca i64")
        emit.do("%pc = alloca i64")
        emit.do("store i64 %ct, ptr %count")
        header = self._graph.header
        for offset, width in self._before[header].items():
            if width:
                bits = self._binding.load(emit, offset, 0)
                on = f"pass{emit.name()[2:]}"
                emit.do(f"br i1 {foreign(emit, bits, width)}, label %stay, label %{on}, {UNLIKELY}")
                emit.label(on)
                if width == 32:
                    self._binding.store(emit, offset, bits, width)
        emit.do(f"br label %{self._label(header)}")
        # Nothing has changed: other code goes on, if need be behind one instruction done by the reference engine.
        emit.label("stay")
        emit.lines += self._convention.leave(f"@{self._symbol(SLOW, header[0])}", {})

    def _symbol(self, why: int, pc: int) -> str:
        if (why, pc) not in self.exits:
            self.exits.append((why, pc))
        return f"exit{self.exits.index((why, pc))}"

    def _ways_out(self) -> None:
        emit = self._emit
        dirty = self._dirty()
        for lines in self._tails.values():
            emit.lines += lines
        for (why, pc, computed), (label, places) in self._leaving.items():
            emit.label(label)
            changed: dict[str, str] = {}
            widths = dict(computed)
            written: set[int] = set().union(*(dirty[place] for place in places))
            for offset in sorted(written):
                floating = self._binding.used[offset]
                kind = "double" if floating else "i64"
                if offset in widths:
                    bits = canonical(emit, self._binding.load(emit, offset, widths[offset]), widths[offset], leaving=True)
                    value = emit.line(f"bitcast i64 {bits} to double")
                else:
                    value = emit.line(f"load {kind}, ptr %r{offset}")
                if offset in self._pins:
                    changed[self._pins[offset]] = value
                else:
                    emit.store_state(offset, value, kind)
            count = emit.line("load i64, ptr %count")
            if why == _JUMP:
                self._jump(label, changed, count)
            elif why == HERE:
                emit.store_state(at.PC, emit.line("load i64, ptr %pc"))
                emit.lines += self._convention.leave(f"@{self._symbol(HERE, self._graph.header[0])}", changed, count)
            else:
                emit.lines += self._convention.leave(f"@{self._symbol(why, pc)}", changed, count)

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
