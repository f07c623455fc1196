"""Debian's python3, lua and sqlite3 as guests over the same versions native: `python -m bench.programs`.

The native ones are of the same Debian as the guests, unpacked by `scripts/prepare-tests bench` and started through
their own ld.so; where they are missing, those on the path are taken, and the table says so.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import HERE, Contender, cache_folder, contenders, header, parser, print_header, sysroot
from bench.measure import Failed, conclude, median, progress, run, spread

WORKLOADS = HERE / "workloads"
# Rounds of each workload that take about a second of native code on the machine where they were chosen.
WEIGHTS = {"python3": 60, "lua5.4": 60, "sqlite3": 400_000}


@dataclass
class Program:
    """One program with its workload, and seconds by contender."""

    name: str
    arguments: list[str]
    times: dict[str, list[float]] = field(default_factory=dict)

    def over(self, name: str, other: str) -> float:
        """Time over that of another contender."""
        return median(self.times.get(name, [])) / median(self.times.get(other, []))


def programs(folder: Path, scale: float, only: str) -> list[Program]:
    """The three, with their scripts; the one in SQL is written to `folder` with its number in it."""
    count = {name: max(1, round(weight * scale)) for name, weight in WEIGHTS.items()}
    statements = folder / "mixed.sql"
    statements.write_text((WORKLOADS / "mixed.sql").read_text().replace(":n", str(count["sqlite3"])))
    made = [Program("python3", ["-I", "-S", str(WORKLOADS / "mixed.py"), str(count["python3"])]),
            Program("lua5.4", [str(WORKLOADS / "mixed.lua"), str(count["lua5.4"])]),
            Program("sqlite3", [":memory:", f".read {statements}"])]
    return [program for program in made if only in program.name]


def native(program: str) -> tuple[list[str], str]:
    """Command, and a word on where it is from."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    root = cache_folder() / "sysroots" / machine
    loaders = sorted((root / "usr").glob("lib*/ld-linux*.so*"))
    if loaders and (root / "usr" / "bin" / program).exists():
        libraries = ":".join(str(path) for path in sorted((root / "usr" / "lib").glob("*-linux-gnu")))
        command = [str(loaders[0]), "--library-path", libraries, str(root / "usr" / "bin" / program)]
        return command, "same Debian as the guest"
    found = shutil.which(program)
    if not found:
        raise Failed(f"no native {program}: scripts/prepare-tests bench fetches it")
    return [found], f"{found}, of another version"


def one_round(program: Program, used: dict[str, Contender], outputs: dict[str, bytes]) -> None:
    """Each contender once."""
    for name, contender in used.items():
        if name == "native":
            done = run([*native(program.name)[0], *program.arguments])
        else:
            root = sysroot()
            guest = root / "usr" / "bin" / program.name
            done = run(contender.command(guest, *program.arguments, sysroot=root), contender.environment)
        if done.output != outputs.setdefault(program.name, done.output):
            raise Failed(f"{program.name}: {name} printed something else than {next(iter(used))}")
        program.times.setdefault(name, []).append(done.cpu)


def print_table(measured: list[Program], used: dict[str, Contender]) -> None:
    """A line for each program: native seconds, then the others as multiples of native, or seconds without one."""
    for program in measured:
        line = f"{program.name:10}"
        for name in used:
            times = program.times[name]
            value = f"{median(times):.2f} s"
            if name != "native" and "native" in used:
                value += f" = {program.over(name, 'native'):.2f} x"
            line += f"   {name} {value} +-{spread(times) * 100:.0f}%"
        if "qemu" in used and "xenos" in used:
            first = program.times["xenos"][0] / median(program.times["qemu"])
            line += f"   xenos over qemu: {program.over('xenos', 'qemu'):.2f} (first run {first:.2f})"
        print(line)


def options() -> argparse.Namespace:
    made = parser("Real programs over native code.", rounds=3)
    made.add_argument("--only", default="", metavar="TEXT", help="only programs whose name has it")
    made.add_argument("--scale", type=float, default=1.0, help="work times this; 1 is about a second of native code")
    return made.parse_args()


def main() -> int:
    """The command; status 1 if something could not be run or printed another result."""
    chosen = options()
    return conclude(lambda: figures(chosen), chosen.json)


def figures(chosen: argparse.Namespace) -> dict[str, object]:
    """Measure and print; gives all figures."""
    if not (sysroot() / "usr" / "bin" / "python3").exists():
        raise Failed(f"no guest programs in {sysroot()}: scripts/prepare-tests fetches them")
    with tempfile.TemporaryDirectory() as folder, contenders(chosen) as used:
        measured = programs(Path(folder), chosen.scale, chosen.only)
        facts = header(chosen, used, "native programs" if "native" in used else "none")
        if "native" in used:
            facts["native"] = ", ".join(f"{p.name}: {native(p.name)[1]}" for p in measured)
        print_header("real programs, CPU time of the process tree", facts)
        outputs: dict[str, bytes] = {}
        for number in range(chosen.rounds):
            for program in measured:
                progress(f"round {number + 1} of {chosen.rounds}: {program.name}")
                one_round(program, used, outputs)
        progress("")
        print_table(measured, used)
    return {"header": facts, "programs": {p.name: p.times for p in measured}}


if __name__ == "__main__":
    sys.exit(main())
