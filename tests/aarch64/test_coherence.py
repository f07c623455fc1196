"""Hosts with an instruction cache of its own are told of code that is put where other code was before."""

from __future__ import annotations

from xenos.engines.code.arena import Arena
from xenos.engines.code.segment import Segment

SIZE = 1 << 16


def test_code_from_the_cache_is_made_visible() -> None:
    """A program that is executed (execve(2)) has its code where the last one had its own."""
    arena = Arena(4 * SIZE)
    told: list[tuple[int, int]] = []
    arena.flush = lambda first, behind: told.append((first, behind))
    body = b"".join(bytes(part) for part in Segment(arena, SIZE, 0, SIZE, bytes(range(64)), None).pack())
    segment = Segment(arena, SIZE, 0, SIZE, b"", None)
    assert segment.restore(memoryview(body)) and bytes(segment.view[:64]) == bytes(range(64))
    assert told == [(segment.base, segment.base + segment.used)]
    arena.flush = None
