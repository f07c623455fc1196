"""Random blocks without end, `make fuzz`: stops at the first difference between the engines and prints how to see it again.

    python -m tests.lockstep_forever [SEED] [--level 1|2|3] [--blocks N]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "src"), str(Path(__file__).parent)]

from engines.side_by_side import BEST, LEVELS, SideBySide  # noqa: E402
from engines.wild_blocks import WildBlocks  # noqa: E402

EACH = 2000     # blocks of one seed; the next run begins with another
LENGTHS = (3, 12, 12, 40, 120)


def main() -> int:
    """Run until something differs, or the wanted number of blocks is done."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    ask.add_argument("seed", nargs="?", type=int, default=random.SystemRandom().randrange(1 << 32))
    ask.add_argument("--level", type=int, choices=LEVELS, default=BEST)
    ask.add_argument("--blocks", type=int, default=0, help="stop after so many blocks; without end if 0")
    wanted = ask.parse_args()
    pair = SideBySide(wanted.level)
    seed, done, start = wanted.seed, 0, time.monotonic()
    while True:
        maker = WildBlocks(seed)
        lengths = random.Random(seed)
        for number in range(EACH):
            block = maker.block(lengths.choice(LENGTHS))
            try:
                pair.check(block, f"seed {seed}, block {number}")
            except AssertionError as error:
                print(f"\n{error}\nagain: python -m tests.lockstep_forever {seed} --level {wanted.level}")
                return 1
            done += 1
            if wanted.blocks and done >= wanted.blocks:
                print(f"\n{done} blocks, no difference")
                return 0
            if done % 100 == 0:
                rate = done / (time.monotonic() - start)
                print(f"\rseed {seed}: {done} blocks, {rate:.0f} a second, no difference", end="", flush=True)
        seed += 1


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        print()
        raise SystemExit(130) from None
