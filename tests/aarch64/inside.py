"""What runs inside, on an arm64 Python, with a pack that was made outside.

    inside.py PACK instructions COUNT [CHAPTER...]      stencil engine against reference engine
    inside.py PACK run PROGRAM ARGUMENTS...             as `xenos run` does it
    inside.py PACK pytest ARGUMENTS...                  tests of the project, the stencil engine among their engines
    inside.py - library INSTRUCTION...                  a hash of the stencils that are built inside
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUEST = "riscv64"


def load(path: str) -> Any:
    """The pack in a file of (head, book)."""
    from xenos.engines.stencil.pack import Pack

    with open(path, "rb") as file:
        head, book = marshal.load(file)
    return Pack(GUEST, head, lambda: book)


def instructions(pack: Any, count: int, chapters: list[str]) -> int:
    """Every instruction of these chapters with edge and random operands; the number of those that differ."""
    from isa.engine_runner import EngineRunner
    from isa.instruction_cases import by_chapter, cases
    from xenos.engines.reference import ReferenceEngine
    from xenos.engines.stencil.engine import StencilEngine
    from xenos.isa import find_guest

    described = find_guest(GUEST).instructions()
    entries = [entry for name, group in by_chapter([*described.instructions.values(), *described.aliases.values()])
               if name in chapters or not chapters for entry in group if entry.name != "ecall"]
    # Counters tell something else each time.
    asked = [(entry, case) for entry in entries for case in cases(entry, count)
             if not any(word & 0x7F == 0x73 and word >> 20 >= 0xC00 and word >> 12 & 3 for word in case.words)]
    answers = []
    for engine in (ReferenceEngine(find_guest(GUEST)), StencilEngine(pack)):
        runner = EngineRunner(engine)
        answers.append(runner.run([case for _, case in asked]))
        runner.close()
    wrong: dict[str, str] = {}
    for (entry, case), want, have in zip(asked, *answers, strict=True):
        told = describe(want, have)
        if told:
            words = " ".join(f"{word:#x}" for word in case.words)
            wrong.setdefault(entry.name, f"{entry.name} ({words}, fcsr {case.fcsr:#x}): {told}")
    print(*wrong.values(), sep="\n")
    print(f"{len(asked)} cases of {len(entries)} instructions, {len(wrong)} instructions differ")
    return len(wrong)


def describe(want: Any, have: Any) -> str:
    """How two results differ; empty if they do not."""
    told = [f"{part}: {getattr(want, part)} wanted, {getattr(have, part)} given"
            for part in ("signal", "pc", "fcsr", "memory", "fault_address")
            if getattr(want, part) != getattr(have, part)]
    told += [f"{file}{i}: {a:#x} wanted, {b:#x} given" for file in ("x", "f")
             for i, (a, b) in enumerate(zip(getattr(want, file), getattr(have, file), strict=True)) if a != b]
    return "; ".join(told)


def library(level: int, names: list[str], machine: str = "") -> str:
    """A hash of the stencils for these instructions, compiled where this runs."""
    from xenos.engines.hosts import host, host_floats
    from xenos.engines.stencil.library import Builder
    from xenos.isa import find_guest
    from xenos.memory.flat import BASE

    guest = find_guest(GUEST)
    builder = Builder(guest, host(machine), host_floats(level, machine), level, BASE)
    builder.build([form for name in names for form in guest.instructions().instructions[name].forms()])
    stencils = sorted(builder.stencils.items())
    assert {key[0].split()[0] for key, _ in stencils} == set(names), builder.slow
    return hashlib.sha256(marshal.dumps([*stencils, *sorted(builder.special().items())], 2)).hexdigest()


def main(path: str, errand: str, *arguments: str) -> int:
    """Do the errand; the exit status."""
    sys.path[:0] = [os.path.join(ROOT, "src"), os.path.join(ROOT, "tests")]
    if errand == "library":
        print(library(int(os.environ["XENOS_HOST_LEVEL"]), list(arguments)))
        return 0
    pack = load(path)
    if errand == "instructions":
        return int(bool(instructions(pack, int(arguments[0]), list(arguments[1:]))))
    from xenos.engines.stencil import pack as packs

    packs.load = lambda *_: pack
    if errand == "run":
        from xenos.cli.main import main as command

        return int(command(["run", *arguments]) or 0)
    sys.path.append(os.environ["XENOS_SITE"])   # pytest is pure Python: the outer one's will do
    import pytest

    return int(pytest.main(list(arguments)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
