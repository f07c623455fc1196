"""What people run, as guests over the same versions native, first and second run apart: `python -m bench.programs`.

The native ones are of the same Debian as the guests, unpacked by `scripts/prepare-tests bench` and started through
their own ld.so; where they are missing, those on the path are taken, and the table says so. The compiler makes code for the
guest's instruction set on both sides, so that it does the same work; natively, OpenSSL is kept to what each processor of the host's
kind has: the guest has no instructions for vectors and hashes either.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import HERE, Contender, cache_folder, contenders, header, parser, print_header, sysroot
from bench.kernels import verdict
from bench.measure import Failed, Run, conclude, median, progress, run, spread
from bench.workloads.flat import write

WORKLOADS = HERE / "workloads"
# Rounds of each workload that take about a second of native code on the machine where they were chosen.
WEIGHTS = {"python3": 60, "lua5.4": 60, "sqlite3": 400_000, "perl": 80, "hashes": 3_000_000}
PRIME = 2 ** 3217 - 1
LINES = 10_000          # that the compiler gets
# What Xenos must keep to: its first and its second run over native; of a flat program both over qemu.
FIRST, SECOND = 5.0, 3.5
FLAT_FIRST, FLAT_SECOND = 1.0, 0.5
PLAIN = {"OPENSSL_ia32cap": "0:0"}


@dataclass
class Program:
    """One program with its workload, and seconds by contender: of Xenos's engines, of first runs and of second ones.

    `file` is its file below usr/ of its system, `flat` whether nothing in it is hot.
    """

    name: str
    arguments: list[str]
    file: str
    flat: bool = False
    times: dict[str, list[float]] = field(default_factory=dict)

    def root(self) -> Path:
        """The guest's system that it is of."""
        return sysroot().with_name("compilers") if self.flat else sysroot()

    def guest(self) -> Path | None:
        """The guest's program; None where it is not there."""
        return next(self.root().glob(f"usr/{self.file}"), None)

    def over(self, name: str, other: str) -> float:
        """Time over that of another contender; nan where one was not measured."""
        return median(self.times.get(name, [])) / median(self.times.get(other, []))


def programs(folder: Path, scale: float, only: str = "") -> list[Program]:
    """All of them whose name has `only`, with their scripts; what has its number in it is written to `folder`."""
    count = {name: max(1, round(weight * scale)) for name, weight in WEIGHTS.items()}
    statements, source = folder / "mixed.sql", folder / "flat.c"
    statements.write_text((WORKLOADS / "mixed.sql").read_text().replace(":n", str(count["sqlite3"])))
    write(source, max(500, round(LINES * scale)))
    derive = [f"{name}:{value}" for name, value in
              {"digest": "SHA256", "pass": "xenos", "salt": "stranger", "iter": count["hashes"]}.items()]
    made = [Program("python3", ["-I", "-S", str(WORKLOADS / "mixed.py"), str(count["python3"])], "bin/python3"),
            Program("lua5.4", [str(WORKLOADS / "mixed.lua"), str(count["lua5.4"])], "bin/lua5.4"),
            Program("sqlite3", [":memory:", f".read {statements}"], "bin/sqlite3"),
            Program("perl", [str(WORKLOADS / "mixed.pl"), str(count["perl"])], "bin/perl"),
            Program("openssl hashes", ["kdf", "-keylen", "32", *(word for one in derive for word in ("-kdfopt", one)), "PBKDF2"],
                    "bin/openssl"),
            Program("openssl prime", ["prime", str(PRIME)], "bin/openssl"),
            Program("gcc", ["-quiet", "-w", "-O1", "-fno-ident", "-march=rv64gc", "-mabi=lp64d", str(source), "-o", "-"],
                    "libexec/gcc*/*/14/cc1", flat=True)]
    return [program for program in made if only in program.name]


