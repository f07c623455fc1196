"""Values, traces and the law: what an instruction may say, and that what it may not say is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from xenos.cpu.layout import RegisterFile
from xenos.errors import DescriptionError
from xenos.semantics import law
from xenos.semantics.instruction import InstructionSet
from xenos.semantics.trace import Memory, RegisterField, Registers, Trace
from xenos.semantics.values import Value, select, signed

X = RegisterFile("x", 64, 32, zero=0)
F = RegisterFile("f", 64, 32)
R = RegisterField("r1")


def trace() -> Trace:
    return Trace((X, F), 64)


@pytest.mark.parametrize(("use", "why"), [
    (lambda a, b: a + b, "64 bits x 1 meets 32 bits x 1"),
    (lambda a, b: bool(a == 1), "no truth while it is traced: use select"),
    (lambda a, b: a.sext(32), r"use low\(32\)"),
    (lambda a, b: a.extract(60, 8), "bits 60 to 67 of a value of 64 bits"),
    (lambda a, b: select(a, a, a), "condition of one bit"),
    (lambda a, b: signed(a) < signed(b), "64 bits x 1 meets 32 bits x 1"),
    (lambda a, b: a + a.splat(2), "meets 64 bits x 2")])
def test_width_is_a_type(use: Callable[[Value, Value], object], why: str) -> None:
    t = trace()
    a, b = t.const(1, 64), t.const(2, 32)
    with pytest.raises(DescriptionError, match=why):
        use(a, b)


def test_register_file_takes_its_own_width() -> None:
    t = trace()
    with pytest.raises(DescriptionError, match="x holds 64 bits, not 32: extend the value"):
        t.files["x"][R] = t.const(0, 32)


def test_numbers_become_constants_of_the_other_width() -> None:
    t = trace()
    assert (t.const(5, 32) - 6).args[1].attr("value") == 6
    assert (t.const(5, 8) & ~1).args[1].attr("value") == 0xFE
    assert (1 - t.const(5, 8)).op == "sub"


def test_resizing_to_the_same_width_is_nothing() -> None:
    t = trace()
    a = t.const(5, 64)
    assert a.zext(64) is a and a.sext(64) is a and a.low(64) is a and a.box(64) is a and a.unbox(64) is a


def jump_twice(t: Trace) -> None:
    t.jump(t.pc)
    t.syscall()


def read_after_write(t: Trace) -> None:
    x = t.files["x"]
    x[R] = t.pc
    x[RegisterField("r2")] = x[RegisterField("r3")] + 1


def write_twice(t: Trace) -> None:
    t.files["x"][R] = t.pc
    t.files["x"][R] = t.next


def load_after_write(t: Trace) -> None:
    t.files["x"][R] = t.pc
    t.memory.store(t.pc, t.const(0, 8))


def foreign_value(t: Trace) -> None:
    t.files["x"][R] = trace().pc


def wide_condition(t: Trace) -> None:
    t.branch(t.pc, t.pc)


@pytest.mark.parametrize(("meaning", "why"), [
    (jump_twice, "follows the operation that ends"), (read_after_write, "was written before"),
    (write_twice, "was written before"),
    (load_after_write, "a register was written before this access"), (foreign_value, "a value that is not there yet"),
    (wide_condition, "a condition of one bit")])
def test_law_refuses(meaning: Callable[[Trace], None], why: str) -> None:
    t = trace()
    t.const(0, 64)
    meaning(t)
    with pytest.raises(DescriptionError, match=f"^bad: .*{why}"):
        law.check(t.operations, "bad")


def test_law_admits_what_engines_can_hold_back() -> None:
    t = trace()
    value = t.memory.load(t.files["x"][R], 64)
    t.files["x"][R] = t.next
    t.files["f"][R] = value
    t.jump(value)
    law.check(t.operations, "good")


def small_set() -> InstructionSet:
    instructions = InstructionSet((X, F), 64)

    @instructions.instruction("mode:2 00000 rs2:5 rs1:5 000 rd:5 0110011", "op rd, rs1, rs2")
    def op(x: Registers, memory: Memory, rd: RegisterField, rs1: RegisterField, mode: int) -> None:
        x[rd] = x[rs1] if mode == 0 else memory.load(x[rs1], 8 << mode - 1).zext(64)

    return instructions


def test_a_form_for_each_static_value() -> None:
    forms = list(small_set().forms())
    assert [form.name for form in forms] == ["op mode=0", "op mode=1", "op mode=2", "op mode=3"]
    assert [op.op for op in forms[0].effects] == ["read", "write"]
    assert [op.op for op in forms[1].effects] == ["read", "load", "zext", "write"]
    assert forms[0].registers == {"rs1": ("x", "r"), "rd": ("x", "w")}


def test_decoding_gives_the_form() -> None:
    instructions = small_set()
    decoded = instructions.decoder.decode(0b01 << 30 | 7 << 15 | 9 << 7 | 0b0110011, 4)
    assert decoded is not None
    assert (decoded.form.name, decoded.operands["rs1"], decoded.operands["rd"]) == ("op mode=1", 7, 9)


def test_a_meaning_may_only_name_fields() -> None:
    instructions = InstructionSet((X,), 64)
    made = instructions.instruction("0000000 rs2:5 rs1:5 000 rd:5 0110011", "op")(lambda rs3: None)
    with pytest.raises(DescriptionError, match="op has no field `rs3`"):
        print(next(made.forms()).effects)
