"""`xenos run`: one Linux program of a guest, from the command line to its exit status."""

from __future__ import annotations

import os
import sys
import time

from xenos import warm
from xenos.cli.main import guard, say, voices
from xenos.errors import TakenError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.policy.terms import Policy

HELP = """\
xenos run [OPTION...] PROG [ARGUMENT...]

Runs a Linux program of a foreign instruction set as if it were a program of this host. PROG is a path, or the name of a
program of the sysroot.

  --sysroot DIR       look for files in DIR first: an unpacked guest system, with its dynamic linker and libraries;
                      by default the one that `xenos sysroot create` made, if PROG needs one; / is none
  --engine KIND       region (the default: fast, and what is hot is compiled by LLVM meanwhile), stencil (without that),
                      reference (exact by definition, slow), lockstep (stencil and reference, compared)
  --jobs N            compile what is hot in at most N processes; in none with 0
  -E NAME=VALUE       set a variable of the program's environment, which is otherwise that of this one
  --ro PATH           open PATH and all below it to the program for reading, and close all other files; repeat it
  --rw PATH           likewise, for reading and writing
  --no-network        no sockets but local ones
  --no-exec           no other program in this one's place
  --max-memory SIZE   as much writable memory for each of its processes: 512M, 2G
  --max-time SECONDS  kill it and all its children then, by the clock on the wall; the exit status is 124
  --strace            print every system call
  --stats             say at the end how many instructions ran, and how fast
  --debug             show registers when the program crashes, and a traceback when Xenos fails
  --                  end of the options; they end at PROG, too
"""
_TAKE_VALUE = ("--sysroot", "--engine", "--jobs", "-E", "--ro", "--rw", "--max-memory", "--max-time")
_WHICH, _NOT_AT_RANDOM = 0xFFFF_FFFF, 0x0004_0000   # of personality(2): none is set; ADDR_NO_RANDOMIZE
_QUIET = (2, 13)  # SIGINT, SIGPIPE: users know why


class Options:
    """The command line, read."""

    __slots__ = ("arguments", "debug", "engine", "environment", "help", "jobs", "policy", "stats", "strace", "sysroot")

    def __init__(self) -> None:
        self.arguments: list[str] = []          # the program's name and its arguments
        self.debug = self.help = self.stats = self.strace = False
        self.engine = "region"
        self.jobs: int | None = None            # processes that compile; None lets the engine choose
        self.environment: dict[str, str] = {}
        self.policy: dict[str, Any] = {}        # the words of a policy, as `linux.policy.terms.Policy` takes them
        self.sysroot: str | None = None


def parse(words: list[str]) -> Options:
    """Read the words behind `xenos run`; UsageError says what is wrong with them."""
    options = Options()
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if not word.startswith("-") or word == "-":
            break
        at += 1
        name, given, value = word.partition("=")
        if word.startswith("-E"):
            name, given, value = "-E", word[2:], word[2:]
        if name in _TAKE_VALUE:
            if not given:
                if at == len(words):
                    raise UsageError(f"{name} wants a value; see xenos run --help")
                value = words[at]
                at += 1
            _set(options, name, value)
        elif given:
            raise UsageError(f"there is no option {word}; see xenos run --help")
        elif word in ("--debug", "--stats", "--strace", "--help"):
            setattr(options, word[2:], True)
        elif word in ("--no-network", "--no-exec"):
            options.policy[word[5:]] = False
        elif word == "-h":
            options.help = True
        else:
            raise UsageError(f"there is no option {word}; options of the program come after it; see xenos run --help")
    options.arguments = words[at:]
    if not options.arguments and not options.help:
        raise UsageError("no program to run; see xenos run --help")
    return options


