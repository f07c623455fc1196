"""The words of a policy, from the command line and from Python, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path

import pytest

import xenos
from cli.kit import printing, write
from cli.kit import xenos as run
from xenos.errors import MissingFile, UsageError
from xenos.linux.generic_numbers import NUMBERS
from xenos.linux.policy import rules
from xenos.linux.policy.terms import Policy, size
from xenos.linux.table import CALLS


def test_sizes() -> None:
    sizes = {"4096": 4096, "512M": 512 << 20, "2g": 2 << 30, "1.5GiB": 3 << 29, "10kB": 10 << 10, " 1T ": 1 << 40}
    assert {text: size(text) for text in sizes} == sizes


def test_an_empty_policy_forbids_nothing() -> None:
    policy = Policy()
    assert policy.empty and not policy.confined and not policy.files
    assert not Policy(max_time=1).confined and Policy(network=False).confined and Policy(exec=False).confined


def test_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    policy = Policy(ro=["a"], rw=[Path("a/..")])
    assert (policy.ro, policy.rw) == ([str(tmp_path / "a").encode()], [str(tmp_path).encode()])
    again = Policy(**policy.words())  # type: ignore[arg-type]
    assert again.words() == policy.words()


def test_what_makes_no_sense() -> None:
    with pytest.raises(MissingFile, match="no such file"):
        Policy(ro=["/no/such/path"])
    with pytest.raises(UsageError, match="lists of paths"):
        Policy(rw="/tmp")
    for words in ({"max_memory": "much"}, {"max_memory": 5}, {"max_memory": "99999999999T"}, {"max_time": -1},
                  {"max_time": float("inf")}):
        with pytest.raises(UsageError):
            Policy(**words)  # type: ignore[arg-type]


def test_the_command_line(tmp_path: Path) -> None:
    program = write(tmp_path, printing(b"hello"))
    assert run("run", "--ro", tmp_path, "--rw=/tmp", "--no-network", "--no-exec", program).stdout == "hello"
    assert run("run", "--ro=/no/such/path", program).complaint.startswith("/no/such/path: no such file")
    assert run("run", "--ro").complaint.startswith("--ro wants a value")
    assert run("run", "--no-fun", program).status == UsageError.status


def test_every_call_is_judged() -> None:
    """A call that is new in the table must be given a rule, or be known to lead nowhere."""
    known = rules.PLAIN | rules.WANTS.keys() | rules.RULES.keys()
    refused = {name for name, how in CALLS.items() if how.split()[0] in ("EPERM", "ENOSYS")}
    # Left out on purpose: shared with all processes of the host, or ways into other processes.
    shared = {name for name in CALLS if name.startswith(("shm", "sem", "msg", "mq_"))}
    outside = {"kcmp", "pidfd_getfd", "syslog", "sethostname", "chroot", "vhangup"}
    assert set(CALLS) - known - refused - shared - outside - {"open_by_handle_at"} == set()
    assert known <= set(NUMBERS.values())
    assert not rules.PLAIN & (rules.WANTS.keys() | rules.RULES.keys())


def test_results_by_the_api(tmp_path: Path) -> None:
    program = write(tmp_path, printing(b"hello"))
    policy = xenos.Policy(ro=[tmp_path], network=False, exec=False, max_memory="1G")
    result = xenos.run(program, policy=policy, capture=True)
    assert (result.status, result.stdout, result.stderr) == (0, b"hello", b"")
    with xenos.Process(program, policy=policy) as process:
        assert process.run() is not None
        process.reset()
        assert process.run() is not None
