"""Every header that a hostile or damaged file may have is refused with one line, and nothing else happens."""

import os
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linux.kit import MACHINE, Guest, make_elf, segment
from xenos.errors import LoadError, MissingFile

Write = Callable[..., str]
CODE = segment()
TEXT = "/lib/ld-none.so"

HOSTILE = {
    "not an ELF program": b"hello, world",
    r"not an ELF program \(it is empty\)": b"",
    "truncated ELF: 20 bytes of a header": make_elf(CODE)[:20],
    "a program for .*62|a program for x86-64": make_elf(CODE, machine=62),
    "a program for 32-bit": make_elf(CODE, **{"class": 1}),
    "a program for big-endian": make_elf(CODE, data=2),
    "data encoding 7": make_elf(CODE, data=7),
    "version 9": make_elf(CODE, version=9),
    "an object file: link it first": make_elf(CODE, kind=1),
    "a core dump": make_elf(CODE, kind=4),
    "ELF type 99": make_elf(CODE, kind=99),
    "program headers of 32 bytes": make_elf(CODE, phentsize=32),
    "0 program headers": make_elf(CODE, phnum=0),
    "65535 program headers": make_elf(CODE, phnum=65535),
    "truncated ELF: program headers end": make_elf(CODE, phoff=4090),
    "truncated ELF: program headers": make_elf(CODE, phoff=(1 << 64) - 56),
    "nothing to load": make_elf(segment(kind=4)),
    "bytes for 16 of memory": make_elf(segment(memory_size=16)),
    "truncated ELF: segment 0": make_elf(segment(offset=0x10000)),
    "truncated ELF: segment 0 ends at": make_elf(segment(file_size=0x5000, memory_size=0x5000)),
    "wraps around": make_elf(segment(address=(1 << 64) - 0x1000, memory_size=0x2000)),
    "above the": make_elf(segment(address=1 << 50)),
    "above the 0x": make_elf(segment(memory_size=1 << 45)),
    "not congruent": make_elf(segment(address=0x10010)),
    "no power of two": make_elf(segment(align=3000)),
    "overlap or are unsorted": make_elf(CODE, segment(address=0x10100, offset=0x100)),
    "0x10000 overlap or are unsorted": make_elf(segment(address=0x20000), CODE, entry=0x10100),
    "stays empty": make_elf(segment(address=0), entry=0x100),
    "entry 0x90000 is in no": make_elf(CODE, entry=0x90000),
    "entry 0x10100 is in no": make_elf(segment(flags=6)),
    "interpreter name of 1 ": make_elf(CODE, segment(kind=3, file_size=1)),
    "interpreter name of 8192": make_elf(CODE, segment(kind=3, file_size=8192)),
    "interpreter name of 16 bytes at": make_elf(CODE, segment(kind=3, offset=4090, file_size=16)),
    "interpreter name is not a string": make_elf(CODE, segment(kind=3, offset=0x1000, file_size=4), tail=b"abcd"),
}


@pytest.mark.parametrize("message", HOSTILE)
def test_hostile(guest: Guest, program: Write, message: str) -> None:
    path = program(HOSTILE[message])
    before = sorted(os.listdir("/proc/self/fd"))
    with pytest.raises(LoadError, match=f"{re.escape(path)}.*({message})") as error:
        guest.load(path, [path], {})
    assert "\n" not in str(error.value)
    assert error.value.status == 126
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_good_one_loads(guest: Guest, program: Write) -> None:
    path = program(make_elf(CODE, segment(address=0x20800, offset=0x800, file_size=0x100, memory_size=0x3000, flags=6)))
    guest.load(path, ["name", "argument"], {"A": "1"})
    assert guest.cpu.pc == 0x10100
    assert guest.memory.read(0x10000, 4) == b"\x7fELF"
    assert guest.memory.read(0x20900, 0x2F00) == bytes(0x2F00)
    assert guest.break_start == 0x24000


def test_position_independent_programs_always_lie_at_the_same_place(guest: Guest, program: Write) -> None:
    path = program(make_elf(segment(address=0), kind=3, entry=0x100))
    guest.load(path, [path], {})
    first = guest.cpu.pc
    assert first % 0x100000 == 0x100
    guest.reset()
    guest.load(path, [path], {})
    assert guest.cpu.pc == first


def test_missing_interpreter_names_the_cure(guest: Guest, program: Write) -> None:
    path = program(make_elf(CODE, segment(kind=3, offset=0x1000, file_size=16), tail=b"/lib/ld-none.so\0"))
    with pytest.raises(MissingFile, match=r"cannot open its dynamic linker /lib/ld-none.so .*--sysroot") as error:
        guest.load(path, [path], {})
    assert error.value.status == 127


