"""The policy in words, with the numbers that it has come to in a run: why something was compiled, or was not."""

from __future__ import annotations

from xenos.tuning.levels import ALL, FEW
from xenos.tuning.tiers import SHARE, Tiers

_MOST = 3600.0      # seconds: what is not worth it after an hour never is
_EXACT = 1e-4       # seconds


def needed(tiers: Tiers, started: bool, level: int = FEW) -> float:
    """After how many seconds at a header a region of it is worth compiling, by a worker that has `started` or not, or how many
    in a region that is worth compiling at a higher level; `inf` if never.

    It is found by asking: the rule itself stands in one place only.
    """
    def worthwhile(seconds: float, started: bool) -> bool:
        return tiers.better(seconds, None, started) if level == ALL else tiers.worthwhile(seconds, started)

    spare, tiers.compiling = tiers.compiling, -_MOST      # what has gone into compiling so far is another question
    try:
        if not worthwhile(_MOST, started):
            return float("inf")
        low, high = 0.0, _MOST
        while high - low > _EXACT:
            middle = (low + high) / 2
            low, high = (low, middle) if worthwhile(middle, started) else (middle, high)
        return high
    finally:
        tiers.compiling = spare


def explain(tiers: Tiers) -> list[str]:
    """When a loop is compiled, by what is known now, and how much of the time was given to that."""
    few, more = tiers.levels[FEW], tiers.levels[ALL]
    return [f"{few.typical:.0f} instructions at {1e6 * few.per_instruction:.0f} us each become {few.faster:.2g} times as "
            f"fast, in {100 * few.luck:.0f} % of all cases",
            f"a loop is compiled after {1000 * needed(tiers, True):.0f} ms, or {1000 * needed(tiers, False):.0f} ms where that "
            "takes a new worker",
            f"a region is compiled once more, with all passes, after {needed(tiers, True, ALL):.1f} s in it, or "
            f"{needed(tiers, False, ALL):.1f}: it becomes {more.faster:.3g} times as fast",
            f"{1000 * tiers.compiling:.0f} of {1000 * tiers.ran:.0f} ms went into compiling, {100 * SHARE:.0f} % at most"]
