"""Translated code that was given up while other threads may still run it, until they cannot.

Each CPU notes the epoch in which it last entered generated code. What was given up in an epoch can be reached by none that entered
later (epoch-based reclamation, K. Fraser, Practical lock-freedom, 2004).
"""

from __future__ import annotations

from time import perf_counter_ns

from xenos.cpu.layout import IN_KERNEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.cpu.state import Cpu
    from xenos.engines.code.pauses import Pauses
    from xenos.engines.code.segment import Segment


class Limbo:
    """`running` are the CPUs in the engine, by the address of their state; `generation` goes up when code is forgotten.

    `freed` is called when what was given up is gone, and other code may come to lie there.
    """

    def __init__(self, freed: Callable[[], None]) -> None:
        self._freed = freed
        self._given_up: list[tuple[int, Segment]] = []
        self.running: dict[int, Cpu] = {}
        self.generation = 1
        self.epoch = 1
        self._stopped_at = 0
        self._pauses: Pauses | None = None

    @property
    def segments(self) -> list[Segment]:
        """Those that some CPU may still be in."""
        return [segment for _, segment in self._given_up]

    @property
    def pauses(self) -> Pauses:
        """For how long guest threads were stopped by collecting code: those that did some of it, and those that had to look up."""
        if self._pauses is None:
            from xenos.engines.code.pauses import Pauses

            self._pauses = Pauses()
        return self._pauses

    def enter(self, cpu: Cpu) -> None:
        """The CPU is about to run generated code; what others gave up before cannot be reached by it."""
        cpu.epoch = self.epoch
        if self._given_up:
            self.reclaim()
        if cpu.generation != self.generation:
            cpu.clear_jump_cache()
            cpu.generation = self.generation
            if cpu.stopped:
                self.pauses.note(perf_counter_ns() - cpu.stopped)
                cpu.stopped = 0

    def take(self, segment: Segment) -> None:
        """A segment is reached by no table and no jump from elsewhere any more."""
        self._given_up.append((self.epoch, segment))
        self.epoch += 1
        self.stop(collecting=True)
        self.reclaim()

    def stop(self, *, collecting: bool = False) -> None:
        """Code was forgotten: CPUs that run look at the table again at their next poll, and trust no jump cache.

        For how long they are stopped counts if that is for `collecting` code, not because the guest changed it.
        """
        self.generation += 1
        self._stopped_at = perf_counter_ns() if collecting else 0
        for cpu in list(self.running.values()):
            cpu.stop()

    def stopped(self, cpu: Cpu, since: int) -> None:
        """A CPU left generated code at a poll, perhaps because it was told to: since then it is stopped, or `since`, if not 0."""
        if cpu.generation != self.generation and self._stopped_at:
            cpu.stopped = since or self._stopped_at

    def reclaim(self) -> None:
        """Give back what no CPU can be in."""
        inside = [cpu.epoch for cpu in list(self.running.values()) if cpu.epoch and not cpu.get(IN_KERNEL)]
        oldest = min(inside, default=self.epoch)
        gone = [item for item in self._given_up if item[0] < oldest]
        for item in gone:
            self._given_up.remove(item)
            item[1].give_back()
        if gone:
            self._freed()

    def after_fork(self) -> None:
        """In a forked child: no other thread runs; what was given up is not even copied."""
        self.running.clear()
        for _, segment in self._given_up:
            segment.room.free(segment.start, segment.capacity)
        self._given_up.clear()
