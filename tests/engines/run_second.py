"""Run a program whose regions are all worth a second level at once, and tell what became of those:
`python -m engines.run_second WHAT CACHE PROGRAM`, where WHAT says what the verdict is: `better`, `worse`, whatever is `measured`,
or none before the program's end: `open`. With `twice-` before it, all that is taken out of the way is so twice; with `only-`, what
is there is tried, and nothing is compiled; with `few-`, nothing at the second level. With `few-plain` blocks are translated anew
where regions begin, before all that there is is entered in the table as if it came from the cache."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from xenos.api.start import start
from xenos.engines.code.store import Store
from xenos.engines.hosts import host
from xenos.engines.region.engine import RegionEngine
from xenos.engines.region.second import Second
from xenos.engines.region.trials import Trials
from xenos.engines.stencil import pack
from xenos.tuning import trial
from xenos.tuning.levels import ALL
from xenos.tuning.tiers import Tiers
from xenos.tuning.trial import Verdict

if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.cpu.state import Cpu
    from xenos.engines.code.segment import Segment


def unit_at(engine: RegionEngine, header: int) -> int:
    """The number of the region that runs there; less than 0 if none does."""
    found = engine.region(engine.table.find(header))
    return -1 if found is None else found[1]


class Willing(Tiers):
    """Whatever is in a region is worth more, once that was a little while, unless fewer levels are `wanted`."""

    wanted = 2

    def worthwhile(self, seconds: float, started: bool) -> bool:
        """As ever."""
        return self.wanted > 0 and super().worthwhile(seconds, started)

    def better(self, seconds: float, instructions: float | None, started: bool) -> bool:
        """Yes."""
        return self.wanted > 1 and seconds > 0.02


class Kept(Trials):
    """Regions of the first level stay, whatever they gain: what is said of them here is nobody's question."""

    def judged(self, verdict: Verdict) -> None:
        """As ever, of second levels."""
        super().judged(verdict if verdict.level == ALL else Verdict(verdict.headers, verdict.places, 0.0, 0.5))


class Watched(Second):
    """Notes where regions began, before a verdict and behind it."""

    said = ""

    def __init__(self, engine: RegionEngine) -> None:
        super().__init__(engine)
        self.moves: list[tuple[int, int, int]] = []
        self.asked_for: list[int] = []

    def seen(self, cpu: Cpu, segment: Segment, unit: int, header: int, seconds: float) -> Exit | None:
        """As ever."""
        before, left = len(self.asked), super().seen(cpu, segment, unit, header, seconds)
        self.asked_for += [header] * (len(self.asked) - before)
        return left

    def judged(self, verdict: Verdict, tried: list[tuple[int, Segment, int]]) -> None:
        """As it was measured, or as the test wants it."""
        if self.said != "measured":
            ratio = 0.5 if self.said == "better" else 1.0
            verdict = Verdict(verdict.headers, verdict.places, 1 / ratio, ratio, True, ALL)
        before = {header: unit_at(self._engine, header) for header, _, _ in tried}
        assert before == {header: unit for header, _, unit in tried}
        super().judged(verdict, tried)
        self.moves += [(header, unit, unit_at(self._engine, header)) for header, unit in before.items()]


def main() -> int:
    """The guest's exit status. A line on standard output tells the rest."""
    what, cache, program = sys.argv[1:4]
    Watched.said = what.split("-")[-1]
    Willing.wanted = 0 if what.startswith("only-") else 1 if what.startswith("few-") else 2
    if Watched.said == "open":
        by_turns, least = trial.Trial._by_turns, trial._LEAST

        def endless(self: trial.Trial, turn: list[float], place: int, pace: float) -> Verdict | None:
            trial._LEAST = 1 << 30 if self.level == ALL else least
            return by_turns(self, turn, place, pace)

        trial.Trial._by_turns = endless     # type: ignore[method-assign]
    if what.startswith("twice-"):
        turn = Trials.turn
        Trials.turn = lambda self, off: [turn(self, off) for _ in range(2)]  # type: ignore[method-assign, assignment, return-value]
    level = host().level()
    engine = RegionEngine(pack.load("riscv64", cache, level), level, store=Store(f"{cache}/code"), jobs=1)
    tiers = engine.tiers = Willing(1)
    engine.trials, engine.second = Kept(engine), (second := Watched(engine))
    process = start("riscv64", "", engine=engine)
    process.load(program, [program], {})
    outcome = process.run()
    found = {header: segment for segment in engine.segments for header in segment.regions_by_header()}
    plain = []
    for header, segment in found.items() if Watched.said == "plain" else ():
        engine.runtime.purge(engine.table.address, engine.table.mask, header, header + 2)
        engine._translate(header, process.cpu)
        plain.append((engine.table.find(header) > 0, engine.compiled_at(header)))
        engine.translator.fill(segment, engine.table)
        plain.append((engine.table.find(header) > 0, engine.compiled_at(header)))
    standing = {header: engine.standing(header) for header in second.settled if engine.compiled_at(header)}
    engine.save()
    print(json.dumps({
        "asked": second.asked_for, "settled": second.settled, "moves": second.moves, "standing": standing, "told": engine.told(),
        "plain": plain, "open": [header for header, one in engine.trials.open.items() if one[1] == ALL],
        "units": {header: unit_at(engine, header) for header in second.settled},
        "learned": tiers.levels[ALL].faster, "registers": [process.cpu.read("x", number) for number in (12, 13)]}))
    assert outcome is not None
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
