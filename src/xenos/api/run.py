"""Running a program to its end, in a process of its own: what it does to its process cannot harm the caller's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import IO, Any

from xenos import errors
from xenos.api.policy import Policy
from xenos.api.profile import Profile
from xenos.api.result import Result

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_CHILD = ("import sys; sys.path.insert(0, sys.argv[1]); from xenos import warm; warm.use(); "
          "from xenos.api.child import main; main(int(sys.argv[2]))")


def run(
    program: str | os.PathLike[str], *arguments: str | os.PathLike[str],
    sysroot: str | os.PathLike[str] | None = None, env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None, engine: str = "region", strace: bool = False,
    stdin: bytes | str | IO[Any] | None = None, capture: bool = False, timeout: float | None = None,
    policy: Policy | None = None, profile: bool = False,
) -> Result:
    """Run a Linux program of a foreign instruction set to its end.

    sysroot     an unpacked guest system, where files are looked for first; by default the one that
                `xenos sysroot create` made, if the program needs one; "/" is none
    env         the program's environment; by default that of this process
    cwd         the program's current directory
    engine      "region", "stencil", "reference" or "lockstep"
    strace      print its system calls to its standard error
    stdin       what it reads: bytes, text, or an open file; by default what this process reads
    capture     keep what it writes in the result, instead of letting it through
    timeout     seconds after which it is killed, and TimeoutError raised
    policy      what it may do, kept by Xenos and by the host's kernel; `max_time` ends it with the status 124
    profile     put into the result which loops were hot and which ways they took

    Raises what `xenos run` would complain of: LoadError, MissingFile, UsageError, HostError, all of them XenosError.
    """
    ours, theirs = socket.socketpair()
    request = {
        "arguments": [os.fspath(word) for word in (program, *arguments)],
        "sysroot": None if sysroot is None else os.path.abspath(sysroot), "engine": engine, "strace": strace,
        "env": dict(os.environ if env is None else env),
        "policy": None if policy is None or policy.empty else policy.words(), "profile": profile,
    }
    given: bytes | None = stdin.encode() if isinstance(stdin, str) else stdin if isinstance(stdin, bytes) else None
    output = subprocess.PIPE if capture else None
    with ours:
        with theirs:
            # -P: no module is taken from the current directory, which may hold the guest's own.
            child = subprocess.Popen(
                [sys.executable, "-P", "-c", _CHILD, _PACKAGE, str(theirs.fileno())], pass_fds=(theirs.fileno(),),
                stdin=stdin if given is None else subprocess.PIPE,  # type: ignore[arg-type]  # no bytes or text here
                stdout=output, stderr=output, cwd=cwd,
            )
        with child:
            try:
                _send(ours, json.dumps(request).encode())
                stdout, stderr = child.communicate(given, timeout)
            except subprocess.TimeoutExpired:
                child.kill()
                raise TimeoutError(f"{os.fspath(program)}: still running after {timeout} seconds") from None
            except BaseException:
                child.kill()
                raise
        return _result(ours, child.returncode, stdout or b"", stderr or b"")


def _send(ours: socket.socket, request: bytes) -> None:
    try:
        ours.sendall(request)
        ours.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it is dead already: its status says how


def _result(ours: socket.socket, status: int, stdout: bytes, stderr: bytes) -> Result:
    # The answer is there by now, or never comes, though a child that the guest left may still hold the socket.
    ours.setblocking(False)
    parts: list[bytes] = []
    try:
        while part := ours.recv(1 << 16):
            parts.append(part)
    except (BlockingIOError, ConnectionResetError):
        pass
    answer = json.loads(b"".join(parts) or b"{}")
    if "error" in answer:
        kind: type[errors.XenosError] = getattr(errors, answer["error"])
        raise kind(answer["text"])
    if answer:
        seen = answer.pop("profile", None)
        profile = Profile.read(seen) if seen is not None else None
        return Result(**answer, stdout=stdout, stderr=stderr, profile=profile)
    # It was killed, or it executed a program of the host in its place.
    return Result(max(status, 0), max(-status, 0), 0, "", stdout, stderr)
