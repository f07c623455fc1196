"""What operations that are not pure do: one function each, playing on the machine as it is during one instruction."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import Any

from xenos.cpu import layout as at
from xenos.cpu.exits import Breakpoint, Exit, Fault, Illegal, Syscall
from xenos.cpu.state import Cpu
from xenos.memory.flat import FlatMemory, MemoryFault
from xenos.semantics.decoder import Decoded
from xenos.semantics.operations import TABLE, lanewise, mask
from xenos.semantics.values import Value

_DYNAMIC = 7
_NOTHING_RESERVED = (1 << 64) - 1
_MISALIGNED = 3  # `mapped` of a Fault: the address is no multiple of the access size


class Machine:
    """The machine during one instruction: `writes` holds writes of registers back until nothing can fail."""

    __slots__ = ("cpu", "decoded", "exit", "memory", "next", "operands", "pc", "raised", "rounding", "target", "writes")

    def __init__(self) -> None:
        self.cpu: Cpu
        self.memory: FlatMemory
        self.decoded: Decoded
        self.operands: dict[str, int] = {}
        self.pc = self.next = self.target = 0
        self.rounding = 0
        self.raised = 0
        self.writes: list[tuple[str, int, int]] = []
        self.exit: Exit | None = None


# Leaves and registers

def _field(machine: Machine, op: Value) -> int:
    return machine.operands[op.attr("name")] & mask(op.width)


def _pc(machine: Machine, op: Value) -> int:
    return machine.pc


def _next(machine: Machine, op: Value) -> int:
    return machine.next


def _register(machine: Machine, op: Value) -> int:
    field = op.attr("field")
    return machine.operands[field] if isinstance(field, str) else int(field)


def _read(machine: Machine, op: Value) -> int:
    return machine.cpu.read(op.attr("file"), _register(machine, op))


def _write(machine: Machine, op: Value, value: int) -> None:
    machine.writes.append((op.attr("file"), _register(machine, op), value))


# Floating point

def _fp(machine: Machine, op: Value, *args: int) -> int:
    rounding = op.attr("rounding")
    bits, flags = lanewise(op)(op, machine.rounding if rounding == _DYNAMIC else rounding, *args)
    machine.raised |= flags
    return int(bits)


def _get_flags(machine: Machine, op: Value) -> int:
    return machine.cpu.get(at.FLAGS)


def _set_flags(machine: Machine, op: Value, value: int) -> None:
    machine.cpu.set(at.FLAGS, value & 31)


def _get_rounding(machine: Machine, op: Value) -> int:
    return machine.cpu.get(at.ROUNDING)


def _set_rounding(machine: Machine, op: Value, value: int) -> None:
    machine.cpu.set(at.ROUNDING, value & 7)


def _counter(machine: Machine, op: Value) -> int:
    return monotonic_ns() // 100 if op.attr("name") == "time" else machine.cpu.count


# Memory

def _load(machine: Machine, op: Value, address: int) -> int:
    return machine.memory.load(address, op.width >> 3)


def _store(machine: Machine, op: Value, address: int, value: int) -> None:
    machine.memory.store(address, op.args[1].width >> 3, value)


def _aligned(address: int, size: int, access: int) -> None:
    if address & (size - 1):
        raise MemoryFault(address, access, _MISALIGNED)


def _load_to_modify(machine: Machine, address: int, size: int) -> int:
    """What is at `address`; whatever is wrong with it counts as a failed write."""
    _aligned(address, size, Fault.WRITE)
    try:
        return machine.memory.load(address, size)
    except MemoryFault as fault:
        raise MemoryFault(fault.address, Fault.WRITE, fault.mapped) from None


def _amo(machine: Machine, op: Value, address: int, value: int) -> int:
    old = _load_to_modify(machine, address, op.width >> 3)
    kind = op.attr("kind")
    define = TABLE[kind].define if kind != "swap" else None
    machine.memory.store(address, op.width >> 3, define(op, old, value) if define else value)
    return old


def _compare_exchange(machine: Machine, op: Value, address: int, expected: int, new: int) -> int:
    old = _load_to_modify(machine, address, op.width >> 3)
    machine.memory.store(address, op.width >> 3, new if old == expected else old)
    return old


def _reserve(machine: Machine, op: Value, address: int) -> int:
    _aligned(address, op.width >> 3, Fault.READ)
    value = machine.memory.load(address, op.width >> 3)
    machine.cpu.set(at.RESERVED_ADDRESS, address)
    machine.cpu.set(at.RESERVED_VALUE, value)
    return value


def _store_conditional(machine: Machine, op: Value, address: int, value: int) -> int:
    """The reservation holds if this is its address and memory still (or again) holds what was read there."""
    width = op.args[1].width
    _aligned(address, width >> 3, Fault.WRITE)
    failed = 1
    if address == machine.cpu.get(at.RESERVED_ADDRESS):
        expected = machine.cpu.get(at.RESERVED_VALUE) & mask(width)
        if _load_to_modify(machine, address, width >> 3) == expected:
            machine.memory.store(address, width >> 3, value)
            failed = 0
    machine.cpu.set(at.RESERVED_ADDRESS, _NOTHING_RESERVED)
    return failed


def _zero_block(machine: Machine, op: Value, address: int) -> None:
    for offset in range(0, op.attr("size"), 8):
        machine.memory.store(address + offset, 8, 0)


def _fence(machine: Machine, op: Value) -> None:
    """One instruction after the other is all the order that there can be."""


# Control

def _branch(machine: Machine, op: Value, condition: int, target: int) -> None:
    if condition:
        machine.target = target


def _jump(machine: Machine, op: Value, target: int) -> None:
    machine.target = target


def _trap(machine: Machine, op: Value) -> None:
    machine.target = machine.pc
    machine.exit = Breakpoint() if op.attr("cause") == "breakpoint" else Illegal(machine.decoded.word)


def _syscall(machine: Machine, op: Value) -> None:
    machine.exit = Syscall()


PLAYERS: dict[str, Callable[..., Any]] = {
    "field": _field, "pc": _pc, "next": _next, "read": _read, "write": _write,
    "fp": _fp, "get_flags": _get_flags, "set_flags": _set_flags, "get_rounding": _get_rounding,
    "set_rounding": _set_rounding, "counter": _counter,
    "load": _load, "store": _store, "amo": _amo, "compare_exchange": _compare_exchange, "reserve": _reserve,
    "store_conditional": _store_conditional, "zero_block": _zero_block, "fence": _fence,
    "sync_code": _fence,  # every instruction is fetched anew: there is nothing to bring up to date
    "branch": _branch, "jump": _jump, "trap": _trap, "syscall": _syscall,
}
