"""Every case on the stencil engine, the short ones on the reference engine: output, status and files as qemu's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from guests.cases import CASES, Case
from guests.runner import expected, missing, remove_scratch, run

REASON = missing()


@pytest.fixture(scope="module", autouse=True)
def scratch() -> Iterator[None]:
    yield
    remove_scratch()


def _on(engine: str) -> list[object]:
    return [pytest.param(case, engine, id=f"{case.name}-{engine}")
            for case in CASES if engine == "stencil" or case.short]


@pytest.mark.skipif(bool(REASON), reason=REASON)
@pytest.mark.parametrize(("case", "engine"), [*_on("stencil"), *_on("reference")])
def test_same_as_qemu(case: Case, engine: str, record_property: Callable[[str, object], None]) -> None:
    right = expected(case)
    got = run(case, engine)
    said = got.errors.decode(errors="replace")[-2000:]
    same = (got.status, got.files) == (right.status, right.files) and (case.only_status or got.output == right.output)
    record_property("guest", [case.name, engine, "same" if same else "DIFFERS", right.seconds, got.seconds])
    assert got.status == right.status, said
    if not case.only_status:
        assert got.output == right.output, said
    assert got.files == right.files, said


def test_cases_are_named_once() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def test_ash_script_is_long_enough() -> None:
    from guests.cases import SCRIPTS

    assert len((SCRIPTS / "applets.ash").read_text().splitlines()) >= 100
