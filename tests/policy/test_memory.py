"""`--max-memory`: what counts, what does not, and that every way of getting memory ends at the limit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xenos
from cli.kit import printing, write
from cli.kit import xenos as run
from policy.world import CROSS
from xenos.errors import LoadError
from xenos.linux.policy.memory import Ledger

SOURCE = Path(__file__).parent / "programs" / "memory.c"
MOST = "200"


@pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
def test_every_way_ends_at_the_limit(tmp_path: Path) -> None:
    program = tmp_path / "memory"
    subprocess.run([CROSS, "-static", "-O1", "-w", SOURCE, "-o", program], check=True)
    free = dict(line.split() for line in run("run", program).stdout.splitlines())
    assert set(free.values()) == {MOST} and len(free) == 11
    ended = run("run", "--max-memory=64M", program)
    assert ended.status == 0 and ended.stderr == ""
    held = dict(line.split() for line in ended.stdout.splitlines())
    assert held.pop("again") == held.pop("place") == MOST
    assert held.pop("memfd") == "0"     # it would not show in any mapping
    assert {name: value for name, value in held.items() if not 50 <= int(value) < 64} == {}  # the stack counts, too


def test_a_program_that_is_too_large(tmp_path: Path) -> None:
    program = write(tmp_path, printing(b"x"))
    ended = run("run", "--max-memory=2M", program)
    assert ended.status == LoadError.status and "its policy allows 2048" in ended.complaint
    assert run("run", "--max-memory=9M", program).status == 0    # a stack of 8 MiB, and a page
    with pytest.raises(LoadError, match="its policy allows"):
        xenos.Process(str(program), policy=xenos.Policy(max_memory="2M"))


@pytest.mark.parametrize("value", ["", "lots", "12X", "-5M", "100"])
def test_sizes_that_make_no_sense(tmp_path: Path, value: str) -> None:
    assert run("run", f"--max-memory={value}", write(tmp_path, printing(b"x"))).status == 2


Step = tuple[bool, int, int]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(1, 20))))
def test_the_ledger_counts_each_address_once(steps: list[Step]) -> None:
    ledger, model = Ledger(1000), set[int]()
    for add, start, length in steps:
        span = range(start, start + length)
        inside = len(model & set(span))
        assert ledger.within(start, start + length) == inside
        if add:
            ledger.add(start, start + length)
            model |= set(span)
        else:
            ledger.remove(start, start + length)
            model -= set(span)
        assert ledger.total == len(model)
        assert ledger.full(1000 - len(model)) is False and ledger.full(1001 - len(model)) is True
