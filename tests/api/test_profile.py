"""Which loops are hot, where indirect jumps go, and what was decided about them: from Python, and by `--stats`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import xenos
from cli.kit import EXIT, TEXT, elf, write
from cli.kit import xenos as command
from xenos.api.profile import Jump, Loop, Profile

# Goes to one of two places by a register, for so many rounds: on this machine about a second.
ROUNDS = 300_000_000
LOOP, EVEN, ODD = TEXT + 12, TEXT + 40, TEXT + 48
LINES = [f"lui a0, {ROUNDS >> 12}", f"lui t0, {TEXT >> 12}", "addi zero, zero, 0",
         "andi t1, a0, 1", "slli t1, t1, 3", "add t1, t1, t0", "jalr zero, 40(t1)",
         "addi a0, zero, 0", *EXIT,
         "addi a2, a2, 1", "jal zero, 8",
         "addi a3, a3, 1", "addi a0, a0, -1", "bne a0, zero, -44", "jal zero, -32"]
NAMES = {"_start": 0, "around": 3, "finish": 7, "even": 10, "odd": 12}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("around"), elf(LINES, b"", NAMES), "around")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One in which nothing of the program is."""
    from linux.hot_guests import empty_cache

    folder = empty_cache(tmp_path / "cache")
    monkeypatch.setenv("XENOS_CACHE", str(folder))
    return folder


def test_a_result_has_a_profile_if_one_is_asked_for(program: Path, cache: Path) -> None:
    plain = xenos.run(program)
    assert plain.status == 0 and plain.profile is None
    result = xenos.run(program, engine="stencil", profile=True)
    assert result.status == 0 and result.profile is not None and result.profile.samples > 20
    assert sum(loop.share for loop in result.profile.loops) == pytest.approx(1)
    assert result.profile.loops[0].name.startswith(("around+", "even+", "odd+"))
    assert not result.profile.loops[0].standing and not result.profile.jumps    # stencils are not followed


def test_regions_tell_the_ways_and_keep_them(program: Path, cache: Path) -> None:
    """A busy machine may have no worker for them in the first run."""
    for _ in range(5):
        profile = xenos.run(program, engine="region", profile=True).profile
        assert profile is not None
        if profile.jumps:
            break
    around = profile.at(LOOP)
    assert around is not None and around.indirect and around.name == "around+0x0" and around.times > 20
    assert {goal: round(share, 1) for goal, _, share in around.goals} == {EVEN: 0.5, ODD: 0.5}
    assert {name for _, name, _ in around.goals} == {"even+0x0", "odd+0x0"}
    assert [jump.indirect for jump in profile.jumps if jump.address == EVEN] == [False]
    assert all(loop.standing for loop in profile.loops)
    again = xenos.run(program, engine="region", profile=True).profile
    assert again is not None and (known := again.at(LOOP)) is not None and known.times >= around.times


def test_a_process_has_a_profile_of_its_own(program: Path, cache: Path, tmp_path: Path) -> None:
    with xenos.Process(program, engine="stencil") as process:
        assert process.profile.samples == 0
        process.run(limit=400_000_000)
        assert process.profile.samples >= 10
        seen = repr(process.profile)
        assert re.fullmatch(r"Profile\(\d+ samples, \d loops, 0 jumps\)", seen)
    with xenos.Process(write(tmp_path, elf(EXIT, b"", {}), "other")) as process:
        process.run()
        assert process.profile.samples == 0 and not process.profile.loops


def test_statistics_tell_it(program: Path, cache: Path) -> None:
    for _ in range(5):
        told = command("run", "--engine", "region", "--stats", program).stderr
        if "indirect jumps" in told:
            break
    assert re.search(r"^xenos: policy: a loop is compiled after \d+ ms, or \d+ ms where that takes a new worker$", told, re.M)
    assert re.search(r"^xenos: policy: \d+ of \d+ ms went into compiling, \d+ % at most$", told, re.M), told
    assert re.search(r"^xenos: hottest loops   (around|even|odd)\+0x\w+ +\d+ %  \w", told, re.M), told
    assert re.search(r"^xenos: indirect jumps  around\+0x0 +to (even|odd)\+0x0 \d\d %, (even|odd)\+0x0 \d\d %$", told, re.M), told


@pytest.mark.parametrize("chance", ["0:0.01", "0:0"])
def test_statistics_tell_of_forced_regions(program: Path, cache: Path, chance: str) -> None:
    ended = command("run", "--engine", "eager", "--stats", program, XENOS_EAGER=chance)
    assert ended.status == 0, ended.stderr
    assert re.search(r"^xenos: \d+ regions of \d+ instructions compiled$", ended.stderr, re.M), ended.stderr
    assert re.search(r"^xenos: hottest loops   (around|even|odd)\+0x\w+ +\d+ %  \w", ended.stderr, re.M), ended.stderr


def test_words_make_the_same_profile() -> None:
    profile = Profile(7, [Loop(16, "f+0x0", 0.75, "compiled"), Loop(32, "", 0.25)], [Jump(16, "f+0x0", True, 4, [(32, "", 1.0)])])
    again = Profile.read(json.loads(json.dumps(profile.words())))
    assert again.words() == profile.words() and again.at(16) is again.jumps[0] and again.at(20) is None
    assert repr(again.jumps[0]) == "Jump(f+0x0, 1 goals)" and repr(again.loops[1]) == "Loop(0x20, 0.25)"
