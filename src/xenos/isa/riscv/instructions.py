"""The instructions of RV64GC and its extensions: importing this module declares every chapter."""

from __future__ import annotations

from xenos.isa.riscv import (
    atomic,
    bitmanip,
    cache_block,
    compressed,
    compressed_more,
    conditional,
    csr,
    fence_i,
    float_additional,
    float_double,
    float_half,
    float_single,
    integer,
    may_be,
    multiply,
)
from xenos.isa.riscv.registers import RISCV

CHAPTERS = (integer, multiply, atomic, csr, fence_i, float_single, float_double, float_half, float_additional,
            compressed, compressed_more, bitmanip, conditional, cache_block, may_be)

__all__ = ["CHAPTERS", "RISCV"]
