"""Our own kernels over native code, whole runs and steady state, qemu beside them: `python -m bench.kernels`.

Each kernel prints a checksum, which must be the same everywhere. Time is processor time of the process tree. The steady
state is what 2n iterations cost more than n: start and translation cancel out. Of first runs the time by the clock is told as well:
what workers do meanwhile, nobody waits for.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import HERE, Contender, build, contenders, header, parser, print_header
from bench.measure import Failed, Run, conclude, geometric_mean, median, progress, run, spread

KERNELS = HERE / "kernels"
GROUPS = ("integer", "calls", "floating")
# What Xenos must reach with an engine, as a multiple of native time: whole runs, the first one, those after it, steady state.
ANY = math.inf
TARGETS = {"stencil": {"integer": (2.3, ANY, ANY, 2.0), "calls": (2.0, ANY, ANY, 1.7), "floating": (3.5, ANY, ANY, 3.0)},
           "region": {"integer": (ANY, 1.9, 1.45, 1.3), "calls": (ANY, 1.7, 1.4, 1.25), "floating": (ANY, 2.3, 1.65, 1.5)}}
ENGINES = tuple(TARGETS)
AS_GOOD = 1.05      # times what it takes with stencils alone


@dataclass
class Kernel:
    """One kernel and its times, by contender: seconds of n iterations, and of 2n."""

    source: Path
    iterations: int
    once: dict[str, list[float]] = field(default_factory=dict)
    twice: dict[str, list[float]] = field(default_factory=dict)
    clock: dict[str, list[float]] = field(default_factory=dict)     # as `once`, by the clock

    @property
    def group(self) -> str:
        return self.source.parent.name

    def whole(self, name: str) -> float:
        """Time of a whole run over native."""
        return median(self.once.get(name, [])) / median(self.once.get("native", []))

    def first(self, name: str) -> float:
        """The first run, when nothing of the program is translated yet, over native."""
        return self.once[name][0] / median(self.once["native"]) if self.once.get(name) else math.nan

    def first_clock(self, name: str) -> float:
        """The first run by the clock, over native."""
        return self.clock[name][0] / median(self.clock["native"]) if self.clock.get(name) else math.nan

    def warm(self, name: str) -> float:
        """The runs after the first, over native."""
        return median(self.once[name][1:]) / median(self.once["native"]) if len(self.once.get(name, [])) > 1 else math.nan

    def steady(self, name: str) -> float:
        """Time of an iteration, start and translation left out, over native."""
        return self._slope(name) / self._slope("native")

    def _slope(self, name: str) -> float:
        # The first round, in which everything is translated, would take from the difference what is not in it.
        once, twice = self.once.get(name, []), self.twice.get(name, [])
        return median(twice[1:] or twice) - median(once[1:] or once)


def all_kernels(only: str, scale: float) -> list[Kernel]:
    """In the order of groups; the count of iterations stands in the source."""
    found = []
    for group in GROUPS:
        for source in sorted((KERNELS / group).glob("*.c")):
            count = re.search(r"^#define ITERATIONS (\d+)$", source.read_text(), re.MULTILINE)
            if count and re.search(only, f"{group}/{source.stem}"):
                found.append(Kernel(source, max(1, round(int(count[1]) * scale))))
    return found


def one_round(kernel: Kernel, used: dict[str, Contender], steady: set[str], outputs: dict[int, Run]) -> None:
    """Each contender once, with n and, of those in `steady`, with 2n iterations; in an order of chance, for where a program's pages
    come to lie depends on who ran before."""
    for factor, times in ((1, kernel.once), (2, kernel.twice)):
        for name, contender in random.sample(list(used.items()), len(used)):
            if factor == 2 and name not in steady:
                continue
            program = build(kernel.source, guest=name != "native")
            done = run(contender.command(program, str(kernel.iterations * factor)), contender.environment)
            expected = outputs.setdefault(factor, done)
            if done.output != expected.output:
                raise Failed(f"{kernel.source.stem}: {name} printed {done.output!r} instead of {expected.output!r}")
            times.setdefault(name, []).append(done.cpu)
            if factor == 1:
                kernel.clock.setdefault(name, []).append(done.wall)


def print_table(kernels: list[Kernel], used: dict[str, Contender]) -> None:
    """A line for each kernel, then the geometric means."""
    print(f"{'':28}{'native':>14}" + "".join(f"{name:>14}" + f"{'first':>8}{'warm':>8}{'steady':>8}" * (name in ENGINES)
                                             for name in used if name != "native"))
    for kernel in kernels:
        line = f"{kernel.group + '/' + kernel.source.stem:28}"
        for name in used:
            times = kernel.once[name]
            value = f"{median(times):.2f} s" if name == "native" else f"{kernel.whole(name):.2f} x"
            line += f"{value:>8} +-{spread(times) * 100:2.0f}%"
            if name in ENGINES:
                line += f"{kernel.first(name):8.2f}{kernel.warm(name):8.2f}{kernel.steady(name):8.2f}"
        print(line)


def summarize(kernels: list[Kernel], used: dict[str, Contender]) -> dict[str, dict[str, float]]:
    """Geometric means per group over native, printed with what was to be reached."""
    print("\ngeometric means over native")
    means: dict[str, dict[str, float]] = {}
    for group in GROUPS:
        members = [kernel for kernel in kernels if kernel.group == group]
        if not members or "native" not in used:
            continue
        row = {name: geometric_mean(kernel.whole(name) for kernel in members) for name in used if name != "native"}
        for name, mean in list(row.items()):
            most = TARGETS.get(name, {}).get(group, (ANY,) * 4)
            line = f"  {group:10} {len(members):2} kernels   {name:7} {mean:5.2f} x{bound(mean, most[0])}"
            for limit, kind in zip(most[1:], ("first", "warm", "steady"), strict=True):
                if name in ENGINES:
                    of = getattr(Kernel, kind)
                    row[f"{name} {kind}"] = mean = geometric_mean(of(kernel, name) for kernel in members)
                    line += f"   {kind} {mean:5.2f} x{bound(mean, limit)}"
                    if kind == "first":
                        row[f"{name} first, clock"] = clock = geometric_mean(kernel.first_clock(name) for kernel in members)
                        # What has a limit is to be shorter by the clock, too.
                        line += f", by the clock {clock:.2f} x" + f" (less: {verdict(clock, mean)})" * (limit < ANY)
            print(line)
        means[group] = row
    return means


def compare(kernels: list[Kernel]) -> dict[str, dict[str, float]]:
    """Which kernels regions make slower than stencils alone, in warm runs or in the steady state; printed."""
    slower: dict[str, dict[str, float]] = {}
    for kind in ("warm", "steady"):
        of = getattr(Kernel, kind)
        over = {kernel.source.stem: of(kernel, "region") / of(kernel, "stencil") for kernel in kernels}
        slower[kind] = {name: ratio for name, ratio in over.items() if ratio > AS_GOOD}
        names = ", ".join(f"{name} {ratio:.2f} x" for name, ratio in slower[kind].items())
        print(f"  {kind:6} over stencils: {geometric_mean(over.values()):.2f} x"
              f"; more than {AS_GOOD:g} x (none is to be): {names or 'none'}")
    return slower


def bound(value: float, most: float) -> str:
    """What was to be reached, and whether it was; nothing where there is no bound."""
    return f" (at most {most}: {verdict(value, most)})" if most < math.inf else ""


def verdict(value: float, most: float) -> str:
    """In a word, whether a bound is kept."""
    return "unknown" if math.isnan(value) or math.isnan(most) else "met" if value <= most else "MISSED"


def options() -> argparse.Namespace:
    made = parser("Our own kernels over native code.", rounds=3)
    made.add_argument("--only", default="", metavar="REGEX", help="only kernels whose group/name matches")
    made.add_argument("--scale", type=float, default=1.0, help="iterations times this; 1 is about 0.5 s native")
    made.add_argument("--steady", default="native,xenos", metavar="ENGINES",
                      help="those that also run 2n iterations (%(default)s)")
    made.set_defaults(engine=",".join(ENGINES))
    return made.parse_args()


def main() -> int:
    """The command; status 1 if something could not be run or printed another result."""
    chosen = options()
    return conclude(lambda: figures(chosen), chosen.json)


def figures(chosen: argparse.Namespace) -> dict[str, object]:
    """Measure and print; gives all figures."""
    kernels = all_kernels(chosen.only, chosen.scale)
    kinds = chosen.engine.split(",")
    if unknown := set(kinds) - set(ENGINES):
        raise Failed(f"no such engine: {', '.join(sorted(unknown))}")
    steady = {kind for name in chosen.steady.split(",") for kind in (kinds if name == "xenos" else [name])}
    with contenders(chosen) as found:
        used = {kind: found[name].with_engine(kind) if name == "xenos" else found[name]
                for name in found for kind in (kinds if name == "xenos" else [name])}
        facts = header(chosen, found, "native: gcc -O2 -static, guest: riscv64 gcc -O2 -march=rv64gc -static")
        print_header(f"{len(kernels)} kernels, CPU time of the process tree over native", facts)
        outputs: list[dict[int, Run]] = [{} for _ in kernels]
        for number in range(chosen.rounds):
            for kernel, known in zip(kernels, outputs, strict=True):
                progress(f"round {number + 1} of {chosen.rounds}: {kernel.source.stem}")
                one_round(kernel, used, steady, known)
        progress("")
        print_table(kernels, used)
        means = summarize(kernels, used)
        slower = compare(kernels) if set(ENGINES) <= used.keys() and chosen.rounds > 1 else {}
    rows = [{"group": k.group, "name": k.source.stem, "iterations": k.iterations, "once": k.once, "twice": k.twice,
             "clock": k.clock}
            for k in kernels]
    return {"header": facts, "kernels": rows, "means": means, "slower": slower}


if __name__ == "__main__":
    sys.exit(main())
