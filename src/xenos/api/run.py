"""Running a program to its end, in a process of its own: what it does to its own process cannot harm the caller's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import IO

from xenos import errors
from xenos.api.result import Result

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(
    program: str | os.PathLike[str], *arguments: str | os.PathLike[str],
    sysroot: str | os.PathLike[str] | None = None, env: Mapping[str, str] | None = None, cwd: str | None = None,
    engine: str = "stencil", stdin: bytes | str | IO[bytes] | None = None, capture: bool = False,
    timeout: float | None = None,
) -> Result:
    """Run a Linux program of a foreign instruction set to its end.

    sysroot     an unpacked guest system, where files are looked for first
    env         the program's environment; by default that of this process
    cwd         the program's current directory
    engine      "stencil", "reference" or "lockstep"
    stdin       what it reads: bytes, text, or an open file; by default what this process reads
    capture     keep what it writes in the result, instead of letting it through
    timeout     seconds after which it is killed and TimeoutError is raised

    Raises what `xenos run` would complain of: LoadError, MissingFile, UsageError, HostError (all are XenosError).

    >>> import xenos
    >>> xenos.run("examples/tour", capture=True).text.splitlines()[-1]
    'all as it must be'
    """
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "xenos", "run", "--report", str(writer), "--engine", engine]
    if sysroot is not None:
        command += ["--sysroot", os.fspath(sysroot)]
    command += ["--", os.fspath(program), *map(os.fspath, arguments)]
    own = dict(os.environ)
    guest_env = own if env is None else dict(env)
    # The guest's environment is passed by options, so that it cannot change how our own Python starts.
    changed = [f"{name}={value}" for name, value in guest_env.items() if own.get(name) != value]
    removed = [name for name in own if name not in guest_env]
    at = command.index("--")
    command[at:at] = [word for item in changed for word in ("-E", item)]
    command[at:at] = [word for item in removed for word in ("-U", item)]
    own["PYTHONPATH"] = os.pathsep.join(filter(None, (_PACKAGE, own.get("PYTHONPATH"))))
    raise NotImplementedError
