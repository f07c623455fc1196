"""Interpreters: each way to the jump that goes to what is next gets that jump for itself.

One jump for all is foreseen by hosts only as far as it is known what came before; of one behind each operation it is also known
which operation that is (M. A. Ertl, D. Gregg, The structure and performance of efficient interpreters, 2003). Where a jump goes is
compared with one goal after the other: behind each operation, what comes most often behind that is the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.semantics.block import Indirect
from xenos.tuning.tiers import MANY

if TYPE_CHECKING:
    from xenos.engines.region.graph import Node, Place
    from xenos.engines.region.profile import Profile

_SHORT = 16         # instructions that lead to it, at most
_ROOM = 200         # instructions that a region may grow by
_FIRST = 100        # number of the first copy


def split(nodes: dict[Place, Node]) -> set[Place]:
    """Copy them; gives the places where they begin, the originals among them."""
    begins: set[Place] = set()
    room, number = _ROOM, _FIRST
    for last in [node for node in nodes.values() if isinstance(node.terminal, Indirect) and len(node.goes) >= MANY]:
        before = _before(nodes)
        tail = [last]
        comes = before.get(last.place, [])
        if len(comes) == 1 and not isinstance(comes[0].terminal, Indirect):
            tail, comes = [comes[0], last], before.get(comes[0].place, [])
        size = sum(len(node.instructions) for node in tail)
        if size > _SHORT or len(comes) < 2 or any(node.place[2] or node in comes for node in tail):
            continue
        begins.add(tail[0].place)
        for node in sorted(comes, key=lambda node: -node.weight)[1:]:
            if room < size:
                break
            room, number = room - size, number + 1
            copies = [one.copy((one.place[0], one.place[1], number)) for one in tail]
            for copy, one, following in zip(copies, tail, [*copies[1:], None], strict=True):
                copy.goes = [following.place if following and goal == tail[-1].place else goal for goal in one.goes]
                nodes[copy.place] = copy
            node.goes = [copies[0].place if goal == tail[0].place else goal for goal in node.goes]
            begins.add(copies[0].place)
    return begins


def arrange(nodes: dict[Place, Node], profile: Profile) -> None:
    """Put first, of the goals of each such jump, what it goes to most often behind what it went to before."""
    before = _before(nodes)
    for node in nodes.values():
        if isinstance(node.terminal, Indirect) and len(node.goes) >= MANY:
            at, total = node.instructions[-1][0], sum(node.times.values())
            # One time behind each is what is known of all: few times behind one say little.
            often = {goal: times / total for goal, times in node.times.items()}
            for pc in _operations(node, before):
                for goal, times in profile.after(at, pc).items():
                    often[goal] = often.get(goal, 0.0) + times
            node.goes.sort(key=lambda goal: -often.get(goal[0], 0.0))
            node.times = often


def _operations(node: Node, before: dict[Place, list[Node]]) -> set[int]:
    """What the same jump may have gone to the time before a node that ends with it."""
    at, found = node.instructions[-1][0], set()
    seen, work = {node.place}, [node]
    while work:
        here = work.pop()
        for one in before.get(here.place, []):
            if one.instructions[-1][0] == at:
                found.add(here.pc)
            elif one.place not in seen:
                seen.add(one.place)
                work.append(one)
    return found


def _before(nodes: dict[Place, Node]) -> dict[Place, list[Node]]:
    """The nodes that go to each."""
    found: dict[Place, list[Node]] = {}
    for node in nodes.values():
        for goal in node.goes:
            found.setdefault(goal, []).append(node)
    return found