def native(program: Program) -> tuple[list[str], str]:
    """Command, and a word on where it is from."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    root = cache_folder() / "sysroots" / machine
    loaders = sorted((root / "usr").glob("lib*/ld-linux*.so*"))
    own = next(root.glob(f"usr/{program.file}"), None)
    if loaders and own is not None:
        libraries = ":".join(str(path) for path in sorted((root / "usr" / "lib").glob("*-linux-gnu")))
        return [str(loaders[0]), "--library-path", libraries, str(own)], "same Debian as the guest"
    found = shutil.which(program.file.rpartition("/")[2])
    if not found:
        raise Failed(f"no native {program.name}: scripts/prepare-tests bench fetches it")
    return [found], f"{found}, of another version"


def one_round(program: Program, used: dict[str, Contender], engines: list[str], outputs: dict[str, bytes]) -> None:
    """Each contender once, Xenos twice with each engine: with nothing translated yet, and then with what that left."""
    for name, contender in used.items():
        if name == "native":
            keep(program, name, run([*native(program)[0], *program.arguments], {**os.environ, **PLAIN}), outputs)
            continue
        for engine in engines if name == "xenos" else [""]:
            one = contender.with_engine(engine) if engine else contender
            command = one.command(program.guest() or "", *program.arguments, sysroot=program.root())
            if engine:
                forget(one)
            for time in (f"{engine} first", f"{engine} second") if engine else (name,):
                keep(program, time, run(command, one.environment), outputs)


def keep(program: Program, name: str, done: Run, outputs: dict[str, bytes]) -> None:
    """Note the time of a run, which must have printed what all others did."""
    if done.output != outputs.setdefault(program.name, done.output):
        raise Failed(f"{program.name}: {name} printed something else than {next(iter(program.times))}")
    program.times.setdefault(name, []).append(done.cpu)


def forget(xenos: Contender) -> None:
    """Remove the code that was translated and kept; not the library."""
    assert xenos.environment is not None
    for path in Path(xenos.environment["XDG_CACHE_HOME"]).glob("xenos/code/*"):
        path.unlink()


def print_table(measured: list[Program]) -> None:
    """A line for each program and contender: seconds, over native, and over qemu, with what is to be kept to."""
    for program in measured:
        for name, times in program.times.items():
            line = f"{program.name if name == next(iter(program.times)) else '':16}{name:16}"
            line += f"{median(times):6.2f} s +-{spread(times) * 100:2.0f}%"
            for other in ("native", "qemu"):
                ratio = program.over(name, other)
                line += f"{ratio:8.2f} x {other}" if name != other and not math.isnan(ratio) else " " * 17 * (other == "native")
            print(line + judged(program, name))


def judged(program: Program, name: str) -> str:
    """What a run of Xenos must keep to, and whether it does; nothing for others, and where there is nothing to compare with."""
    _, _, time = name.partition(" ")
    if not time:
        return ""
    other, first, second = ("qemu", FLAT_FIRST, FLAT_SECOND) if program.flat else ("native", FIRST, SECOND)
    ratio, most = program.over(name, other), first if time == "first" else second
    return f"  (at most {most:g} x {other}: {verdict(ratio, most)})"


def options() -> argparse.Namespace:
    made = parser("Real programs over native code.", rounds=3)
    made.add_argument("--only", default="", metavar="TEXT", help="only programs whose name has it")
    made.add_argument("--scale", type=float, default=1.0,
                      help="work times this, but for `openssl prime`; 1 is a second or more of native code")
    made.set_defaults(engine="stencil,region")
    return made.parse_args()


def main() -> int:
    """The command; status 1 if something could not be run or printed another result."""
    chosen = options()
    return conclude(lambda: figures(chosen), chosen.json)


def figures(chosen: argparse.Namespace) -> dict[str, object]:
    """Measure and print; gives all figures."""
    with tempfile.TemporaryDirectory() as folder, contenders(chosen) as used:
        measured = programs(Path(folder), chosen.scale, chosen.only)
        if missing := [program.name for program in measured if program.guest() is None]:
            raise Failed(f"no {', '.join(missing)} for the guest: scripts/prepare-tests bench fetches it")
        facts = header(chosen, used, "native programs" if "native" in used else "none")
        if "native" in used:
            origins = {native(p)[1]: [q.name for q in measured if native(q)[1] == native(p)[1]] for p in measured}
            facts["native"] = "; ".join(f"{origin}: {', '.join(names)}" for origin, names in origins.items())
        print_header("real programs, CPU time of the process tree", facts)
        outputs: dict[str, bytes] = {}
        for number in range(chosen.rounds):
            for program in measured:
                progress(f"round {number + 1} of {chosen.rounds}: {program.name}")
                one_round(program, used, chosen.engine.split(","), outputs)
        progress("")
        print_table(measured)
    return {"header": facts, "programs": {p.name: p.times for p in measured}}


if __name__ == "__main__":
    sys.exit(main())
