"""What is told about a run that is over: statistics, registers, and the line of JSON that programs read."""

from __future__ import annotations

import os

from xenos.errors import XenosError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
    return "".join(f"xenos: {line}\n" for line in lines)


def registers(process: Process) -> str:
    """All registers with their assembly names, four to a line."""
    from xenos.engines import choose

    names = choose.register_names(process.form.elf_machine)
    cells = [f"{'pc':>4} {process.cpu.pc:016x}"]
    cells += [f"{name:>4} {process.cpu.read(*register):016x}" for register, name in names.items()]
    return "".join("  ".join(cells[at : at + 4]) + "\n" for at in range(0, len(cells), 4))


def reported(fd: int, run: Callable[[Callable[[Process], None]], tuple[int, Outcome]]) -> int:
    """Run, and write how it ended to `fd`, which the guest does not see. An error of ours is told there only."""
    import json

    places: list[tuple[int, Process]] = []

    def keep(process: Process) -> None:
        places.append((process.hide(fd), process))

    facts: dict[str, object]
    try:
        status, outcome = run(keep)
        facts = {
            "status": outcome.status, "signal": outcome.signal, "instructions": places[0][1].cpu.count,
            "crash": outcome.report() if outcome.signal else "",
        }
    except XenosError as error:
        status = error.status
        facts = {"error": type(error).__name__, "text": str(error)}
    os.write(places[0][0] if places else fd, json.dumps(facts).encode() + b"\n")
    return status
