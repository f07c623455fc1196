"""A segment: the translated code of one stretch of guest memory, with all that is needed to link, unlink and keep it.

A segment's code refers to itself by relative jumps, to the runtime through the state block, and to its own constants: it can be
moved, and written to disk as it is.
"""

from __future__ import annotations

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.code.arena import Arena

# Why a stub was left: the target of a jump is not translated yet; the reference engine must do one instruction; the limit was
# reached; the guest calls its kernel, hits a breakpoint, an illegal word, or wants its new code seen.
LINK, SLOW, POLL, SYSCALL, BREAKPOINT, ILLEGAL, SYNC = range(7)


class Segment:
    """Room of `capacity` bytes at `start` in the arena for guest code in [`low`, `high`).

    `blocks` maps a guest pc to its offset, `stubs` a stub's offset to (kind, pc), `pending` a pc to the 32-bit relative jumps that
    await it, `incoming` a pc to those that already go there, both as (site, stub that the jump goes to while unlinked). `units`
    are the stretches of guest code that were translated, `new` the blocks not yet in the table.
    """

    def __init__(self, arena: Arena, capacity: int, low: int, high: int, constants: bytes, key: bytes | None) -> None:
        self.arena = arena
        self.capacity = capacity
        self.low = low
        self.high = high
        self.key = key
        self.start = arena.allocate(capacity)
        self.base = arena.base + self.start
        self.view = arena.view[self.start:self.start + capacity]
        self.constants = len(constants)
        self.clear(constants)

    def clear(self, constants: bytes) -> None:
        """Begin anew with nothing but the constants."""
        self.view[:len(constants)] = constants
        self.used = (len(constants) + 15) & ~15
        self.blocks: dict[int, int] = {}
        self.stubs: dict[int, tuple[int, int]] = {}
        self.pending: dict[int, list[tuple[int, int]]] = {}
        self.incoming: dict[int, list[tuple[int, int]]] = {}
        self.units: list[tuple[int, int]] = []
        self.new: list[tuple[int, int]] = []

    def append(self, code: bytes) -> int:
        """Put code behind what is there; gives its offset, or -1 if there is no room."""
        start = self.used
        end = start + len(code)
        if end > self.capacity:
            return -1
        self.view[start:end] = code
        self.used = end
        return start

    def patch(self, site: int, target: int) -> None:
        """Let the 32-bit relative jump at `site` go to `target`, both offsets in the segment."""
        self.view[site:site + 4] = (target - site - 4 & 0xFFFF_FFFF).to_bytes(4, "little")

    def tables(self) -> dict[str, array[int]]:
        """Everything but the code, as flat arrays; pcs are relative to `low`."""
        low = self.low
        sites = [(site, target, stub) for target, links in self.incoming.items() for site, stub in links]
        sites += [(site, target, stub) for target, links in self.pending.items() for site, stub in links]
        return {
            "block_pc": array("I", [pc - low for pc in self.blocks]),
            "block_at": array("I", self.blocks.values()),
            "stub_at": array("I", self.stubs),
            "stub_kind": array("B", [kind for kind, _ in self.stubs.values()]),
            "stub_pc": array("q", [pc - low for _, pc in self.stubs.values()]),
            "site": array("I", [s for s, _, _ in sites]),
            "site_pc": array("q", [t - low for _, t, _ in sites]),
            "site_stub": array("I", [b for _, _, b in sites]),
        }
