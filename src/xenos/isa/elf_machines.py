"""Names of ISAs by e_machine (ELF gABI), to tell users what a program is for. Read only for a message."""

from __future__ import annotations

NAMES = {
    2: "SPARC", 3: "x86 (32 bits)", 4: "Motorola 68000", 8: "MIPS", 15: "PA-RISC", 18: "SPARC V8+", 20: "PowerPC",
    21: "PowerPC (64 bits)", 22: "IBM S/390", 40: "Arm (32 bits)", 42: "SuperH", 43: "SPARC V9", 50: "Itanium",
    62: "x86-64", 83: "AVR", 92: "OpenRISC", 93: "ARC", 94: "Xtensa", 164: "Hexagon", 183: "AArch64", 189: "MicroBlaze",
    243: "RISC-V", 247: "eBPF", 252: "C-SKY", 258: "LoongArch", 0x9026: "Alpha",
}
