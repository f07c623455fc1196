"""Workers that compile for a guest may be killed, fail to start, or be many: the guest does what it does without them."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from linux.hot_guests import CROSS, LONG, MANY, SHOWN, SOURCE, build, empty_cache, end, regions, start, with_regions
from xenos.engines.region.pool import Pool

AGAIN = "e92d42fe\n"        # by again.c with 12 rounds, natively
LONELY = 61_234             # a user whom nobody else is
PR_CAPBSET_DROP, CAP_SYS_ADMIN, CAP_SYS_RESOURCE = 24, 21, 24
pytestmark = pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")


@pytest.fixture(scope="module")
def hot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("hot", tmp_path_factory.mktemp("hot"))


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """One with no code in it: there is something to compile."""
    return str(empty_cache(tmp_path / "cache"))


def family(pid: int) -> list[int]:
    """All processes below one, as far as /proc tells."""
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [one for child in map(int, own) for one in (child, *family(child))]


def workers(pid: int) -> list[int]:
    """Those of them that are workers."""
    found = []
    for one in family(pid):
        try:
            if b"xenos.engines.region.worker" in Path(f"/proc/{one}/cmdline").read_bytes():
                found.append(one)
        except OSError:
            pass
    return found


def test_a_guest_sees_no_worker(hot: Path, cache: str) -> None:
    assert "Warning" not in with_regions(lambda rounds: start(hot, rounds, XENOS_CACHE=cache))


def test_killed_workers_are_no_loss(hot: Path, cache: str) -> None:
    """Again and again, whatever they are at."""
    run = start(hot, MANY, XENOS_CACHE=cache)
    killed = 0
    until = time.monotonic() + LONG
    while run.poll() is None and time.monotonic() < until:
        for worker in workers(run.pid):
            try:
                os.kill(worker, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    told = end(run, MANY)
    assert killed and re.search(r"workers: .*\d lost \(SIGKILL", told), told


def test_what_became_of_workers_is_told_with_debug_too(hot: Path, cache: str, tmp_path: Path) -> None:
    """And nothing is said of them where nothing went wrong."""
    (tmp_path / "llvmlite").mkdir()
    (tmp_path / "llvmlite" / "__init__.py").write_text("raise ImportError('not here')\n")
    environment = {**os.environ, "XENOS_CACHE": cache, "PYTHONPATH": f"{tmp_path}{os.pathsep}{SOURCE}"}
    run = subprocess.run([sys.executable, "-m", "xenos", "run", "--engine", "region", "--debug", str(hot), str(MANY)],
                         env=environment, capture_output=True, text=True, timeout=LONG, check=True)
    assert run.stdout == SHOWN[MANY]
    assert re.fullmatch(r"xenos: workers: \d lost \(status 1( \d)?\)(; no workers: they end before they have done anything)?\n",
                        run.stderr), run.stderr
    environment["PYTHONPATH"] = str(SOURCE)
    run = subprocess.run([sys.executable, "-m", "xenos", "run", "--engine", "region", "--debug", str(hot), "3"],
                         env=environment, capture_output=True, text=True, timeout=LONG, check=True)
    assert run.stderr == ""


def test_a_killed_guest_leaves_no_worker(hot: Path, cache: str) -> None:
    run = start(hot, 1000, XENOS_CACHE=cache)
    until = time.monotonic() + LONG
    while not (left := workers(run.pid)) and time.monotonic() < until:
        time.sleep(0.02)
    assert left, "no worker was started"
    run.kill()
    run.communicate(timeout=LONG)
    until = time.monotonic() + LONG
    while any(Path(f"/proc/{worker}").exists() for worker in left) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [worker for worker in left if Path(f"/proc/{worker}").exists()]


@pytest.mark.parametrize("before", [
    lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)),
    lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    lambda: resource.setrlimit(resource.RLIMIT_AS, (7 << 30, 7 << 30)),
], ids=["one processor", "few descriptors", "no files", "no more memory"])
def test_guests_short_of_something(hot: Path, cache: str, before: Callable[[], object], request: pytest.FixtureRequest) -> None:
    name = request.node.name
    if "files" in name:
        err = with_regions(lambda rounds: start(hot, rounds, before=before, XENOS_CACHE=cache))
        assert f"xenos: cache: {cache}/code: File too large" in err, err
        return
    err = end(start(hot, before=before, XENOS_CACHE=cache))
    if "memory" in name:
        assert not regions(err) and "no workers: this host gives no executable memory" in err, err


def test_workers_that_cannot_start(hot: Path, cache: str, tmp_path: Path) -> None:
    """No llvmlite: they end at once, and after some there are no more."""
    (tmp_path / "llvmlite").mkdir()
    (tmp_path / "llvmlite" / "__init__.py").write_text("raise ImportError('not here')\n")
    err = end(start(hot, MANY, XENOS_CACHE=cache, PYTHONPATH=f"{tmp_path}{os.pathsep}{SOURCE}"), MANY)
    assert "lost" in err or "no workers: they end before they have done anything" in err, err


def test_no_more_processes(cache: str, tmp_path: Path) -> None:
    """The bound is one of users, by their real id, and none for who has all capabilities."""
    prctl = ctypes.CDLL(None).prctl
    root = os.geteuid() == 0

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        if root:
            for capability in CAP_SYS_ADMIN, CAP_SYS_RESOURCE:
                prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
            os.setresuid(LONELY, 0, 0)

    run = start(build("again", tmp_path), 12, before=few, XENOS_CACHE=cache)
    out, err = run.communicate(timeout=LONG)
    assert (out, run.returncode) == (AGAIN, 0), err
    assert "no workers: Resource temporarily unavailable" in err, err


def test_no_workers(hot: Path, cache: str) -> None:
    assert not regions(end(start(hot, jobs=0, XENOS_CACHE=cache)))


def test_a_program_that_becomes_another_while_workers_compile(cache: str, tmp_path: Path) -> None:
    """Again and again, from a thread and with children."""
    run = start(build("again", tmp_path), 12, XENOS_CACHE=cache)
    out, err = run.communicate(timeout=LONG)
    assert (out, run.returncode) == (AGAIN, 0), err


def test_eight_at_once(hot: Path, cache: str) -> None:
    """On one cache, with no code in it yet."""
    runs = [start(hot, XENOS_CACHE=cache) for _ in range(8)]
    for run in runs:
        end(run)


# The pool by itself.


def answer(pool: Pool, seconds: float = LONG) -> dict[str, object]:
    """The next answer; empty if the worker ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _, got in pool.answers():
            return got
        time.sleep(0.01)
    raise AssertionError("no answer came")


