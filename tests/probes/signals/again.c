/* The same fault again and again, handled: the second time need not go the way of the first, but nothing of it may be another. */
#include "../probe.h"
#include <fenv.h>
#define PAGE 4096L
static char *page;
static volatile int wrong, times;
#ifdef __riscv
#define LOAD(at, into) __asm__ volatile(".option push\n .option norvc\n lw %0, 0(%1)\n .option pop" : "=r"(into) : "r"(at) : "memory")
#define STORE(at, from) __asm__ volatile(".option push\n .option norvc\n sw %0, 0(%1)\n .option pop" :: "r"(from), "r"(at) : "memory")
#define SKIP(context) ((context)->uc_mcontext.__gregs[0] += 4)
#define STACK(context) ((context)->uc_mcontext.__gregs[2])
#else
#define LOAD(at, into) __asm__ volatile("movl (%%rcx), %%eax" : "=a"(into) : "c"(at) : "memory")
#define STORE(at, from) __asm__ volatile("movl %%eax, (%%rcx)" :: "a"(from), "c"(at) : "memory")
#define SKIP(context) ((context)->uc_mcontext.gregs[REG_RIP] += 2)
#define STACK(context) ((context)->uc_mcontext.gregs[REG_RSP])
#endif
static __thread volatile int code;
static __thread volatile long address;
static void skips(int number, siginfo_t *info, void *at) {
    times++;
    code = info->si_code;
    address = (long)info->si_addr;
    if (number != SIGSEGV || info->si_signo != SIGSEGV || info->si_errno) wrong++;
    SKIP((ucontext_t *)at);
}
static void handle_with(void *handler, int flags, sigset_t *mask) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    if (mask) action.sa_mask = *mask;
    sigaction(SIGSEGV, &action, NULL);
}
static void begin(void) { page = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); wrong = times = 0; }
__attribute__((noinline)) static int load(char *at) { int value = 77; code = 0; LOAD(at, value); return value; }
__attribute__((noinline)) static void store(char *at) { code = 0; STORE(at, 5); }
/* One load and one store, with all that can be mapped under them in turn. */
CHECK(what_is_mapped_changes) {
    begin();
    handle_with(skips, 0, NULL);
    for (int n = 0; n < 3; n++) {
        mprotect(page, PAGE, PROT_NONE);
        for (int m = 0; m < 3; m++) { load(page + 8); say("  none: code %d at %ld", code, address - (long)page); }
        for (int m = 0; m < 3; m++) { store(page + 12); say("  none, stored: code %d at %ld", code, address - (long)page); }
        mprotect(page, PAGE, PROT_READ);
        for (int m = 0; m < 2; m++) { int value = load(page); say("  read: %d code %d", value, code); }
        for (int m = 0; m < 3; m++) { store(page); say("  read, stored: code %d at %ld", code, address - (long)page); }
        munmap(page, PAGE);
        for (int m = 0; m < 3; m++) { load(page); say("  nothing: code %d at %ld", code, address - (long)page); }
        for (int m = 0; m < 3; m++) { store(page + 16); say("  nothing, stored: code %d at %ld", code, address - (long)page); }
        mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        store(page);
        int value = load(page);
        say("  mapped: %d code %d", value, code);
    }
    say("  %d times, %d wrong", times, wrong);
}
/* What handlers are told and may do. */
static sigset_t inside;
static volatile long stack_inside, stack_before;
static void shows(int number, siginfo_t *info, void *at) {
    ucontext_t *context = at;
    skips(number, info, at);
    pthread_sigmask(SIG_SETMASK, NULL, &inside);
    stack_inside = (long)&context;
    stack_before = STACK(context);
    if (memcmp(&context->uc_sigmask, SET(SIGUSR2), 8)) wrong++;
}
static void mask_shown(const char *what) {
    char text[65] = {0};
    sigset_t after;
    for (int n = 1; n < 32; n++) if (sigismember(&inside, n)) sprintf(text + strlen(text), " %d", n);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    say("  %s: inside%s, same after %d", what, text, !memcmp(&after, SET(SIGUSR2), 8));
}
CHECK(masks) {
    begin();
    pthread_sigmask(SIG_SETMASK, SET(SIGUSR2), NULL);
    for (int n = 0; n < 3; n++) { handle_with(shows, 0, NULL); load(NULL); load(NULL); mask_shown("plain"); }
    for (int n = 0; n < 3; n++) { handle_with(shows, SA_NODEFER, NULL); load(NULL); load(NULL); mask_shown("not deferred"); }
    for (int n = 0; n < 3; n++) { handle_with(shows, 0, SET(SIGUSR1, SIGTERM)); load(NULL); load(NULL); mask_shown("with others"); }
    say("  %d times, %d wrong", times, wrong);
}
static char other[65536];
CHECK(alternate_stacks) {
    stack_t stack = {other, 0, sizeof other}, found;
    begin();
    pthread_sigmask(SIG_SETMASK, SET(SIGUSR2), NULL);
    sigaltstack(&stack, NULL);
    for (int n = 0; n < 6; n++) {
        handle_with(shows, n & 1 ? SA_ONSTACK : 0, NULL);
        for (int m = 0; m < 3; m++) {
            load(NULL);
            sigaltstack(NULL, &found);
            say("  on it %d, it is %d %d", stack_inside >= (long)other && stack_inside < (long)other + (long)sizeof other, found.ss_sp == other, found.ss_flags);
        }
    }
    say("  %d times, %d wrong", times, wrong);
}
CHECK(once_only) { CHILD(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); handle_with(skips, 0, NULL); for (int n = 0; n < 3; n++) load(NULL); handle_with(skips, SA_RESETHAND, NULL); load(NULL); say("  one more"); load(NULL)); }
static void within(int number, siginfo_t *info, void *at) { load(NULL); SKIP((ucontext_t *)at); }
CHECK(in_its_own_handler) {
    CHILD(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); handle_with(skips, 0, NULL); for (int n = 0; n < 3; n++) load(NULL); handle_with(within, 0, NULL); load(NULL));
}
static volatile int depth;
static void nests(int number, siginfo_t *info, void *at) { skips(number, info, at); if (++depth < 5) load(NULL); depth--; }
CHECK(nested) { begin(); for (int n = 0; n < 4; n++) { depth = 0; handle_with(nests, SA_NODEFER, NULL); load(NULL); say("  %d times, %d wrong", times, wrong); } }
/* Numbers and their flags are as they were, and what a handler does to its own is not seen. */
static volatile double third = 3;
static void divides(int number, siginfo_t *info, void *at) { skips(number, info, at); third = 1 / third; feraiseexcept(FE_DIVBYZERO); fesetround(FE_UPWARD); }
CHECK(floating_point) {
    begin();
    handle_with(divides, 0, NULL);
    for (int n = 0; n < 4; n++) {
        feclearexcept(FE_ALL_EXCEPT);
        feraiseexcept(FE_OVERFLOW);
        third = 3;
        volatile double kept = 1.25 + n;
        double in_register = kept * 3;
        load(NULL);
        say("  %g %g, flags %d, mode %d", kept, in_register, fetestexcept(FE_OVERFLOW | FE_DIVBYZERO | FE_INVALID) == FE_OVERFLOW, fegetround() == FE_TONEAREST);
    }
    say("  %d times, %d wrong", times, wrong);
}
/* A rounding mode that not every host has: half away from zero. */
static volatile double half = 0.5;
__attribute__((noinline)) static long rounded(void) {
#ifdef __riscv
    long value;
    __asm__ volatile("fcvt.l.d %0, %1, dyn" : "=r"(value) : "f"(half));
    return value;
#else
    return 1;
#endif
}
static volatile long inside_rounded;
static void rounds(int number, siginfo_t *info, void *at) { skips(number, info, at); fesetround(FE_TONEAREST); for (int n = 0; n < 3; n++) inside_rounded = rounded(); }
CHECK(rounding) {
    begin();
    handle_with(rounds, 0, NULL);
    for (int n = 0; n < 4; n++) {
#ifdef __riscv
        __asm__ volatile("fsrmi 4");
#endif
        long before = rounded();
        load(NULL);
        long after = rounded();
        fesetround(FE_TONEAREST);
        say("  %ld %ld", before, after);
    }
    say("  %d times, %d wrong", times, wrong);
}
static atomic_int sent, handled;
static void counts(int number) { handled++; }
static void *shoots(void *thread) { for (int n = 0; n < 200; n++) { sigval_t none = {0}; if (!pthread_sigqueue(*(pthread_t *)thread, SIGRTMIN, none)) sent++; if (n % 4 == 0) sched_yield(); } return NULL; }
CHECK(among_other_signals) {
    pthread_t shooter, here = pthread_self();
    begin();
    handle(SIGRTMIN, counts, SA_RESTART);
    handle_with(skips, 0, NULL);
    spawn(&shooter, shoots, &here);
    for (int n = 0; n < 20000; n++) load(NULL);
    joined(shooter);
    for (int n = 0; n < 1000 && handled < sent; n++) pause_ms(1);
    say("  %d times, %d wrong, %d lost", times, wrong, sent - handled);
}
static void *faults(void *unused) { long mine = 0; for (int n = 0; n < 2000; n++) { char *at = (char *)(mine % 512 * 4); load(at); mine += address == (long)at; } return (void *)mine; }
CHECK(threads_at_once) {
    pthread_t threads[4];
    begin();
    handle_with(skips, 0, NULL);
    for (int n = 0; n < 4; n++) spawn(&threads[n], faults, NULL);
    for (int n = 0; n < 4; n++) say("  %ld", (long)joined(threads[n]));
    say("  %d wrong", wrong);
}
/* A program that makes a function anew at the place of another that faulted. */
CHECK(code_that_changes) {
    begin();
    handle_with(skips, 0, NULL);
#ifdef __riscv
    unsigned *code_at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int n = 0; n < 20; n++) {
        int at = 0;
        for (; at < n % 5; at++) code_at[at] = 0x00000013;              /* nop */
        code_at[at++] = n & 1 ? 0x00052503 : 0x00a52023;                /* lw a0, 0(a0) or sw a0, 0(a0) */
        code_at[at++] = 0x00008067;                                     /* ret */
        __builtin___clear_cache((char *)code_at, (char *)code_at + PAGE);
        for (int m = 0; m < 3; m++) { address = -1; ((void (*)(long))code_at)(8 * n + 8); if (address != 8 * n + 8) wrong++; }
    }
#else
    times = 60;
#endif
    say("  %d times, %d wrong", times, wrong);
}
CHECK(after_fork) {
    begin();
    handle_with(skips, 0, NULL);
    for (int n = 0; n < 3; n++) load(NULL);
    CHILD(load(NULL); load(NULL); say("  child: %d times, %d wrong", times, wrong); munmap(page, PAGE); load(page); load(page); say("  code %d", code));
    mprotect(page, PAGE, PROT_NONE);
    load(page); load(page);
    say("  %d times, %d wrong, code %d", times, wrong, code);
}
