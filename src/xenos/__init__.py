"""Xenos runs programs of a foreign instruction set: the front door.

    run(program, *arguments)        run a program to its end and say how it ended
    Process(program, *arguments)    a program to step, stop, look into and change
    Policy(ro=..., rw=..., ...)     what a program may do
    Result                          how a program ended
    Exit                            why a guest CPU stopped
    XenosError                      what went wrong on our side; `xenos.errors` has the whole tree
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["Exit", "Policy", "Process", "Result", "XenosError", "run"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.api.policy import Policy
    from xenos.api.process import Process
    from xenos.api.result import Result
    from xenos.api.run import run
    from xenos.cpu.exits import Exit
    from xenos.errors import XenosError

# Imported when first asked for: the command `xenos` comes by here, too, and must start at once.
_HOMES = {
    "Exit": "xenos.cpu.exits",
    "Policy": "xenos.api.policy",
    "Process": "xenos.api.process",
    "Result": "xenos.api.result",
    "XenosError": "xenos.errors",
    "run": "xenos.api.run",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'xenos' has no attribute '{name}'")
    value: object = getattr(__import__(home, None, None, (name,)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
