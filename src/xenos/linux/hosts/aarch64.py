"""The system-call numbers of an AArch64 Linux kernel: those of the generic table, by name."""

from __future__ import annotations

from xenos.linux.generic_numbers import NUMBERS as _NAMES

AUDIT_ARCH, OTHER_ABI = 0xC00000B7, 0   # linux/audit.h
NUMBERS = {name: number for number, name in _NAMES.items()}
