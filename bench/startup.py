"""How soon: a static hello by the clock, a guest's `python3 -c 'print(1)'` cold and warm: `python -m bench.startup`."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from bench.contenders import HERE, Contender, build, contenders, header, parser, print_header, sysroot
from bench.kernels import verdict
from bench.measure import Failed, conclude, median, progress, run, spread

# What Xenos must keep to: seconds by the clock for hello, of processor time for translating python3.
HELLO, TRANSLATION = 0.035, 0.6


def hello(used: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Seconds by the clock, warm, and those of a bare Python that does nothing, which nothing in Python can beat."""
    source = HERE / "workloads" / "hello.c"
    commands: dict[str, tuple[list[str], dict[str, str] | None]]
    commands = {"bare python": ([sys.executable, "-I", "-S", "-c", "pass"], None)}
    for name, contender in used.items():
        commands[name] = contender.command(build(source, guest=name != "native")), contender.environment
    times: dict[str, list[float]] = {name: [] for name in commands}
    for command, environment in commands.values():
        run(command, environment)
    for number in range(rounds):
        progress(f"hello, round {number + 1} of {rounds}")
        for name, (command, environment) in commands.items():
            done = run(command, environment)
            if done.output != (b"" if name == "bare python" else b"hello\n"):
                raise Failed(f"hello: {name} printed {done.output!r}")
            times[name].append(done.wall)
    progress("")
    return times


def python(used: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of the guest's python3, the first of each contender with an empty cache."""
    root = sysroot()
    times: dict[str, list[float]] = {name: [] for name in used if name != "native"}
    for number in range(rounds):
        progress(f"python3, round {number + 1} of {rounds}")
        for name, taken in times.items():
            command = used[name].command(root / "usr" / "bin" / "python3", "-c", "print(1)", sysroot=root)
            done = run(command, used[name].environment)
            if done.output != b"1\n":
                raise Failed(f"python3: {name} printed {done.output!r}")
            taken.append(done.cpu)
    progress("")
    return times


def cold(used: dict[str, Contender], rounds: int) -> list[float]:
    """Seconds of processor time of Xenos's first run of python3, the translated code removed before each."""
    taken = []
    xenos = used["xenos"]
    assert xenos.environment is not None
    for number in range(rounds):
        progress(f"python3, first run {number + 1} of {rounds}")
        folder = Path(xenos.environment["XDG_CACHE_HOME"])
        for entry in folder.iterdir():
            shutil.rmtree(entry)
        run(xenos.command(build(HERE / "workloads" / "hello.c", guest=True)), xenos.environment)
        root = sysroot()
        done = run(xenos.command(root / "usr" / "bin" / "python3", "-c", "print(1)", sysroot=root), xenos.environment)
        taken.append(done.cpu)
    progress("")
    return taken


def main() -> int:
    """The command; status 1 if something could not be run or printed another result."""
    chosen = parser("How soon a program starts.", rounds=20).parse_args()
    return conclude(lambda: figures(chosen), chosen.json)


def figures(chosen: argparse.Namespace) -> dict[str, object]:
    """Measure and print; gives all figures."""
    found: dict[str, dict[str, list[float]]] = {}
    with contenders(chosen) as used:
        facts = header(chosen, used, "bare python: " + Path(sys.executable).name + " -I -S -c pass")
        print_header("start-up", facts)
        found["hello, wall"] = hello(used, chosen.rounds)
        print("static hello, warm, wall time")
        for name, times in found["hello, wall"].items():
            goal = f" (at most {HELLO * 1000:.0f}: {verdict(median(times), HELLO)})" if name == "xenos" else ""
            print(f"  {name:12} {median(times) * 1000:7.1f} ms +-{spread(times) * 100:.0f}%{goal}")
        if (sysroot() / "usr" / "bin" / "python3").exists():
            show_python(used, chosen.rounds, found)
        else:
            print(f"python3: no guest programs in {sysroot()}: scripts/prepare-tests fetches them")
    return {"header": facts, **found}


def show_python(used: dict[str, Contender], rounds: int, figures: dict[str, dict[str, list[float]]]) -> None:
    """Measure and print the two lines on python3."""
    rounds = max(1, rounds // 4)
    first = cold(used, rounds) if "xenos" in used else []
    again = figures["python3, cpu"] = python(used, rounds)
    print(f"\nguest python3 -c 'print(1)', user and system CPU time, {rounds} rounds")
    for name, times in again.items():
        line = f"  {name:12} {median(times) * 1000:7.0f} ms +-{spread(times) * 100:.0f}%"
        if name == "xenos":
            limit = median(again.get("qemu", []))
            line += f" second run (at most qemu's: {verdict(median(times), limit)})"
        print(line)
    if first:
        figures["python3 first, cpu"] = {"xenos": first}
        extra = median(first) - median(again["xenos"])
        print(f"  {'xenos':12} {median(first) * 1000:7.0f} ms +-{spread(first) * 100:.0f}% first run; over the second, "
              f"so for translation: {extra * 1000:.0f} ms "
              f"(at most {TRANSLATION * 1000:.0f}: {verdict(extra, TRANSLATION)})")


if __name__ == "__main__":
    sys.exit(main())
