"""The table of guest programs at the end of a test run: what was the same as qemu's, and how long both took."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Printed by the process that the user started, from what its workers reported."""
    rows = sorted(_rows(terminalreporter))
    if not rows:
        return
    terminalreporter.section("guest programs")
    terminalreporter.write_line(f"{'program':24}{'engine':12}{'result':10}{'qemu':>9}{'xenos':>9}   wall seconds")
    for name, engine, result, by_qemu, by_xenos in rows:
        terminalreporter.write_line(f"{name:24}{engine:12}{result:10}{by_qemu:9.2f}{by_xenos:9.2f}")
    same = sum(row[2] == "same" for row in rows)
    terminalreporter.write_line(f"{same} of {len(rows)} the same as qemu's")


def _rows(reporter: pytest.TerminalReporter) -> Iterator[tuple[str, str, str, float, float]]:
    for outcome in ("passed", "failed"):
        for report in reporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []):
                if name == "guest":
                    yield tuple(value)
