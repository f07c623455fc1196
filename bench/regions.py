"""What regions cost: processor time of workers, memory of parent and workers, and whether a start is as fast as without them:
`python -m bench.regions`.

Memory is PSS, in which what several processes share counts once, each a part; the parent's is RSS, as it would be alone.
It is looked at every few milliseconds, so that a shorter peak may be missed; guests are the kernels, and the real programs.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.contenders import HERE, Contender, build, contenders, header, parser, print_header
from bench.kernels import all_kernels, verdict
from bench.measure import Failed, conclude, median, progress, run, spread
from bench.programs import forget, programs

# What must be kept to: seconds of workers for each guest instruction, bytes over the stencil engine's in the parent, bytes of all.
INSTRUCTION, PARENT, TREE = 300e-6, 40e6, 150e6
LARGE = 100e6           # bytes that a program takes with stencils, from which on its own memory is what counts
START = 1.1             # times the stencil engine's time for a static hello is as good as unchanged
LOOK = 0.01             # seconds between two looks at a tree's memory
TOLD = {"regions": r"([\d,]+) regions of", "instructions": r"regions of ([\d,]+) instructions compiled",
        "workers": r"workers: ([\d,]+) started", "starting": r"started in ([\d.]+) s", "working": r"time, ([\d.]+) s for jobs"}


@dataclass
class Cost:
    """One program run with regions: what `--stats` told of workers, bytes at most, and those of the stencil engine's parent."""

    name: str
    told: dict[str, float] = field(default_factory=dict)
    tree: int = 0
    parent: int = 0
    stencil: int = 0


