"""What is implemented, once: the extensions as the kernel names them, and the numbers by which it reports them."""

from __future__ import annotations

# Letters of the ISA string; AT_HWCAP has a bit for each, counted from A.
LETTERS = "imafdc"

# The kernel's order in /proc/cpuinfo; beside each its bit in riscv_hwprobe's key IMA_EXT_0, where it has one.
EXTENSIONS: dict[str, int | None] = {
    "zicbom": 55, "zicbop": 60, "zicboz": 6, "zicntr": 50, "zicond": 35, "zicsr": None, "zifencei": None,
    "zihintntl": 29, "zihintpause": 36, "zimop": 42, "zaamo": 56, "zalrsc": 57, "zawrs": 48, "zfa": 32, "zfh": 27,
    "zfhmin": 28, "zca": 43, "zcb": 44, "zcd": 45, "zcmop": 47, "zba": 3, "zbb": 4, "zbc": 7, "zbs": 5,
}

ISA_STRING = "rv64" + LETTERS + "".join("_" + name for name in EXTENSIONS)
HWCAP = sum(1 << (ord(letter) - ord("a")) for letter in LETTERS)

CACHE_BLOCK = 64  # bytes of a CBO.* block
TIME_FREQUENCY = 10_000_000  # of the time CSR, in Hz
