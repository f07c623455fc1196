"""What is told about a run that is over: statistics and registers."""

from __future__ import annotations

from xenos.linux.symbols import describe

_HOTTEST, _ENOUGH = 4, 10   # loops that are told; samples without which nothing is

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.outcome import Outcome
    from xenos.linux.process import Process


def statistics(process: Process, outcome: Outcome, seconds: tuple[float, float]) -> str:
    """The lines of --stats, on this process alone: children of the guest are not counted."""
    wall, cpu = seconds
    executed = process.instructions
    how = f"died by signal {outcome.signal}" if outcome.signal else f"exit status {outcome.status}"
    lines = [
        how,
        f"{executed:,} guest instructions, {executed / max(cpu, 1e-9) / 1e6:,.0f} million per second of CPU time",
        f"{wall:.3f} s wall, {cpu:.3f} s CPU",
    ]
    engine = getattr(process.engine, "stencil", process.engine)  # of lockstep, the one of the two that translates
    translated, loaded = getattr(engine, "translated", None), getattr(engine, "loaded", 0)
    if translated is not None:
        lines.append(f"{translated:,} units translated, {loaded:,} blocks taken from the cache")
    regions = getattr(engine, "told", None)
    if regions is not None:
        lines.append(regions())
    lines += _collection(engine)
    heat: dict[int, int] = getattr(engine, "heat", {})
    if sum(heat.values()) >= _ENOUGH:
        hottest = sorted(heat.items(), key=lambda item: -item[1])[:_HOTTEST]
        places = [f"{describe(process, pc) or hex(pc)} {100 * samples / sum(heat.values()):.0f} %" for pc, samples in hottest]
        lines.append(f"hottest loops: {', '.join(places)}")
    return "\n".join(lines)


def _collection(engine: Any) -> list[str]:
    """What became of code that the guest wrote, or that was there for some time only."""
    lines = []
    collection: dict[str, float] = getattr(engine, "collection", {})
    if collection.get("collections"):
        lines.append(f"{collection['collections']:,} collections gave back {collection['collected'] / 1e6:,.1f} MB of code, "
                     f"{100 * collection['back'] / max(1, collection['given_up']):.0f} % was translated again; "
                     f"{(collection['young'] + collection['old']) / 1e6:,.1f} MB in use")
    if collection.get("pauses"):
        lines.append(f"{collection['pauses']:,} stops of guest threads for that: "
                     f"99 % at most {1000 * collection['pause_99']:.2f} ms, longest {1000 * collection['longest_pause']:.2f} ms")
    return lines


def registers(process: Process, names: dict[str, tuple[str, int]]) -> str:
    """All registers with their assembly names, four to a line."""
    cells = [f"{'pc':>4} {process.cpu.pc:016x}"]
    cells += [f"{name:>4} {process.cpu.read(*register):016x}" for name, register in names.items()]
    return "\n".join("  ".join(cells[at : at + 4]) for at in range(0, len(cells), 4))
