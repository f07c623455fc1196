"""When code that stencils run is worth compiling as a region: the whole policy, in seconds, from what was measured.

A loop that has run for some time is expected to run as long again (the rule of thumb of two-competitive algorithms: R. Karp,
On-line algorithms versus off-line algorithms, 1992). What compiling it would save of that is its gain.
"""

from __future__ import annotations

import os

from xenos.tuning.levels import ALL, FEW, Level

START = 0.08            # seconds of processor time to start a worker (docs/figures.md)
TRIAL = 0.006           # and for the looks of a trial by turns
DOUBT = 2               # times its price a second level is to be worth: most gain nothing, some much
SPARE = 0.35            # what processor time costs that nobody waits for, where a processor is idle
SAMPLE = 1 << 21        # instructions between two looks at where a CPU is, at first: half a millisecond, for 10 us
RARELY = 1 << 25        # and at most, where nothing new is found
WATCH = 0.01            # of the time that a guest has run may go into looks, or they become rarer
SHARE = 0.3             # of the time that a guest has run may go into compiling, beside the first region
STAY = 400              # instructions that a region is to execute before it is left: malloc's, at 220 to 350, lost to stencils
LATER = 8               # times what it has run for so far, until one that was refused is looked at again
MOST = 400              # instructions of a region: LLVM takes more than its share for larger ones
WHOLE = 1600            # where a block has more, and there are few others: hashes have loops of one
MANY = 4                # places that a jump goes to, from which on it is one that chooses what is done next
STEPS = 512             # blocks that are followed one by one before a region is chosen: two milliseconds


class Tiers:
    """The decisions for one process. `jobs` is how many workers there may be."""

    def __init__(self, jobs: int | None = None) -> None:
        processors = len(os.sched_getaffinity(0))
        self.jobs = min(2, processors) if jobs is None else jobs
        self.cost = SPARE if processors > 1 else 1.0
        self.interval = SAMPLE
        self.levels = {number: Level(number) for number in (FEW, ALL)}
        self.stay = STAY
        self.ran = self.compiling = 0.0     # seconds: of guests; of workers, as far as that is known
        self.watching = 0.0                 # seconds that looks took
        self.pending = 0                    # regions that were asked for
        self._quiet = 0

    def worthwhile(self, seconds: float, started: bool) -> bool:
        """Whether a header at which a guest has spent so long is worth a region; `started`: a worker is there already, else those
        are the seconds at all headers that one more would have to do with."""
        level = self.levels[FEW]
        price = level.price() + (0.0 if started else START)
        return level.gain(seconds) > self.cost * price and self._affordable()

    def better(self, seconds: float, instructions: float | None, started: bool) -> bool:
        """Whether a region of so many instructions, if that is known, is worth compiling once more, with all of LLVM's passes, when
        guests were in it for so long. What that may gain is little, so that processor time for it is counted in full and more,
        whether somebody waits for it or not."""
        level = self.levels[ALL]
        price = level.price(instructions) + TRIAL + (0.0 if started else START)
        return level.gain(seconds) > DOUBT * price and self._affordable()

    @property
    def learned(self) -> dict[int, tuple[float, float]]:
        """Of each level, what a later run can make use of."""
        return {number: (level.luck, level.faster) for number, level in self.levels.items()}

    def recall(self, learned: dict[int, tuple[float, float]]) -> None:
        """Take up what an earlier run has learned."""
        for number, level in self.levels.items():
            if number in learned:
                luck, level.faster = learned[number]
                level.luck = min(level.luck, luck)

    def _affordable(self) -> bool:
        return self.compiling + self.pending * self.levels[FEW].price() < SHARE * self.ran

    def sampled(self, new: bool, trying: bool) -> None:
        """A look found something that is `new`, or nothing: then the next is later, unless there are regions on trial."""
        if trying or new and self.watching < WATCH * self.ran:
            self._quiet, self.interval = 0, min(RARELY, int(SAMPLE / self.levels[FEW].luck))
            return
        self._quiet += 1
        if self._quiet >= 64:
            self._quiet, self.interval = 0, min(RARELY, self.interval << 1)

    def refused(self, seconds: float, level: int = FEW) -> None:
        """Nothing came of a job that took so long."""
        self.compiling += seconds
        self.levels[level].refused()

    def compiled(self, instructions: int, seconds: float, level: int = FEW) -> None:
        """What a region cost in fact."""
        self.compiling += seconds
        self.levels[level].compiled(instructions, seconds)
