"""What a child of vfork wrote into the memory that it should share with its parent, and does not: handed back when it ends.

The child of a fork shares each page with its parent until one of them writes to it. So what lies in the child's private pages,
and in its alone, is what it wrote (pagemap in the kernel's Documentation/admin-guide/mm). The parent waits meanwhile: what its
only thread had there is what it was, and may be overwritten by whole pages. Where the parent has more threads, which write,
too, it gets back the bytes that the child changed in the caller's stack, which is where posix_spawn(3) puts its errno. No others:
stacks may lie side by side with all else (Go's do), and what other threads have written there meanwhile must not be undone.
"""

from __future__ import annotations

import os
import struct
from array import array

from xenos.memory.flat import BASE, MemoryFault
from xenos.memory.host import PAGE, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenos.linux.process import Process
    from xenos.memory.flat import FlatMemory

_RECORD = struct.Struct("<QQ")      # address, length; the bytes follow
_STACK = 64 << 10                   # of its parent's stack, what is handed back where there are more threads
_PIECE = 512                        # bytes that are compared at once
_LARGEST = 1 << 32                  # bytes of a mapping that is looked through: 8 MiB of page map
_PRESENT, _OF_FILE, _ALONE = 1 << 63, 1 << 61, 1 << 56


def stack_at(process: Process, stack: int) -> bytes:
    """What lies in the caller's stack from its stack pointer on."""
    region = process.memory.regions.at(stack)
    try:
        return process.memory.read(stack, min(_STACK, region.end - stack)) if region is not None else b""
    except MemoryFault:
        return b""


def give(process: Process, pipe: int, stack: int, before: bytes | None) -> None:
    """In the child: tell the parent what to write. `stack` is where its stack pointer was; `before` what `stack_at` gave when the
    child began, or None if the parent has one thread."""
    memory = process.memory
    spans = _written(memory) if before is None else list(_changed(stack, before, stack_at(process, stack)))
    if spans is None:
        spans = [(stack, stack + len(stack_at(process, stack)))]
    for start, end in spans:
        try:
            data = _RECORD.pack(start, end - start) + memory.read(start, end - start)
        except MemoryFault:
            continue
        while data:
            data = data[os.write(pipe, data) :]


def _written(memory: FlatMemory) -> list[tuple[int, int]] | None:
    """The ranges that this process has written since it was forked; None if the host does not say."""
    found: list[tuple[int, int]] = []
    try:
        fd = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for region in memory.regions:
            if region.prot & WRITE and not region.shared and region.end - region.start <= _LARGEST:
                entries = array("Q", os.pread(fd, (region.end - region.start) // PAGE * 8, (BASE + region.start) // PAGE * 8))
                found += _runs(region.start, entries)
    except OSError:
        return None
    finally:
        os.close(fd)
    return found


def _changed(start: int, before: bytes, now: bytes) -> Iterator[tuple[int, int]]:
    """The ranges of bytes that differ."""
    for piece in range(0, min(len(before), len(now)), _PIECE):
        old, new = before[piece:piece + _PIECE], now[piece:piece + _PIECE]
        if old == new:
            continue
        first = -1
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            if one != other:
                first = number if first < 0 else first
            elif first >= 0:
                yield start + piece + first, start + piece + number
                first = -1
        if first >= 0:
            yield start + piece + first, start + piece + min(len(old), len(new))


def _runs(start: int, entries: array[int]) -> Iterator[tuple[int, int]]:
    first = -1
    for number, entry in enumerate(entries):
        if entry & (_PRESENT | _OF_FILE | _ALONE) == _PRESENT | _ALONE:
            first = number if first < 0 else first
        elif first >= 0:
            yield start + first * PAGE, start + number * PAGE
            first = -1
    if first >= 0:
        yield start + first * PAGE, start + len(entries) * PAGE


def take(process: Process, data: bytes) -> None:
    """In the parent: write it."""
    at = 0
    while at + _RECORD.size <= len(data):
        address, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        try:
            process.memory.write(address, data[at : at + length])
        except MemoryFault:     # the child had mapped it for itself
            pass
        at += length
