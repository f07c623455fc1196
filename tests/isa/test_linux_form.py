"""What programs are told of the CPU: HWCAP, /proc/cpuinfo and riscv_hwprobe agree with what is implemented."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from xenos.isa import ELF_MACHINES, GUESTS, find_guest
from xenos.isa.riscv.extensions import EXTENSIONS, ISA_STRING, LETTERS
from xenos.isa.riscv.system_calls import riscv_flush_icache, riscv_hwprobe

GUEST = find_guest("riscv64")
EINVAL = 22

# One instruction of each extension.
WITNESSES = {
    "zicbom": "cbo.clean", "zicbop": "ori", "zicboz": "cbo.zero", "zicntr": "csrr", "zicond": "czero.eqz",
    "zicsr": "csrrw",
    "zifencei": "fence.i", "zihintntl": "add", "zihintpause": "fence", "zimop": "mop.r", "zaamo": "amoadd.d",
    "zalrsc": "lr.d", "zawrs": "wrs.nto", "zfa": "fli.d", "zfh": "fadd.h", "zfhmin": "fcvt.s.h", "zca": "c.addi",
    "zcb": "c.not", "zcd": "c.fld", "zcmop": "c.mop", "zba": "sh1add", "zbb": "clz", "zbc": "clmul", "zbs": "bset",
    "i": "addi", "m": "mul", "a": "amoadd.w", "f": "fadd.s", "d": "fadd.d", "c": "c.j",
}


class Memory:
    """As much of a guest memory as the calls need."""

    top = 1 << 38

    def __init__(self, size: int = 256) -> None:
        self.bytes = bytearray(size)

    def read(self, address: int, length: int) -> bytes:
        return bytes(self.bytes[address:address + length])

    def write(self, address: int, data: bytes) -> None:
        self.bytes[address:address + len(data)] = data

    def load(self, address: int, size: int) -> int:
        return int.from_bytes(self.read(address, size), "little")

    def store(self, address: int, size: int, value: int) -> None:
        self.write(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))


def process() -> Any:
    flushed: list[tuple[int, int]] = []
    engine = SimpleNamespace(flushed=flushed, invalidate=lambda start, end: flushed.append((start, end)))
    return SimpleNamespace(memory=Memory(), engine=engine)


def probe(*keys: int) -> dict[int, int]:
    one = process()
    one.memory.write(0, b"".join(struct.pack("<qQ", key, 99) for key in keys))
    assert riscv_hwprobe(one, 0, len(keys), 0, 0, 0) == 0
    return dict(struct.iter_unpack("<qQ", one.memory.read(0, 16 * len(keys))))


def test_registry() -> None:
    assert [find_guest(name).name for name in GUESTS] == list(GUESTS)
    assert {find_guest(name).linux.elf_machine: name for name in GUESTS} == ELF_MACHINES


def test_every_extension_is_there() -> None:
    declared = GUEST.instructions().instructions.keys() | GUEST.instructions().aliases.keys()
    for name in (*EXTENSIONS, *LETTERS):
        assert WITNESSES[name] in declared, name


def test_isa_string_hwcap_and_hwprobe_agree() -> None:
    names = ISA_STRING.removeprefix("rv64").split("_")
    assert names[0] == "imafdc"
    assert GUEST.linux.hwcap == sum(1 << "abcdefghijklmnopqrstuvwxyz".index(letter) for letter in names[0])
    bits = probe(4)[4]
    assert bits == 3 | sum(1 << bit for name, bit in EXTENSIONS.items() if bit is not None and name in names)
    # Linux counts these two to what every processor has.
    assert {name for name, bit in EXTENSIONS.items() if bit is None} == {"zicsr", "zifencei"}
    assert f"isa\t\t: {ISA_STRING}\n" in GUEST.linux.cpuinfo.format(cpu=0)


def test_hwprobe_answers_known_keys_and_marks_others() -> None:
    found = probe(3, 6, 8, 9, 12, 15, 1000)
    assert found == {3: 1, 6: 64, 8: 10_000_000, 9: 3, 12: 64, 15: 64, -1: 0}


def test_hwprobe_keeps_cpus_that_have_the_values() -> None:
    for value, kept in ((1 << 3, True), (1 << 2, False)):       # Zba, V
        one = process()
        one.memory.write(0, struct.pack("<qQ", 4, value))
        assert riscv_hwprobe(one, 0, 1, 8, 128, 1) == 0
        assert (one.memory.load(128, 8) != 0) is kept


@pytest.mark.parametrize(("size", "cpus", "flags"), [(0, 0, 2), (0, 0, 1), (8, 128, 0)])
def test_hwprobe_refuses(size: int, cpus: int, flags: int) -> None:
    """Unknown flags, asking for CPUs without a place for them, an empty set of CPUs."""
    assert riscv_hwprobe(process(), 0, 1, size, cpus, flags) == -EINVAL


def test_flush_reaches_the_engine() -> None:
    one = process()
    assert riscv_flush_icache(one, 0x1000, 0x2000, 1) == 0
    assert riscv_flush_icache(one, 0, 0, 0) == 0
    assert riscv_flush_icache(one, 0, 0, 4) == -EINVAL
    assert one.engine.flushed == [(0x1000, 0x2000), (0, 1 << 64)]
