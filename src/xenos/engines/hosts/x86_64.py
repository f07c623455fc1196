"""The x86-64 host: pinned registers, feature levels, and what compiled pieces look like (System V ABI, AMD64 supplement)."""

from __future__ import annotations

NAME = "x86_64"
TRIPLE = "x86_64-unknown-linux-gnu"

# preserve_none passes integers in r12 r13 r14 r15 rdi rsi rdx rcx r8 r9 r11 (llvm/lib/Target/X86/X86CallingConv.td): the first is
# the state pointer, the second the count of instructions, the others pins. rdx and rcx come late: mul, div and shifts use them.
STATE_REGISTER = 12
COUNT_REGISTER = 13
GENERAL_PINS = (14, 15, 7, 6, 2, 1, 8, 9, 11)
# What is left hold guest registers without a pin from one instruction of a block to the next, unless a stencil between wants them:
# r10, rbx, and rax, which most want that need one.
SPARE_PINS = (10, 3, 0)
VECTOR_PINS = (0, 1, 2, 3, 4, 5, 6, 7)

# Pins that stand for the operands while a stencil is compiled. All need a REX bit, so that any other pin fits in their place.
GENERAL_SLOTS = (6, 7, 8, 0)
VECTOR_SLOTS = (1, 2, 3, 4)

# Guest registers, most useful first, go to pins in this order: those that no instruction uses implicitly come first.
GENERAL_ORDER = (6, 7, 8, 2, 3, 0, 1, 5, 4)
VECTOR_ORDER = VECTOR_PINS

# How LLVM is to compile: positions decide nothing. Holes fold into displacements and immediates, homes too.
STENCIL_MODEL = RUNTIME_MODEL = ("pic", "small")
HOME_PROBES: tuple[int, ...] = ()

# Classes of immediates that are worth stencils of their own (stencil/library.py), together where they mostly encode alike.
CLASSES = ("bB", "wW", "sS")

# No AVX-512: its registers and encodings are not needed by stencils. `pclmul` is not part of any level.
CPUS = {1: ("x86-64", ""), 2: ("x86-64-v2", "+pclmul"), 3: ("x86-64-v3", "+pclmul")}

_LEVEL_2 = {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3", "pclmulqdq"}
_LEVEL_3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}
_found: list[int] = []      # the host's own level, once somebody asked: it takes some tenths of a millisecond


def level() -> int:
    """The highest level (1-3) whose features this host has; the environment's XENOS_HOST_LEVEL lowers it."""
    import os

    if not _found:
        flags: set[str] = set()
        with open("/proc/cpuinfo", "rb") as file:       # as text it would import one more module
            for line in file:
                if line.startswith(b"flags"):
                    flags = set(line.decode().split())
                    break
        _found.append(1 if not flags >= _LEVEL_2 else 3 if flags >= _LEVEL_3 else 2)
    best = _found[0]
    wanted = os.environ.get("XENOS_HOST_LEVEL", "")
    return min(best, int(wanted)) if wanted in ("1", "2", "3") else best
