"""mmap and its family, brk."""

import os
from pathlib import Path

import pytest

from linux.kit import Guest
from xenos.memory.flat import MemoryFault

EBADF, ENOMEM, EFAULT, EEXIST, EINVAL, EPERM = 9, 12, 14, 17, 22, 1
RW = 3
SHARED, PRIVATE, FIXED, ANONYMOUS, NOREPLACE = 1, 2, 0x10, 0x20, 0x100000
PAGE = 4096
NEW = 0x400000


def anonymous(guest: Guest, length: int, prot: int = RW) -> int:
    return guest.call("mmap", 0, length, prot, PRIVATE | ANONYMOUS, -1, 0)


def test_anonymous_goes_top_down(guest: Guest) -> None:
    first, second = anonymous(guest, 100), anonymous(guest, 2 * PAGE)
    assert first == guest.memory.top - PAGE and second == first - 2 * PAGE
    guest.memory.write(second, bytes(2 * PAGE))
    assert guest.call("munmap", second, PAGE) == 0
    with pytest.raises(MemoryFault):
        guest.memory.load(second, 1)
    guest.memory.load(second + PAGE, 1)


@pytest.mark.parametrize(("arguments", "error"), [
    ((0, 0, RW, PRIVATE | ANONYMOUS, -1, 0), EINVAL),
    ((0, PAGE, RW, ANONYMOUS, -1, 0), EINVAL),
    ((0, PAGE, RW, PRIVATE, 99, 0), EBADF),
    ((0, PAGE, RW, PRIVATE | ANONYMOUS, -1, 5), EINVAL),
    ((NEW + 1, PAGE, RW, PRIVATE | ANONYMOUS | FIXED, -1, 0), EINVAL),
    ((0, PAGE, RW, PRIVATE | ANONYMOUS | FIXED, -1, 0), EPERM),
    ((1 << 63, PAGE, RW, PRIVATE | ANONYMOUS | FIXED, -1, 0), ENOMEM),
    ((0, 1 << 60, RW, PRIVATE | ANONYMOUS, -1, 0), ENOMEM),
    ((0, (1 << 64) - 1, RW, PRIVATE | ANONYMOUS, -1, 0), ENOMEM),
    ((0x200000, PAGE, RW, PRIVATE | ANONYMOUS | NOREPLACE, -1, 0), EEXIST),
])
def test_what_mmap_refuses(guest: Guest, arguments: tuple[int, ...], error: int) -> None:
    assert guest.call("mmap", *arguments) == -error


def test_hint_is_taken_if_free(guest: Guest) -> None:
    assert guest.call("mmap", NEW + 5, PAGE, RW, PRIVATE | ANONYMOUS, -1, 0) == NEW
    assert guest.call("mmap", NEW, PAGE, RW, PRIVATE | ANONYMOUS, -1, 0) != NEW


def test_files(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"a" * PAGE + b"b" * 100)
    fd = guest.call("openat", -100, os.fsencode(path), os.O_RDWR)
    private = guest.call("mmap", 0, 2 * PAGE, RW, PRIVATE, fd, 0)
    shared = guest.call("mmap", 0, PAGE, RW, SHARED, fd, PAGE)
    guest.memory.write(private, b"xyz")
    guest.memory.write(shared, b"new")
    assert path.read_bytes()[:3] == b"aaa" and path.read_bytes()[PAGE : PAGE + 3] == b"new"
    assert guest.call("msync", shared, PAGE, 4) == 0
    maps = guest.call("openat", -100, b"/proc/self/maps", 0)
    guest.call("read", maps, 0x280000, 60000)
    text = guest.memory.cstring(0x280000).decode()
    assert f"{private:08x}-{private + 2 * PAGE:08x} rw-p 00000000" in text
    assert "rw-s 00001000" in text and str(path) in text


