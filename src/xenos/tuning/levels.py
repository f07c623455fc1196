"""The levels of optimization at which regions are compiled, and what is known of each: what it costs and what it gains."""

from __future__ import annotations

FEW, ALL = 1, 2         # of LLVM's passes, as `Compiler.compile` numbers them

# Measured (docs/regions.md): seconds of processor time to compile a guest instruction, and instructions of a region, before some
# are known.
INSTRUCTION = {FEW: 0.0002, ALL: 0.00035}
TYPICAL = 120
CODE = 24           # bytes of code for an instruction of a region, with its ways out
# How much faster a region is than what there was before, stencils or a region of the level below, before that was measured; and at
# least, after that: else none would ever be measured again.
FASTER = {FEW: 1.6, ALL: 1.03}
LEAST = {FEW: 1.05, ALL: 1.01}


class Level:
    """One level: `faster` is how much faster it makes code, `luck` the share of what was asked for that came to be."""

    __slots__ = ("faster", "least", "luck", "per_instruction", "typical")

    def __init__(self, number: int) -> None:
        self.per_instruction = INSTRUCTION[number]
        self.typical: float = TYPICAL
        self.faster = FASTER[number]
        self.least = LEAST[number]
        self.luck = 1.0

    def price(self, instructions: float | None = None) -> float:
        """Seconds of processor time that a region is expected to cost, of so many instructions or of those that it mostly has."""
        return (self.typical if instructions is None else instructions) * self.per_instruction

    def gain(self, seconds: float) -> float:
        """Seconds that it is expected to save of so many."""
        return seconds * (1 - 1 / self.faster) * self.luck

    def refused(self) -> None:
        """Nothing came of what was asked for."""
        self.luck -= self.luck / 8

    def compiled(self, instructions: int, seconds: float) -> None:
        """What a region cost in fact."""
        self.luck += (1 - self.luck) / 8
        self.per_instruction += (seconds / max(instructions, 1) - self.per_instruction) / 8
        self.typical += (instructions - self.typical) / 8

    def proved(self, faster: float) -> None:
        """How much faster a region was in fact than what there was before."""
        self.faster = max(self.least, self.faster + (faster - self.faster) / 4)
