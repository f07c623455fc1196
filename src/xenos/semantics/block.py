"""Blocks: instructions in a row, up to one that goes elsewhere, and what kind of end that is."""

from __future__ import annotations

from collections.abc import Callable

from xenos.semantics.decoder import Decoded
from xenos.semantics.instruction import Form, InstructionSet
from xenos.semantics.operations import TABLE, mask
from xenos.semantics.values import Value

MOST = 64

Fetch = Callable[[int], tuple[int, int] | None]


class Terminal:
    """How an instruction goes on. `static_target` is an operation from which the address can be computed, or None.

    `links`: it leaves the address behind it in a register, as calls do.
    """

    __slots__ = ("links", "static_target")

    def __init__(self, static_target: Value | None = None, links: bool = False) -> None:
        self.static_target = static_target
        self.links = links

    def __repr__(self) -> str:
        return type(self).__name__ + (" and link" if self.links else "")

    def target(self, decoded: Decoded, pc: int) -> int:
        """Where a direct jump, or a conditional one that is taken, goes to."""
        assert self.static_target is not None
        return evaluate(self.static_target, decoded, pc)


class Next(Terminal):
    """On to the next instruction, always."""


class Direct(Terminal):
    """To an address that the encoding and the pc decide."""


class Conditional(Terminal):
    """To such an address, or on to the next instruction."""


class Indirect(Terminal):
    """To an address that registers decide."""


class Stop(Terminal):
    """Out of the block for the engine to act: a system call, a trap, or code that may have changed."""


def terminal(form: Form) -> Terminal:
    """How an instruction of this form goes on."""
    control = form.control
    if control is None:
        return Next()
    if control.op not in ("jump", "branch"):
        return Stop()
    target = control.args[-1]
    links = any(op.op == "write" and op.args[0].op == "next" for op in form.effects)
    if not _is_static(target):
        return Indirect(links=links)
    return Direct(target, links) if control.op == "jump" else Conditional(target, links)


class Block:
    """Instructions from `pc` on; `end` is the address behind the last. `terminal` is how the last one goes on."""

    __slots__ = ("end", "instructions", "pc", "terminal")

    def __init__(self, pc: int, end: int, instructions: list[Decoded]) -> None:
        self.pc = pc
        self.end = end
        self.instructions = instructions
        self.terminal = terminal(instructions[-1].form) if instructions else Stop()


def block(instructions: InstructionSet, fetch: Fetch, pc: int, most: int = MOST) -> Block:
    """The block at `pc`: at most so many instructions, none if there is no instruction.

    `fetch` gives the word at an address and its length in bytes, or None where nothing can be executed.
    """
    found: list[Decoded] = []
    at = pc
    while len(found) < most:
        fetched = fetch(at)
        decoded = instructions.decoder.decode(*fetched) if fetched else None
        if decoded is None:
            break
        found.append(decoded)
        at += decoded.length
        if decoded.form.control is not None:
            break
    return Block(pc, at, found)


def _is_static(value: Value) -> bool:
    if value.op in ("pc", "next", "field"):
        return True
    return TABLE[value.op].effect == "pure" and all(map(_is_static, value.args))


def evaluate(value: Value, decoded: Decoded, pc: int) -> int:
    """What an expression over the encoding and the address comes to; unsigned."""
    if value.op == "field":
        return decoded.operands[value.attr("name")] & mask(value.width)
    if value.op in ("pc", "next"):
        return pc if value.op == "pc" else pc + decoded.length
    define = TABLE[value.op].define
    assert define is not None
    return int(define(value, *(evaluate(arg, decoded, pc) for arg in value.args)))
