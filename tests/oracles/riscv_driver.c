/* Runs instruction words with given registers, one case after another, and reports every register afterwards.

   Freestanding: a case may clobber any register, gp, tp and sp included, so nothing here may rely on one of them
   surviving. Each case is entered by returning from a signal handler whose saved context was replaced, and left by the
   next signal: the compressed ebreak that fills the code area, or whatever the case ran into. A timer ends a case that
   does not. Build without floating point (its registers are a case's own) and without linker relaxation (which would
   use gp); see qemu.py.

   stdin:  { header, code padded to 8 bytes, memory padded to 8 bytes } for each case, until end of file
   stdout: { result, memory padded to 8 bytes } for each case, in order */

#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* The addresses are part of the interface: see cases.py. */
#define CODE_AREA 0x20000000ul
#define CODE_AREA_SIZE 0x4000ul
#define CODE 0x20002000ul
#define DATA 0x30000000ul
#define DATA_SIZE 0x2000ul
#define C_EBREAK 0x9002

#define MAX_CODE 0x1000
#define BUFFER_SIZE 0x40000

struct header {
    u32 code_size, memory_size;
    u64 fcsr, x[31], f[32];
};

struct result {
    u32 signal, fcsr;
    u64 pc, fault_address, x[31], f[32];
};

/* The kernel's signal frame contents (asm/ucontext.h, asm/sigcontext.h). */
struct context {
    u64 flags;
    struct context *link;
    struct { void *base; u32 flags, pad; u64 size; } stack;
    u64 mask[16];
    u64 pc __attribute__((aligned(16))), x[31];
    u64 f[32];
    u32 fcsr;
};

struct information {
    u32 signal, error, code, pad;
    u64 address;
};

struct action { void (*handler)(int, struct information *, struct context *); u64 flags; u64 mask; };

static u8 signal_stack[65536] __attribute__((aligned(16)));
static u8 input[BUFFER_SIZE], output[BUFFER_SIZE];
static u64 input_start, input_end, output_size;
static struct header current;
static u64 current_code_size = ~0ul;
static u64 case_number, case_number_at_alarm = ~0ul;
static int started;

static long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long a7 asm("a7") = number, a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c;
    register long a3 asm("a3") = d, a4 asm("a4") = e, a5 asm("a5") = f;
    asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
    return a0;
}

enum {
    READ = 63, WRITE = 64, EXIT = 94, SETITIMER = 103, KILL = 129, SIGALTSTACK = 132, SIGACTION = 134, GETPID = 172,
    MMAP = 222
};

static void quit(int status)
{
    for (;;)
        call(EXIT, status, 0, 0, 0, 0, 0);
}

static void flush(void)
{
    for (u64 done = 0; done < output_size;) {
        long n = call(WRITE, 1, (long)(output + done), output_size - done, 0, 0, 0);
        if (n <= 0)
            quit(3);
        done += n;
    }
    output_size = 0;
}

/* At end of file at a place where a case may end: finished. */
static void take(void *to, u64 size, int may_end)
{
    u8 *bytes = to;
    while (size) {
        if (input_start == input_end) {
            long n = call(READ, 0, (long)input, sizeof input, 0, 0, 0);
            if (n <= 0) {
                flush();
                quit(n == 0 && may_end ? 0 : 4);
            }
            input_start = 0;
            input_end = n;
        }
        u64 n = input_end - input_start < size ? input_end - input_start : size;
        for (u64 i = 0; i < n; i++)
            bytes[i] = input[input_start + i];
        input_start += n;
        bytes += n;
        size -= n;
        may_end = 0;
    }
}

static void give(const void *from, u64 size)
{
    const u64 *words = from;
    u64 *to = (u64 *)(output + output_size);
    for (u64 i = 0; i < size / 8; i++)
        to[i] = words[i];
    output_size += size;
}

static u64 padded(u64 size)
{
    return (size + 7) & ~7ul;
}

