"""Workers have a bound on their memory: a job that wants more costs only itself, one that has grown is followed by another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import llvmlite
import pytest

from linux.hot_guests import CROSS, SOURCE, build, empty_cache, regions, start, with_regions
from linux.test_region_workers import JOB, answer, workers
from xenos.engines.region import bounds
from xenos.engines.region import pool as pools
from xenos.engines.region.pool import Pool

# A stand-in for llvmlite, which in each worker's second job wants a gigabyte.
GREEDY = f"""
import sys
sys.path.remove({{folder!r}})
del sys.modules["llvmlite"]
import llvmlite, llvmlite.binding
llvmlite.__version__ = "none whose library is called without its Python"
sys.path.insert(0, {{folder!r}})     # those that this process starts find it, too
sys.modules[__name__] = llvmlite
real, jobs = llvmlite.binding.parse_assembly, []
def parse_assembly(*given, **named):
    jobs.append(len(jobs))
    if len(jobs) == 2:
        bytearray({1 << 30})
    return real(*given, **named)
llvmlite.binding.parse_assembly = parse_assembly
"""


@pytest.fixture
def pool() -> Pool:
    from xenos.engines.hosts import host

    return Pool(2, ["riscv64", str(host().level()), "4096"])


def greedy(folder: Path) -> str:
    """A search path on which that comes first."""
    (folder / "llvmlite").mkdir()
    (folder / "llvmlite" / "__init__.py").write_text(GREEDY.format(folder=str(folder)))
    return os.pathsep.join([str(folder), str(SOURCE), str(Path(llvmlite.__file__).parents[1])])


def test_a_limit_holds() -> None:
    script = ("from xenos.engines.region import bounds\nbounds.limit(64 << 20)\nbytearray(16 << 20)\n"
              "try:\n    bytearray(128 << 20)\nexcept MemoryError:\n    print(bounds.own() < 64 << 20)\n")
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True,
                          text=True, check=True)
    assert done.stdout == "True\n"


def test_a_limit_that_is_lower_stays() -> None:
    script = ("import resource\nfrom xenos.engines.region import bounds\n"
              "resource.setrlimit(resource.RLIMIT_DATA, (50 << 20, 90 << 20))\nbounds.limit(64 << 20)\n"
              "print(resource.getrlimit(resource.RLIMIT_DATA) == (50 << 20, 90 << 20))\n")
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True,
                          text=True, check=True)
    assert done.stdout == "True\n"


def test_workers_are_bounded_and_tell_what_they_have(pool: Pool) -> None:
    worker = pool.start()
    assert worker is not None and pool.give(worker, JOB)
    got = answer(pool)
    assert isinstance(got["memory"], int) and 4 << 20 < got["memory"] < bounds.MOST
    assert pool.most_memory == got["memory"] and pool.starting > 0 and pool.working > 0
    (process,) = workers(worker.pid)
    limits = Path(f"/proc/{process}/limits").read_text()
    assert re.search(rf"^Max data size +{bounds.MOST} ", limits, re.MULTILINE), limits
    pool.close()


def test_a_worker_that_has_grown_is_followed_by_another(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    for grown in range(1, 4):
        worker = pool.idle() or pool.start()
        assert worker is not None and pool.give(worker, JOB)
        monkeypatch.setattr(pools, "GROWN", 1 << 20 if grown < 3 else 1 << 40)
        assert "body" in answer(pool)
        assert (pool.grown, len(pool.workers)) == ((grown, 0) if grown < 3 else (2, 1))
    assert not pool.lost and not pool.problem and pool.started == 3
    assert "3 started in" in pool.told() and "2 ended for the memory that they had" in pool.told()
    pool.close()


def test_a_job_that_wants_too_much_costs_only_itself(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", greedy(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))      # it finds modules where this process does
    done = []
    for _ in range(4):
        worker = pool.idle() or pool.start()
        assert worker is not None and pool.give(worker, JOB)
        done.append("body" in answer(pool))
    assert done == [True, False, True, False]
    assert pool.lost == 2 and pool.causes == {"status 1": 2} and not pool.problem
    pool.close()


@pytest.mark.skipif(not shutil.which(CROSS), reason=f"needs {CROSS}")
def test_a_guest_whose_jobs_want_too_much(tmp_path: Path) -> None:
    """Its result is what it must be, and it is told what became of the workers."""
    cache = empty_cache(tmp_path / "cache")
    path = greedy(tmp_path)
    told = with_regions(lambda rounds: start(build("hot", tmp_path), rounds, XENOS_CACHE=str(cache), PYTHONPATH=path))
    assert regions(told) and re.search(r"xenos: workers: .* lost \(status 1", told), told
