"""Run a guest program with regions at once of the code in one range: `python -m engines.run_hot LOW HIGH PROGRAM ARGUMENTS...`."""

from __future__ import annotations

import sys

from engines.hot_regions import RegionsAtOnce
from xenos.api.start import start
from xenos.cpu import layout as at
from xenos.cpu.exits import Exit
from xenos.cpu.state import Cpu
from xenos.engines.hosts import host

FAULT = 2       # exit code (engines/runtime/text.py)


class Within(RegionsAtOnce):
    """Of all other code, stencils: a C library would take LLVM a minute."""

    low = high = 0
    failed = 0      # faults in regions that Python saw

    def _force(self, header: int) -> None:
        if self.low <= header < self.high:
            super()._force(header)

    def left(self, cpu: Cpu, limit: int) -> Exit | None:
        self.failed += cpu.get(at.EXIT_CODE) == FAULT and self.failed_in_a_region(cpu)
        return super().left(cpu, limit)


def main() -> int:
    """The guest's exit status; a line on standard error says what there was of regions."""
    engine = Within(host().level())
    engine.tiers.jobs = 0       # none but those
    engine.low, engine.high = (int(word, 16) for word in sys.argv[1:3])
    process = start("riscv64", "", engine=engine)
    process.load(sys.argv[3], sys.argv[3:], {})
    outcome = process.run()
    print(f"{engine.compiled} regions, {engine.failed} faults in them", file=sys.stderr)
    assert outcome is not None
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
