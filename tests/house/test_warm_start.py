"""A warm `xenos run` imports what stands here and nothing else: every module is time before the first instruction."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from house.files import ROOT
from house.warm_modules import CALLS, MODULES, REGIONS
from xenos.engines.choose import cache_folder
from xenos.engines.code import modules

HOSTS = ("xenos.engines.hosts.", "xenos.linux.hosts.")    # one module of each is this host's own
START = "import sys; sys.path.insert(0, 'src'); from xenos.cli.main import main; sys.exit(main())"
FORBIDDEN = re.compile(r"xenos\.(semantics|isa|engines\.llvm|engines\.reference)(\.|$)|llvmlite|numpy")


def imported(*command: str, **environment: str) -> set[str]:
    """The modules that a Python imports, as it says itself while it runs: it need not live to be asked."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-I", *command], cwd=ROOT, capture_output=True,
                          text=True, timeout=300, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr.splitlines()[-1]
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE))


@pytest.fixture(scope="module")
def warm() -> set[str]:
    """What the second run of the example imports over a Python that does nothing."""
    for _ in range(2):      # with all that is installed, so that whatever is built once is built
        subprocess.run([sys.executable, "-c", START, "run", "examples/tour"], cwd=ROOT, check=True, capture_output=True)
    modules = imported("-c", START, "run", "examples/tour") - imported("-c", "pass")
    return {name for name in modules if not name.startswith(HOSTS)}


def test_a_warm_run_imports_only_the_list(warm: set[str]) -> None:
    assert sorted(warm - set(MODULES)) == []


def test_the_list_names_nothing_that_is_not_imported(warm: set[str]) -> None:
    """So that the list does not grow stale."""
    assert sorted(set(MODULES) - warm - {"sys"}) == []


def test_a_warm_run_without_regions_does_without_what_watches_for_them(warm: set[str]) -> None:
    run = ("-c", START, "run", "--engine", "stencil", "examples/tour")
    for _ in range(2):
        subprocess.run([sys.executable, *run], cwd=ROOT, check=True, capture_output=True)
    assert sorted(warm - imported(*run)) == sorted(REGIONS)


def test_translating_imports_nothing_more(warm: set[str], tmp_path: Path) -> None:
    """The packs are there, no code is: all of it is translated."""
    (tmp_path / "packs").symlink_to(Path(cache_folder()) / "packs")
    modules = imported("-c", START, "run", "examples/tour", XENOS_CACHE=str(tmp_path)) - imported("-c", "pass")
    assert (tmp_path / "code").exists()
    assert sorted(name for name in modules - warm - {"time"} if not name.startswith(HOSTS)) == []


def test_the_file_of_modules_has_the_list_and_what_most_programs_ask_for() -> None:
    """But for the two that are there before it is read."""
    kept = {f"xenos.{name}" for name in modules.MODULES}
    assert sorted(name for name in kept if "{host}" not in name and name not in CALLS) == sorted(
        name for name in MODULES if name.startswith("xenos.") and name not in (*CALLS, "xenos.warm"))
    assert set(CALLS) <= kept


def test_a_warm_run_imports_no_description_and_nothing_heavy(warm: set[str]) -> None:
    assert not [name for name in warm if FORBIDDEN.match(name)]
    assert {name.split(".")[0] for name in warm} - {"xenos"} <= set(sys.stdlib_module_names)