JOB = {"job": 0, "header": 0x1000, "low": 0x1000, "high": 0x2000, "page": 4096, "pages": {1: b"\x13\x05\x15\x00" * 1024},
       "steps": [], "after": [], "most": 5, "whole": 0, "stay": 0, "along": None, "speed": 2, "exact": True}


@pytest.fixture
def pool() -> Pool:
    from xenos.engines.hosts import host

    return Pool(2, ["riscv64", str(host().level()), "4096"])


def test_a_job_is_done(pool: Pool) -> None:
    worker = pool.start()
    assert worker is not None and pool.give(worker, JOB)
    got = answer(pool)
    assert got["low"] == 0x1000 and got["size"] == 5 and got["body"]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)      # nobody sees it
    pool.close()


def test_a_write_to_one_that_ended_raises_no_signal(pool: Pool) -> None:
    worker = pool.start()
    assert worker is not None
    os.kill(worker.pid, signal.SIGTERM)     # its keeper ends it
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        until = time.monotonic() + LONG
        while pool.give(worker, JOB) and time.monotonic() < until:
            time.sleep(0.05)
            worker.job = None
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert not pool.workers and pool.lost == 1
    pool.close()


def test_a_job_that_ends_a_worker_costs_only_itself(pool: Pool) -> None:
    """As when LLVM aborts."""
    for bad in range(2):
        worker = pool.start()
        assert worker is not None and pool.give(worker, {"job": bad})      # it knows no such job, and ends
        assert answer(pool) == {}
        worker = pool.start()
        assert worker is not None and pool.give(worker, JOB)
        assert "body" in answer(pool)
    assert not pool.problem and pool.lost == 2
    pool.close()


def test_workers_that_always_end_are_not_started_for_ever() -> None:
    pool = Pool(2, ["no such guest", "1", "4096"])
    started = 0
    while (worker := pool.start()) is not None:
        started += 1
        assert started < 10
        if pool.give(worker, JOB):
            assert answer(pool) == {}
    assert pool.problem and not pool.workers


def test_regions_are_the_default(hot: Path, cache: str) -> None:
    """And nobody looks for what is hot with `--engine stencil`."""
    assert regions(with_regions(lambda rounds: start(hot, rounds, engine="", XENOS_CACHE=cache)))
    assert "regions" not in end(start(hot, MANY, engine="stencil", XENOS_CACHE=cache), MANY)
