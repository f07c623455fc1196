"""How a guest process ended, and what to tell the user about it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.cpu.exits import Exit
    from xenos.linux.process import Process


class Outcome:
    """An exit `status` (0 to 255), or the `signal` that ended the process; `pc` is where it stood.

    `cause` is the exit of the CPU (a fault, an illegal instruction) that became the signal, if one did.
    """

    __slots__ = ("_process", "cause", "pc", "signal", "status")

    def __init__(self, process: Process, status: int, signal: int, cause: Exit | None) -> None:
        self._process = process
        self.status = status
        self.signal = signal
        self.cause = cause
        self.pc = process.cpu.pc

    def __repr__(self) -> str:
        return f"Outcome(signal={self.signal}, pc={self.pc:#x})" if self.signal else f"Outcome(status={self.status})"

    @property
    def exit_status(self) -> int:
        """What a shell would say: the status, or 128 + the signal."""
        return 128 + self.signal if self.signal else self.status

    def report(self) -> str:
        """One line for a guest that ended by a signal: which, where, why. Ask before the process is reset."""
        from xenos.linux import crash

        return crash.report(self._process, self)

    def registers(self) -> dict[str, list[int]]:
        """All registers of up to 64 bits, by file, as the guest left them."""
        cpu = self._process.cpu
        return {
            name: [cpu.read(name, index) for index in range(file.count)]
            for name, file in cpu.layout.files.items() if file.width <= 64
        }
