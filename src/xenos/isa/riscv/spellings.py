"""How assembly writes fields that are neither registers nor plain numbers."""

from __future__ import annotations

ROUNDING = {0: "rne", 1: "rtz", 2: "rdn", 3: "rup", 4: "rmm", 7: "dyn"}

# Acquire and release, behind the names of atomic instructions.
ORDER = {0b00: "", 0b01: ".rl", 0b10: ".aq", 0b11: ".aqrl"}

CSR = {0x001: "fflags", 0x002: "frm", 0x003: "fcsr", 0xC00: "cycle", 0xC01: "time", 0xC02: "instret"}

# Device input, device output, reads, writes.
ACCESSES = {bits: "".join(name for at, name in enumerate("iorw") if bits >> 3 - at & 1) or "0" for bits in range(16)}

# The 32 constants of the "Zfa" chapter's FLI; `min` is the format's smallest positive normal number.
CONSTANTS = dict(enumerate(
    "-1.0 min 1.52587890625e-05 3.0517578125e-05 0.00390625 0.0078125 0.0625 0.125 0.25 0.3125 0.375 0.4375 0.5 0.625 "
    "0.75 0.875 1.0 1.25 1.5 1.75 2.0 2.5 3.0 4.0 8.0 16.0 128.0 256.0 32768.0 65536.0 inf nan".split()))

SPELLINGS = {"rm": ROUNDING, "aqrl": ORDER, "csr": CSR, "pred": ACCESSES, "succ": ACCESSES, "constant": CONSTANTS}
