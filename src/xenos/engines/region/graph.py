"""Which guest code becomes one region: from a hot header along likely ways, calls gone into, up to a limit of instructions."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from xenos.engines.region.loops import ranks, unroll
from xenos.engines.region.tails import arrange, split
from xenos.semantics.block import Conditional, Direct, Indirect, Next, Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xenos.engines.region.profile import Profile
    from xenos.semantics.decoder import Decoded
    from xenos.semantics.instruction import InstructionSet

    Fetch = Callable[[int], tuple[int, int] | None]
    # Address; the calls gone into, where each returns to, the innermost last; which copy it is, where loops are written out.
    Place = tuple[int, tuple[int, ...], int]

_SELDOM = 1 / 128   # so is what is come to so much less often than the header
_AMPLE = 100        # instructions, from which on what is added must be worth more
_NEVER = 0.1        # times that a way was taken which was never seen to be: most never are, and a loop may have many
_RARE = 1 / 64      # a way that is taken less often, of all that come to its block, is left to other code


class Node:
    """A block of a region: instructions at `pc`, gone to from inside only at its start; `place` also tells the calls it is in.

    `goes` are the places that it may go on to within the region, any other address leaves it; `times` says how often it was seen to
    go to an address.
    """

    __slots__ = ("end", "goes", "instructions", "pc", "place", "terminal", "times", "weight")

    def __init__(self, place: Place, weight: float) -> None:
        self.place = place
        self.pc = place[0]
        self.weight = weight
        self.instructions: list[tuple[int, Decoded]] = []
        self.end = self.pc
        self.terminal: Terminal = Next()
        self.goes: list[Place] = []
        self.times: Mapping[int, float] = {}

    def copy(self, place: Place) -> Node:
        """The same, elsewhere in the graph."""
        other = Node(place, self.weight)
        other.instructions, other.end, other.terminal = self.instructions, self.end, self.terminal
        return other


class Graph:
    """`nodes` by place, the header first; `size` is the number of their instructions."""

    def __init__(self, instructions: InstructionSet, fetch: Fetch, header: int, profile: Profile, *, most: int = 400,
                 whole: int = 0, depth: int = 3, usable: Callable[[Decoded], bool] = lambda decoded: True) -> None:
        self._set = instructions
        self._fetch = fetch
        self._profile = profile
        self._most = most
        self._whole = max(most, whole)      # instructions, up to which a block is taken as it is while there are few others
        self._depth = depth
        self._usable = usable
        self._shares: dict[tuple[int, ...], float] = {(): 1.0}      # of what is called: how much of it is by these calls
        self.header: Place = (header, (), 0)
        self.nodes: dict[Place, Node] = {}
        self.size = 0
        self.tails: set[Place] = set()      # where what leads to an indirect jump begins, of which there are copies
        self._grow()

    def _grow(self) -> None:
        """Take the heaviest way on, time and again."""
        order = 0
        weight = max(1.0, self._profile.weight(self.header[0]))
        least = weight * _SELDOM
        ways = [(-weight, order, self.header)]
        while ways and self.size < self._most:
            negative, _, place = heappop(ways)
            if -negative < least * (1 + (self.size / _AMPLE) ** 2):
                break
            if place in self.nodes:
                self.nodes[place].weight = max(self.nodes[place].weight, -negative)     # a loop is come to again and again
                continue
            if not self._split(place, -negative):
                node = self._node(place, -negative)
                if node is None:
                    continue
                self.nodes[place] = node
                for weight, goal in self._ways(node):
                    node.goes.append(goal)
                    order += 1
                    heappush(ways, (-weight, order, goal))
        for node in self.nodes.values():
            node.goes = [goal for goal in node.goes if goal in self.nodes]
        if self.nodes:
            unroll(self.header, self.nodes)
            self.tails = split(self.nodes)
            reached = ranks(self.header, self.nodes)
            self.nodes = {place: node for place, node in self.nodes.items() if place in reached}
            for node in self.nodes.values():
                node.times = self._profile.goes(node.instructions[-1][0])
            arrange(self.nodes, self._profile)
            self.size = sum(len(node.instructions) for node in self.nodes.values())

    def stay(self, most: float) -> float:
        """How many instructions are expected to be executed between coming in and leaving; at most about so many."""
        here, done = {self.header: 1.0}, 0.0
        parts = {place: (len(node.instructions), self._parts(node)) for place, node in self.nodes.items()}
        while done < most and sum(here.values()) > 0.01:
            there: dict[Place, float] = {}
            for place, share in here.items():
                size, goes = parts[place]
                done += share * size
                for goal, part in goes:
                    there[goal] = there.get(goal, 0.0) + share * part
            here = there
        return done

    def _parts(self, node: Node) -> list[tuple[Place, float]]:
        """Where a block goes on to within the region, each with its share of all that leave the block."""
        calls = node.place[1]
        back = calls and isinstance(node.terminal, Indirect) and all(goal[:2] == (calls[-1], calls[:-1]) for goal in node.goes)
        if back or not isinstance(node.terminal, (Conditional, Indirect)):
            return [(goal, 1.0) for goal in node.goes]      # what was seen of returns is of all calls
        seen = self._profile.goes(node.instructions[-1][0])
        extra = _NEVER if isinstance(node.terminal, Conditional) else 0.0
        total = sum(seen.values()) + 2 * extra
        return [(goal, (seen.get(goal[0], 0) + extra) / total) for goal in node.goes] if total else []

    def _split(self, place: Place, weight: float) -> bool:
        """Begin a node where another one goes on: that ends there."""
        for node in self.nodes.values():
            if node.place[1] == place[1] and node.pc < place[0] < node.end:
                at = next((i for i, (pc, _) in enumerate(node.instructions) if pc == place[0]), 0)
                if not at:
                    continue
                rest = self.nodes[place] = Node(place, max(node.weight, weight))
                rest.instructions, node.instructions = node.instructions[at:], node.instructions[:at]
                rest.end, node.end = node.end, place[0]
                rest.terminal, node.terminal = node.terminal, Next()
                rest.goes, node.goes = node.goes, [place]
                return True
        return False

    def _node(self, place: Place, weight: float) -> Node | None:
        """The instructions from there to the next jump, or to what has a node already, or cannot be compiled."""
        node = Node(place, weight)
        pc = place[0]
        most = self._whole if self.size < _AMPLE else self._most
        while self.size < most:
            fetched = self._fetch(pc)
            decoded = self._set.decoder.decode(*fetched) if fetched else None
            if decoded is None or not self._usable(decoded) or pc != place[0] and (pc, place[1], 0) in self.nodes:
                break
            node.instructions.append((pc, decoded))
            self.size += 1
            pc += decoded.length
            if decoded.form.control is not None:
                node.terminal = terminal(decoded.form)
                break
        node.end = pc
        return node if node.instructions else None

    def _ways(self, node: Node) -> list[tuple[float, Place]]:
        """Where it may go on, each with its weight: how often it was seen to, if it was; else a share of its own."""
        at = node.instructions[-1][0]
        seen = self._profile.goes(at)
        found = []
        for weight, goal in self._likely(node):
            if len(goal[1]) > len(node.place[1]) and goal[1] not in self._shares:
                called = max(seen.get(goal[0], 0) * self._shares[node.place[1]], weight)
                self._shares[goal[1]] = min(1.0, called / max(1.0, self._profile.weight(goal[0])))
            found.append((max(weight, seen.get(goal[0], 0) * self._shares[node.place[1]]), goal))
        return found

    def _likely(self, node: Node) -> list[tuple[float, Place]]:
        """Where it may go on, each with its share of the node's weight."""
        at, decoded = node.instructions[-1]
        calls, weight = node.place[1], node.weight
        end = node.terminal
        links = end.links and self._links(decoded)
        if isinstance(end, Direct):
            target = end.target(decoded, at)
            if links:
                if target == self.header[0]:
                    return [(weight, self.header)]      # a function that calls itself goes round in the region
                if len(calls) >= self._depth or any(goal == target for goal, _ in self._open(calls)):
                    return []
                return [(weight, (target, (*calls, node.end), 0))]
            return [(weight, (target, calls, 0))]
        if isinstance(end, Next):
            return [(weight, (node.end, calls, 0))]
        seen = self._profile.goes(at)
        if isinstance(end, Conditional):
            ways = []
            both = (end.target(decoded, at), node.end)
            total = sum(seen.get(goal, 0) for goal in both)
            for goal in dict.fromkeys(both):
                share = (seen.get(goal, 0) + 0.5) / (total + 1)
                if share >= _RARE:
                    ways.append((weight * share, (goal, calls, 0)))
            return ways
        if isinstance(end, Indirect):
            total = sum(seen.values())
            if links:
                if len(calls) >= self._depth:
                    return []
                return [(weight * n / total, (goal, (*calls, node.end), 0)) for goal, n in _most(seen) if n / total >= _RARE]
            if calls and (not seen or calls[-1] in seen):
                return [(weight, (calls[-1], calls[:-1], 0))]
            return [(weight * n / total, (goal, calls, 0)) for goal, n in _most(seen) if n / total >= _RARE]
        return []

    def _links(self, decoded: Decoded) -> bool:
        """Whether the address behind is written to a register that keeps it."""
        for op in decoded.form.effects:
            if op.op == "write" and op.args[0].op == "next":
                field = op.attr("field")
                number = decoded.operands[field] if isinstance(field, str) else field
                return bool(number != next(file.zero for file in self._set.files if file.name == op.attr("file")))
        return False

    def _open(self, calls: tuple[int, ...]) -> list[tuple[int, int]]:
        """Of the calls gone into: what was called. Recursion is not unrolled."""
        found = []
        for depth in range(len(calls)):
            within = calls[:depth + 1]
            found += [(pc, within[-1]) for pc, inside, _ in self.nodes if inside == within][:1]
        return found


def _most(seen: dict[int, int]) -> list[tuple[int, int]]:
    """The most frequent goals."""
    return sorted(seen.items(), key=lambda item: -item[1])[:24]
