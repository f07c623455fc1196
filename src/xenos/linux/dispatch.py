"""From a system-call number to the function that answers it, and from its arguments to a value or -errno."""

from __future__ import annotations

from xenos.linux.table import CALLS
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.linux.process import Process

    Answer = Callable[..., "int | None"]
    Reader = Callable[[Process, int], "int | bytes"]

EFAULT, EINVAL, ENOMEM, EMFILE, ENOSYS = 14, 22, 12, 24, 38
_REFUSALS = {"EPERM": 1, "ENOSYS": ENOSYS}


def _int(process: Process, value: int) -> int:
    return (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000


def _descriptor(process: Process, value: int) -> int:
    return process.descriptors.check((value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000)


def _unsigned(process: Process, value: int) -> int:
    return value & 0xFFFFFFFF


def _long(process: Process, value: int) -> int:
    return (value ^ 1 << 63) - (1 << 63)


def _word(process: Process, value: int) -> int:
    return value


def _string(process: Process, value: int) -> bytes:
    return process.memory.cstring(value)


_READERS: dict[str, Reader] = {
    "d": _descriptor, "i": _int, "u": _unsigned, "o": _unsigned, "x": _unsigned, "l": _long,
    "z": _word, "p": _word, "b": _word, "r": _word, "s": _string,
}


class Call:
    """One system call, ready to be made."""

    __slots__ = ("answer", "letters", "name", "readers")
    guarded = False     # whether a policy looks at each

    def __init__(self, name: str, answer: Answer, letters: str) -> None:
        self.name = name
        self.answer = answer
        self.letters = letters
        self.readers = tuple(_READERS[letter] for letter in letters)

    def __call__(self, process: Process, raw: list[int]) -> int | None:
        """The result, -errno, or None for a call that leaves the registers to somebody else (execve, exit)."""
        for first in (True, False):
            try:
                result = self.answer(process, *[read(process, value) for read, value in zip(self.readers, raw, strict=False)])
                if result == -EMFILE:
                    exhausted(process)
                return result
            except (OSError, ImportError) as error:
                number = getattr(error, "errno", EMFILE) or EINVAL
                if number == EMFILE:
                    exhausted(process)
                    if first and str(getattr(error, "filename", ".py")).endswith((".py", ".pyc")):
                        continue        # it was a module of ours, which is there by now
                return -number
            except MemoryFault:
                return -EFAULT
            except (OverflowError, ValueError):  # a number that no C type of the host's call can take
                return -EINVAL
            except MemoryError:
                return -ENOMEM
        return -EMFILE


class Refused(Call):
    """A system call that fails with one and the same error, whatever is asked of it."""

    __slots__ = ("error",)

    def __init__(self, name: str, letters: str, error: int) -> None:
        self.name = name
        self.letters = letters
        self.error = error

    def __call__(self, process: Process, raw: list[int]) -> int:
        """-errno."""
        return -self.error


def find(process: Process, number: int) -> Call:
    """The call behind a number of this guest, under the process's policy if it has one."""
    call = _find(process, number)
    return call if process.policy is None else process.policy.guard(call)


def _find(process: Process, number: int) -> Call:
    """The call behind a number of this guest; one that answers -ENOSYS where there is none."""
    form = process.form
    name = form.numbers.get(number, "")
    where = form.calls.get(name)
    if where is not None:
        module, _, function = where.partition(":")
        answer = _function(module, function)
        return Call(name, answer, "p" * (answer.__code__.co_argcount - 1))
    where, _, letters = CALLS.get(name, "").partition(" ")
    if where in ("=", "=+"):
        from xenos.linux.passing import Passed

        return Passed(name, letters, opens=where == "=+")
    if where in _REFUSALS:
        return Refused(name, letters, _REFUSALS[where])
    if not where:
        if process.strace:
            from xenos.linux import strace

            strace.note(process, f"system call {name or number} is not there: -ENOSYS (said once)")
        return Refused(name or f"call_{number}", "pppppp", ENOSYS)
    module, _, function = where.partition(":")
    return Call(name, _function(f"xenos.linux.{module}", function), letters)


def _function(module: str, name: str) -> Answer:
    from xenos.linux.descriptors import beyond_limit

    answer: Answer = getattr(beyond_limit(lambda: __import__(module, None, None, (name,))), name)
    return answer


def exhausted(process: Process) -> None:
    """The guest has no descriptors left: before long, neither have we."""
    from xenos.linux.descriptors import beyond_limit

    beyond_limit(lambda: __import__("xenos.linux.preload", None, None, ("everything",))).everything(process)
