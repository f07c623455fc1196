"""Makes regions: guest code and a profile in, host code out. Only workers import this, and LLVM with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.engines.hosts import host, host_floats, host_runtime
from xenos.engines.llvm.compiler import Compiler
from xenos.engines.region.graph import Graph
from xenos.engines.region.link import link
from xenos.engines.region.text import RegionText
from xenos.engines.region.usable import Usable
from xenos.engines.stencil.pins import homes
from xenos.isa import find_guest
from xenos.memory.flat import BASE
from xenos.semantics.block import MOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenos.engines.region.graph import Fetch
    from xenos.engines.region.profile import Profile


class Made:
    """One region: bytes for the segment, the guest code in [`low`, `high`) that it was made from, its instructions."""

    __slots__ = ("body", "high", "low", "size")

    def __init__(self, body: bytes, low: int, high: int, size: int) -> None:
        self.body = body
        self.low = low
        self.high = high
        self.size = size


class Maker:
    """For one guest on this host, at a feature level."""

    def __init__(self, name: str, level: int) -> None:
        self._guest = find_guest(name)
        self._host = host()
        self._floats = host_floats(level)
        self._instructions = self._guest.instructions()
        self._usable = Usable(self._floats, self._guest.layout)
        self._pins = {offset: pin for pin, offset in homes(self._guest, self._host).items()}
        cpu, features = self._host.CPUS[level]
        # One would keep the guest's base in a register, where each access has room for it; the other takes a fifth of the time in
        # which code is made, and what it makes of loops whose accesses are as they are is no faster. The others make one
        # access of two, or a load anew, which is not listed any more then (plain.py).
        self._compiler = Compiler(self._host.TRIPLE, cpu, features, self._host.RUNTIME_MODEL, options=(
            "-disable-constant-hoisting", "-disable-lsr",
            "-hoist-common-insts=0", "-sink-common-insts=0", "-fixup-byte-word-insts=0"))

    def is_long(self, half: int) -> bool:
        """Whether an instruction whose first 16 bits these are has 32."""
        return self._instructions.length(half) == 4

    def learn(self, profile: Profile, fetch: Fetch, steps: list[tuple[int, int, int]],
              after: Sequence[tuple[int, int, int, int]] = ()) -> None:
        """Take up steps from block to block: (start of a block, where it went, times), and those of some blocks `after` others:
        (start of a block, where it went the time before, where it went, times)."""
        for start, goal, times in steps:
            if (jump := self._jump(fetch, start, goal)) is not None:
                profile.add(jump, goal, times)
        for start, before, goal, times in after:
            if (jump := self._jump(fetch, start, goal)) is not None:
                profile.add_after(jump, before, goal, times)

    def _jump(self, fetch: Fetch, start: int, goal: int) -> int | None:
        """The address of the jump by which a block went on to a goal, if it was one."""
        pc = start
        for _ in range(MOST):
            fetched = fetch(pc)
            decoded = self._instructions.decoder.decode(*fetched) if fetched else None
            if decoded is None or pc + decoded.length == goal and decoded.form.control is None:
                break
            if decoded.form.control is not None:
                return pc
            pc += decoded.length
        return None

    def graph(self, header: int, fetch: Fetch, profile: Profile, most: int = 400, whole: int = 0) -> Graph:
        """What would be compiled."""
        return Graph(self._instructions, fetch, header, profile, most=most, whole=whole, usable=self._usable)

    def make(self, graph: Graph, speed: int = 2, exact: bool = True) -> Made:
        """Compile it; EngineError if LLVM does not take it. If it need not be `exact`, of an access that fails nothing is known but
        the guest's pc."""
        text = RegionText(graph, self._guest.layout, self._pins, self._host, self._floats, BASE, self._guest.alignment, exact)
        made = self._compiler.compile(text.write(), optimize=speed)
        low = min(node.pc for node in graph.nodes.values())
        high = max(node.end for node in graph.nodes.values())
        return Made(link(made, text.exits, low, text.places, host_runtime()), low, high, graph.size)
