"""Arguments that a futex operation does not look at may be anything: callers leave in them what was there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.kit import DATA, EXIT, elf, write, xenos

WAIT, WAKE, REQUEUE, WAKE_BITSET = 0, 1, 3, 10
EAGAIN, EFAULT = 11, 14


@pytest.mark.parametrize(("operation", "status"), [
    (WAKE, 0), (WAKE | 128, 0), (WAKE_BITSET, 0), (WAIT, 256 - EFAULT), (REQUEUE, 256 - EFAULT),
])
@pytest.mark.parametrize("strace", [False, True])      # by generated code, and by Python
def test_what_is_not_looked_at(tmp_path: Path, operation: int, status: int, strace: bool) -> None:
    lines = [f"lui a0, {DATA >> 12}", f"addi a1, zero, {operation}", "addi a2, zero, 1", "addi a3, zero, -1",
             "addi a4, zero, -1", "addi a5, zero, -1", "addi a7, zero, 98", "ecall"]
    program = write(tmp_path, elf([*lines, *lines, *EXIT]))
    assert xenos("run", *["--strace"] * strace, program).status == status
