"""What was seen of how a program ran: its hottest loops, what was decided about them, and the ways that its code takes."""

from __future__ import annotations

from xenos.linux.symbols import describe
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.process import Process
    from xenos.semantics.decoder import Decoded

_MOST, _GOALS = 32, 8   # loops, and as many jumps that are told; goals of each


class Loop:
    """A loop, or what was called again and again, at `address`; `name` is that of its function with an offset, or empty.

    share       of the samples, 0 to 1: about the share of the time
    standing    what the region engine decided about it ("compiled", "refused: ..."); empty with another engine
    """

    __slots__ = ("address", "name", "share", "standing")

    def __init__(self, address: int, name: str, share: float, standing: str = "") -> None:
        self.address = address
        self.name = name
        self.share = share
        self.standing = standing

    def __repr__(self) -> str:
        return f"Loop({self.name or hex(self.address)}, {self.share:.2f})"


class Jump:
    """Where the jump at the end of the block at `address` went, the `times` that it was followed.

    indirect    whether a register decides: a call through a pointer, a return, a table of jumps
    goals       (address, name, share of the times), the most frequent first
    """

    __slots__ = ("address", "goals", "indirect", "name", "times")

    def __init__(self, address: int, name: str, indirect: bool, times: int, goals: list[tuple[int, str, float]]) -> None:
        self.address = address
        self.name = name
        self.indirect = indirect
        self.times = times
        self.goals = goals

    def __repr__(self) -> str:
        return f"Jump({self.name or hex(self.address)}, {len(self.goals)} goals)"


class Profile:
    """How a program ran, as far as samples tell.

    samples     how often it was looked where it is: every 33 million instructions, and every 2 to 16 million with the region engine
    loops       the hottest `Loop`s, hottest first
    jumps       the most frequent `Jump`s, most frequent first: only the region engine follows any, 512 blocks for each
                loop that is worth compiling, and it knows those of earlier runs
    """

    __slots__ = ("jumps", "loops", "samples")

    def __init__(self, samples: int, loops: list[Loop], jumps: list[Jump]) -> None:
        self.samples = samples
        self.loops = loops
        self.jumps = jumps

    def words(self) -> list[Any]:
        """All of it in what JSON has; `Profile.read` makes it anew."""
        return [self.samples, [[loop.address, loop.name, loop.share, loop.standing] for loop in self.loops],
                [[jump.address, jump.name, jump.indirect, jump.times, jump.goals] for jump in self.jumps]]

    @classmethod
    def read(cls, words: list[Any]) -> Profile:
        """What `words` gave."""
        samples, loops, jumps = words
        return cls(samples, [Loop(*loop) for loop in loops],
                   [Jump(address, name, indirect, times, [(goal, label, share) for goal, label, share in goals])
                    for address, name, indirect, times, goals in jumps])

    def at(self, address: int) -> Jump | None:
        """Where the block at an address went on to, if that was seen."""
        return next((jump for jump in self.jumps if jump.address == address), None)

    def __repr__(self) -> str:
        return f"Profile({self.samples} samples, {len(self.loops)} loops, {len(self.jumps)} jumps)"


def profile_of(process: Process) -> Profile:
    """That of a process, as long as its memory is there: names and kinds of jumps are looked up in it."""
    engine = getattr(process.engine, "stencil", process.engine)     # of lockstep, the one of the two that translates
    heat: dict[int, int] = getattr(engine, "heat", {})
    steps: dict[tuple[int, int], int] = getattr(engine, "steps", {})
    standing = getattr(engine, "standing", None)
    samples = sum(heat.values())
    loops = [Loop(pc, describe(process, pc), times / samples, standing(pc) if standing is not None else "")
             for pc, times in sorted(heat.items(), key=lambda item: -item[1])[:_MOST]]
    return Profile(samples, loops, _jumps(process, engine, steps, {loop.address for loop in loops}))


def _jumps(process: Process, engine: Any, steps: dict[tuple[int, int], int], hot: set[int]) -> list[Jump]:
    """The most frequent, and those of loops that are hot."""
    ways: dict[int, dict[int, int]] = {}
    for (start, goal), times in steps.items():
        ways.setdefault(start, {})[goal] = times
    found = []
    by_times = sorted(((sum(goals.values()), start) for start, goals in ways.items()), reverse=True)
    for number, (total, start) in enumerate(by_times):
        if number < _MOST or start in hot:
            goals = sorted(ways[start].items(), key=lambda item: -item[1])[:_GOALS]
            named = [(goal, describe(process, goal), times / total) for goal, times in goals]
            found.append(Jump(start, describe(process, start), _indirect(process, engine, start), total, named))
    return found


def _indirect(process: Process, engine: Any, pc: int) -> bool:
    """Whether the block that begins there ends in a jump to an address in a register."""
    from xenos.semantics.block import MOST, Indirect, terminal

    instructions = engine.pack.guest().instructions()
    for _ in range(MOST):
        try:
            word = process.memory.read(pc, 2)
            word = process.memory.read(pc, instructions.length(int.from_bytes(word, "little")))
        except MemoryFault:
            return False
        decoded: Decoded | None = instructions.decoder.decode(int.from_bytes(word, "little"), len(word))
        if decoded is None:
            return False
        if decoded.form.control is not None:
            return isinstance(terminal(decoded.form), Indirect)
        pc += decoded.length
    return False
