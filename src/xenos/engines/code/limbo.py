"""Translated code that was given up while other threads may still run it, until they cannot.

Each CPU notes the epoch in which it last entered generated code. What was given up in an epoch can be reached by none that entered
later (epoch-based reclamation, K. Fraser, Practical lock-freedom, 2004).
"""

from __future__ import annotations

from xenos.cpu.layout import IN_KERNEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.state import Cpu
    from xenos.engines.code.arena import Arena
    from xenos.engines.code.segment import Segment


class Limbo:
    """`running` are the CPUs in the engine, by the address of their state; `generation` goes up when code is forgotten."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._given_up: list[tuple[int, Segment]] = []
        self.running: dict[int, Cpu] = {}
        self.generation = 1
        self.epoch = 1

    @property
    def segments(self) -> list[Segment]:
        """Those that some CPU may still be in."""
        return [segment for _, segment in self._given_up]

    def enter(self, cpu: Cpu) -> None:
        """The CPU is about to run generated code; what others gave up before cannot be reached by it."""
        cpu.epoch = self.epoch
        if self._given_up:
            self.reclaim()
        if cpu.generation != self.generation:
            cpu.clear_jump_cache()
            cpu.generation = self.generation

    def take(self, segment: Segment) -> None:
        """A segment is reached by no table and no jump from elsewhere any more."""
        self._given_up.append((self.epoch, segment))
        self.epoch += 1
        self.stop()
        self.reclaim()

    def stop(self) -> None:
        """Code was forgotten: CPUs that run look at the table again at their next poll, and trust no jump cache."""
        self.generation += 1
        for cpu in list(self.running.values()):
            cpu.stop()

    def reclaim(self) -> None:
        """Give back what no CPU can be in."""
        inside = [cpu.epoch for cpu in list(self.running.values()) if cpu.epoch and not cpu.get(IN_KERNEL)]
        oldest = min(inside, default=self.epoch)
        for item in [item for item in self._given_up if item[0] < oldest]:
            self._given_up.remove(item)
            segment = item[1]
            self._arena.release(segment.start, segment.used)
            self._arena.free(segment.start, segment.capacity)

    def after_fork(self) -> None:
        """In a forked child: no other thread runs; what was given up is not even copied."""
        self.running.clear()
        for _, segment in self._given_up:
            self._arena.free(segment.start, segment.capacity)
        self._given_up.clear()
