"""Run a program whose regions are all worth a second level at once, and tell what became of those:
`python -m engines.run_second WHAT CACHE PROGRAM`, where WHAT says of which the verdict is: `better`, `worse`, or `measured`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from xenos.api.start import start
from xenos.engines.code.store import Store
from xenos.engines.hosts import host
from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.second import Second
from xenos.engines.stencil import pack
from xenos.tuning.levels import ALL
from xenos.tuning.tiers import Tiers
from xenos.tuning.trial import Verdict

if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.code.segment import Segment


class Willing(Tiers):
    """Whatever is in a region is worth more, once that was a little while."""

    def better(self, seconds: float, started: bool) -> bool:
        """Yes."""
        return seconds > 0.02


class Watched(Second):
    """Notes where regions began, before a verdict and behind it."""

    said = ""

    def __init__(self, engine: RegionEngine) -> None:
        super().__init__(engine)
        self.moves: list[tuple[int, int, int]] = []
        self.asked_for: list[int] = []

    def seen(self, cpu: Cpu, segment: Segment, header: int, seconds: float) -> Exit | None:
        """As ever."""
        before, left = self.asked, super().seen(cpu, segment, header, seconds)
        self.asked_for += [header] * (self.asked - before)
        return left

    def judged(self, verdict: Verdict) -> None:
        """As it was measured, or as the test wants it."""
        if self.said != "measured":
            ratio = 0.5 if self.said == "better" else 1.0
            verdict = Verdict(verdict.headers, verdict.places, 1 / ratio, ratio, True, ALL)
        before = {header: self._engine.table.find(header) for header in verdict.headers}
        super().judged(verdict)
        self.moves += [(header, code, self._engine.table.find(header)) for header, code in before.items()]


def main() -> int:
    """The guest's exit status. A line on standard output tells the rest."""
    Watched.said, cache, program = sys.argv[1:4]
    level = host().level()
    engine = RegionEngine(pack.load("riscv64", cache, level), level, store=Store(f"{cache}/code"), jobs=1)
    tiers = engine.tiers = Willing(1)
    engine.second = second = Watched(engine)
    process = start("riscv64", "", engine=engine)
    process.load(program, [program], {})
    outcome = process.run()
    standing = {header: engine.standing(header) for header in second.done if engine.compiled_at(header)}
    engine.save()
    print(json.dumps({
        "asked": second.asked_for, "done": second.done, "moves": second.moves, "standing": standing, "told": engine.told(),
        "learned": tiers.levels[ALL].faster, "registers": [process.cpu.read("x", number) for number in (12, 13)]}))
    assert outcome is not None
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