def test_bad_interpreter(guest: Guest, program: Write) -> None:
    interpreter = os.fsencode(program(b"junk", "ld")) + b"\0"
    path = program(make_elf(CODE, segment(kind=3, offset=0x1000, file_size=len(interpreter)), tail=interpreter))
    with pytest.raises(LoadError, match=r"dynamic linker cannot be used: .*not an ELF"):
        guest.load(path, [path], {})


def test_interpreter_in_the_way_of_its_program(guest: Guest, program: Write) -> None:
    interpreter = os.fsencode(program(make_elf(CODE), "ld")) + b"\0"
    path = program(make_elf(CODE, segment(kind=3, offset=0x1000, file_size=len(interpreter)), tail=interpreter))
    with pytest.raises(LoadError, match=r"are taken"):
        guest.load(path, [path], {})


def test_no_program(guest: Guest, tmp_path: object) -> None:
    with pytest.raises(MissingFile, match=r"no such program"):
        guest.load(f"{tmp_path}/nothing", ["x"], {})
    with pytest.raises(LoadError, match=r"is a directory"):
        guest.load(f"{tmp_path}", ["x"], {})
    os.mkfifo(f"{tmp_path}/fifo", 0o755)
    with pytest.raises(LoadError, match=r"no regular file"):
        guest.load(f"{tmp_path}/fifo", ["x"], {})


def test_no_permission(guest: Guest, program: Write) -> None:
    path = program(make_elf(CODE))
    os.chmod(path, 0o644)
    with pytest.raises(LoadError, match=r"chmod") as error:
        guest.load(path, [path], {})
    assert error.value.status == 126


def test_script_with_missing_interpreter(guest: Guest, program: Write) -> None:
    path = program(b"#!/nowhere/sh -e\n")
    with pytest.raises(MissingFile, match=r"/nowhere/sh"):
        guest.load(path, [path], {})


def test_script_leads_to_its_interpreter(guest: Guest, program: Write) -> None:
    elf = program(make_elf(CODE), "interpreter")
    path = program(f"#! {elf} one two\nrest".encode(), "script")
    guest.load(path, ["script", "more"], {})
    assert guest.argv == [os.fsencode(elf), b"one two", os.fsencode(path), b"more"]
    loop = program(b"", "loop")
    program(f"#!{loop}\n".encode(), "loop")
    with pytest.raises(LoadError):
        guest.load(loop, ["loop"], {})


headers = st.lists(
    st.builds(
        segment, kind=st.sampled_from([1, 1, 1, 2, 3, 6, 4]), align=st.sampled_from([0, 1, 4096, 3, 1 << 63]),
        flags=st.integers(0, 7),
        address=st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 0x10000, 0x11000, 0x12000, (1 << 46) - 4096]),
        offset=st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 0x100, 0x1000]),
        file_size=st.integers(0, (1 << 64) - 1) | st.integers(0, 0x1100),
        memory_size=st.integers(0, (1 << 64) - 1) | st.integers(0, 0x5000),
    ),
    max_size=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    segments=headers, kind=st.sampled_from([2, 3]), entry=st.sampled_from([0, 0x100, 0x10100, 0x11000]),
    noise=st.data(),
)
def test_fuzzed_headers_load_or_are_refused(
    guest: Guest, program: Write, segments: list[bytes], kind: int, entry: int, noise: st.DataObject,
) -> None:
    data = bytearray(make_elf(*segments, kind=kind, entry=entry))
    for _ in range(noise.draw(st.integers(0, 2))):
        data[noise.draw(st.integers(4, 400))] = noise.draw(st.integers(0, 255))
    _load(guest, program(bytes(data[: noise.draw(st.sampled_from([4096, 4096, 100, 300]))])))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(4, 64 + 56 * 2), value=st.integers(0, 255))
def test_one_wrong_byte(guest: Guest, program: Write, place: int, value: int) -> None:
    data = bytearray(make_elf(CODE, segment(address=0x20800, offset=0x800, memory_size=0x3000, flags=6)))
    data[place - 1] = value
    _load(guest, program(bytes(data)))


def _load(guest: Guest, path: str) -> None:
    try:
        guest.load(path, [path], {})
    except LoadError as error:
        assert "\n" not in str(error)
    guest.reset()


def test_machine_is_the_guests() -> None:
    assert make_elf(CODE)[18:20] == MACHINE.to_bytes(2, "little")
