"""The arena: mappings, safe access on any address, and what is told to those who translate code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xenos.cpu.exits import Fault
from xenos.errors import HostError
from xenos.memory.flat import BASE, FlatMemory, MemoryFault

RW, RX, RWX = 3, 5, 7


def test_guest_address_lies_at_base_plus_it(memory: FlatMemory) -> None:
    import ctypes

    memory.map(0x10000, 4096, RW)
    memory.write(0x10010, b"abc")
    assert ctypes.string_at(BASE + 0x10010, 3) == b"abc"
    assert memory.read(0x10010, 3) == b"abc"


def test_numbers_are_little_endian_and_may_cross_pages(memory: FlatMemory) -> None:
    memory.map(0x10000, 4096, RW)
    memory.map(0x11000, 4096, RW, name="other")
    memory.store(0x10FFD, 8, 0x1122334455667788)
    assert memory.load(0x10FFD, 8) == 0x1122334455667788
    assert memory.load(0x11000, 1) == 0x55
    memory.store(0x10000, 2, -1)
    assert memory.load(0x10000, 4) == 0xFFFF


WILD = [0, 1, 4096, (1 << 46) - 1, 1 << 46, 1 << 47, 1 << 63, (1 << 64) - 1, (1 << 64) - 8]


@pytest.mark.parametrize("address", WILD)
def test_wild_addresses_fault(memory: FlatMemory, address: int) -> None:
    for call in (lambda: memory.read(address, 8), lambda: memory.load(address, 8), lambda: memory.cstring(address)):
        with pytest.raises(MemoryFault) as fault:
            call()
        assert (fault.value.address, fault.value.access, fault.value.mapped) == (address, Fault.READ, Fault.NOTHING)
    with pytest.raises(MemoryFault) as fault:
        memory.store(address, 4, 1)
    assert fault.value.access == Fault.WRITE


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(address=st.integers(0, (1 << 64) - 1) | st.integers(0xF000, 0x16000), length=st.integers(0, 9000))
def test_any_address_is_data_or_a_fault(memory: FlatMemory, address: int, length: int) -> None:
    if not memory.regions:
        memory.map(0x10000, 0x1000, RW)
        memory.map(0x11000, 0x1000, 0)
        memory.map(0x12000, 0x2000, RX)
    try:
        data = memory.read(address, length)
        assert len(data) == length
    except MemoryFault as fault:
        assert address <= fault.address < address + length
    try:
        memory.write(address, bytes(length))
    except MemoryFault as fault:
        assert address <= fault.address < address + length


def test_a_failed_write_changes_nothing(memory: FlatMemory) -> None:
    memory.map(0x10000, 4096, RW)
    with pytest.raises(MemoryFault) as fault:
        memory.write(0x10FFC, b"12345678")
    assert fault.value.address == 0x11000
    assert memory.read(0x10FFC, 4) == bytes(4)


def test_protection_is_kept(memory: FlatMemory) -> None:
    memory.map(0x10000, 8192, RW)
    memory.protect(0x11000, 4096, 1)
    with pytest.raises(MemoryFault) as fault:
        memory.store(0x11000, 1, 0)
    assert fault.value.mapped == Fault.PROTECTED
    memory.protect(0x10000, 4096, 0)
    with pytest.raises(MemoryFault):
        memory.load(0x10000, 1)
    with pytest.raises(OSError):
        memory.protect(0x11000, 8192, RW)


def test_unmapped_memory_comes_back_as_zeroes(memory: FlatMemory) -> None:
    memory.map(0x10000, 4096, RW)
    memory.store(0x10000, 8, 5)
    memory.unmap(0x10000, 4096)
    with pytest.raises(MemoryFault):
        memory.load(0x10000, 8)
    memory.map(0x10000, 4096, RW)
    assert memory.load(0x10000, 8) == 0


def test_file_mapping_behind_its_end_faults(memory: FlatMemory, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 5000)
    fd = os.open(path, os.O_RDWR)
    memory.map(0x10000, 16384, RW, fd=fd, shared=True)
    assert memory.read(0x10000, 3) == b"xxx"
    assert memory.read(0x11000 + 904, 4) == bytes(4)
    with pytest.raises(MemoryFault) as fault:
        memory.load(0x12000, 4)
    assert (fault.value.address, fault.value.mapped) == (0x12000, Fault.BEHIND_FILE)
    memory.write(0x10000, b"hello")
    assert path.read_bytes()[:5] == b"hello"
    os.ftruncate(fd, 0)  # no crash of the host, whenever it happens
    with pytest.raises(MemoryFault):
        memory.load(0x10000, 4)
    with pytest.raises(MemoryFault):
        memory.write(0x10000, b"a")
    os.close(fd)


def test_strings(memory: FlatMemory) -> None:
    memory.map(0x10000, 4096, RW)
    memory.map(0x11000, 4096, RW, name="b")
    memory.write(0x10FFE, b"long one\0rest")
    assert memory.cstring(0x10FFE) == b"long one"
    memory.write(0x11FF0, b"x" * 16)
    with pytest.raises(MemoryFault) as fault:
        memory.cstring(0x11FF0)
    assert fault.value.address == 0x12000


def test_code_changes_are_told(memory: FlatMemory) -> None:
    told: list[tuple[int, int]] = []
    memory.on_code_change.append(lambda start, end: told.append((start, end)))
    memory.map(0x10000, 8192, RW)
    assert told == []
    memory.protect(0x10000, 4096, RX)
    assert told.pop() == (0x10000, 0x11000)
    memory.map(0x10000, 4096, RWX)
    assert told.pop() == (0x10000, 0x11000)
    memory.write(0x10000, b"1")
    assert told.pop() == (0x10000, 0x10001)
    memory.store(0x10000, 4, 1)
    assert told.pop() == (0x10000, 0x10004)
    memory.unmap(0x10000, 8192)
    assert told.pop() == (0x10000, 0x12000)
    memory.unmap(0x10000, 8192)
    assert told == []


def test_fetch_limit(memory: FlatMemory) -> None:
    memory.map(0x10000, 8192, RX)
    memory.map(0x20000, 4096, RW)
    assert memory.fetch_limit(0x10008) == 0x12000
    with pytest.raises(MemoryFault) as fault:
        memory.fetch_limit(0x20000)
    assert (fault.value.access, fault.value.mapped) == (Fault.EXECUTE, Fault.PROTECTED)


def test_execute_only_memory_can_be_read_by_the_translator(memory: FlatMemory) -> None:
    memory.map(0x10000, 4096, 4)
    assert memory.read(0x10000, 4) == bytes(4)


def test_host_never_executes_guest_memory(memory: FlatMemory) -> None:
    memory.map(0x10000, 4096, RWX)
    with open("/proc/self/maps") as maps:
        line = next(line for line in maps if line.startswith(f"{BASE + 0x10000:x}-"))
    assert line.split()[1] == "rw-p"


def test_moving_keeps_contents(memory: FlatMemory) -> None:
    memory.map(0x10000, 8192, RW)
    memory.store(0x11000, 8, 77)
    memory.move(0x10000, 8192, 0x40000, 16384)
    assert memory.load(0x41000, 8) == 77
    assert memory.load(0x43000, 8) == 0
    with pytest.raises(MemoryFault):
        memory.load(0x10000, 8)


def test_moving_what_the_host_keeps_in_two_pieces(memory: FlatMemory) -> None:
    memory.map(0x10000, 4096, RW)
    memory.map(0x12000, 4096, RW)
    memory.store(0x10000, 8, 1)
    memory.store(0x12000, 8, 3)
    memory.map(0x11000, 4096, RW)
    memory.move(0x10000, 0x3000, 0x80000, 0x4000)
    assert [memory.load(0x80000 + 0x1000 * page, 8) for page in range(4)] == [1, 0, 3, 0]


def test_the_same_library_has_the_same_address(memory: FlatMemory) -> None:
    first = memory.find_slot(0x3000, b"libc", program=False)
    memory.map(first, 0x3000, RX)
    second = memory.find_slot(0x3000, b"libc", program=False)
    assert second != first and second % 0x100000 == 0
    memory.reset()
    assert memory.find_slot(0x3000, b"libc", program=False) == first
    assert memory.find_slot(1 << 33, b"huge", program=False) > 1 << 31


def test_only_one_arena(memory: FlatMemory) -> None:
    with pytest.raises(HostError, match="close"):
        FlatMemory()


def test_less_address_space_means_a_smaller_arena() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 38, 1 << 38));"
        "from xenos.memory.flat import FlatMemory; m = FlatMemory(); print(m.size.bit_length() - 1, m.top == m.size)"
    )
    source = str(Path(__file__).parents[2] / "src")
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert run.stdout == "37 True\n"
