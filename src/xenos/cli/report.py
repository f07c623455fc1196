"""What is told about a run that is over: statistics and registers."""

from __future__ import annotations

from xenos.cpu import layout

_HOTTEST, _ENOUGH = 4, 10   # loops that are told; samples without which nothing is

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.api.profile import Jump, Loop, Profile
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
    if sum(getattr(engine, "heat", {}).values()) >= _ENOUGH:
        from xenos.api.profile import profile_of

        lines += _profile(profile_of(process))
    return "\n".join(lines)


def _profile(profile: Profile) -> list[str]:
    """The hottest loops and what was decided about them, which ways they take, and where the most frequent indirect jumps go."""
    hottest = profile.loops[:_HOTTEST]
    jumps = [jump for loop in hottest if (jump := profile.at(loop.address)) is not None and not jump.indirect]
    indirect = [jump for jump in profile.jumps if jump.indirect and len(jump.goals) > 1][:_HOTTEST]
    every: list[Loop | Jump] = [*hottest, *jumps, *indirect]
    width = max(len(one.name or hex(one.address)) for one in every)
    tables = [("hottest loops", [f"{_name(loop, width)}  {100 * loop.share:3.0f} %  {loop.standing}".rstrip() for loop in hottest]),
              ("ways they take", [f"{_name(jump, width)}  {_goals(jump)}" for jump in jumps]),
              ("indirect jumps", [f"{_name(jump, width)}  {_goals(jump)}" for jump in indirect])]
    return [f"{title if not number else '':14}  {row}" for title, rows in tables for number, row in enumerate(rows)]


def _name(one: Loop | Jump, width: int) -> str:
    return (one.name or hex(one.address)).ljust(width)


def _goals(jump: Jump) -> str:
    own = jump.name.rpartition("+")[0]      # of goals in the same function, the offset tells enough
    told = ", ".join(f"{name[len(own) if own and name.startswith(f'{own}+') else 0:] or hex(goal)} {100 * share:.0f} %"
                     for goal, name, share in jump.goals[:_HOTTEST])
    rest = 1 - sum(share for _, _, share in jump.goals[:_HOTTEST])
    return f"to {told}" + (f", others {100 * rest:.0f} %" if rest > 0.005 else "")


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
    """All registers with their assembly names, four to a line; the flags are those of floating point, `rm` is the rounding mode."""
    cpu = process.cpu
    cells = [f"{name:>4} {value:016x}" for name, value in (
        ("pc", cpu.pc), ("flag", cpu.get(layout.FLAGS)), ("rm", cpu.get(layout.ROUNDING)))]
    cells += [f"{name:>4} {cpu.read(*register):016x}" for name, register in names.items()]
    return "\n".join("  ".join(cells[at : at + 4]) for at in range(0, len(cells), 4))
