"""Regions that are worth it are compiled once more, with all passes; what is faster stays, and programs do what they do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from cli.kit import EXIT, elf, write
from linux.hot_guests import empty_cache
from xenos.engines.code.store import WRITTEN
from xenos.engines.llvm.compiler import Compiler
from xenos.tuning.explain import explain, needed
from xenos.tuning.levels import ALL, FASTER, FEW, LEAST
from xenos.tuning.tiers import DOUBT, START, Tiers
from xenos.tuning.trial import Trial, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE, TESTS = Path(__file__).parents[2] / "src", Path(__file__).parents[1]
HEADER, ANOTHER = 0x1000, 0x2000

# Sums, for about a second. It is one block: where the loop is entered there is a region, and nowhere else.
ROUNDS = 0x60000000
LINES = [f"lui s0, {ROUNDS >> 12}", "addi s1, zero, 0",
         "addi a2, a2, 1", "xor s1, s1, s0", "addi a3, a3, 3", "srli t0, s1, 3", "xor s1, s1, t0", "addi s0, s0, -1",
         "bne s0, zero, -24", "addi a0, zero, 0", *EXIT]
SUMS = [ROUNDS, 3 * ROUNDS]


def tried(trial: Trial, r: Random, without: float, within: float, level: int) -> Verdict:
    """The verdict on a region at a level, with the paces of what there was and of what there is."""
    trial.begin(HEADER, {HEADER + 4}, level)
    while True:
        verdict = trial.look(HEADER, (without if trial.off else within) * r.uniform(0.95, 1.05), False)
        if verdict is not None:
            assert not trial.running
            return verdict


@pytest.mark.parametrize("seed", range(20))
def test_what_is_not_faster_goes(seed: int) -> None:
    """There is something as good; a region of the first level stays then."""
    r = Random(seed)
    better, same, worse = (tried(Trial(), r, 1.0, pace, ALL) for pace in (0.93, 1.0, 1.08))
    assert (better.better, same.better, worse.better) == (True, False, False) and better.level == ALL
    assert 1.04 < better.faster < 1.11
    first = tried(Trial(), r, 1.0, 1.0, FEW)
    assert not first.slower and first.level == FEW


def test_a_second_level_is_tried_by_turns() -> None:
    """Two that differ by little are not to be told apart by what comes first."""
    trial = Trial()
    for _ in range(100):
        assert trial.look(HEADER, 1.0, False) is None
    trial.begin(HEADER, {HEADER}, ALL)
    assert trial.off
    for _ in range(100):
        assert trial.look(HEADER, 0.5, False) is None


def test_a_trial_goes_on_where_an_earlier_run_ended() -> None:
    trial = Trial()
    trial.begin(HEADER, {HEADER + 4}, ALL)
    for _ in range(9 * 31):
        assert trial.look(HEADER, 1.0 if trial.off else 0.98, False) is None or not trial.running
        if len(trial.open[HEADER][2]) == 22:
            break
    places, level, turns, within = trial.open[HEADER]
    assert (places, level, len(turns)) == ({HEADER, HEADER + 4}, ALL, 22) and within > 22 * 8
    later, verdict, looks = Trial(), None, 0
    later.begin(HEADER, places, level, turns, within)
    while verdict is None:
        verdict = later.look(HEADER, 1.0 if later.off else 0.98, False)
        looks += 1
    assert verdict.better and 1.01 < verdict.faster < 1.03 and looks <= 2 * 9


def test_levels_are_not_tried_together() -> None:
    trial = Trial()
    trial.begin(HEADER, {HEADER}, ALL)
    trial.begin(ANOTHER, {HEADER, ANOTHER}, FEW)
    assert set(trial.headers) == {HEADER} and {pc: one[1] for pc, one in trial.open.items()} == {HEADER: ALL, ANOTHER: FEW}
    verdict = None
    while verdict is None:
        verdict = trial.look(HEADER, 1.0, False)
    assert verdict.headers == {HEADER} and verdict.level == ALL
    assert set(trial.headers) == {ANOTHER} and trial.level == FEW


def test_a_second_level_is_for_what_gains_by_it() -> None:
    """Its price is paid by a share of the time that a region has had; the less it gained, the longer that takes."""
    tiers = Tiers(2)
    tiers.ran = 1e6
    soon, late = needed(tiers, True, ALL), needed(tiers, False, ALL)
    assert needed(tiers, True) < soon < late and late - soon == pytest.approx(DOUBT * START / (1 - 1 / FASTER[ALL]), rel=0.01)
    assert tiers.better(soon, 100, True) and not tiers.better(soon, 200, True)      # a large one costs more
    for _ in range(30):
        tiers.levels[ALL].proved(1.0)
    assert tiers.levels[ALL].faster == LEAST[ALL] and needed(tiers, True, ALL) > 2 * soon
    assert tiers.levels[FEW].faster == FASTER[FEW]
    for _ in range(30):
        tiers.levels[ALL].proved(1.5)
    assert needed(tiers, True, ALL) < soon / 2
    assert any("once more, with all passes" in line for line in explain(tiers))
    tiers.compiling = 1e6       # it has had its share
    assert not tiers.better(1e6, None, True)


def test_what_was_learned_is_of_its_level() -> None:
    tiers, later = Tiers(1), Tiers(1)
    tiers.refused(0.1, ALL)
    tiers.compiled(100, 0.02)
    tiers.levels[ALL].proved(1.2)
    later.recall(tiers.learned)
    assert later.levels[ALL].luck < 1.0 == later.levels[FEW].luck
    assert later.levels[ALL].faster == tiers.levels[ALL].faster and later.levels[FEW].faster == FASTER[FEW]


def test_all_passes_know_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """How data lies in memory is told with the second level, as LLVM itself tells it."""
    binding = pytest.importorskip("llvmlite.binding")
    from xenos.engines.hosts import host

    cpu, features = host().CPUS[host().level()]
    compiler = Compiler(host().TRIPLE, cpu, features, host().RUNTIME_MODEL)
    machine = binding.Target.from_triple(host().TRIPLE).create_target_machine(cpu=cpu, features=features)
    read: list[str] = []
    module = compiler._module
    monkeypatch.setattr(compiler, "_module", lambda ir: read.append(ir) or module(ir))
    ir = "define i64 @f(i64 %a) {\n %b = add i64 %a, 1\n ret i64 %b\n}\n"
    for level in (FEW, ALL):
        compiler.compile(ir, optimize=level)
    assert read == [ir, f'target datalayout = "{machine.target_data}"\n{ir}']


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sums"), elf(LINES, b"", {"_start": 0, "around": 2}), "sums")


def run(what: str, cache: Path, program: Path) -> dict[str, Any]:
    """What became of its regions, in a run that does what it must."""
    ended = subprocess.run(
        [sys.executable, "-m", "engines.run_second", what, str(cache), str(program)], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=300, env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{SOURCE}:{TESTS}"})
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    assert told["registers"] == SUMS
    return told


def until(what: str, cache: Path, program: Path, enough: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The first run that was long enough: a busy machine may be late with all that."""
    if not cache.exists():
        empty_cache(cache)
    for _ in range(8):
        told = run(what, cache, program)
        if enough(told):
            return told
    raise AssertionError(told)


