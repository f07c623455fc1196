"""How RISC-V programs talk to Linux (psABI; arch/riscv of the kernel)."""

from __future__ import annotations

from xenos.isa.riscv.extensions import HWCAP, ISA_STRING
from xenos.isa.riscv.signal_frame import FRAME
from xenos.linux.form import LinuxForm
from xenos.linux.generic_numbers import NUMBERS

_CPUINFO = f"""processor\t: {{cpu}}
hart\t\t: {{cpu}}
isa\t\t: {ISA_STRING}
mmu\t\t: sv39
mvendorid\t: 0x0
marchid\t\t: 0x0
mimpid\t\t: 0x0
hart isa\t: {ISA_STRING}

"""

LINUX = LinuxForm(
    machine="riscv64",
    elf_machine=243,
    number=("x", 17),
    arguments=(("x", 10), ("x", 11), ("x", 12), ("x", 13), ("x", 14), ("x", 15)),
    result=("x", 10),
    stack_pointer=("x", 2),
    thread_pointer=("x", 4),
    numbers={**NUMBERS, 258: "riscv_hwprobe", 259: "riscv_flush_icache"},
    hwcap=HWCAP,
    cpuinfo=_CPUINFO,
    signal_frame="xenos.isa.riscv.signal_frame",
    frame=FRAME,
    calls={
        "riscv_hwprobe": "xenos.isa.riscv.system_calls:riscv_hwprobe",
        "riscv_flush_icache": "xenos.isa.riscv.system_calls:riscv_flush_icache",
    },
)