def _set(options: Options, name: str, value: str) -> None:
    if name == "--sysroot":
        if not value:       # a shell variable that is not set
            raise UsageError("--sysroot wants a folder; / is none")
        options.sysroot = value
    elif name == "--engine":
        from xenos.engines.choose import HIDDEN, KINDS

        if value not in KINDS + HIDDEN:
            raise UsageError(f"there is no engine `{value}`; there are: {', '.join(KINDS)}")
        options.engine = value
    elif name == "--jobs":
        if not value.isascii() or not value.isdigit() or int(value) > 64:
            raise UsageError(f"--jobs wants a number up to 64, not `{value}`")
        options.jobs = int(value)
    elif name in ("--ro", "--rw"):
        options.policy.setdefault(name[2:], []).append(value)
    elif name == "--max-memory":
        options.policy["max_memory"] = value
    elif name == "--max-time":
        from xenos.linux.policy.terms import seconds

        options.policy["max_time"] = seconds(value)
    else:
        variable, equals, text = value.partition("=")
        if not equals or not variable:
            raise UsageError(f"-E wants NAME=VALUE, not `{value}`")
        options.environment[variable] = text


def main(words: list[str]) -> int:
    """The subcommand; gives the exit status."""
    options = parse(words)
    if options.help:
        print(HELP, end="")
        return 0
    if options.policy:
        return guard(lambda: _run_confined(options), options.debug)
    return guard(lambda: _run(options), options.debug)


def _run_confined(options: Options) -> int:
    from xenos.linux.policy.supervisor import supervise
    from xenos.linux.policy.terms import Policy

    policy = Policy(**options.policy)
    status, late = supervise(lambda: guard(lambda: _run(options, policy), options.debug), policy.max_time)
    if late:
        say(f"killed after {policy.max_time:g} seconds (--max-time)")
    return status


def _run(options: Options, policy: Policy | None = None) -> int:
    import gc

    from xenos.api.find import find
    from xenos.api.start import start
    from xenos.engines import choose

    # Translation makes many objects that stay: the default threshold would look through them all again and again.
    gc.set_threshold(200_000, 20, 100)
    program, name, sysroot = find(options.arguments[0], options.sysroot)
    progress = _progress if sys.stderr and sys.stderr.isatty() else None
    try:
        process = start(name, options.engine, sysroot=sysroot, strace=options.strace, progress=progress, jobs=options.jobs,
                        seen=options.debug)
    except TakenError:
        _again()
        raise
    process.descriptors.mind_stderr(hold=options.strace or options.stats or options.debug)
    if not options.strace:
        process.after_fork.append(process.descriptors.release)      # only calls are told of children
    voices.append(process.descriptors.complain)
    environment = dict(os.environ)
    environment.update(options.environment)
    process.load(program, options.arguments, environment)
    if policy is not None:
        from xenos.api.confine import confine

        for level in confine(process, policy, program):
            say(f"this host has no {level}: the program is confined without it; see xenos doctor")
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = process.run()
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    assert outcome is not None  # no budget was given
    process.descriptors.close_all()     # it may have left us none
    if outcome.signal and outcome.signal not in _QUIET:
        say(outcome.report())
        if options.debug:
            from xenos.cli import report

            say(report.registers(process, choose.register_names(name)))
    if options.stats:
        from xenos.cli import report

        say(report.statistics(process, outcome, seconds))
    choose.keep(process.engine)
    trouble = getattr(process.engine, "trouble", None)
    if trouble is not None and options.debug and not options.stats and trouble():
        say(f"workers: {trouble()}")
    if policy is None and warm.wanted():
        from xenos.engines.code import modules

        modules.keep()
    problem = getattr(getattr(process.engine, "store", None), "problem", "")
    if problem and (options.stats or options.debug):
        say(f"cache: {problem}")
    return outcome.exit_status


def _again() -> None:
    """Start this command anew with nothing at random places (personality(2)), if some are. A Python linked at a fixed address,
    as Debian's, has its heap anywhere in the first two gigabytes."""
    import ctypes

    libc = ctypes.CDLL(None)
    persona = libc.personality(_WHICH)
    if persona != -1 and not persona & _NOT_AT_RANDOM and libc.personality(persona | _NOT_AT_RANDOM) != -1:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _progress(done: int, total: int) -> None:
    """One line on the terminal while the stencil library is compiled."""
    text = f"\rxenos: compiling the stencil library, this once: {done * 100 // total}%" if done < total else "\r\x1b[K"
    sys.stderr.write(text)
    sys.stderr.flush()