def settled(what: str, cache: Path, program: Path) -> dict[str, Any]:
    """The first run with a verdict."""
    return until(what, cache, program, lambda told: told["moves"])


def code(cache: Path) -> dict[Path, bytes]:
    """The files of code, without what is known of it."""
    found = {path: path.read_bytes() for path in (cache / "code").iterdir() if path.name != WRITTEN}
    return {path: data for path, data in found.items() if data[56:64].strip(b"\0") != b"profile"}


def put(files: dict[Path, bytes]) -> None:
    """Files as they were."""
    for path, data in files.items():
        path.write_bytes(data)


def left_open(cache: Path, program: Path) -> int:
    """The header of a region that was compiled once more, on which there was no verdict."""
    told = until("open", cache, program, lambda told: told["open"])
    header: int = told["open"][0]
    assert not told["moves"] and str(header) not in told["settled"]
    assert not told["asked"] or "to be seen" in told["told"]
    return header


def test_the_better_one_stays(program: Path, tmp_path: Path) -> None:
    """In this run and in later ones, which do not try it again."""
    told = settled("better", tmp_path / "cache", program)
    header, before, after = told["moves"][0]
    assert before == after and told["settled"][str(header)] is True and told["standing"][str(header)] == "compiled, with all passes"
    assert told["learned"] > FASTER[ALL]
    for _ in range(2):
        again = run("worse", tmp_path / "cache", program)
        assert header not in again["asked"] and again["settled"][str(header)] is True and again["units"][str(header)] == after
        assert again["standing"][str(header)] == "compiled, with all passes"


