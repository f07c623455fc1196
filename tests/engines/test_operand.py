"""The address of an x86-64 instruction's operand, of instructions that LLVM's assembler makes."""

from __future__ import annotations

import functools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenos.engines.hosts import host
from xenos.engines.hosts.x86_64_operand import operand
from xenos.engines.llvm.compiler import Compiler

ORDER = ("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp")
# What region code accesses memory by, and more; $ is the operand.
LINES = (
    "movq $, %rax", "movq %r9, $", "movl $, %r10d", "movw %ax, $", "movb %sil, $", "movb $$7, $", "movq $$-7, $", "movzbl $, %eax",
    "movzwl $, %r8d", "movslq $, %r15", "movsbq $, %rdi", "addq $, %r11", "addl $$1000, $", "cmpq $$0, $", "movsd $, %xmm0",
    "movsd %xmm9, $", "vmovsd $, %xmm1", "vmovsd %xmm11, $", "vmovss $, %xmm12", "vmovq %xmm3, $", "vmovups $, %ymm8",
    "vmulsd $, %xmm1, %xmm2", "vfmadd231sd $, %xmm9, %xmm10", "lock cmpxchgq %rcx, $", "lock xaddl %edx, $", "lock orw %ax, $",
    "xchgq %rax, $", "movbeq $, %rax", "popcntq $, %rcx", "vpinsrb $$3, $, %xmm1, %xmm2", "andnq $, %rax, %rbx", "movntiq %rax, $",
)


@functools.cache
def assembled(line: str) -> bytes:
    target = host("x86_64")
    cpu, features = target.CPUS[3]
    compiler = Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)
    text = line.replace("$", "$$")
    module = f'define void @f() naked {{\n call void asm sideeffect "{text}", ""()\n unreachable\n}}\n'
    return compiler.compile(module).functions["f"].code


@pytest.mark.parametrize("line", LINES)
@given(st.sampled_from(("", *ORDER)), st.sampled_from(("", *(name for name in ORDER if name != "rsp"))),
       st.sampled_from((1, 2, 4, 8)), st.sampled_from((0, 1, -8, 127, 128, -129, 0x7000_0000, -1 << 31)),
       st.randoms(use_true_random=False))
def test_an_operand_is_where_the_assembler_was_told(line: str, base: str, index: str, scale: int, displacement: int,
                                                    random: Random) -> None:
    words = [random.getrandbits(64) for _ in ORDER]
    values = dict(zip(ORDER, words, strict=True)) | {"": 0}
    inside = f"%{base}" * bool(base) + (f",%{index},{scale}" if index else "")
    text = line.replace("$$", "\0").replace("$", f"{displacement}({inside})" if inside else f"{displacement}").replace("\0", "$")
    want = values[base] + values[index] * (scale if index else 1) + displacement
    assert operand(assembled(text) + bytes(8), words) == want % (1 << 64), text


def test_what_is_no_address_of_registers_is_not_told() -> None:
    assert operand(assembled("movq 8(%rip), %rax"), range(16)) is None
    assert operand(assembled("movq %rcx, %rax"), range(16)) is None
