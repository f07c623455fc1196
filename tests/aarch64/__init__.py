"""Xenos itself on an AArch64 host: packs are built here for that host, and run by an arm64 Python under qemu."""
