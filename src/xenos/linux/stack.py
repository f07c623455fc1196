"""The stack that a new program finds: argument count, arguments, environment, auxiliary vector, and their strings."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.loader import Image
    from xenos.linux.process import Process

PAGE = 4096
CLOCK_TICKS = 100
STRINGS_MAX = 2 << 20  # a quarter of the stack, as Linux has it
E2BIG = 7

AT_NULL, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY = 0, 3, 4, 5, 6, 7, 8, 9
AT_UID, AT_EUID, AT_GID, AT_EGID, AT_HWCAP, AT_CLKTCK = 11, 12, 13, 14, 16, 17
AT_SECURE, AT_RANDOM, AT_EXECFN = 23, 25, 31


def check_size(argv: list[bytes], env: list[bytes]) -> None:
    """OSError (E2BIG) where arguments and environment do not fit a stack."""
    if sum(map(len, argv)) + sum(map(len, env)) + 9 * (len(argv) + len(env)) > STRINGS_MAX:
        raise OSError(E2BIG, os.strerror(E2BIG))


def build(process: Process, image: Image, path: bytes, argv: list[bytes], env: list[bytes]) -> int:
    """Write it all below the top of guest memory; returns the stack pointer."""
    memory = process.memory
    top = memory.top - PAGE - 8  # the last word stays zero, as under Linux
    strings = bytearray()

    def place(data: bytes) -> int:
        strings.extend(reversed(data + b"\0"))
        return top - len(strings)

    execfn = place(path)
    env_at = [place(text) for text in reversed(env)][::-1]
    argv_at = [place(text) for text in reversed(argv)][::-1]
    strings.extend(bytes(-len(strings) % 16))
    strings.extend(os.urandom(16))
    random = top - len(strings)
    vector = [
        AT_HWCAP, process.form.hwcap, AT_PAGESZ, PAGE, AT_CLKTCK, CLOCK_TICKS,
        AT_PHDR, image.headers, AT_PHENT, 56, AT_PHNUM, image.elf.headers,
        AT_BASE, image.base, AT_FLAGS, 0, AT_ENTRY, image.entry,
        AT_UID, os.getuid(), AT_EUID, os.geteuid(), AT_GID, os.getgid(), AT_EGID, os.getegid(),
        AT_SECURE, 0, AT_RANDOM, random, AT_EXECFN, execfn, AT_NULL, 0,
    ]
    words = [len(argv), *argv_at, 0, *env_at, 0, *vector]
    pointer = (random - 8 * len(words)) & -16
    memory.write(pointer, struct.pack(f"<{len(words)}Q", *words))
    memory.write(random, bytes(reversed(strings)))
    process.auxv = struct.pack(f"<{len(vector)}Q", *vector)
    process.arguments_at = (argv_at[0] if argv_at else execfn, env_at[0] if env_at else execfn, execfn)
    return pointer
