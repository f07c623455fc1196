"""`xenos cache`: what it tells, what it finds wrong, what it removes, and that nobody else is hurt by it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from array import array
from pathlib import Path

import pytest

from cli import kit
from cli.kit import EXIT, SPIN, elf, printing, write, xenos
from xenos.engines.code.segment import HEAD as SIZES
from xenos.engines.code.store import HEAD, MAGIC, WRITTEN, Store, digest

OLD = 40 * 86400    # seconds


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("program"), printing(b"hello\n", 3))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, hello: Path) -> Path:
    """A cache folder that two programs have filled."""
    folder = kit.with_library(tmp_path_factory.mktemp("cache"), hello)
    other = write(hello.parent, elf(["addi a0, zero, 0", "bne a0, zero, 8", *EXIT]), "other")
    for program in hello, other:
        xenos("run", program, XENOS_CACHE=str(folder))
    assert len(files(folder / "code")) == 2 and len(files(folder / "packs")) == 4
    shutil.rmtree(folder / "starts", ignore_errors=True)    # not made of sources that were changed just now
    return folder


@pytest.fixture
def cache(filled: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(filled, tmp_path / "cache"))


def files(folder: Path) -> list[Path]:
    """What was saved there."""
    return sorted(path for path in folder.iterdir() if path.name != WRITTEN)


def age(path: Path, seconds: float = OLD) -> None:
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def saved(cache: Path, name: str, body: bytes, maker: bytes = b"x" * 16, kind: str = "segment", part: str = "code") -> Path:
    """A file of another maker."""
    key = digest(name.encode())
    assert Store(str(cache / part), maker=maker).save(key, [body], kind)
    return cache / part / key.hex()


def run(cache: Path, *words: str, status: int = 0) -> str:
    """`xenos cache`, which is to end so; gives what it printed."""
    ended = xenos("cache", *words, XENOS_CACHE=str(cache))
    assert (ended.status, ended.stderr) == (status, "")
    return ended.stdout


def warm(hello: Path, cache: Path) -> bool:
    """Whether the program finds all its code in the cache; it does what it does anyway."""
    ended = xenos("run", "--stats", hello, XENOS_CACHE=str(cache))
    assert (ended.stdout, ended.status) == ("hello\n", 3)
    return "xenos: 0 units translated" in ended.stderr


# Showing.


def test_show_tells_what_is_there_by_kind(cache: Path) -> None:
    stale = saved(cache, "old", bytes(5000))
    age(stale)
    (cache / "sysroots").mkdir()
    facts = json.loads(run(cache, "show", "--json"))
    assert facts == json.loads(run(cache, "--json")) and facts["folder"] == str(cache) and facts["others"] == ["sysroots"]
    code = facts["kinds"]["translated code"]
    assert (code["files"], code["stale_files"], code["unusable_files"]) == (3, 1, 0)
    assert code["bytes"] == sum(path.stat().st_size for path in files(cache / "code")) and code["stale_bytes"] == 5000 + HEAD
    assert OLD - 100 < code["newest"] - code["oldest"] < OLD + 100
    assert facts["kinds"]["libraries"]["files"] == 4 and facts["kinds"]["libraries"]["stale_files"] == 0
    lines = run(cache).splitlines()
    assert lines[0] == str(cache) and lines == run(cache, "show").splitlines()
    assert any(line.startswith("translated code  ") and " 3 " in line for line in lines)
    assert any("sysroots" in line for line in lines) and any("xenos cache prune" in line for line in lines)
    ends = {line.index(word) + len(word) for line, word in zip(lines[1:4], ("files", "    4", "    3"), strict=True)}
    assert len(ends) == 1       # columns stand under each other


def test_where_is_the_folder(cache: Path) -> None:
    assert run(cache, "where") == f"{cache}\n"


def test_a_folder_and_times_that_have_no_name(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff"
    os.makedirs(odd + b"/code")
    for number, when in enumerate((-10**10, 10**11)):
        path = odd + b"/code/" + digest(bytes([number])).hex().encode()
        Path(os.fsdecode(path)).write_bytes(b"")
        os.utime(path, (when, when))
    done = subprocess.run(kit.command("cache"), capture_output=True,
                          env=kit.environment(XENOS_CACHE=os.fsdecode(odd), PYTHONIOENCODING="utf-8:strict"))
    assert done.returncode == 0 and done.stdout.startswith(odd + b"\n") and done.stderr == b""


def test_a_form_of_another_version_is_stale(cache: Path) -> None:
    old = cache / "code" / digest(b"old").hex()
    old.write_bytes(MAGIC[:7] + b"1" + bytes(5000))
    assert json.loads(run(cache, "--json"))["kinds"]["translated code"]["stale_files"] == 1
    assert "all is well" in run(cache, "verify") and old.exists()
    run(cache, "prune")
    assert not old.exists()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert "nothing" in run(nowhere) and json.loads(run(nowhere, "--json"))["kinds"] == {}
    assert "all is well" in run(nowhere, "verify") and "removed 0" in run(nowhere, "prune", "--all")
    assert not nowhere.exists()


@pytest.mark.parametrize("words", [[], ["show", "--json"], ["verify"], ["prune"]])
@pytest.mark.parametrize("part", ["", "code", "confined/one"])
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, words: list[str], part: str) -> None:
    (tmp_path / "cache" / part).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache" / part).write_text("in the way")
    ended = xenos("cache", *words, XENOS_CACHE=str(tmp_path / "cache"))
    assert ended.status == 1 and ended.complaint == f"{tmp_path / 'cache' / part}: Not a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_must_not_be_read_is_refused_in_one_line(cache: Path) -> None:
    (cache / "code").chmod(0)
    ended = xenos("cache", XENOS_CACHE=str(cache))
    (cache / "code").chmod(0o700)
    assert ended.status == 1 and ended.complaint == f"{cache / 'code'}: Permission denied"


@pytest.mark.parametrize("words, says", [
    (["clean"], "no command `clean`"), (["--fast"], "no argument --fast"), (["show", "x"], "no argument x"),
    (["show", "--json=1"], "--json=1"), (["verify", "--json"], "--json"), (["where", "code"], "code"),
    (["prune", "--to"], "--to wants a value"), (["prune", "--to", "much"], "`much` is no size"),
    (["prune", "--to=-1"], "no size"), (["prune", "--older-than", "soon"], "`soon` is no number of days"),
    (["prune", "--older-than=-2"], "no number of days"), (["prune", "--older-than=nan"], "no number of days"),
    (["prune", "--all=1"], "--all=1"), (["prune", "5"], "no argument 5"),
])
def test_bad_words(cache: Path, words: list[str], says: str) -> None:
    ended = xenos("cache", *words, XENOS_CACHE=str(cache))
    assert ended.status == 2 and says in ended.complaint and len(files(cache / "code")) == 2


def test_help() -> None:
    assert "Exit status" in run(Path("/"), "--help") == run(Path("/"), "prune", "-h")


def test_whoever_reads_it_may_stop(tmp_path: Path) -> None:
    """Thousands of complaints into a pipe that nobody reads."""
    (tmp_path / "code").mkdir()
    for number in range(3000):
        (tmp_path / "code" / digest(number.to_bytes(2, "little")).hex()).write_bytes(b"")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(kit.command("cache", "verify", "--keep"), stdout=writer, stderr=subprocess.PIPE,
                          env=kit.environment(XENOS_CACHE=str(tmp_path)))
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + 13, b"")


# Verifying.


def test_verify_finds_all_well(cache: Path) -> None:
    before = {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()}
    assert run(cache, "verify").startswith("6 files, ")
    assert {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("part", ["code", "packs"])
@pytest.mark.parametrize("at", [0, 9, 50, 66, 80, 100, -1, None])
def test_verify_removes_what_is_damaged(hello: Path, cache: Path, part: str, at: int | None) -> None:
    """Wherever it is; the maker's name (at 50) is checked as well."""
    path = max(files(cache / part), key=lambda path: path.stat().st_size)
    data = bytearray(path.read_bytes())
    if at is None:
        del data[2 * len(data) // 3:]
    else:
        data[at] ^= 1
    path.write_bytes(data)
    kept, removed = run(cache, "verify", "--keep", status=1), run(cache, "verify", status=1)
    assert f"{path} is damaged\n" in kept and f"{path} is damaged; removed\n" in removed and "1 not usable" in removed
    assert not path.exists() and "all is well" in run(cache, "verify")
    if part == "code":
        warm(hello, cache)
        assert warm(hello, cache)


def test_verify_knows_code_from_other_things(cache: Path) -> None:
    """A right checksum does not make it code: sizes, rows of blocks, links and units are looked at."""
    path = next(path for path in files(cache / "code") if array("Q", path.read_bytes()[HEAD:HEAD + 32])[2])    # with a link
    data = path.read_bytes()
    maker, body = data[40:56], data[HEAD:]
    used, blocks, links, units, regions = array("Q", body[:SIZES])
    assert blocks and links and units and not regions
    at_links = SIZES + 16 * blocks
    at_units = at_links + 24 * links
    at_regions = at_units + 24 * units
    with_region = array("Q", [used, blocks, links, units, 1]).tobytes() + body[SIZES:at_regions]
    spoilt = {"short": (0, body[:10]), "size": (0, (used + 1).to_bytes(8, "little")), "rows": (8, (1 << 40).to_bytes(8, "little")),
              "block": (SIZES + 8, (used + 16).to_bytes(8, "little")), "jump": (at_links + 8, b"\xff" * 4),
              "stub": (at_links + 12, b"\xff" * 4), "end": (at_units + 8, bytes(8)), "first": (at_units + 16, b"\x7f")}
    bad = [saved(cache, name, with_region + array("Q", row).tobytes() + body[at_regions:], maker)
           for name, row in (("unit", [units, 0, 0]), ("places", [0, used, 0]))]
    for name, (at, change) in spoilt.items():
        changed = change if name == "short" else body[:at] + change + body[at + len(change):]
        bad.append(saved(cache, name, changed, maker))
    good = saved(cache, "good", body, maker)
    saved(cache, "region", with_region + bytes(24) + body[at_regions:], maker)
    text = run(cache, "verify", status=1)
    assert all(f"{path} is whole, but no code that was translated; removed\n" in text for path in bad), text
    assert good.exists() and f"{len(bad)} not usable" in text


def test_verify_names_what_is_no_file_or_half_of_one(cache: Path) -> None:
    code = cache / "code"
    names = [digest(bytes([number])).hex() for number in range(4)]
    (code / names[0]).mkdir()
    (code / names[1]).symlink_to(cache)
    young, old = code / f"{names[2]}.1.1", code / f"{names[3]}.1.1"
    young.write_bytes(b"half")
    old.write_bytes(b"half")
    age(old, 7200)
    text = run(cache, "verify", status=1)
    assert f"{names[0]} is no plain file; cannot be removed: Is a directory" in text
    assert f"{names[1]} is no plain file; removed" in text and f"{old} was never finished; removed" in text
    assert young.exists() and not old.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file another user's")
def test_what_belongs_to_another_user_is_named_and_left_alone(hello: Path, cache: Path) -> None:
    for path in files(cache / "code"):
        os.chown(path, 65534, 65534)
    assert run(cache, "verify", status=1).count("belongs to user 65534, and is not used\n") == 2
    run(cache, "prune", "--older-than", "0")
    assert len(files(cache / "code")) == 2 and len(files(cache / "packs")) == 4
    assert not warm(hello, cache)       # it is translated again, and replaces what cannot be used
    assert warm(hello, cache)


# Pruning.


def test_prune_removes_what_is_stale_and_no_more(hello: Path, cache: Path) -> None:
    stale = [saved(cache, "code", bytes(100)), saved(cache, "head", bytes(100), kind="head", part="packs")]
    for path in files(cache / "code"):
        age(path)
    assert run(cache, "prune").startswith(f"removed 2 files, {2 * (HEAD + 100)} B; left 6, ")
    assert not any(path.exists() for path in stale) and warm(hello, cache)


def test_prune_by_age_and_size(hello: Path, cache: Path) -> None:
    first, second = files(cache / "code")
    age(second)
    for path in files(cache / "packs"):
        age(path)
    run(cache, "prune", "--older-than", "41")
    assert second.exists()
    run(cache, "prune", "--older-than=39.5")
    assert not second.exists() and first.exists() and len(files(cache / "packs")) == 4      # of which all programs have need
    size = sum(path.stat().st_size for path in files(cache / "packs"))
    run(cache, "prune", "--to", str(size))
    assert not first.exists() and len(files(cache / "packs")) == 4
    warm(hello, cache)
    assert warm(hello, cache)
    run(cache, "prune", "--to", "0")
    assert files(cache / "packs") == []


def test_prune_all(cache: Path) -> None:
    confined = saved(cache, "confined", b"", part="confined/one")
    (cache / "packages").mkdir()
    (cache / "packages" / "kept").write_text("of xenos sysroot")
    text = run(cache, "prune", "--all")
    assert text.startswith("removed 7 files") and "left 0, 0 B" in text and not confined.exists()
    assert (cache / "packages" / "kept").exists() and "nothing" in run(cache)


def test_programs_that_run_meanwhile_do_not_notice(hello: Path, cache: Path) -> None:
    """One that is running keeps what it has; those that start while all is removed again and again do what they do."""
    environment = kit.environment(XENOS_CACHE=str(cache))
    spinning = subprocess.Popen(kit.command("run", write(cache.parent, elf(SPIN), "spin")), env=environment)
    try:
        running = [subprocess.Popen(kit.command("run", hello), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
                   for _ in range(4)]
        for _ in range(5):
            for path in files(cache / "code"):
                age(path, 0)
            run(cache, "prune", "--older-than", "0")
            assert run(cache, "verify")
        for process in running:
            assert process.communicate(timeout=100) == (b"hello\n", b"") and process.returncode == 3
        assert spinning.poll() is None
    finally:
        spinning.kill()
        spinning.wait()
    warm(hello, cache)
    assert warm(hello, cache)
