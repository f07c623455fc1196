"""What second levels of optimization gain: kernels run until a verdict is there on the regions that were compiled once more:
`python -m bench.levels`.

Each region is compared with what it was before, by turns, in one run of its program (docs/regions.md); `--stats` tells by how much.
"""

from __future__ import annotations

import re
import sys
from dataclasses import asdict, dataclass

from bench.contenders import Contender, build, contenders, header, parser, print_header
from bench.kernels import Kernel, all_kernels
from bench.measure import Failed, conclude, geometric_mean, progress, run
from bench.programs import forget

TOLD = re.compile(r"([\d,]+) (faster so|not made|not|to be seen)(?: \(([\d.]+)(?: to ([\d.]+))? x the time\))?")


@dataclass
class Levels:
    """What became of one kernel's regions: by verdict, how many, and how many times as long they took, from least to most."""

    name: str
    verdicts: dict[str, tuple[int, float, float]]


def measure(kernel: Kernel, xenos: Contender) -> Levels:
    """One run with an empty cache, or another one if that had no verdict yet."""
    forget(xenos)
    command = xenos.command(build(kernel.source, guest=True), str(kernel.iterations))
    command.insert(len(xenos.prefix), "--stats")
    found: dict[str, tuple[int, float, float]] = {}
    for _ in range(2):
        told = run(command, xenos.environment).told
        line = re.search(r"were worth all passes: (.*)", told)
        found |= {what: (int(count.replace(",", "")), float(least or 0), float(most or least or 0))
                  for count, what, least, most in TOLD.findall(line[1] if line else "")}
        if found.keys() & {"faster so", "not"}:
            break
    return Levels(f"{kernel.group}/{kernel.source.stem}", found)


def main() -> int:
    """The command; status 1 if something could not be run."""
    made = parser("What second levels of optimization gain.", rounds=1)
    made.add_argument("--only", default="", metavar="REGEX", help="only kernels whose group/name matches")
    made.add_argument("--scale", type=float, default=20.0, help="iterations times this; 1 is about 0.5 s native (%(default)s)")
    chosen = made.parse_args()
    chosen.engines, chosen.engine = "xenos", "region"

    def figures() -> dict[str, object]:
        kernels = all_kernels(chosen.only, chosen.scale)
        if not kernels:
            raise Failed(f"no kernel's name matches {chosen.only}")
        with contenders(chosen) as used:
            facts = header(chosen, used, "the same regions as they were made first, with few passes, in turn in the same run")
            print_header(f"second levels of {len(kernels)} kernels", facts)
            every = []
            for kernel in kernels:
                progress(kernel.source.stem)
                every.append(measure(kernel, used["xenos"]))
            progress("")
        print_table(every)
        return {"header": facts, "kernels": [asdict(one) for one in every]}

    return conclude(figures, chosen.json)


def print_table(every: list[Levels]) -> None:
    """A line for each kernel, then what those gained that stay."""
    print(f"{'':28}{'stay':>22}{'go':>22}")
    for one in every:
        cells = []
        for what in ("faster so", "not"):
            count, least, most = one.verdicts.get(what, (0, 0.0, 0.0))
            cells.append(f"{count}: {least:.2f} x" + (f" to {most:.2f} x" if most > least else "") if count else "-")
        others = ", ".join(f"{one.verdicts[what][0]} {what}" for what in ("not made", "to be seen") if what in one.verdicts)
        print(f"{one.name:28}{cells[0]:>22}{cells[1]:>22}  {others or ('' if one.verdicts else 'none was worth it')}")
    stay = [one.verdicts["faster so"][1:] for one in every if "faster so" in one.verdicts]
    if stay:
        print(f"\nthose that stay: {geometric_mean(value for pair in stay for value in pair):.2f} x the time, "
              f"in {len(stay)} of {len(every)} kernels")


if __name__ == "__main__":
    sys.exit(main())
