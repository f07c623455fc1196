"""Calls that need nothing of us: their arguments in the host's terms, then straight to the host's kernel."""

from __future__ import annotations

import ctypes
import struct

from xenos.linux import kernel
from xenos.linux.dispatch import Call, exhausted
from xenos.memory.flat import BASE, MemoryFault
from xenos.memory.host import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

    Word = int | bytes | ctypes.Array[ctypes.c_char]
    Step = Callable[[Process, list[int], int, list[Word]], None]

AT_FDCWD, AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW = -100, 0x100, 0x400
ENOMEM, EFAULT, EINVAL, EMFILE, EMSGSIZE = 12, 14, 22, 24, 90
IOV_MAX = 1024


def address(process: Process, value: int) -> int:
    """A pointer to some structure in the host's terms. The page at the arena's end is never the guest's.

    So a structure that the kernel is pointed to lies inside, or it finds nothing where that starts.
    """
    return kernel.pointer(process, value, PAGE)


def where(process: Process, dirfd: int, path: bytes, *, follow: bool) -> tuple[int, bytes]:
    """A guest's (dirfd, path) for one of the host's *at calls."""
    host, dir_fd = process.locate(process.descriptors.check(dirfd), path, follow=follow)
    return AT_FDCWD if dir_fd is None else dir_fd, host


def alone(process: Process, path: bytes, *, follow: bool = True) -> bytes:
    """A guest's path for a call of the host that takes no directory with it."""
    host, dir_fd = process.locate(AT_FDCWD, path, follow=follow)
    return host if dir_fd is None or not host else b"/proc/self/fd/%d/%s" % (dir_fd, host)


def vector(process: Process, iov: int, count: int) -> ctypes.Array[ctypes.c_char]:
    """An array of `struct iovec` with the host's addresses; OSError for one that no call takes."""
    if not 0 <= count <= IOV_MAX:
        raise OSError(EINVAL, "too many buffers")
    words = list(struct.unpack(f"<{2 * count}Q", process.memory.read(iov, 16 * count)))
    size = process.memory.size
    for at in range(0, 2 * count, 2):
        start, length = words[at], words[at + 1]
        if length >> 63:
            raise OSError(EINVAL, "negative length")
        if start + length > size:
            raise OSError(EFAULT, "not in the guest's address space")
        words[at] = start + BASE if start else 0
    return ctypes.create_string_buffer(struct.pack(f"<{2 * count}Q", *words), max(16 * count, 1))


def signed(value: int) -> int:
    """The int in a register."""
    return (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000


def _int(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    words.append(signed(raw[at]))


def _word(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    words.append(raw[at])


def _descriptor(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    words.append(process.descriptors.check(signed(raw[at])))


def _pointer(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    value = raw[at]
    if value + PAGE > process.memory.size:
        raise MemoryFault(value, 1)
    words.append(value + BASE if value else 0)


def _buffer(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    value = raw[at]
    if value + raw[at + 1] > process.memory.size:
        raise MemoryFault(value, 1)
    words.append(value + BASE if value else 0)


def _vector(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    words.append(vector(process, raw[at], signed(raw[at + 1])))


def _string(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    words.append(process.memory.cstring(raw[at]))


def _at(letters: str, index: int) -> Step:
    """The step for a path behind its directory's descriptor: two words."""
    letter = letters[index]
    flags_at = letters.find("x", index)

    def step(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
        if not raw[at] and letter == "m":
            words += (process.descriptors.check(signed(raw[at - 1])), 0)
            return
        if letter == "m":
            follow = not raw[flags_at] & AT_SYMLINK_NOFOLLOW
        elif letter == "k":
            follow = raw[flags_at] & AT_SYMLINK_FOLLOW != 0
        else:
            follow = letter == "f"
        words += where(process, signed(raw[at - 1]), process.memory.cstring(raw[at]), follow=follow)

    return step


def _alone(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    words.append(alone(process, process.memory.cstring(raw[at])))


def _alone_itself(process: Process, raw: list[int], at: int, words: list[Word]) -> None:
    words.append(alone(process, process.memory.cstring(raw[at]), follow=False))


_STEPS: dict[str, Step] = {
    "d": _descriptor, "i": _int, "u": _int, "o": _int, "x": _int, "l": _word, "z": _word, "p": _pointer,
    "b": _buffer, "r": _buffer, "s": _string, "v": _vector, "F": _alone, "N": _alone_itself,
}


class Passed(Call):
    """A system call that is made by the host's kernel as the guest asks for it; `opens` says that it gives a descriptor."""

    __slots__ = ("opens", "steps")

    def __init__(self, name: str, letters: str, *, opens: bool) -> None:
        self.name = name
        self.letters = letters
        self.opens = opens
        self.steps: list[tuple[int, Step]] = []
        for index, letter in enumerate(letters):
            if letters[index + 1 : index + 2] in tuple("nfmk"):
                continue  # the directory of the path that follows
            self.steps.append((index, _at(letters, index) if letter in "nfmk" else _STEPS[letter]))

    def __call__(self, process: Process, raw: list[int]) -> int:
        """The host's result, or -errno."""
        words: list[Word] = []
        try:
            for index, step in self.steps:
                step(process, raw, index, words)
        except OSError as error:
            return -(error.errno or EINVAL)
        except MemoryFault:
            return -EFAULT
        except MemoryError:
            return -ENOMEM
        result = kernel.call(process, self.name, *words)
        if self.opens and result >= 0:
            process.descriptors.add(result)
        elif result == -EMFILE:
            exhausted(process)
        return result
