"""What the region engine says of a run: what was compiled, what was not and why, and what that was decided by."""

from __future__ import annotations

from xenos.tuning.explain import explain, needed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.region.engine import RegionEngine


def lines(engine: RegionEngine) -> list[str]:
    """For `--stats`: regions, workers, policy."""
    parts = [f"{engine.compiled:,} regions of {engine.instructions:,} instructions compiled"]
    parts += filter(None, [engine.second.told()])
    if engine.orders.refused:
        parts.append(f"{len(engine.orders.refused):,} refused ({_reasons(list(engine.orders.refused.values()))})")
    if engine.pool.problem:
        parts.append(f"no workers: {engine.pool.problem}")
    found = ["; ".join(parts)]
    workers = engine.pool.told()
    if workers:
        found.append(f"workers: {workers}")
    if engine.tiers.jobs and (workers or engine.orders.refused):     # else what is told of each loop says it all
        found += [f"policy: {line}" for line in explain(engine.tiers)]
    return found


def _reasons(given: list[str]) -> str:
    """Each reason once, numbers in it aside, with how often it was given; the first one as it stands."""
    kinds: dict[str, list[str]] = {}
    for reason in given:
        kinds.setdefault("".join(letter for letter in reason if not letter.isdigit()), []).append(reason)
    return "; ".join(same[0] + (f", and {len(same) - 1} like it" if len(same) > 1 else "") for same in kinds.values())


def trouble(engine: RegionEngine) -> str:
    """What went wrong with workers; empty if nothing did."""
    parts = [engine.pool.losses(), f"no workers: {engine.pool.problem}" if engine.pool.problem else ""]
    return "; ".join(filter(None, parts))


def standing(engine: RegionEngine, pc: int) -> str:
    """What was decided about a loop, or about what is called."""
    told = _decided(engine, pc)
    if not told and pc in engine.within:
        return "in a region"
    begins = engine.orders.led.get(pc, pc)
    if not told and begins != pc and (there := _decided(engine, begins)):
        return f"from {begins:#x}, where it goes round: {there}"
    return told or _undecided(engine, pc)


def _decided(engine: RegionEngine, pc: int) -> str:
    if engine.compiled_at(pc):
        return "compiled, with all passes" if engine.second.settled.get(pc) else "compiled"
    if engine.orders.asked(pc):
        return f"{engine.orders.asked(pc)} at the end"
    reason = engine.orders.refused.get(pc)
    return f"refused: {reason}" if reason is not None else ""


def _undecided(engine: RegionEngine, pc: int) -> str:
    if not engine.tiers.jobs:
        return "nothing is compiled in this run"
    spent, enough = engine.spent.get(pc, 0.0), needed(engine.tiers, bool(engine.pool.started))
    if spent < enough:
        return f"not compiled: it ran for {1000 * spent:.0f} ms, and is worth it after {1000 * enough:.0f}"
    return f"not compiled: it ran for {1000 * spent:.0f} ms, but no worker was free, or compiling had its share"
