"""The machine as it is during one instruction, and what each operation does to it.

For every operation there is a function that makes a *move* of it: called with the machine and the values of the
operations before, a move does what the operation says and gives its value.
"""

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
_MISALIGNED = 3  # `mapped` of a Fault: the address is no multiple of the access's size


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


Move = Callable[[Machine, list[Any]], Any]


def move(op: Value) -> Move:
    """The move that plays this operation."""
    effect = TABLE[op.op].effect
    return _pure(op) if effect == "pure" else _float(op) if effect == "fp" else _MOVES[op.op](op)


def _arguments(op: Value) -> tuple[int, ...]:
    return tuple(argument.number for argument in op.args)


def _pure(op: Value) -> Move:
    define, numbers = lanewise(op), _arguments(op)
    if not numbers:
        constant = define(op)
        return lambda m, v: constant
    if len(numbers) == 1:
        (a,) = numbers
        return lambda m, v: define(op, v[a])
    if len(numbers) == 2:
        a, b = numbers
        return lambda m, v: define(op, v[a], v[b])
    return lambda m, v: define(op, *[v[number] for number in numbers])


def _float(op: Value) -> Move:
    define, numbers, rounding = lanewise(op), _arguments(op), op.attr("rounding")

    def play(m: Machine, v: list[int]) -> int:
        bits, flags = define(op, m.rounding if rounding == _DYNAMIC else rounding, *[v[number] for number in numbers])
        m.raised |= flags
        return int(bits)

    return play


# Leaves and registers

def _field(op: Value) -> Move:
    name, all_ones = op.attr("name"), mask(op.width)
    return lambda m, v: m.operands[name] & all_ones


def _pc(op: Value) -> Move:
    return lambda m, v: m.pc


def _next(op: Value) -> Move:
    return lambda m, v: m.next


def _read(op: Value) -> Move:
    file, field = op.attr("file"), op.attr("field")
    if isinstance(field, int):
        return lambda m, v: m.cpu.read(file, field)
    return lambda m, v: m.cpu.read(file, m.operands[field])


def _write(op: Value) -> Move:
    file, field, (value,) = op.attr("file"), op.attr("field"), _arguments(op)
    if isinstance(field, int):
        return lambda m, v: m.writes.append((file, field, v[value]))
    return lambda m, v: m.writes.append((file, m.operands[field], v[value]))


# Floating-point environment and counters

def _get_flags(op: Value) -> Move:
    return lambda m, v: m.cpu.get(at.FLAGS)


def _set_flags(op: Value) -> Move:
    (value,) = _arguments(op)
    return lambda m, v: m.cpu.set(at.FLAGS, v[value] & 31)


def _get_rounding(op: Value) -> Move:
    return lambda m, v: m.cpu.get(at.ROUNDING)


def _set_rounding(op: Value) -> Move:
    (value,) = _arguments(op)
    return lambda m, v: m.cpu.set(at.ROUNDING, v[value] & 7)


def _counter(op: Value) -> Move:
    if op.attr("name") == "time":
        return lambda m, v: monotonic_ns() // 100
    return lambda m, v: m.cpu.count


# Memory

def _load(op: Value) -> Move:
    (address,), size = _arguments(op), op.width >> 3
    return lambda m, v: m.memory.load(v[address], size)


def _store(op: Value) -> Move:
    (address, value), size = _arguments(op), op.args[1].width >> 3
    return lambda m, v: m.memory.store(v[address], size, v[value])


def _aligned(address: int, size: int, access: int) -> None:
    if address & (size - 1):
        raise MemoryFault(address, access, _MISALIGNED)


def _load_to_modify(m: Machine, address: int, size: int) -> int:
    """What is at `address`; whatever is wrong with it counts as a failed write."""
    _aligned(address, size, Fault.WRITE)
    try:
        return m.memory.load(address, size)
    except MemoryFault as fault:
        raise MemoryFault(fault.address, Fault.WRITE, fault.mapped) from None


