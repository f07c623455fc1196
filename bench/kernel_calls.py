"""What system calls, threads, processes and signals cost, beside native and qemu: `python -m bench.kernel_calls`."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import HERE, Contender, build, contenders, header, parser, print_header, sysroot
from bench.kernels import verdict
from bench.measure import conclude, median, progress, run, spread

SOURCE = HERE / "calls" / "costs.c"
WIDTH = 42      # of a column
TWO = 1.9       # two threads over one
TURN = 1_000_000  # steps that a thread computes between two looks at the clock
# In guest bash, 35 programs: what a small configure script starts.
MANY = 35
SCRIPT = f"for n in {{1..{MANY}}}; do /usr/bin/true; done"


@dataclass
class Cost:
    """One thing that is done `count` times; nanoseconds for each, by contender. `limit` is of a ratio or in nanoseconds.

    `times` are by the clock, `processor` is processor time, which other load on the machine does not lengthen.
    """

    name: str
    label: str
    count: int
    limit: float
    over: str = ""      # whose time the limit is a multiple of; empty for one by the clock
    without: str = ""   # who cannot do it
    times: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, list[float]] = field(default_factory=dict)

    def value(self, name: str) -> float:
        """The median of a contender, or nan."""
        return median(self.times.get(name, []))

    def judged(self) -> str:
        """The limit, and whether Xenos keeps to it."""
        measured = self.value("xenos") / self.value(self.over) if self.over else self.value("xenos")
        wanted = f"{self.limit:g} x {self.over}" if self.over else f"{text(self.limit)}"
        return f"(at most {wanted}: {verdict(measured, self.limit)})"


def text(nanoseconds: float) -> str:
    """With a unit that leaves few digits."""
    for unit, size in (("ns", 1.0), ("us", 1e3), ("ms", 1e6)):
        if nanoseconds < 1000 * size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds / 1e9:.2f} s"


def costs() -> list[Cost]:
    """The list, with the limits that the project keeps to; counts take some 0.05 s of native code."""
    return [
        Cost("getppid", "getppid", 500_000, 1.25, "native"),
        Cost("write", "write of 1 byte to /dev/null", 500_000, 1.25, "native"),
        Cost("read", "read of 64 bytes of /dev/zero", 500_000, 1.25, "native"),
        Cost("clock_gettime", "clock_gettime", 1_000_000, 2, "native"),
        Cost("mutex", "uncontended mutex, lock and unlock", 3_000_000, 0.5, "qemu"),
        Cost("thread", "thread, created and joined", 1_000, 150e3),
        Cost("fault", "SIGSEGV, handled", 10_000, 20e3),
        Cost("fork", "fork, exit, wait", 20, 25e6),
        # qemu gives what its guest executes to the host's kernel, which knows no such programs.
        Cost("exec", "fork, exec, exit, wait (static)", 20, 25e6, without="qemu"),
    ]


def measure(cost: Cost, used: dict[str, Contender]) -> None:
    """Once by each contender, in turn."""
    for name, contender in used.items():
        if name != cost.without:
            wall, processor = once(contender, cost.name, cost.count, name)
            cost.times.setdefault(name, []).append(wall)
            cost.processor.setdefault(name, []).append(processor)


def once(contender: Contender, what: str, count: int, name: str) -> tuple[float, float]:
    """Nanoseconds by the clock and of processor time, as the program itself saw them."""
    command = contender.command(build(SOURCE, guest=name != "native"), what, str(count))
    wall, processor = run(command, contender.environment).output.split()
    return float(wall), float(processor)


def scaling(used: dict[str, Contender], alone: dict[str, list[float]], both: dict[str, list[float]]) -> None:
    """Nanoseconds for a turn of work, where one thread works for a second and where two do."""
    for name, contender in used.items():
        for what, times in (("one", alone), ("two", both)):
            times.setdefault(name, []).append(once(contender, what, TURN, name)[0])


def print_costs(measured: list[Cost], used: dict[str, Contender]) -> None:
    """A line for each."""
    for cost in measured:
        line = f"{cost.label:36}"
        for name in used:
            if name not in cost.times:
                line += f"{name} -".ljust(WIDTH)
                continue
            entry = f"{name} {text(cost.value(name))}"
            if name != "native" and "native" in used:
                entry += f" = {cost.value(name) / cost.value('native'):.2f} x"
            entry += f" +-{spread(cost.times[name]) * 100:.0f}%"
            if not cost.over:
                entry += f", cpu {text(median(cost.processor[name]))}"
            line += entry.ljust(WIDTH)
        print(line + (cost.judged() if "xenos" in used and (not cost.over or cost.over in used) else ""))


def print_scaling(alone: dict[str, list[float]], both: dict[str, list[float]]) -> None:
    """How much more two threads do than one in the same time: the best rounds of each, for other load only takes away."""
    line = f"{'two threads over one':36}"
    times = {name: min(alone[name]) / min(both[name]) for name in both}
    for name, more in times.items():
        rounds = [one / two for one, two in zip(alone[name], both[name], strict=True)]
        line += f"{name} {more:.2f} x +-{spread(rounds) * 100:.0f}%".ljust(WIDTH)
    if "xenos" in times:
        met = "met" if times["xenos"] >= TWO else "MISSED"
        if met == "MISSED" and times.get("native", TWO) < TWO:
            met = "not to be seen where native itself has no two processors to itself"
        line += f"(at least {TWO} x: {met})"
    print(line)


def print_programs(used: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """The library of stencils built from nothing, and programs started one after another by a guest's shell."""
    xenos = used["xenos"]
    hello = xenos.command(build(HERE / "workloads" / "hello.c", guest=True))
    assert xenos.environment is not None
    first, shell = [], []
    for _ in range(max(1, rounds // 3)):
        progress("library of stencils")
        for entry in Path(xenos.environment["XDG_CACHE_HOME"]).iterdir():
            shutil.rmtree(entry)
        first.append(run(hello, xenos.environment))
    cpu, wall = [done.cpu for done in first], [done.wall for done in first]
    progress("")
    print(f"{'stencil library, from nothing':36}{median(cpu):.2f} s of processor +-{spread(cpu) * 100:.0f}%, "
          f"{median(wall):.2f} s by the clock +-{spread(wall) * 100:.0f}%")
    root = sysroot()
    if (root / "usr" / "bin" / "bash").exists():
        command = xenos.command(root / "usr" / "bin" / "bash", "-c", SCRIPT, sysroot=root)
        run(command, xenos.environment)
        for number in range(rounds):
            progress(f"{MANY} programs, round {number + 1} of {rounds}")
            shell.append(run(command, xenos.environment))
        wall = [done.wall for done in shell]
        cpu = [done.cpu for done in shell]
        progress("")
        print(f"{f'{MANY} x true, from guest bash':36}{median(wall):.2f} s by the clock +-{spread(wall) * 100:.0f}%, "
              f"{median(wall) / MANY * 1000:.0f} ms each; {median(cpu):.2f} s of processor")
    return {"library, cpu": [done.cpu for done in first], "library, wall": [done.wall for done in first],
            "shell, wall": [done.wall for done in shell]}


def main() -> int:
    """The command; status 1 if something could not be run."""
    options = parser("What the kernel's services cost a guest.", rounds=9)
    options.add_argument("--only", default="", metavar="TEXT", help="only costs whose name has it")
    chosen = options.parse_args()
    return conclude(lambda: figures(chosen), chosen.json)


def figures(chosen: argparse.Namespace) -> dict[str, object]:
    """Measure and print; gives all figures."""
    measured = [cost for cost in costs() if chosen.only in cost.name]
    alone: dict[str, list[float]] = {}
    both: dict[str, list[float]] = {}
    more: dict[str, list[float]] = {}
    with contenders(chosen) as used:
        facts = header(chosen, used, "native" if "native" in used else "none")
        print_header("kernel services, time each by the clock", facts)
        for number in range(chosen.rounds):
            progress(f"round {number + 1} of {chosen.rounds}")
            for cost in measured:
                measure(cost, used)
            if chosen.only in "scaling":
                scaling(used, alone, both)
        progress("")
        print_costs(measured, used)
        if both:
            print_scaling(alone, both)
        if "xenos" in used and chosen.only in "programs":
            more = print_programs(used, chosen.rounds)
    return {"header": facts, "costs": {c.name: c.times for c in measured}, "processor": {c.name: c.processor for c in measured},
            "a turn, one thread": alone, "two threads": both, **more}


if __name__ == "__main__":
    sys.exit(main())
