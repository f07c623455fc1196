"""The oracle in process: Unicorn, for what it knows: I, M, A, F, D and C as of 2020.

It runs in machine mode and is known to be wrong about this much (2.1.4): single results are not NaN-boxed (bits 63:32
are 0) nor is the boxing of operands checked; FMIN and FMAX of a signaling NaN and a number give a NaN; infinity * 0 +
quiet NaN raises no invalid.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

from oracles.cases import (
    CODE,
    CODE_AREA,
    CODE_AREA_SIZE,
    CODE_SIZE,
    DATA,
    DATA_SIZE,
    FILL,
    SIGALRM,
    SIGILL,
    SIGSEGV,
    SIGTRAP,
    Case,
    OracleError,
    Result,
    ended_by,
)

# A case that runs for more instructions is reported as not ending.
INSTRUCTION_LIMIT = 10_000

_FLOATS_USABLE = 0x6000              # mstatus.FS
_ILLEGAL_INSTRUCTION = 2             # mcause


def missing_unicorn() -> str:
    """What is missing for `run_words_unicorn`, or an empty string."""
    return "" if importlib.util.find_spec("unicorn") else "the Python package unicorn is missing"


@functools.cache
def _machine() -> Machine:
    return Machine()


def run_words_unicorn(cases: Sequence[Case]) -> list[Result]:
    """Run every case in this process; OracleError if Unicorn cannot be had."""
    if reason := missing_unicorn():
        raise OracleError(reason)
    machine = _machine()
    return [machine.run(case) for case in cases]


class Machine:
    """One Unicorn instance with the same memory as the other oracles have."""

    def __init__(self) -> None:
        # As untyped modules: the package's own type hints do not cover what is used here.
        self.unicorn = unicorn = importlib.import_module("unicorn")
        names = importlib.import_module("unicorn.riscv_const")
        self.x = [names.UC_RISCV_REG_X0 + i for i in range(32)]
        self.f = [names.UC_RISCV_REG_F0 + i for i in range(32)]
        self.pc = names.UC_RISCV_REG_PC
        self.fcsr = names.UC_RISCV_REG_FCSR
        self.all = [*self.x, *self.f, self.fcsr, self.pc]
        uc = self.uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV64)
        uc.mem_map(CODE_AREA, CODE_AREA_SIZE, unicorn.UC_PROT_ALL)
        uc.mem_map(DATA, DATA_SIZE, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        uc.mem_write(CODE_AREA, FILL.to_bytes(2, "little") * (CODE_AREA_SIZE // 2))
        uc.reg_write(names.UC_RISCV_REG_MSTATUS, uc.reg_read(names.UC_RISCV_REG_MSTATUS) | _FLOATS_USABLE)
        uc.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)
        uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_fault)
        self.fresh = uc.context_save()
        self.code = b""
        self.exception = 0
        self.fault_address = 0

    def _on_exception(self, uc: Any, cause: int, _: object) -> None:
        self.exception = cause
        uc.emu_stop()

    def _on_fault(self, _uc: Any, _access: int, address: int, _size: int, _value: int, _: object) -> bool:
        self.fault_address = address & 0xFFFF_FFFF_FFFF_FFFF
        return False

    def run(self, case: Case) -> Result:
        """One case, from a fresh processor."""
        uc, code = self.uc, case.code()
        if code != self.code:
            fill = FILL.to_bytes(2, "little") * ((len(self.code) - len(code)) // 2)
            uc.mem_write(CODE, code + fill)
            uc.ctl_remove_cache(CODE, CODE + CODE_SIZE)
            self.code = code
        uc.mem_write(DATA, case.memory + bytes(DATA_SIZE - len(case.memory)))
        uc.context_restore(self.fresh)
        uc.reg_write_batch([(self.fcsr, case.fcsr), *((self.x[i], v) for i, v in case.x.items()),
                            *((self.f[i], v) for i, v in case.f.items())])
        self.exception = self.fault_address = 0
        signal = self._execute()
        values = uc.reg_read_batch(self.all)
        pc = values[65]
        if signal == SIGILL:
            pc -= 4                  # Unicorn reports four bytes further, whatever the length
            self.fault_address = pc
        signal = ended_by(signal, pc, len(code))
        if signal == SIGTRAP:
            self.fault_address = pc
        return Result(signal, pc, (0, *values[1:32]), tuple(values[32:64]), values[64],
                      bytes(uc.mem_read(DATA, len(case.memory))), self.fault_address if signal else 0)

    def _execute(self) -> int:
        """The signal that a kernel would send; an ebreak comes out of Unicorn as an invalid instruction."""
        try:
            self.uc.emu_start(CODE, 0, 0, INSTRUCTION_LIMIT)
        except self.unicorn.UcError as error:
            return SIGTRAP if error.errno == self.unicorn.UC_ERR_INSN_INVALID else SIGSEGV
        if self.exception == 0:
            return SIGALRM
        return SIGILL if self.exception == _ILLEGAL_INSTRUCTION else SIGSEGV
