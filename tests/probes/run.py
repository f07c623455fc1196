"""Each check of the probes beside the host's answer: `python -m tests.probes.run [-w native,qemu,qemu10,xenos] [PROBE[:CHECK]]`."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from probes.programs import Shown, build, contender, names, run

_QEMU = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenos" / "oracles" / "qemu-riscv64"


def checks_of(probe: str) -> list[str]:
    """Their names, from the program itself."""
    return run([str(build(probe, guest=False)), "-l"], 10).text.split()


def verdict(shown: Shown, host: Shown) -> str:
    """What is wrong with a run, in a word."""
    if shown.status is None:
        return "hangs"
    if shown.text == host.text and shown.status == host.status:
        return "ok"
    return f"ends {shown.status}" if shown.status != host.status else "differs"


def main() -> int:
    """The command; status 1 if Xenos failed a check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", nargs="*", help="folder/file, part of it, or folder/file:check")
    parser.add_argument("-w", "--with", dest="who", default="xenos", help="native,qemu,qemu10,xenos (%(default)s)")
    parser.add_argument("-n", "--times", type=int, default=1, help="how often each check is run (%(default)s)")
    parser.add_argument("-t", "--seconds", type=float, default=20, help="after which a check hangs (%(default)s)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the differences")
    chosen = parser.parse_args()
    os.environ.setdefault("XENOS_QEMU_RISCV64", str(_QEMU))
    failed = 0
    for probe in names():
        wanted = [text.partition(":")[::2] for text in chosen.probe]
        if wanted and not any(name in probe for name, _ in wanted):
            continue
        for check in checks_of(probe):
            if wanted and not any(name in probe and (not one or one == check) for name, one in wanted):
                continue
            host = run([str(build(probe, guest=False)), check], chosen.seconds)
            line, details = f"{probe + ':' + check:40}", []
            for who in chosen.who.split(","):
                words: dict[str, int] = {}
                took = 0.0
                for _ in range(chosen.times):
                    start = time.monotonic()
                    shown = run([*contender(who), str(build(probe, guest=who != "native")), check], chosen.seconds)
                    took = max(took, time.monotonic() - start)
                    word = verdict(shown, host)
                    words[word] = words.get(word, 0) + 1
                    if word != "ok" and chosen.verbose:
                        one, other = host.text.splitlines(), shown.text.splitlines()
                        details += [*difflib.unified_diff(one, other, "host", who, n=1, lineterm=""),
                                    *shown.errors.splitlines()[-4:]]
                failed += who == "xenos" and set(words) != {"ok"}
                text = ", ".join(word if chosen.times == 1 else f"{word} {count}" for word, count in words.items())
                line += f"  {who} {text} {took:.2f} s".ljust(26)
            print(line, flush=True)
            for detail in details:
                print("      " + detail)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
