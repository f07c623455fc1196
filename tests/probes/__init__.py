"""Probes: small C programs that ask the kernel for what threads, signals and processes need; the host is the oracle."""
