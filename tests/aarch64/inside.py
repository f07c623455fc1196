"""What runs inside, on an arm64 Python: the stencil engine with a pack made elsewhere, against the reference engine.

    inside.py PACK instructions CHAPTER[,CHAPTER...] COUNT
    inside.py PACK run PROGRAM ARGUMENTS...
"""

from __future__ import annotations

import marshal
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "src"), os.path.join(ROOT, "tests")]


def load(path: str) -> object:
    """The pack in a file of (head, stencils)."""
    from xenos.engines.stencil.pack import Pack

    with open(path, "rb") as file:
        head, stencils = marshal.load(file)
    return Pack("riscv64", head, lambda: stencils)


def instructions(pack: object, chapters: list[str], count: int) -> int:
    """Every instruction of these chapters with edge and random operands; the number of those that differ."""
    from isa.engine_runner import EngineRunner
    from isa.instruction_cases import by_chapter, cases
    from xenos.engines.reference import ReferenceEngine
    from xenos.engines.stencil.engine import StencilEngine
    from xenos.isa import find_guest

    riscv = find_guest("riscv64").instructions()
    entries = [entry for name, group in by_chapter([*riscv.instructions.values(), *riscv.aliases.values()])
               if name in chapters or not chapters for entry in group if entry.name != "ecall"]
    asked = [(entry, case) for entry in entries for case in cases(entry, count)
             if not any(word & 0x7F == 0x73 and word >> 20 >= 0xC00 and word >> 12 & 3 for word in case.words)]
    answers = []
    for engine in (ReferenceEngine(find_guest("riscv64")), StencilEngine(pack)):
        runner = EngineRunner(engine)
        answers.append(runner.run([case for _, case in asked]))
        runner.close()
    slow = 0
    wrong: dict[str, str] = {}
    for (entry, case), want, have in zip(asked, *answers, strict=True):
        told = [f"{part}: {getattr(want, part)} wanted, {getattr(have, part)} given"
                for part in ("signal", "pc", "fcsr", "memory", "fault_address") if getattr(want, part) != getattr(have, part)]
        for file in ("x", "f"):
            told += [f"{file}{i}: {a:#x} wanted, {b:#x} given"
                     for i, (a, b) in enumerate(zip(getattr(want, file), getattr(have, file), strict=True)) if a != b]
        if told:
            wrong.setdefault(entry.name, f"{' '.join(f'{word:#x}' for word in case.words)}, fcsr {case.fcsr:#x}: "
                             + "; ".join(told))
    for name, text in wrong.items():
        print(f"{name}: {text}")
    print(f"{len(asked)} cases of {len(entries)} instructions, {len(wrong)} instructions differ")
    return len(wrong)


def run(pack: object, arguments: list[str]) -> int:
    """A program, as `xenos run` runs it."""
    from xenos.cli.main import main
    from xenos.engines.stencil import pack as packs

    packs.load = lambda *_: pack
    return main(["run", *arguments])


if __name__ == "__main__":
    made = load(sys.argv[1])
    if sys.argv[2] == "run":
        sys.exit(run(made, sys.argv[3:]))
    sys.exit(bool(instructions(made, [c for c in sys.argv[3].split(",") if c], int(sys.argv[4]))))
