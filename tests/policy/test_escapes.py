"""A guest that tries to get out, in every way that we know: without a policy each gets out, under one none does."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from policy.world import NOBODY, build, why_not, world

USERS = {"root": 0, "nobody": NOBODY} if os.geteuid() == 0 else {"user": os.geteuid()}
FILES = ("files", "links", "proc", "descriptors", "races")
GROUPS = (*FILES, "processes", "sockets", "programs", "threads")
# What only the administrator may do, and what the host's kernel or its security modules may forbid anybody.
ROOT_ONLY = {"device_node", "settings_of_the_kernel", "hard_link_of_a_descriptor"}
# A race that is seldom won even where nothing stands against it.
LUCK = {"climb_while_it_moves", "link_where_nothing_was", "number_of_a_directory", "number_of_a_file"}
# Kept by calls that no guest may make in any case, or that are not there.
NEVER = {"memory_of_an_outsider", "take_its_descriptor", "memory_of_xenos", "memory_by_number"}


@pytest.fixture(scope="module", params=USERS)
def user(request: pytest.FixtureRequest) -> int:
    number = USERS[request.param]
    if reason := why_not(number):
        pytest.skip(reason)
    return number


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    # Not pytest's own folder: another user cannot get there. And short: names of local sockets are.
    with tempfile.TemporaryDirectory(prefix="xe-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@cache
def _program(base: Path) -> Path:
    return build(base)


def attempts(base: Path, user: int, options: list[str], *groups: str, closed: bool = False) -> dict[str, str]:
    folder = Path(tempfile.mkdtemp(dir=base))
    with world(folder, _program(base), user) as made:
        return made.attempt([*options, *(made.closing if closed else [])], *groups)


def test_without_a_policy_they_get_out(base: Path, user: int) -> None:
    found = attempts(base, user, [], *GROUPS)
    held = {name for name, how in found.items() if how != "escaped"} - LUCK - NEVER
    assert held <= (ROOT_ONLY if user else set()), found
    assert len(found) > 110


def test_closed_files_hold(base: Path, user: int) -> None:
    found = attempts(base, user, ["--no-network"], *GROUPS, closed=True)
    assert {name: how for name, how in found.items() if how != "held"} == {}
    assert len(found) > 110


# `Process` confines a guest at its system calls only: the host's kernel has no part in it.
BY_XENOS_ALONE = """
import sys, xenos
open, ro, *words = sys.argv[1:]
policy = xenos.Policy(rw=[open], ro=[ro, open + "/nested"], network=False)
with xenos.Process(*words, policy=policy) as process:
    sys.exit(process.run().status)
"""


def test_closed_files_hold_without_the_host(base: Path, user: int) -> None:
    folder = Path(tempfile.mkdtemp(dir=base))
    with world(folder, _program(base), user) as made:
        words = [sys.executable, "-c", BY_XENOS_ALONE, str(made.open), str(made.ro), *made.words(*GROUPS)]
        found = made.run(words)
    assert {name: how for name, how in found.items() if how != "held"} == {}
    assert len(found) > 110


def test_no_network_alone(base: Path, user: int) -> None:
    found = attempts(base, user, ["--no-network"], "sockets", "processes", "programs")
    paths = {"connect_to_closed_path", "connect_through_link", "send_to_closed_path", "message_to_closed_path",
             "bind_in_closed_path"}    # files are open: local sockets are files
    assert {name for name, how in found.items() if how != "held"} == paths


def test_no_exec_alone(base: Path, user: int) -> None:
    found = attempts(base, user, ["--no-exec"], "programs", "processes")
    assert {name: how for name, how in found.items() if how != "held"} == {}