def test_the_other_one_goes(program: Path, tmp_path: Path) -> None:
    """What was there before goes on, in this run and in later ones, which do not try it again."""
    told = settled("worse", tmp_path / "cache", program)
    header, before, after = told["moves"][0]
    assert before != after >= 0 and told["settled"][str(header)] is False and told["standing"][str(header)] == "compiled"
    assert re.search(r"; \d+ were worth all passes: .*\d not \(1\.00 x the time\)", told["told"])
    assert told["learned"] < FASTER[ALL]
    for _ in range(2):
        again = run("better", tmp_path / "cache", program)
        assert header not in again["asked"] and again["settled"][str(header)] is False and again["units"][str(header)] == after
        assert again["standing"][str(header)] == "compiled"


def test_it_is_measured(program: Path, tmp_path: Path) -> None:
    """Whatever comes of it: that is the same in the next run."""
    told = settled("measured", tmp_path / "cache", program)
    again = run("measured", tmp_path / "cache", program)
    for header, _, after in told["moves"]:
        stays = told["settled"][str(header)]
        assert header not in again["asked"] and again["settled"][str(header)] is stays and again["units"][str(header)] == after
        assert again["standing"][str(header)] == ("compiled, with all passes" if stays else "compiled")


def test_a_verdict_of_a_later_run(program: Path, tmp_path: Path) -> None:
    """It translates nothing, and the cache is to lack what was given up all the same."""
    cache = empty_cache(tmp_path / "cache")
    header = left_open(cache, program)
    before = code(cache)
    later = until("only-worse", cache, program, lambda told: header in [move[0] for move in told["moves"]])
    after = {move[0]: move[2] for move in later["moves"]}[header]
    assert header not in later["asked"] and later["settled"][str(header)] is False and code(cache) != before
    for _ in range(2):
        again = run("better", cache, program)
        assert again["settled"][str(header)] is False and again["units"][str(header)] == after


@pytest.mark.parametrize("what", ["twice-better", "twice-worse"])
def test_out_of_the_way_twice(what: str, program: Path, tmp_path: Path) -> None:
    """Others that are taken in meanwhile are to be out of the way, too; what was so already still is."""
    for header, before, after in settled(what, tmp_path / "cache", program)["moves"]:
        assert header and (before == after) is (what == "twice-better")


def test_a_verdict_on_what_is_gone(program: Path, tmp_path: Path) -> None:
    """The code and what is known of it are two files, which other processes write, too, and either may be lost."""
    cache = empty_cache(tmp_path / "cache")
    for _ in range(4):
        run("few-measured", cache, program)
    files = code(cache)
    told = settled("better", cache, program)
    header = told["moves"][0][0]
    put(files)
    again = run("only-worse", cache, program)
    assert str(header) not in again["settled"] and "compiled, with all passes" not in again["standing"].values()
    for path in files:
        path.unlink()
    again = run("worse", cache, program)
    assert True not in again["settled"].values() and "compiled, with all passes" not in again["standing"].values()


def test_what_was_given_up_and_is_back(program: Path, tmp_path: Path) -> None:
    """Another process that ended later had it still."""
    cache = empty_cache(tmp_path / "cache")
    header = left_open(cache, program)
    files = code(cache)
    told = until("only-worse", cache, program, lambda told: header in [move[0] for move in told["moves"]])
    after = told["units"][str(header)]
    for _ in range(2):
        put(files)
        again = run("only-better", cache, program)
        assert not again["moves"] and again["settled"][str(header)] is False and again["units"][str(header)] == after


def test_regions_come_before_what_was_translated_later(program: Path, tmp_path: Path) -> None:
    """Where a region was out of the way, and there were no stencils for it, some are made; they are not to take its place."""
    told = until("few-plain", tmp_path / "cache", program, lambda told: told["plain"])
    assert told["plain"] == [[True, False], [True, True]] * (len(told["plain"]) // 2)
