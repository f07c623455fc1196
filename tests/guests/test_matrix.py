"""A sample of the matrix of `make guests`, and that the matrix sees what goes wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.contenders import sysroot
from guests.matrix import rooms
from guests.matrix.errands import ERRANDS, Errand
from guests.matrix.running import run
from guests.matrix.verdicts import Run, failures, judge, native_failures

REASON = rooms.missing_namespaces() or (
    "" if (sysroot() / "usr/bin/luajit").exists() else f"no guest programs in {sysroot()}: scripts/prepare-tests fetches them")
SAMPLE = [errand for errand in ERRANDS if errand.sample]
needs_rooms = pytest.mark.skipif(bool(REASON), reason=REASON)


@needs_rooms
@pytest.mark.parametrize("errand", SAMPLE, ids=lambda errand: errand.name)
def test_sample(errand: Errand) -> None:
    verdict = judge(errand, run(errand, "xenos", sysroot()))
    assert verdict.good, verdict


@needs_rooms
def test_a_hang_is_named_and_ended(tmp_path: Path) -> None:
    mark = f"{tmp_path.name}.{id(tmp_path)}"
    errand = Errand("hangs", f"echo begun; (exec -a {mark} sleep 1000) & (setsid sleep 1000) & wait", limit=6)
    outcome = run(errand, "xenos", sysroot())
    verdict = judge(errand, outcome)
    assert verdict.word == "HANGS" and "begun" in verdict.reason and outcome.wall < 20
    words = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _readable(path)]
    assert not any(mark.encode() in line for line in words)


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


@needs_rooms
def test_two_at_once_share_no_temporary_files() -> None:
    def outcome() -> Run:       # both are the same process of their rooms, which is in the name of the file
        return run(Errand("keeps", "mkdir ${TMPDIR:-/tmp}/kept.$$ && sleep 2"), "xenos", sysroot())

    with ThreadPoolExecutor() as pool:
        both = [pool.submit(outcome) for _ in range(2)]
    assert [(one.result().status, one.result().output) for one in both] == [(0, "")] * 2


@needs_rooms
def test_a_status_and_a_difference_are_named() -> None:
    errand = Errand("says", "echo so; exit $STATUS", expected="no\n")
    assert judge(errand, run(Errand("ends", "echo no; exit 3"), "xenos", sysroot())).word == "status 3"
    verdict = judge(errand, run(errand, "xenos", sysroot()))
    assert verdict.word == "DIFFERS" and "`so`, not `no`" in verdict.reason


def test_failures_of_python_are_compared_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    output = ("ERROR: test_a (test.test_os.FileTests.test_a)\nTraceback\nFAIL: test_b (test.test_os.FileTests.test_b) (x=1)\n"
              "FAIL: test_b (test.test_os.FileTests.test_b) (x=2)\nERROR: setUpClass (test.test_os.More)\nRan 20 tests in 1.0s\n")
    assert failures(output) == {"test.test_os.FileTests.test_a", "test.test_os.FileTests.test_b", "test.test_os.More.setUpClass"}
    errand = Errand("python-os", "", tests=True)
    assert judge(errand, Run(2, output, 1, 1, False)).word == "3 of 20"
    monkeypatch.setattr("guests.matrix.verdicts.native_failures", lambda name: failures(output))
    assert judge(errand, Run(2, output, 1, 1, False)).word == "ok, 20"
    assert judge(errand, Run(2, "Ran 20 tests in 1.0s\n", 1, 1, False)).word == "status 2"      # it died later
    assert judge(errand, Run(0, "", 1, 1, False)).word == "status 0"                            # it never began


def test_native_failures_are_of_tests_in_the_matrix() -> None:
    names = {errand.name for errand in ERRANDS if errand.tests}
    path = Path(__file__).parent / "matrix" / "python-native-failures"
    listed = set().union(*(native_failures(name, path) for name in names))
    assert listed == set(path.read_text().split())


def test_errands_are_named_once() -> None:
    assert len({errand.name for errand in ERRANDS}) == len(ERRANDS) >= 40
