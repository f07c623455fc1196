"""`make guests`: every errand under Xenos and qemu in turn, and a table of how they ended and what it cost."""

from __future__ import annotations

import argparse
import json
import platform
import re
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from guests.matrix import rooms
from guests.matrix.errands import ERRANDS, Errand
from guests.matrix.running import run
from guests.matrix.verdicts import Run, Verdict, failures, judge


def main() -> int:
    """The command; its status says whether all is well under Xenos that can be."""
    parser = argparse.ArgumentParser(prog="make guests", description=__doc__)
    parser.add_argument("names", nargs="*", help="which errands to run, as regular expressions; by default all")
    parser.add_argument("--engines", default="xenos,qemu", help="from xenos, qemu, native, and xenos-region or the like "
                        "for an engine that is not the default (%(default)s)")
    parser.add_argument("--patience", type=int, default=1, metavar="N", help="times the limits, for a machine with other work")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all there is to know there as well")
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="keep what each run printed there")
    parser.add_argument("--list-failures", action="store_true", help="print the names of Python's tests that failed")
    options = parser.parse_args()
    engines = options.engines.split(",")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))     # the errand at work ends as well
    # A shell starts what it does not wait for with these ignored, nohup too; guests would inherit that, and tests of Python wait
    # for an interrupt that never comes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if reason := rooms.missing() if engines != ["native"] else "":
        print(f"guests: {reason}", file=sys.stderr)
        return 0
    if "qemu" in engines and (reason := rooms.missing_qemu()):
        print(f"guests: not compared with qemu: {reason}", file=sys.stderr)
        engines.remove("qemu")
    if engines != ["native"]:
        rooms.furnish()
    chosen = [replace(errand, limit=errand.limit * options.patience) for errand in ERRANDS if not options.names
              or any(re.fullmatch(pattern, errand.name) for pattern in options.names)]
    now = time.strftime("%F %R", time.gmtime())
    print(f"{len(chosen)} errands on {platform.machine()}, kernel {platform.release()}, {now} UTC")
    print(f"{'':30}" + "".join(f"{engine:>14}{'wall s':>9}{'CPU s':>9}" for engine in engines))
    rows: list[dict[str, object]] = []
    words: dict[str, dict[str, Verdict]] = {}
    for errand in chosen:
        print(f"{errand.name:30}", end="", flush=True)
        words[errand.name] = {}
        for engine in engines:
            outcome = run(errand, engine)
            verdict = judge(errand, outcome)
            words[errand.name][engine] = verdict
            rows.append(_row(errand, engine, outcome, verdict))
            print(f"{verdict.word:>14}{outcome.wall:9.2f}{outcome.cpu:9.2f}", end="", flush=True)
            if options.outputs:
                options.outputs.mkdir(parents=True, exist_ok=True)
                (options.outputs / f"{errand.name}.{engine}").write_text(outcome.output)
            if options.list_failures and errand.tests:
                print("", *sorted(failures(outcome.output)), sep="\n", end="")
        print()
        for engine, verdict in words[errand.name].items():
            if not verdict.good:
                print(f"    {engine}: {verdict.reason}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return _summary(words, engines)


def _row(errand: Errand, engine: str, outcome: Run, verdict: Verdict) -> dict[str, object]:
    return {"errand": errand.name, "engine": engine, **asdict(verdict), **{
        name: value for name, value in asdict(outcome).items() if name != "output"}}


def _summary(words: dict[str, dict[str, Verdict]], engines: list[str]) -> int:
    for engine in engines:
        good = sum(row[engine].good for row in words.values())
        print(f"{engine}: {good} of {len(words)} as they must be")
    bad = {engine: [name for name, row in words.items() if not row[engine].good]
           for engine in engines if engine.startswith("xenos")}
    for engine, names in bad.items():
        if "qemu" in engines:
            worse = [name for name in names if words[name]["qemu"].good]
            print(f"right under qemu and not under {engine}:", ", ".join(worse) or "none")
    return 1 if any(bad.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
