"""Last rounds: where a CPU is to stop at the head of a loop, it goes through that once more, in code that is for nothing else.

What is left at the head has all registers as they are there, even those that the next round writes before it reads them. To keep
them is most of the work of a loop that has many temporary ones. So it is left later, where those have been written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.engines.region.loops import body_of
from xenos.semantics.block import Conditional, Indirect

if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.engines.region.graph import Node, Place

    # The registers that a block writes before it reads them, and all that it reads or writes.
    Touched = Callable[[Node], tuple[set[int], set[int]]]

_MOST = 100     # instructions of a round


def add_last_rounds(nodes: dict[Place, Node], rank: dict[Place, int], touched: Touched) -> dict[Place, Place]:
    """Add them to a graph; gives the first block of each by the head of its loop. Ways back to that lead to both."""
    latches: dict[Place, list[Place]] = {}
    for place in rank:
        for goal in nodes[place].goes:
            if rank[goal] <= rank[place] and not goal[2]:
                latches.setdefault(goal, []).append(place)
    first: dict[Place, Place] = {}
    for number, (head, ends) in enumerate(latches.items()):
        chosen = _round(head, body_of(head, ends, nodes), nodes, rank, touched)
        places = {place: (place[0], place[1], ~number) for place in chosen}
        for place in chosen:
            copy = nodes[places[place]] = nodes[place].copy(places[place])
            copy.goes = [places[goal] for goal in nodes[place].goes if goal in places and rank[goal] > rank[place]]
            rank[places[place]] = len(rank)
        if chosen:
            first[head] = places[head]
    for head, place in first.items():
        for end in latches[head]:
            nodes[end].goes.append(place)
    return first


def _round(head: Place, body: set[Place], nodes: dict[Place, Node], rank: dict[Place, int], touched: Touched) -> list[Place]:
    """The blocks of the round: as many as matter, or none if no register is written anew in it."""
    chosen: list[Place] = []
    size = 0
    for place in sorted(body, key=lambda place: rank[place]):
        node = nodes[place]
        size += len(node.instructions)
        if place != head and not any(place in nodes[other].goes for other in chosen):
            continue
        if size > _MOST or rank[place] < rank[head] or isinstance(node.terminal, Indirect):
            break
        chosen.append(place)
    if not chosen:
        return []
    anew = _anew(chosen, nodes, rank, touched)
    return (chosen if anew > _anew(chosen[:1], nodes, rank, touched) else chosen[:1]) if anew else []


def _anew(chosen: list[Place], nodes: dict[Place, Node], rank: dict[Place, int], touched: Touched) -> set[int]:
    """The registers that are written before they are read, whichever way these blocks are gone through."""
    found: dict[Place, set[int]] = {}
    for place in reversed(chosen):
        node = nodes[place]
        goes = [goal for goal in node.goes if goal in found and rank[goal] > rank[place]]
        written, all_of_them = touched(node)
        if len(goes) == (2 if isinstance(node.terminal, Conditional) else 1):
            written = written | (set.intersection(*(found[goal] for goal in goes)) - all_of_them)
        found[place] = written
    return found[chosen[0]]
