"""What a new program finds on its stack."""

import os
import struct
from collections.abc import Callable

import pytest

from linux.kit import Guest, make_elf, segment

E2BIG = 7


def test_arguments_environment_and_auxiliary_vector(guest: Guest, program: Callable[..., str]) -> None:
    path = program(make_elf(segment()))
    guest.load(path, ["zero", "", "two"], ["A=1", "B=2"])
    memory, pointer = guest.memory, guest.cpu.read("r", 9)
    assert pointer % 16 == 0

    def text(address: int) -> bytes:
        return memory.cstring(memory.load(address, 8))

    assert memory.load(pointer, 8) == 3
    assert [text(pointer + 8 * n) for n in (1, 2, 3)] == [b"zero", b"", b"two"]
    assert [memory.load(pointer + 8 * n, 8) for n in (4, 7)] == [0, 0]
    assert [text(pointer + 8 * n) for n in (5, 6)] == [b"A=1", b"B=2"]
    words = struct.iter_unpack("<QQ", memory.read(pointer + 64, 400))
    vector: dict[int, int] = {}
    for kind, value in words:
        if not kind:
            break
        vector[kind] = value
    assert vector[3] == 0x10040 and vector[4] == 56 and vector[5] == 1      # PHDR, PHENT, PHNUM
    assert vector[6] == 4096 and vector[7] == 0 and vector[9] == 0x10100    # PAGESZ, BASE, ENTRY
    assert vector[11] == os.getuid() and vector[16] == 0x2A and vector[17] == 100 and vector[23] == 0
    assert len(set(memory.read(vector[25], 16))) > 2                        # RANDOM
    assert memory.cstring(vector[31]) == os.fsencode(path)                  # EXECFN
    # Strings lie in the order that ps and setproctitle expect: arguments, then environment, without holes.
    first = memory.load(pointer + 8, 8)
    assert memory.read(first, 18) == b"zero\0\0two\0A=1\0B=2\0"
    assert guest.auxv[:16] == memory.read(pointer + 64, 16)


def test_too_much_for_a_stack(guest: Guest, program: Callable[..., str]) -> None:
    path = program(make_elf(segment()))
    with pytest.raises(OSError) as error:
        guest.load(path, ["x" * (3 << 20)], {})
    assert error.value.errno == E2BIG
