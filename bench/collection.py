"""A guest with two threads that makes code all the time: how much of it is collected, and for how long threads stop for that:
`python -m bench.collection`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.contenders import HERE, Contender, build, contenders, header, parser, print_header
from bench.measure import Failed, conclude, median, progress, spread

SOURCE = HERE / "calls" / "churn.c"
MEBIBYTES = 10      # of guest code, which is some 80 MB of the host's
KINDS = {"reuse": "written over", "fresh": "left behind", "dual": "written through another mapping"}
STOPPED = 1.0       # milliseconds, at most, for 99 % of the stops


@dataclass
class Churned:
    """One run. Times in seconds, `collected` in millions of bytes, `memory` in KiB at most, stops in milliseconds."""

    wall: float
    cpu: float
    memory: int
    collections: int = 0
    collected: float = 0.0
    again: int = 0          # per cent of what was collected that was translated again
    stops: int = 0
    most: float = 0.0       # 99 % of the stops are not longer
    longest: float = 0.0


def churn(command: list[str], environment: Mapping[str, str] | None = None) -> Churned:
    """Run a guest's program under Xenos with --stats and read what it tells; `Failed` if a sum in it was wrong."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        shown, told = output.read(), errors.read()
    if process.returncode or " sums\n" not in shown:
        raise Failed(f"{' '.join(command)[-200:]}: status {process.returncode}: {told[-500:]}")

    def number(pattern: str) -> float:
        found = re.search(pattern, told)
        return float(found[1].replace(",", "")) if found else 0.0

    return Churned(number(r"([\d.]+) s wall"), used.ru_utime + used.ru_stime, used.ru_maxrss,
                   int(number(r"([\d,]+) collections gave")), number(r"gave back ([\d,.]+) MB"),
                   int(number(r"(\d+) % was translated again")), int(number(r"([\d,]+) stops of guest threads")),
                   number(r"99 % at most ([\d.]+) ms"), number(r"longest ([\d.]+) ms"))


def command_of(xenos: Contender, program: Path, *arguments: str) -> list[str]:
    """`xenos run --stats` of the program."""
    return [*xenos.prefix, "--stats", str(program), *arguments]


def print_runs(kind: str, runs: list[Churned]) -> None:
    """A line of medians."""
    last = runs[-1]
    most, cpu = [one.most for one in runs], [one.cpu for one in runs]
    print(f"{KINDS[kind]:33}{median([one.collected for one in runs]):.0f} MB collected in {last.collections} collections, "
          f"{median([float(one.again) for one in runs]):.0f} % again; {last.stops:,} stops: 99 % {median(most):.2f} ms "
          f"+-{spread(most) * 100:.0f}% (at most {STOPPED:g}: {'met' if median(most) <= STOPPED else 'MISSED'}), "
          f"longest {max(one.longest for one in runs):.2f} ms; "
          f"{median(cpu):.2f} s of processor +-{spread(cpu) * 100:.0f}%, {max(one.memory for one in runs) / 1024:.0f} MiB at most")


def main() -> int:
    """The command; status 1 if something could not be run."""
    chosen = parser("What collecting translated code costs.", rounds=3).parse_args()
    chosen.engines = "xenos"
    return conclude(lambda: figures(chosen), chosen.json)


def figures(chosen: argparse.Namespace) -> dict[str, object]:
    """Measure and print; gives all figures."""
    runs: dict[str, list[Churned]] = {kind: [] for kind in KINDS}
    with contenders(chosen) as used:
        facts = header(chosen, used, "none")
        print_header(f"{MEBIBYTES} MiB of guest code made by two threads, each function called a few times", facts)
        program = build(SOURCE, guest=True)
        for number in range(chosen.rounds):
            progress(f"round {number + 1} of {chosen.rounds}")
            for kind, made in runs.items():
                made.append(churn(command_of(used["xenos"], program, "2", str(MEBIBYTES), kind), used["xenos"].environment))
        progress("")
        for kind, made in runs.items():
            print_runs(kind, made)
    return {"header": facts, **{kind: [asdict(one) for one in made] for kind, made in runs.items()}}


if __name__ == "__main__":
    sys.exit(main())
