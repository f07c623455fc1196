"""What the runtime needs of an AArch64 Linux host: floating-point environment, signal frames, coherent caches."""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.code.object import Relocation
from xenos.engines.hosts.aarch64_instructions import aimed
from xenos.errors import EngineError

DECLARATIONS = ("declare i64 @llvm.aarch64.get.fpcr()\ndeclare void @llvm.aarch64.set.fpcr(i64)\n"
                "declare i64 @llvm.aarch64.get.fpsr()\ndeclare void @llvm.aarch64.set.fpsr(i64)\n"
                "declare ptr @llvm.sponentry.p0()\ndeclare ptr @llvm.frameaddress.p0(i32)\n"
                "declare ptr @llvm.returnaddress(i32)\n")

# struct ucontext: uc_mcontext.regs from 184 on (asm/sigcontext.h): x20 is the state pointer, x29 the frame pointer,
# x30 the link register.
CONTEXT = {"state": 344, "frame": 416, "link": 424, "stack": 432, "pc": 440}
SAVED = range(0)    # it tells all addresses
# Whether it was a store stands in a record of variable place (ESR): not read here.
FAULT_WRITE = " %write = add i64 0, 2\n"

# Default-NaN mode (FPCR.DN, bit 25): every NaN that an instruction makes is the canonical one. Rounding modes 0-3
# (nearest, zero, down, up) are 0 3 2 1 in bits 22-23.
ENTER = f"""
 %hostcontrol = call i64 @llvm.aarch64.get.fpcr()
 %hostflags = call i64 @llvm.aarch64.get.fpsr()
 %mode.p = getelementptr i8, ptr %st, i64 {at.ROUNDING}
 %mode = load i64, ptr %mode.p
 %mode2 = shl i64 %mode, 1
 %mode3 = and i64 %mode2, 31
 %rc = lshr i64 {0b01_10_11_00}, %mode3
 %rc3 = and i64 %rc, 3
 %rc22 = shl i64 %rc3, 22
 %fpcr = or i64 %rc22, {1 << 25}
 call void @llvm.aarch64.set.fpcr(i64 %fpcr)
 call void @llvm.aarch64.set.fpsr(i64 0)
"""

# Flags IOC 0, DZC 1, OFC 2, UFC 3, IXC 4 are added to ours, which are the other way round.
LEAVE = f"""
 %raised = call i64 @llvm.aarch64.get.fpsr()
 call void @llvm.aarch64.set.fpcr(i64 %hostcontrol)
 call void @llvm.aarch64.set.fpsr(i64 %hostflags)
 %l4 = shl i64 %raised, 4
 %nv = and i64 %l4, 16
 %l2 = shl i64 %raised, 2
 %dz = and i64 %l2, 8
 %of = and i64 %raised, 4
 %r2 = lshr i64 %raised, 2
 %uf = and i64 %r2, 2
 %r4 = lshr i64 %raised, 4
 %nx = and i64 %r4, 1
 %a1 = or i64 %nv, %dz
 %a2 = or i64 %of, %uf
 %a3 = or i64 %a1, %nx
 %a4 = or i64 %a2, %a3
 %flags.p = getelementptr i8, ptr %st, i64 {at.FLAGS}
 %flags = load i64, ptr %flags.p
 %allflags = or i64 %flags, %a4
 store i64 %allflags, ptr %flags.p
"""

# Where `begin` was called from: stack pointer, frame pointer and link register there.
NOTE = """ %sp = call ptr @llvm.sponentry.p0()
 %stack = ptrtoint ptr %sp to i64
 %fp = call ptr @llvm.frameaddress.p0(i32 1)
 %frame = ptrtoint ptr %fp to i64
 %lr = call ptr @llvm.returnaddress(i32 0)
 %link = ptrtoint ptr %lr to i64
"""

