"""What the runtime needs of an x86-64 Linux host: the floating-point environment, and where a signal frame keeps registers."""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.code.object import Relocation
from xenos.errors import EngineError

DECLARATIONS = ("declare void @llvm.x86.sse.stmxcsr(ptr)\ndeclare void @llvm.x86.sse.ldmxcsr(ptr)\n"
                "declare ptr @llvm.addressofreturnaddress.p0()\n")

# struct ucontext, uc_mcontext.gregs (bits of asm/sigcontext.h): r12 is the state pointer.
CONTEXT = {"state": 72, "frame": 120, "stack": 160, "pc": 168}
# Of an address that is not canonical the host says nothing: its general registers do (see x86_64_operand).
SAVED = range(40, 168, 8)
# The error code of the page fault, whose bit 1 tells stores (AMD APM vol. 2, 8.4.2).
FAULT_WRITE = """ %err.p = getelementptr i8, ptr %uc, i64 192
 %err = load i64, ptr %err.p
 %err1 = lshr i64 %err, 1
 %write = and i64 %err1, 1
"""

# The host's control word is kept; the guest's has all exceptions masked, no flag set, and the dynamic rounding mode: modes
# 0-3 (nearest, zero, down, up) are 0 3 1 2 here. Other modes run with nearest; code that would notice is not run natively.
ENTER = f"""
 %hostfp = getelementptr i8, ptr %st, i64 {at.HOST_FP}
 call void @llvm.x86.sse.stmxcsr(ptr %hostfp)
 %mode.p = getelementptr i8, ptr %st, i64 {at.ROUNDING}
 %mode = load i64, ptr %mode.p
 %mode2 = shl i64 %mode, 1
 %mode3 = and i64 %mode2, 31
 %rc = lshr i64 {0b10_01_11_00}, %mode3
 %rc3 = and i64 %rc, 3
 %rc13 = shl i64 %rc3, 13
 %mx = or i64 %rc13, {0x1F80}
 %mx32 = trunc i64 %mx to i32
 %guestfp = getelementptr i8, ptr %st, i64 {at.FP_CONTROL}
 store i32 %mx32, ptr %guestfp
 call void @llvm.x86.sse.ldmxcsr(ptr %guestfp)
"""

# Afterwards: flags IE 0, ZE 2, OE 3, UE 4, PE 5 are added to ours: NV 4, DZ 3, OF 2, UF 1, NX 0.
LEAVE = f"""
 call void @llvm.x86.sse.stmxcsr(ptr %guestfp)
 call void @llvm.x86.sse.ldmxcsr(ptr %hostfp)
 %now = load i32, ptr %guestfp
 %x5 = lshr i32 %now, 5
 %nx = and i32 %x5, 1
 %x3 = lshr i32 %now, 3
 %uf = and i32 %x3, 2
 %x1 = lshr i32 %now, 1
 %of = and i32 %x1, 4
 %s1 = shl i32 %now, 1
 %dz = and i32 %s1, 8
 %s4 = shl i32 %now, 4
 %nv = and i32 %s4, 16
 %a1 = or i32 %nx, %uf
 %a2 = or i32 %of, %dz
 %a3 = or i32 %a1, %a2
 %raised = or i32 %a3, %nv
 %raised64 = zext i32 %raised to i64
 %flags.p = getelementptr i8, ptr %st, i64 {at.FLAGS}
 %flags = load i64, ptr %flags.p
 %allflags = or i64 %flags, %raised64
 store i64 %allflags, ptr %flags.p
"""

# Where the stack and the frame pointer stood when `begin` was called.
NOTE = """ %ra = call ptr @llvm.addressofreturnaddress.p0()
 %stack = ptrtoint ptr %ra to i64
 %frame = call i64 asm sideeffect "movq %rbp, $0", "=r"()
"""

# Functions of the runtime that are given as bytes: none, for data and instruction caches are coherent.
EXTRA: dict[str, bytes] = {}

_RELATIVE = (2, 4)   # R_X86_64_PC32, R_X86_64_PLT32


def operand(code: bytes, words: list[int]) -> int | None:
    """The address of the operand of the instruction at the start of `code`, from what was saved; None if that cannot be told."""
    from xenos.engines.hosts import x86_64_operand

    return x86_64_operand.operand(code, words)


def settle(code: bytearray, relocation: Relocation, target: int) -> None:
    """Fill in a reference to an offset of the same image."""
    if relocation.type not in _RELATIVE:
        raise EngineError(f"the runtime refers to {relocation.symbol} by relocation type {relocation.type}")
    where = relocation.offset
    code[where:where + 4] = (target + relocation.addend - where).to_bytes(4, "little", signed=True)

# Numbers of the calls that are made directly (asm/unistd_64.h), and where a signal frame keeps the mask.
SYSTEM_CALLS = {"clone": 56, "gettid": 186, "rt_tgsigqueueinfo": 297, "rt_sigaction": 13, "rt_sigprocmask": 14, "futex": 202}
PACKED_EVENTS = 1     # whether struct epoll_event has no padding (sys/epoll.h)
SIGNAL_MASK = 296

# call(state, number, six arguments): the system call, or -ERESTARTSYS if WAKE is set, or is set until it would begin or
# be made again. raw(number, four arguments): just the
# call. move(to, from, bytes): 0, or -EFAULT if a fault moves it on to `unmoved`.
CALLS_TEXT = "".join(f'module asm "{line}"\n' for line in f"""
.text
.p2align 4
.globl call, window, behind, aborted, raw, move, moving, moved, unmoved, restorer
.type call, @function
call:
 movq %rdi, %rcx
 movq %rsi, %rax
 movq %rdx, %r11
 movq 0(%r11), %rdi
 movq 8(%r11), %rsi
 movq 16(%r11), %rdx
 movq 24(%r11), %r10
 movq 32(%r11), %r8
 movq 40(%r11), %r9
.type window, @function
window:
 cmpq $0, {at.WAKE}(%rcx)
 jne aborted
 syscall
.type behind, @function
behind:
 ret
.type aborted, @function
aborted:
 movq $-512, %rax
 ret
.type raw, @function
raw:
 movq %rdi, %rax
 movq %rsi, %rdi
 movq %rdx, %rsi
 movq %rcx, %rdx
 movq %r8, %r10
 syscall
 ret
.type move, @function
move:
 movq %rdx, %rcx
.type moving, @function
moving:
 rep movsb
.type moved, @function
moved:
 xorl %eax, %eax
 ret
.type unmoved, @function
unmoved:
 movq $-14, %rax
 ret
.type restorer, @function
restorer:
 movl $15, %eax
 syscall
""".strip().splitlines())
