"""Printing each system call and its result to standard error, in the style of strace."""

from __future__ import annotations

import errno
import os
import struct

from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.dispatch import Call
    from xenos.linux.process import Process

_SHOWN = 32  # bytes of a string, as strace shows


def note(process: Process, text: str) -> None:
    """A remark of ours, between the calls."""
    process.descriptors.complain(f"xenos: {text}\n")


def traced(process: Process, call: Call, raw: list[int]) -> int | None:
    """Make the call, and print it with its result."""
    shown = [_argument(process, letter, raw, index) for index, letter in enumerate(call.letters)]
    if call.name in ("exit", "exit_group", "execve", "execveat", "clone"):
        _print(process, f"{call.name}({', '.join(filter(None, shown))}) ...")
    result = call(process, raw)
    for index, letter in enumerate(call.letters):
        if letter == "r":
            length = result if result is not None and result > 0 else 0
            shown[index] = _bytes(process, raw[index], length) if length else f"{raw[index]:#x}"
    _print(process, f"{call.name}({', '.join(shown)}) = {_result(call, result)}")
    return result


def _print(process: Process, text: str) -> None:
    process.descriptors.complain(f"{process.thread.tid or os.getpid()} {text}\n")


def _argument(process: Process, letter: str, raw: list[int], index: int) -> str:
    value = raw[index]
    if letter in "di":
        number = (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
        return "AT_FDCWD" if letter == "d" and number == -100 else str(number)
    if letter == "l":
        return str((value ^ 1 << 63) - (1 << 63))
    if letter in "uz":
        return str(value)
    if letter == "o":
        return f"0{value & 0xFFFFFFFF:o}"
    if letter == "x":
        return f"{value & 0xFFFFFFFF:#x}"
    if letter in "sfnmkFN":
        try:
            return _quoted(process.memory.cstring(value, 4096))
        except MemoryFault:
            return f"{value:#x}"
    if letter == "v":
        return _vector(process, value, raw[index + 1])
    if letter == "b":
        return _bytes(process, value, raw[index + 1])
    return f"{value:#x}" if value else "NULL"


def _vector(process: Process, address: int, count: int) -> str:
    """The lengths of the buffers in an array of struct iovec."""
    try:
        data = process.memory.read(address, 16 * min(count & 0xFFFFFFFF, 8))
    except MemoryFault:
        return f"{address:#x}"
    buffers = [f"{start:#x}+{length}" for start, length in struct.iter_unpack("<QQ", data)]
    return "[" + ", ".join(buffers) + (", ...]" if count > len(buffers) else "]")


def _bytes(process: Process, address: int, length: int) -> str:
    try:
        return _quoted(process.memory.read(address, min(length, _SHOWN)), more=length > _SHOWN)
    except MemoryFault:
        return f"{address:#x}"


def _quoted(data: bytes, *, more: bool = False) -> str:
    text = "".join(_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:o}") for byte in data)
    return f'"{text}"' + ("..." if more else "")


_ESCAPES = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}


def _result(call: Call, result: int | None) -> str:
    if result is None:
        return "?"
    if -4096 < result < 0:
        return f"-1 {errno.errorcode.get(-result, '')} ({os.strerror(-result)})"
    if call.name in ("mmap", "mremap", "brk", "fcntl", "sbrk") and result > 4096:
        return f"{result:#x}"
    return str(result)
