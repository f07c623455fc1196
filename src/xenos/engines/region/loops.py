"""Circles in a region: which ways go back, and small loops written out several times, so that they are counted and polled less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.semantics.block import Indirect
from xenos.tuning.tiers import MANY

if TYPE_CHECKING:
    from xenos.engines.region.graph import Node, Place

_ROOM = 64      # instructions that a loop may grow to
_TIMES = 4      # at most
_RARE = 8       # what comes to pass so many times less often than a loop goes round is none of its business


def ranks(header: Place, nodes: dict[Place, Node]) -> dict[Place, int]:
    """Nodes in reverse postorder from the header: on every circle there is a way that does not go up."""
    post: list[Place] = []
    seen = {header}
    stack = [(header, iter(nodes[header].goes))]
    while stack:
        place, goes = stack[-1]
        for goal in goes:
            if goal not in seen:
                seen.add(goal)
                stack.append((goal, iter(nodes[goal].goes)))
                break
        else:
            post.append(place)
            stack.pop()
    return {place: rank for rank, place in enumerate(reversed(post))}


def unpolled(nodes: dict[Place, Node], rank: dict[Place, int]) -> set[Place]:
    """Nodes that may be come to by a jump back to a lower address which goes up by rank, and no way back by rank since."""
    found: set[Place] = set()
    for place in sorted(rank, key=lambda place: rank[place]):
        node = nodes[place]
        found.update(goal for goal in node.goes if rank[goal] > rank[place]
                     and (place in found or goal[0] <= node.instructions[-1][0]))
    return found


def unroll(header: Place, nodes: dict[Place, Node]) -> None:
    """Write small loops out, what goes round most often first. Nodes that nothing leads to may be among the copies. What goes on
    to many places is copied for each of them (tails.py)."""
    rank = ranks(header, nodes)
    latches: dict[Place, list[Place]] = {}
    for place in rank:
        for goal in nodes[place].goes:
            if rank[goal] <= rank[place]:
                latches.setdefault(goal, []).append(place)
    heaviest = max(node.weight for node in nodes.values())
    copied: set[Place] = set()
    for head, ends in latches.items():
        if head in ends:
            latches[head] = [head]      # what other circles also begin there go round less often
    rounds = {head: sum(nodes[end].weight for end in ends) for head, ends in latches.items()}
    for head in sorted(latches, key=lambda head: -rounds[head]):
        least = rounds[head] / _RARE
        body = _body(head, [end for end in latches[head] if nodes[end].weight > least], nodes, least)
        size = sum(len(nodes[place].instructions) for place in body)
        times = min(_TIMES, _ROOM // max(size, 1))
        # Circles may also share blocks without one being inside the other. One that is hardly gone round is no loop to speak of.
        within = (other for other in latches if other in body and other != head)
        alone = not body & copied and all(_RARE * rounds[other] <= rounds[head] for other in within)
        chooses = any(isinstance(nodes[place].terminal, Indirect) and len(nodes[place].goes) >= MANY for place in body)
        if times > 1 and alone and not chooses and 16 * rounds[head] >= heaviest:
            _copy(head, set(latches[head]), body, nodes, times)
            copied |= body


def _body(head: Place, ends: list[Place], nodes: dict[Place, Node], least: float) -> set[Place]:
    """The nodes, of more weight than the `least`, from which a loop's ends are come to without its head; and the head."""
    before: dict[Place, list[Place]] = {}
    for place, node in nodes.items():
        for goal in node.goes if node.weight > least else ():
            before.setdefault(goal, []).append(place)
    body, work = {head}, [end for end in ends if end != head]
    while work:
        place = work.pop()
        if place not in body:
            body.add(place)
            work += before.get(place, [])
    return body


def _copy(head: Place, ends: set[Place], body: set[Place], nodes: dict[Place, Node], times: int) -> None:
    """Let each end go to the head of the next copy, and those of the last to the first."""
    originals = {place: list(nodes[place].goes) for place in body}
    for number in range(times):
        for place, goes in originals.items():
            node = nodes[place] if not number else nodes[place].copy(_numbered(place, number))
            node.goes = [(_numbered(goal, number) if goal != head or place not in ends else
                          _numbered(head, (number + 1) % times)) if goal in body else goal for goal in goes]
            nodes[node.place] = node


def _numbered(place: Place, number: int) -> Place:
    return place[0], place[1], number
