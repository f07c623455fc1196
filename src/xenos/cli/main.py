"""The command `xenos`: which subcommand is meant, and how every failure ends: one line and an exit status."""

from __future__ import annotations

import os
import sys

from xenos import warm
from xenos.errors import UsageError, XenosError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

HELP = """\
Xenos runs programs of a foreign instruction set.

  xenos run [OPTION...] PROG [ARGUMENT...]   run a Linux program; `xenos run --help` lists the options
  xenos disasm [--json] FILE                 show the instructions of an ELF file
  xenos sysroot create|add|list|remove ...   guest systems, from Debian packages; see `xenos sysroot --help`
  xenos cache [show|where|verify|prune] ...  what is kept between runs; see `xenos cache --help`
  xenos doctor [--json]                      what this host offers, what is missing, and how to get it
  xenos --version | --help

Exit status of `xenos run`: the program's own; 128+N if it died by signal N; 127 if it or something that it needs is
not there; 126 if it cannot be run; 2 for a wrong command line; 125 if Xenos itself fails.
"""
_BUG = 125
_SIGINT, _SIGPIPE = 2, 13
_STREAM_ERRORS = (5, 27, 28, 122)   # EIO, EFBIG, ENOSPC, EDQUOT
_COMMANDS = ("run", "sysroot", "disasm", "cache", "doctor")


voices: list[Callable[[str], None]] = []    # the last of them speaks, not we: what standard error is is the guest's affair


def main(arguments: list[str] | None = None) -> int:
    """Run the command line (without the program's name); gives the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if sys.stdout is None and words[:1] != ["run"]:     # nothing is open there
        sys.stdout = open(os.devnull, "w")
    return guard(lambda: _dispatch(words))


def command() -> NoReturn:
    """What the installed command does: `main`, and an end without taking Python apart, which costs 4 ms."""
    warm.interruptible()
    status = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # closed by whoever started us
    os._exit(status)


def _dispatch(words: list[str]) -> int:
    if not words:
        sys.stderr.write(HELP)
        return UsageError.status
    command, rest = words[0], words[1:]
    if command == "run":
        from xenos.cli import run

        return run.main(rest)
    if command == "sysroot":
        from xenos.cli import sysroot

        return sysroot.main(rest)
    if command == "disasm":
        from xenos.cli import disasm

        return disasm.main(rest)
    if command == "cache":
        from xenos.cli import cache

        return cache.main(rest)
    if command == "doctor":
        from xenos.cli import doctor

        return doctor.main(rest)
    if command in ("--help", "-h", "help"):
        sys.stdout.write(HELP)
        return 0
    if command == "--version":
        from xenos import __version__

        print(f"xenos {__version__}")
        return 0
    hint = f"; did you mean `xenos run {command}`?" if os.path.exists(command) else ""
    raise UsageError(f"there is no command `{command}`{hint}; there are: {', '.join(_COMMANDS)}; see xenos --help")


def guard(call: Callable[[], int], debug: bool = False) -> int:
    """The status of `call`; what it raises becomes one line, and with `debug` a traceback before it."""
    try:
        status = call()
        if sys.stdout is not None:  # it is None where nothing is open there
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more when it ends.
        _forget_output()
        return 128 + _SIGPIPE
    except KeyboardInterrupt:
        return 128 + _SIGINT
    except XenosError as error:
        if debug:
            _traceback()
        say(printable(str(error)))
        return error.status
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _STREAM_ERRORS and error.filename is None:
            say(f"cannot write: {error.strerror}")
            _forget_output()
            return _BUG
        if debug:
            _traceback()
        hint = "" if debug else "; `xenos run --debug` says where"
        say(f"a bug of Xenos: {type(error).__name__}: {printable(str(error))}{hint}")
        return _BUG


def _forget_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _traceback() -> None:
    import traceback

    traceback.print_exc()


def printable(text: str) -> str:
    """With what is no character to print as an escape: names come from files, which may be hostile to a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def say(text: str) -> None:
    """Each line of `text` to standard error, if that is still there."""
    lines = "".join(f"xenos: {printable(line)}\n" for line in text.split("\n"))
    if voices:
        voices[-1](lines)
        return
    try:
        sys.stderr.write(lines)
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):   # it is None where nothing is open there
        pass
