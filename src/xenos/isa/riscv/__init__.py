"""RISC-V, 64 bits: RV64GC and the ratified extensions that Linux distributions build for."""