# `flush(first, behind)`: code was written through another mapping. Clean the data cache and invalidate the instruction
# cache line by line (Arm ARM, B2.4.4); line sizes are in CTR_EL0, as powers of two of words.
_FLUSH = (
    0xD53B_0022,    # mrs  x2, ctr_el0
    0xD350_4C43,    # ubfx x3, x2, #16, #4
    0xD280_0084,    # mov  x4, #4
    0x9AC3_2083,    # lsl  x3, x4, x3
    0x9240_0C45,    # and  x5, x2, #15
    0x9AC5_2084,    # lsl  x4, x4, x5
    0xD100_0466,    # sub  x6, x3, #1
    0x8A26_0005,    # bic  x5, x0, x6
    0xD50B_7B25,    # dc   cvau, x5
    0x8B03_00A5,    # add  x5, x5, x3
    0xEB01_00BF,    # cmp  x5, x1
    0x54FF_FFA3,    # b.lo -12
    0xD503_3B9F,    # dsb  ish
    0xD100_0486,    # sub  x6, x4, #1
    0x8A26_0005,    # bic  x5, x0, x6
    0xD50B_7525,    # ic   ivau, x5
    0x8B04_00A5,    # add  x5, x5, x4
    0xEB01_00BF,    # cmp  x5, x1
    0x54FF_FFA3,    # b.lo -12
    0xD503_3B9F,    # dsb  ish
    0xD503_3FDF,    # isb
    0xD65F_03C0,    # ret
)
EXTRA = {"flush": b"".join(word.to_bytes(4, "little") for word in _FLUSH)}

_PAGE_21, _LOW_12, _CONDITIONAL, _BRANCHES = 275, 277, 280, (282, 283)
_LOW_12_OF = {278: 0, 284: 1, 285: 2, 286: 3, 299: 4}


def operand(code: bytes, words: list[int]) -> int | None:
    """None: the host tells all addresses itself, but for their top bytes, which it keeps from programs (D8.8)."""


def settle(code: bytearray, relocation: Relocation, target: int) -> None:
    """Fill in a reference to an offset of the same image, which will lie at a page boundary."""
    where, type_ = relocation.offset, relocation.type
    target += relocation.addend
    word = int.from_bytes(code[where:where + 4], "little")
    if type_ in _BRANCHES:
        word = word & 0xFC00_0000 | aimed(0x1400_0000, target - where) & 0x03FF_FFFF
    elif type_ == _CONDITIONAL:
        word = aimed(word, target - where)
    elif type_ == _PAGE_21:
        pages = (target >> 12) - (where >> 12)
        word |= (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
    elif type_ == _LOW_12:
        word |= (target & 0xFFF) << 10
    elif type_ in _LOW_12_OF:
        word |= ((target & 0xFFF) >> _LOW_12_OF[type_]) << 10
    else:
        raise EngineError(f"the runtime refers to {relocation.symbol} by relocation type {type_}")
    code[where:where + 4] = word.to_bytes(4, "little")

# Numbers of the calls that are made directly (asm-generic/unistd.h), and where a signal frame keeps the mask.
SYSTEM_CALLS = {"clone": 220, "gettid": 178, "rt_tgsigqueueinfo": 240, "rt_sigaction": 134, "rt_sigprocmask": 135, "futex": 98}
PACKED_EVENTS = 0     # whether struct epoll_event has no padding (sys/epoll.h)
SIGNAL_MASK = 40

# call(state, number, six arguments): the system call, or -ERESTARTSYS if WAKE is set, or is set until it would begin or
# be made again. raw(number, four arguments): just the call. move(to, from, bytes): 0, or -EFAULT if a fault moves it on to
# `unmoved`.
CALLS_TEXT = "".join(f'module asm "{line}"\n' for line in f"""
.text
.p2align 4
.globl call, window, behind, aborted, raw, move, moving, moved, unmoved, restorer
.type call, @function
call:
 mov x9, x0
 mov x8, x1
 mov x10, x2
 ldp x0, x1, [x10]
 ldp x2, x3, [x10, #16]
 ldp x4, x5, [x10, #32]
.type window, @function
window:
 ldur x11, [x9, #{at.WAKE}]
 cbnz x11, aborted
 svc #0
.type behind, @function
behind:
 ret
.type aborted, @function
aborted:
 mov x0, #-512
 ret
.type raw, @function
raw:
 mov x8, x0
 mov x0, x1
 mov x1, x2
 mov x2, x3
 mov x3, x4
 svc #0
 ret
.type move, @function
move:
 mov x3, #0
.type moving, @function
moving:
 cmp x3, x2
 b.hs moved
 ldrb w4, [x1, x3]
 strb w4, [x0, x3]
 add x3, x3, #1
 b moving
.type moved, @function
moved:
 mov x0, #0
 ret
.type unmoved, @function
unmoved:
 mov x0, #-14
 ret
.type restorer, @function
restorer:
 mov x8, #139
 svc #0
""".strip().splitlines())