def _amo(op: Value) -> Move:
    (address, value), size, kind = _arguments(op), op.width >> 3, op.attr("kind")
    define = TABLE[kind].define if kind != "swap" else None

    def play(m: Machine, v: list[int]) -> int:
        old = _load_to_modify(m, v[address], size)
        m.memory.store(v[address], size, define(op, old, v[value]) if define else v[value])
        return old

    return play


def _compare_exchange(op: Value) -> Move:
    (address, expected, new), size = _arguments(op), op.width >> 3

    def play(m: Machine, v: list[int]) -> int:
        old = _load_to_modify(m, v[address], size)
        m.memory.store(v[address], size, v[new] if old == v[expected] else old)
        return old

    return play


def _reserve(op: Value) -> Move:
    (address,), size = _arguments(op), op.width >> 3

    def play(m: Machine, v: list[int]) -> int:
        _aligned(v[address], size, Fault.READ)
        value = m.memory.load(v[address], size)
        m.cpu.set(at.RESERVED_ADDRESS, v[address])
        m.cpu.set(at.RESERVED_VALUE, value)
        return value

    return play


def _store_conditional(op: Value) -> Move:
    """The reservation holds if this is its address and memory still (or again) holds what was read there."""
    (address, value), size = _arguments(op), op.args[1].width >> 3

    def play(m: Machine, v: list[int]) -> int:
        _aligned(v[address], size, Fault.WRITE)
        failed = 1
        if v[address] == m.cpu.get(at.RESERVED_ADDRESS):
            expected = m.cpu.get(at.RESERVED_VALUE) & mask(8 * size)
            held = _load_to_modify(m, v[address], size)
            m.memory.check_store(v[address], size)      # also where another value is there by now: hosts compare as they write
            if held == expected:
                m.memory.store(v[address], size, v[value])
                failed = 0
        m.cpu.set(at.RESERVED_ADDRESS, _NOTHING_RESERVED)
        return failed

    return play


def _zero_block(op: Value) -> Move:
    (address,), size = _arguments(op), op.attr("size")

    def play(m: Machine, v: list[int]) -> None:
        for start in range(v[address], v[address] + size, 8):
            m.memory.store(start, 8, 0)

    return play


def _nothing(op: Value) -> Move:
    """One instruction after the other is all the order that there can be; the engine looks after changed code."""
    return lambda m, v: None


# Control

def _branch(op: Value) -> Move:
    condition, target = _arguments(op)

    def play(m: Machine, v: list[int]) -> None:
        if v[condition]:
            m.target = v[target]

    return play


def _jump(op: Value) -> Move:
    (target,) = _arguments(op)

    def play(m: Machine, v: list[int]) -> None:
        m.target = v[target]

    return play


def _trap(op: Value) -> Move:
    is_breakpoint = op.attr("cause") == "breakpoint"

    def play(m: Machine, v: list[int]) -> None:
        m.target = m.pc
        m.exit = Breakpoint() if is_breakpoint else Illegal(m.decoded.word)

    return play


def _syscall(op: Value) -> Move:
    def play(m: Machine, v: list[int]) -> None:
        m.exit = Syscall()

    return play


_MOVES: dict[str, Callable[[Value], Move]] = {
    "field": _field, "pc": _pc, "next": _next, "read": _read, "write": _write,
    "get_flags": _get_flags, "set_flags": _set_flags, "get_rounding": _get_rounding, "set_rounding": _set_rounding,
    "counter": _counter,
    "load": _load, "store": _store, "amo": _amo, "compare_exchange": _compare_exchange, "reserve": _reserve,
    "store_conditional": _store_conditional, "zero_block": _zero_block, "fence": _nothing, "sync_code": _nothing,
    "branch": _branch, "jump": _jump, "trap": _trap, "syscall": _syscall,
}
