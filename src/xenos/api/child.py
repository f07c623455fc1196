"""The process that `xenos.run` starts: it reads what to run from a socket, runs it, and answers with how it ended."""

from __future__ import annotations

import json
import os
import sys

from xenos.errors import XenosError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main(fd: int) -> None:
    """Serve one request on the socket `fd`, and end as the guest did."""
    parts = []
    while part := os.read(fd, 1 << 16):
        parts.append(part)
    request = json.loads(b"".join(parts))
    place = [fd]
    try:
        answer = _run(request, place)
    except XenosError as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    except KeyboardInterrupt:
        answer = {"status": 0, "signal": 2, "instructions": 0, "crash": ""}
    os.write(place[0], json.dumps(answer).encode())
    sys.exit(0)


def _run(request: dict[str, Any], place: list[int]) -> dict[str, Any]:
    from xenos.api.find import find
    from xenos.api.start import start
    from xenos.engines import choose

    program, name, sysroot = find(request["arguments"][0], request["sysroot"])
    process = start(name, request["engine"], sysroot=sysroot, strace=request["strace"])
    place[0] = process.hide(place[0])  # guests look at low numbers
    process.load(program, request["arguments"], request["env"])
    outcome = process.run()
    assert outcome is not None  # no budget was given
    choose.keep(process.engine)
    return {
        "status": outcome.status, "signal": outcome.signal, "instructions": process.cpu.count,
        "crash": outcome.report() if outcome.signal else "",
    }
