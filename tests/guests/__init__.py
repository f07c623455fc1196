"""Debian's own riscv64 programs as guests: what they print and how they end is what qemu says."""
