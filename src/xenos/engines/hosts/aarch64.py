"""The AArch64 host: pinned registers, feature levels, and how LLVM is to compile for it (Arm ARM DDI 0487; AAPCS64)."""

from __future__ import annotations

NAME = "aarch64"
TRIPLE = "aarch64-unknown-linux-gnu"

# preserve_none passes integers in x20-x28, x0-x7, x10-x14 (llvm/lib/Target/AArch64/AArch64CallingConvention.td): the
# first is the state pointer, the second the count of instructions, the others pins. x8, x9 and x15-x18 are left to the
# stencils themselves.
STATE_REGISTER = 20
COUNT_REGISTER = 21
GENERAL_PINS = (22, 23, 24, 25, 26, 27, 28, 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14)
SPARE_PINS: tuple[int, ...] = ()     # no need of any: few guest registers are without a pin
VECTOR_PINS = (0, 1, 2, 3, 4, 5, 6, 7)

# Pins that stand for the operands while a stencil is compiled. Every register fits every field, so any will do.
GENERAL_SLOTS = (0, 1, 2, 3)
VECTOR_SLOTS = (0, 1, 2, 3)
GENERAL_ORDER = tuple(range(len(GENERAL_PINS)))
VECTOR_ORDER = VECTOR_PINS

# Stencils are made with the large code model: a hole is a run of MOVZ and MOVK, whose fields are filled. The runtime is
# position-independent. Homes of registers are compiled as these offsets, which stand for nothing else: fields of LDR
# and STR.
STENCIL_MODEL = ("static", "large")
RUNTIME_MODEL = ("pic", "small")
HOME_PROBES = (0x400, 0x480, 0x500, 0x580, 0x600, 0x680)

# Classes of immediates that are worth stencils of their own (stencil/library.py).
CLASSES = ("b", "B", "w", "W", "s", "S")

# Level 2 has atomic instructions (LSE) and the carry-less multiply.
CPUS = {1: ("generic", ""), 2: ("generic", "+lse,+aes")}

_AT_HWCAP = 16
_PMULL, _ATOMICS = 1 << 4, 1 << 8


def level() -> int:
    """The highest level (1-2) whose features this host has; the environment's XENOS_HOST_LEVEL lowers it."""
    import ctypes
    import os

    getauxval = ctypes.CDLL(None).getauxval
    getauxval.restype = ctypes.c_ulong
    features = getauxval(ctypes.c_ulong(_AT_HWCAP))
    best = 2 if features & _PMULL and features & _ATOMICS else 1
    return 1 if os.environ.get("XENOS_HOST_LEVEL") == "1" else best
