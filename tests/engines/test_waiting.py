"""What waits for a worker: the hottest is first."""

from __future__ import annotations

from xenos.engines.region.waiting import MOST, Waiting


def test_the_hottest_is_first() -> None:
    waiting = Waiting()
    assert not waiting
    for header, seconds in (16, 0.2), (32, 0.5), (48, 0.1):
        waiting.add(header, seconds, {header})
    assert waiting and 32 in waiting and 64 not in waiting
    assert waiting.hottest({}) == (32, 0.5, {32}) and 32 not in waiting
    assert waiting.hottest({48: 0.25, 99: 9.0}) == (48, 0.35, {48})       # it has got hotter since
    assert waiting.hottest({}) == (16, 0.2, {16}) and not waiting


def test_few_wait() -> None:
    waiting = Waiting()
    while waiting.room():
        waiting.add(len(waiting), 1.0, set())
    assert len(waiting) == MOST


def test_what_was_changed_waits_no_more() -> None:
    waiting = Waiting()
    for header in 16, 32, 48:
        waiting.add(header, 1.0, set())
    waiting.forget(20, 48)
    assert 16 in waiting and 32 not in waiting and 48 in waiting
    waiting.forget()
    assert not waiting
