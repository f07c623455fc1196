"""Every probe prints under Xenos what it prints on the host: threads, signals, processes, memory order."""

from __future__ import annotations

import difflib
import shutil

import pytest

from probes.known import KNOWN
from probes.programs import GUEST_COMPILER, HOST_COMPILER, build, contender, names, run

SECONDS = 60  # a check needs less than one; all of a program some

pytestmark = pytest.mark.skipif(
    not shutil.which(GUEST_COMPILER) or not shutil.which(HOST_COMPILER), reason=f"needs {HOST_COMPILER}, {GUEST_COMPILER}",
)


def compare(name: str, checks: list[str]) -> None:
    """Run checks natively and as a guest; fail with the lines that differ."""
    host = run([str(build(name, guest=False)), *checks], SECONDS)
    assert host.status == 0, f"on the host: {host.status} {host.errors}"
    guest = run([*contender("xenos"), str(build(name, guest=True)), *checks], SECONDS)
    if guest.text != host.text or guest.status != 0:
        lines = difflib.unified_diff(host.text.splitlines(), guest.text.splitlines(), "host", "guest", n=3, lineterm="")
        ended = "hangs" if guest.status is None else f"ends with {guest.status}"
        pytest.fail("\n".join([f"{name} {ended}", *lines, *guest.errors.splitlines()[-5:]]), pytrace=False)


@pytest.mark.parametrize("name", names())
def test_guest_sees_what_the_host_shows(name: str) -> None:
    every = run([str(build(name, guest=False)), "-l"], SECONDS).text.split()
    compare(name, [check for check in every if f"{name}:{check}" not in KNOWN])


@pytest.mark.parametrize("check", sorted(KNOWN))
def test_what_is_not_right_yet(check: str) -> None:
    """It fails; the day it does not, the list is shortened."""
    name, _, one = check.partition(":")
    host = run([str(build(name, guest=False)), one], SECONDS)
    guest = run([*contender("xenos"), str(build(name, guest=True)), one], 5)
    if guest != host:
        pytest.xfail(KNOWN[check])
    pytest.fail(f"{check} is right now: take it off the list in known.py", pytrace=False)
