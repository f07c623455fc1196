"""Regions that keep no registers for faults say of each access in their code which guest instruction it is, on every host."""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path

import pytest

from xenos.api.elf_file import ElfFile
from xenos.engines.hosts import host, host_floats
from xenos.engines.llvm import library
from xenos.engines.llvm.compiler import Compiler
from xenos.engines.region.graph import Graph
from xenos.engines.region.profile import Profile
from xenos.engines.region.text import RegionText
from xenos.engines.region.usable import Usable
from xenos.engines.stencil.pins import homes
from xenos.isa import find_guest
from xenos.memory.flat import BASE

TOUR = Path(__file__).parents[2] / "examples" / "tour"


@functools.cache
def code() -> tuple[int, bytes]:
    """Where the program's code lies, and what it is."""
    text = next(part for part in ElfFile(str(TOUR)).code() if part.name == ".text")
    return text.address, text.data


@pytest.mark.parametrize(("machine", "level"), [("x86_64", 1), ("x86_64", 2), ("x86_64", 3), ("aarch64", 1), ("aarch64", 2)])
def test_every_access_is_listed(machine: str, level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_KNOWN", ())      # llvmlite's own modules can be printed
    guest, target, floats = find_guest("riscv64"), host(machine), host_floats(level, machine)
    instructions = guest.instructions()
    pins = {offset: pin for pin, offset in homes(guest, target).items()}
    cpu, features = target.CPUS[level]
    compiler = Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)
    start, body = code()
    usable = Usable(floats, guest.layout)

    def fetch(pc: int) -> tuple[int, int] | None:
        low = int.from_bytes(body[pc - start:pc - start + 2], "little")
        size = instructions.length(low)
        return (int.from_bytes(body[pc - start:pc - start + size], "little"), size) if 0 <= pc - start < len(body) else None

    headers, pc = [], start
    while fetched := fetch(pc):
        headers.append(pc)
        pc += fetched[1]
    seen = 0
    for number, header in enumerate(headers[::11]):
        graph = Graph(instructions, fetch, header, Profile(), most=(20, 60, 150, 400)[number % 4],
                      usable=usable)
        if not graph.nodes:
            continue
        text = RegionText(graph, guest.layout, pins, target, floats, BASE, guest.alignment, exact=False).write()
        # What LLVM has found to be never executed is not among them.
        module = str(compiler._optimized(text, 1))
        numbers = {at: int(number) for at, inner in re.findall(r'^!(\d+) = !{!".places", !(\d+)}', module, re.MULTILINE)
                   for number in re.findall(rf"^!{inner} = !{{i32 (\d+)}}", module, re.MULTILINE)}
        left = Counter(numbers[at] for at in re.findall(r"!pcsections !(\d+)", module))
        assert Counter(number for _, number in compiler.compile(text, 1).places) >= left
        seen += left.total()
    assert seen > 300
