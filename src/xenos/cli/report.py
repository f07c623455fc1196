"""What is told about a run that is over: statistics, registers, and the line of JSON that programs read."""

from __future__ import annotations

import os

from xenos.errors import UsageError, XenosError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.outcome import Outcome
    from xenos.linux.process import Process


def statistics(process: Process, outcome: Outcome, seconds: tuple[float, float]) -> str:
    """The lines of --stats. Instructions and times are those of this process: children of the guest count for themselves."""
    wall, cpu = seconds
    executed = process.cpu.count
    how = f"died by signal {outcome.signal}" if outcome.signal else f"exit status {outcome.status}"
    lines = [
        how,
        f"{executed:,} guest instructions, {executed / max(cpu, 1e-9) / 1e6:,.0f} million per second of CPU time",
        f"{wall:.3f} s wall, {cpu:.3f} s CPU",
    ]
    engine = process.engine
    translated = getattr(engine, "translated", None)
    if translated is not None:
        lines.append(f"{translated:,} units translated, {getattr(engine, 'loaded', 0):,} taken from the cache")
    return "\n".join(lines)


def registers(process: Process, names: dict[str, tuple[str, int]]) -> str:
    """All registers with their assembly names, four to a line."""
    cells = [f"{'pc':>4} {process.cpu.pc:016x}"]
    cells += [f"{name:>4} {process.cpu.read(*register):016x}" for name, register in names.items()]
    return "\n".join("  ".join(cells[at : at + 4]) for at in range(0, len(cells), 4))


class Telling:
    """How a run ended, as one line of JSON to a file descriptor that the guest does not see."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def hide(self, process: Process) -> None:
        """Move the descriptor to where guests have none."""
        try:
            self._fd = process.hide(self._fd)
        except OSError as error:
            raise UsageError(f"--report {self._fd}: {error.strerror}") from None

    def ended(self, process: Process, outcome: Outcome) -> None:
        """The program has come to its end."""
        self._write({
            "status": outcome.status, "signal": outcome.signal, "instructions": process.cpu.count,
            "crash": outcome.report() if outcome.signal else "",
        })

    def failed(self, error: XenosError) -> None:
        """It could not be run."""
        self._write({"error": type(error).__name__, "text": str(error)})

    def _write(self, facts: dict[str, object]) -> None:
        import json

        try:
            os.write(self._fd, json.dumps(facts).encode() + b"\n")
        except OSError:
            pass  # whoever wanted to know is gone