static void report(int signal, struct information *information, struct context *context)
{
    struct result result;
    if (output_size + sizeof result + DATA_SIZE > sizeof output)
        flush();
    result.signal = signal;
    result.fcsr = context->fcsr;
    result.pc = context->pc;
    result.fault_address = information->address;
    for (int i = 0; i < 31; i++)
        result.x[i] = context->x[i];
    for (int i = 0; i < 32; i++)
        result.f[i] = context->f[i];
    give(&result, sizeof result);
    give((void *)DATA, padded(current.memory_size));
}

/* Code is written only if it differs: writing makes an emulator translate it again. */
static void place_code(void)
{
    static u64 code[MAX_CODE / 8];
    take(code, padded(current.code_size), 0);
    const u16 *from = (const u16 *)code;
    volatile u16 *to = (volatile u16 *)CODE;
    u64 count = current.code_size / 2, old = current_code_size == ~0ul ? 0 : current_code_size / 2;
    int same = count == old;
    for (u64 i = 0; same && i < count; i++)
        same = to[i] == from[i];
    if (same)
        return;
    for (u64 i = 0; i < count; i++)
        to[i] = from[i];
    for (u64 i = count; i < old; i++)
        to[i] = C_EBREAK;
    asm volatile("fence.i" ::: "memory");
    current_code_size = current.code_size;
}

static void next_case(struct context *context)
{
    take(&current, sizeof current, 1);
    if (current.code_size > MAX_CODE || current.memory_size > DATA_SIZE)
        quit(5);
    place_code();
    take((void *)DATA, padded(current.memory_size), 0);
    for (u64 *p = (u64 *)(DATA + padded(current.memory_size)); p < (u64 *)(DATA + DATA_SIZE); p++)
        *p = 0;
    context->pc = CODE;
    for (int i = 0; i < 31; i++)
        context->x[i] = current.x[i];
    for (int i = 0; i < 32; i++)
        context->f[i] = current.f[i];
    context->fcsr = current.fcsr;
    /* A store-conditional, to drop the reservation of the case before. */
    u64 scratch;
    asm volatile("sc.d %0, zero, (%1)" : "=&r"(scratch) : "r"(&scratch) : "memory");
    case_number++;
}

static void on_signal(int signal, struct information *information, struct context *context)
{
    if (signal == 14 && case_number_at_alarm != case_number) {   /* SIGALRM: give up only at a case's second alarm */
        case_number_at_alarm = case_number;
        return;
    }
    if (started)
        report(signal, information, context);
    started = 1;
    next_case(context);
}

void main_(void)
{
    struct { void *base; u32 flags, pad; u64 size; } stack = {signal_stack, 0, 0, sizeof signal_stack};
    struct action action = {on_signal, 0x08000004 /* SA_ONSTACK | SA_SIGINFO */, ~0ul};
    static const int signals[] = {4, 5, 7, 8, 10, 11, 14};       /* ILL TRAP BUS FPE USR1 SEGV ALRM */
    const int private_fixed_anonymous = 0x32;
    if (call(MMAP, CODE_AREA, CODE_AREA_SIZE, 7, private_fixed_anonymous, -1, 0) != (long)CODE_AREA ||
        call(MMAP, DATA, DATA_SIZE, 3, private_fixed_anonymous, -1, 0) != (long)DATA)
        quit(2);
    for (u16 *p = (u16 *)CODE_AREA; p < (u16 *)(CODE_AREA + CODE_AREA_SIZE); p++)
        *p = C_EBREAK;
    call(SIGALTSTACK, (long)&stack, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        call(SIGACTION, signals[i], (long)&action, 0, 8, 0, 0);
    u64 timer[4] = {0, 200000, 0, 200000};                        /* microseconds */
    call(SETITIMER, 0, (long)timer, 0, 0, 0, 0);
    call(KILL, call(GETPID, 0, 0, 0, 0, 0, 0), 10, 0, 0, 0, 0);   /* into on_signal, for good */
    quit(6);
}

asm(".globl _start\n_start: call main_\n");
