"""A breakpoint: the guest's own breakpoint instruction in place of another, until it is taken out again."""

from __future__ import annotations

from types import TracebackType

from xenos.errors import UsageError
from xenos.isa.guest import Guest
from xenos.linux.process import Process
from xenos.memory.flat import MemoryFault
from xenos.memory.host import EXEC, PAGE, READ, WRITE

_instructions: dict[str, bytes] = {}


def instruction(guest: Guest) -> bytes:
    """The shortest instruction of a guest that is a breakpoint and nothing else."""
    if guest.name not in _instructions:
        instructions = guest.instructions()
        found = []
        encodings = [(one.pattern, one) for one in instructions.instructions.values()]
        encodings += [(alias.pattern, alias.target) for alias in instructions.aliases.values()]
        for pattern, target in encodings:
            control = next(target.forms()).control
            if control is not None and control.op == "trap" and control.attr("cause") == "breakpoint":
                found.append((pattern.width // 8, pattern.value))
        size, word = min(found)
        _instructions[guest.name] = word.to_bytes(size, "little")
    return _instructions[guest.name]


class Breakpoint:
    """`with Breakpoint(process, guest, address):` the guest stops there. A child that it forks meanwhile does not."""

    def __init__(self, process: Process, guest: Guest, address: int) -> None:
        self._process = process
        self._address = address
        self._code = instruction(guest)
        self._before = b""

    def __enter__(self) -> None:
        memory = self._process.memory
        try:
            limit = memory.fetch_limit(self._address)
            self._before = memory.read(self._address, len(self._code))
        except MemoryFault:
            limit = 0
        if limit < self._address + len(self._code):
            raise UsageError(f"there is no code at {self._address:#x} to stop at")
        region = memory.regions.at(self._address)
        if region is not None and region.shared:
            raise UsageError(f"the code at {self._address:#x} is shared memory, which is not changed to stop there")
        self._write(self._code)
        self._process.after_fork.append(self._remove)
        self._process.after_exec.append(self._forget)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self._process.after_fork.remove(self._remove)
        self._process.after_exec.remove(self._forget)
        self._remove()

    def _remove(self) -> None:
        memory = self._process.memory
        region = memory.regions.at(self._address)
        # The guest may have unmapped or replaced its code meanwhile: then it is left alone.
        if self._before and region is not None and region.prot & EXEC and not region.shared:
            if memory.read(self._address, len(self._code)) == self._code:
                self._write(self._before)
        self._before = b""

    def _forget(self) -> None:
        self._before = b""

    def _write(self, data: bytes) -> None:
        """Change code, whatever its protection."""
        memory = self._process.memory
        region = memory.regions.at(self._address)
        assert region is not None
        prot = region.prot
        page = self._address & -PAGE
        length = (self._address + len(data) + PAGE - 1 & -PAGE) - page
        memory.protect(page, length, prot | READ | WRITE)
        memory.write(self._address, data)
        memory.protect(page, length, prot)