@dataclass
class Guest:
    """A program, its arguments, and where it finds its libraries."""

    name: str
    program: Path
    arguments: list[str]
    root: Path | None = None


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def memory(pid: int, kind: str) -> int:
    """Bytes of a process: its `Pss` or `Rss`; none of one that is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{kind}: +(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def watch(command: list[str], environment: dict[str, str] | None) -> tuple[str, int, int]:
    """Run it to its end: what it told, the most bytes of the whole tree, and of the parent."""
    tree = parent = 0
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        while process.poll() is None:
            tree = max(tree, sum(memory(pid, "Pss") for pid in family(process.pid)))
            parent = max(parent, memory(process.pid, "Rss"))
            time.sleep(LOOK)
        errors.seek(0)
        told = errors.read()
    if process.returncode:
        raise Failed(f"{' '.join(command)[-200:]}: status {process.returncode}: {told[-500:]}")
    return told, tree, parent


def number(told: str, what: str) -> float:
    """A number that `--stats` told, or 0."""
    found = re.search(TOLD[what], told)
    return float(found[1].replace(",", "")) if found else 0.0


def measure(guest: Guest, xenos: Contender) -> Cost:
    """Once with each engine, with an empty cache of code."""
    cost = Cost(guest.name)
    for engine in ("stencil", "region"):
        own = xenos.with_engine(engine)
        command = own.command(guest.program, *guest.arguments, sysroot=guest.root)
        command.insert(len(own.prefix), "--stats")
        forget(own)
        told, tree, parent = watch(command, own.environment)
        if engine == "stencil":
            cost.stencil = parent
        else:
            cost.told = {what: number(told, what) for what in TOLD}
            cost.tree, cost.parent = tree, parent
    return cost


def print_costs(costs: list[Cost]) -> dict[str, float]:
    """A line for each, then what was to be kept to."""
    print(f"{'':28}{'regions':>8}{'instructions':>14}{'workers':>9}{'us each':>9}{'parent':>10}{'over stencil':>14}{'tree':>10}")
    for cost in costs:
        instructions = cost.told["instructions"]
        micros = f"{1e6 * cost.told['working'] / instructions:.0f}" if instructions else "-"
        print(f"{cost.name:28}{cost.told['regions']:8.0f}{instructions:14,.0f}{cost.told['workers']:9.0f}{micros:>9}"
              f"{cost.parent / 1e6:7.1f} MB{(cost.parent - cost.stencil) / 1e6:11.1f} MB{cost.tree / 1e6:7.1f} MB")
    total = {what: sum(cost.told[what] for cost in costs) for what in TOLD}
    each = total["working"] / total["instructions"] if total["instructions"] else math.nan
    over = max(cost.parent - cost.stencil for cost in costs)
    typical = [cost.tree for cost in costs if cost.stencil < LARGE]
    tree = max(typical, default=math.nan)
    print(f"\nworkers, all jobs, those that were refused as well: {1e6 * each:.0f} us for each instruction compiled "
          f"(at most {1e6 * INSTRUCTION:.0f}: {verdict(each, INSTRUCTION)})")
    if total["workers"]:
        print(f"to start a worker: {1000 * total['starting'] / total['workers']:.0f} ms of processor time; "
              f"{total['workers']:.0f} were started for {len(costs)} programs")
    print(f"parent over the stencil engine's: {over / 1e6:.1f} MB (at most {PARENT / 1e6:.0f}: {verdict(over, PARENT)}), RSS")
    print(f"whole tree: {tree / 1e6:.1f} MB (at most {TREE / 1e6:.0f}: {verdict(tree, TREE)}), PSS, of the {len(typical)} programs "
          f"that take less than {LARGE / 1e6:.0f} MB without regions; median {median(map(float, typical)) / 1e6:.1f} MB")
    return {"instruction": each, "parent": float(over), "tree": float(tree), **total}


def starts(xenos: Contender, rounds: int) -> dict[str, list[float]]:
    """Seconds by the clock of a static hello with each engine, in turn, warm."""
    program = build(HERE / "workloads" / "hello.c", guest=True)
    times: dict[str, list[float]] = {"stencil": [], "region": []}
    for turn in range(rounds + 1):
        progress(f"hello, round {turn} of {rounds}")
        for engine, taken in times.items():
            done = run(xenos.with_engine(engine).command(program), xenos.environment)
            if turn:        # the first one fills the cache
                taken.append(done.wall)
    progress("")
    ratio = median(times["region"]) / median(times["stencil"])
    told = [f"{1000 * median(taken):.1f} ms +-{spread(taken) * 100:.0f}% with {engine}s" for engine, taken in times.items()]
    print(f"static hello, {rounds} rounds: {', '.join(told)} (at most {START:g} times as long: {verdict(ratio, START)})")
    return times


def guests(chosen: argparse.Namespace, folder: Path) -> list[Guest]:
    """The kernels, and real programs where they are there."""
    found = [Guest(f"{kernel.group}/{kernel.source.stem}", build(kernel.source, guest=True), [str(kernel.iterations)])
             for kernel in all_kernels(chosen.only, chosen.scale)]
    for program in programs(folder, chosen.scale):
        path = program.guest()
        if path is not None and re.search(chosen.only, program.name):
            found.append(Guest(program.name, path, program.arguments, program.root()))
    return found


def main() -> int:
    """The command; status 1 if something could not be run."""
    made = parser("What regions cost.", rounds=20)
    made.add_argument("--only", default="", metavar="REGEX", help="only guests whose name matches")
    made.add_argument("--scale", type=float, default=1.0, help="work times this; 1 is about 0.5 s native")
    chosen = made.parse_args()
    chosen.engines, chosen.engine = "xenos", "region"
    return conclude(lambda: figures(chosen), chosen.json)


def figures(chosen: argparse.Namespace) -> dict[str, object]:
    """Measure and print; gives all figures."""
    with tempfile.TemporaryDirectory() as folder, contenders(chosen) as used:
        every = guests(chosen, Path(folder))
        facts = header(chosen, used, "the stencil engine")
        facts["rounds"] = f"one of each program with each engine and an empty cache; {chosen.rounds} of hello"
        print_header(f"what regions cost: {len(every)} programs, and {os.cpu_count()} workers at most", facts)
        costs = []
        for guest in every:
            progress(guest.name)
            costs.append(measure(guest, used["xenos"]))
        progress("")
        total = print_costs(costs) if costs else {}
        hello = starts(used["xenos"], chosen.rounds)
    return {"header": facts, "total": total, "hello": hello,
            "programs": [asdict(cost) for cost in costs]}


if __name__ == "__main__":
    sys.exit(main())
