"""The process that `xenos.run` starts: it reads what to run from a socket, runs it, and answers with how it ended."""

from __future__ import annotations

import json
import os
import sys

from xenos import warm
from xenos.errors import XenosError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.policy.terms import Policy

_ROOM = 1 << 16     # bytes that the socket takes for certain before somebody reads them


def main(fd: int) -> None:
    """Serve one request on the socket `fd`, and end as the guest did."""
    parts = []
    while part := os.read(fd, 1 << 16):
        parts.append(part)
    request = json.loads(b"".join(parts))
    if not request["policy"]:
        _answer(request, fd, None)
        sys.exit(0)
    from xenos.linux.policy.supervisor import supervise
    from xenos.linux.policy.terms import Policy

    policy = Policy(**request["policy"])
    status, late = supervise(lambda: _answer(request, fd, policy), policy.max_time)
    if late:
        crash = f"killed after {policy.max_time:g} seconds (max_time)"
        os.write(fd, json.dumps({"status": status, "signal": 0, "instructions": 0, "crash": crash}).encode())
    sys.exit(0)


def _answer(request: dict[str, Any], fd: int, policy: Policy | None) -> int:
    """Run what is asked for, and say on the socket how it ended."""
    place = [fd]
    try:
        answer = _run(request, place, policy)
    except XenosError as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    except KeyboardInterrupt:
        answer = {"status": 0, "signal": 2, "instructions": 0, "crash": ""}
    os.write(place[0], json.dumps(answer).encode())
    return 0


def _run(request: dict[str, Any], place: list[int], policy: Policy | None) -> dict[str, Any]:
    from xenos.api.find import find
    from xenos.api.start import start
    from xenos.engines import choose

    program, name, sysroot = find(request["arguments"][0], request["sysroot"])
    process = start(name, request["engine"], sysroot=sysroot, strace=request["strace"], seen=False)
    process.descriptors.mind_stderr(hold=request["strace"])
    place[0] = process.hide(place[0])  # guests look at low numbers
    process.load(program, request["arguments"], request["env"])
    if policy is not None:
        from xenos.api.confine import confine

        for level in confine(process, policy, program):
            print(f"xenos: this host has no {level}: the program is confined without it", file=sys.stderr)
    outcome = process.run()
    assert outcome is not None  # no budget was given
    seen = None
    if request["profile"]:
        from xenos.api.profile import profile_of

        profile = profile_of(process)
        while len(json.dumps(seen := profile.words())) > _ROOM:     # names as no compiler makes them
            del profile.jumps[len(profile.jumps) // 2:], profile.loops[len(profile.loops) // 2:]
    choose.keep(process.engine)
    if policy is None and warm.wanted():
        from xenos.engines.code import modules

        modules.keep()
    return {
        "status": outcome.status, "signal": outcome.signal, "instructions": process.instructions,
        "crash": outcome.report() if outcome.signal else "", "profile": seen,
    }