def test_libraries_have_their_slot(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(b"\x7fELF" + bytes(9000))
    fd = guest.call("openat", -100, os.fsencode(path), 0)
    at = guest.call("mmap", 0, 3 * PAGE, 5, PRIVATE, fd, 0)
    assert 0x10000000 <= at < 0x40000000 and at % 0x100000 == 0
    guest.call("munmap", at, 3 * PAGE)
    assert guest.call("mmap", 0, 3 * PAGE, 5, PRIVATE, fd, 0) == at
    assert guest.call("mmap", 0, 3 * PAGE, 5, PRIVATE, fd, 0) != at


def test_mprotect(guest: Guest) -> None:
    at = anonymous(guest, 2 * PAGE)
    assert guest.call("mprotect", at, PAGE, 1) == 0
    with pytest.raises(MemoryFault):
        guest.memory.store(at, 1, 1)
    assert guest.call("mprotect", NEW, PAGE, 1) == -ENOMEM
    assert guest.call("mprotect", at + 1, PAGE, 1) == -EINVAL
    assert guest.call("mprotect", at, 0, 1) == 0


def test_mremap(guest: Guest) -> None:
    at = guest.call("mmap", NEW, PAGE, RW, PRIVATE | ANONYMOUS, -1, 0)
    guest.memory.store(at, 8, 42)
    assert guest.call("mremap", at, PAGE, 3 * PAGE, 0) == at            # there is room behind it
    assert guest.call("mremap", at, 3 * PAGE, 2 * PAGE, 0) == at
    guest.call("mmap", at + 2 * PAGE, PAGE, RW, PRIVATE | ANONYMOUS | FIXED, -1, 0)
    assert guest.call("mremap", at, 2 * PAGE, 4 * PAGE, 0) == -ENOMEM
    moved = guest.call("mremap", at, 2 * PAGE, 4 * PAGE, 1)
    assert moved not in (at, -ENOMEM) and guest.memory.load(moved, 8) == 42
    assert guest.call("mremap", moved, 4 * PAGE, PAGE, 3, NEW + 0x100000) == NEW + 0x100000
    assert guest.memory.load(NEW + 0x100000, 8) == 42
    assert guest.call("mremap", at, PAGE, 2 * PAGE, 1) == -EFAULT
    assert guest.call("mremap", at, PAGE, 0, 1) == -EINVAL


def test_madvise(guest: Guest) -> None:
    at = anonymous(guest, PAGE)
    guest.memory.store(at, 8, 1)
    assert guest.call("madvise", at, PAGE, 3) == 0
    assert guest.memory.load(at, 8) == 1
    assert guest.call("madvise", at, PAGE, 4) == 0                      # MADV_DONTNEED
    assert guest.memory.load(at, 8) == 0
    assert guest.call("madvise", at, PAGE, 12345) == -EINVAL
    assert guest.call("madvise", NEW, PAGE, 4) == -ENOMEM


def test_mincore_and_mlock(guest: Guest) -> None:
    at = anonymous(guest, 2 * PAGE)
    guest.memory.store(at, 1, 1)
    assert guest.call("mincore", at, 2 * PAGE, 0x200000) == 0
    assert guest.memory.read(0x200000, 2) == b"\1\0"
    assert guest.call("mincore", NEW, PAGE, 0x200000) == -ENOMEM
    assert guest.call("mlock", at, PAGE) == 0
    assert guest.call("mlock", NEW, PAGE) == -ENOMEM


def test_brk(guest: Guest) -> None:
    guest.break_start = guest.break_end = NEW
    assert guest.call("brk", 0) == NEW
    assert guest.call("brk", NEW + 5000) == NEW + 5000
    guest.memory.write(NEW, b"x" * 5000)
    assert guest.call("brk", NEW + 100) == NEW + 100
    with pytest.raises(MemoryFault):
        guest.memory.load(NEW + PAGE, 1)
    assert guest.call("brk", NEW + 8192) == NEW + 8192
    assert guest.memory.load(NEW + PAGE, 8) == 0
    assert guest.call("brk", NEW - 1) == NEW + 8192
    assert guest.call("brk", 1 << 62) == NEW + 8192
