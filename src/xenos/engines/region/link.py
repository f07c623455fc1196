"""A compiled region as bytes that a segment takes in: constants behind the code, ways out listed (translator/regions.py)."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from xenos.engines.code.object import Relocation
from xenos.engines.code.segment import place_of_code, place_of_fault
from xenos.errors import EngineError

if TYPE_CHECKING:
    from types import ModuleType

    from xenos.engines.code.object import ObjectFile


def link(made: ObjectFile, exits: list[tuple[int, int]], low: int, places: list[int] | None, runtime: ModuleType) -> bytes:
    """The region. `exits` are (why, guest address) of its symbols `exit0`, `exit1`..., `low` is the lowest address that it was
    made from, `places` has the guest addresses of accesses by number, where these have no ways out. EngineError if it refers to
    anything else."""
    code = bytearray(made.text)
    placed: dict[str, int] = {}
    for name, body in made.constants.items():
        code += bytes(-len(code) % 64)
        placed[name] = len(code)
        code += body
    for name, found in made.constant_relocations.items():
        for one in found:
            if one.symbol != ".text":
                raise EngineError(f"constants of a region refer to {one.symbol}")
            runtime.settle(code, Relocation(placed[name] + one.offset, one.type, one.symbol, one.addend), 0)
    ways = array("q")
    for one in made.text_relocations:
        if one.symbol.startswith("exit"):
            why, pc = exits[int(one.symbol[4:])]
            # What is never run may jump from a low address to one below 0, the highest of all, as data that look like code do.
            ways.extend((one.offset, why, pc - (pc >> 63 << 64)))
        elif one.symbol in placed:
            runtime.settle(code, one, placed[one.symbol])
        else:
            raise EngineError(f"a region refers to {one.symbol}")
    if places is None:
        faults = array("q", sorted(place_of_fault(*row) for row in made.faults))
        count = len(faults)
    else:
        faults = array("q", sorted(place_of_code(at, places[number] - low) for at, number in made.places))
        count = -len(faults)
    head = array("q", (low, len(code), len(ways) // 3, count))
    return head.tobytes() + ways.tobytes() + faults.tobytes() + bytes(code)
