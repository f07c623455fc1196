/* What a handler finds and leaves: all registers come back, what it changes in the context is taken, stacks, jumps. */
#include "../probe.h"
#include <fenv.h>
static volatile int count;
static void tramples(int number) {
    volatile double a = 3.0, b = 7.0;
    count++;
    fesetround(FE_UPWARD);
    feraiseexcept(FE_INVALID);
    a = a / b;
    errno = 77;
    fesetround(FE_TONEAREST);
#ifdef __riscv
    __asm__ volatile("li t0, -1\n mv t1, t0\n mv t2, t0\n mv t3, t0\n mv t4, t0\n mv t5, t0\n mv t6, t0\n mv a0, t0\n mv a1, t0\n mv a2, t0\n mv a3, t0\n mv a4, t0\n mv a5, t0\n mv a6, t0\n mv a7, t0\n"
        "fmv.d.x ft0, t0\n fmv.d.x ft1, t0\n fmv.d.x fa0, t0\n fmv.d.x fa7, t0\n fmv.d.x ft11, t0\n"
        ::: "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "ft0", "ft1", "fa0", "fa7", "ft11");
#endif
}
/* A loop with values in all registers, interrupted some hundred times by a timer: the sums must be right. */
CHECK(registers_survive) {
    struct itimerval timer = {{0, 300}, {0, 300}}, off = {0};
    long wrong = 0;
    handle(SIGALRM, tramples, SA_RESTART);
    setitimer(ITIMER_REAL, &timer, NULL);
    double start = now();
    for (long round = 0; now() - start < 5 && (count < 200 || round < 100); round++) {
#ifdef __riscv
        long sum, expect = 0;
        double doubles;
        for (int n = 1; n <= 14; n++) expect += (round + n) * 20000L;
        __asm__ volatile(
            "addi a0,%2,1\n addi a1,%2,2\n addi a2,%2,3\n addi a3,%2,4\n addi a4,%2,5\n addi a5,%2,6\n addi a6,%2,7\n addi a7,%2,8\n"
            "addi t1,%2,9\n addi t2,%2,10\n addi t3,%2,11\n addi t4,%2,12\n addi t5,%2,13\n addi t6,%2,14\n li t0,20000\n li %0,0\n"
            "fcvt.d.l ft0,%2\n fcvt.d.l ft11,t0\n fmv.d.x fa0,zero\n fmv.d fa7,ft0\n fmv.d ft1,ft0\n"
            "1: add %0,%0,a0\n add %0,%0,a1\n add %0,%0,a2\n add %0,%0,a3\n add %0,%0,a4\n add %0,%0,a5\n add %0,%0,a6\n add %0,%0,a7\n"
            "add %0,%0,t1\n add %0,%0,t2\n add %0,%0,t3\n add %0,%0,t4\n add %0,%0,t5\n add %0,%0,t6\n fadd.d fa0,fa0,fa7\n addi t0,t0,-1\n bnez t0,1b\n"
            "fmv.d %1,fa0\n"
            : "=&r"(sum), "=f"(doubles) : "r"(round) : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
            "fa0", "fa7", "ft0", "ft1", "ft11");
        wrong += sum != expect || doubles != round * 20000.0;
#else
        volatile long sum = 0;
        for (int n = 0; n < 20000; n++) sum += n;
        wrong += sum != 199990000;
#endif
    }
    setitimer(ITIMER_REAL, &off, NULL);
    say("  interrupted often %d, wrong %ld", count >= 200, wrong);
}
CHECK(floating_environment_survives) {
    handle(SIGUSR1, tramples, 0);
    fesetround(FE_DOWNWARD);
    feclearexcept(FE_ALL_EXCEPT);
    feraiseexcept(FE_DIVBYZERO);
    raise(SIGUSR1);
    say("  rounding kept %d, flags kept %d", fegetround() == FE_DOWNWARD, fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);
    fesetround(FE_TONEAREST);
    feclearexcept(FE_ALL_EXCEPT);
}
#ifdef __riscv
#define PC(context) ((context)->uc_mcontext.__gregs[0])
#define SP(context) ((context)->uc_mcontext.__gregs[2])
#else
#define PC(context) ((context)->uc_mcontext.gregs[REG_RIP])
#define SP(context) ((context)->uc_mcontext.gregs[REG_RSP])
#endif
static void changes(int number, siginfo_t *info, void *at) {
    ucontext_t *context = at;
#ifdef __riscv
    context->uc_mcontext.__gregs[28] = 1234;                    /* t3 */
    context->uc_mcontext.__fpregs.__d.__f[28] = 0x4045000000000000; /* ft8 = 42.0 */
    PC(context) += 4;                                           /* over the ecall that ... is done; skip an instruction */
#endif
    sigaddset(&context->uc_sigmask, SIGUSR2);
    count++;
}
static struct sigaction with(void *handler, int flags) { return (struct sigaction){.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO}; }
CHECK(changes_are_taken) {
    struct sigaction action = with(changes, 0);
    sigset_t mask;
    long value = 1234, skipped = 0;
    double floating = 42;
    sigaction(SIGUSR1, &action, NULL);
#ifdef __riscv
    register long a0 __asm__("a0") = getpid(), a1 __asm__("a1") = tid(), a2 __asm__("a2") = SIGUSR1, a7 __asm__("a7") = SYS_tgkill;
    __asm__ volatile(".option push\n .option norvc\n li t3, 0\n fmv.d.x ft8, zero\n li %1, 0\n ecall\n li %1, 1\n mv %0, t3\n fmv.d %2, ft8\n .option pop"
        : "=&r"(value), "=&r"(skipped), "=f"(floating), "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "t3", "ft8", "memory");
#else
    raise(SIGUSR1);
#endif
    sigprocmask(SIG_SETMASK, NULL, &mask);
    say("  integer %ld, floating %g, instruction executed %ld, blocked %d", value, floating, skipped, sigismember(&mask, SIGUSR2));
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR2), NULL);
}
static char stack[65536] __attribute__((aligned(16)));
static int on_stack(void *at) { return (char *)at >= stack && (char *)at < stack + sizeof stack; }
static void where(int number, siginfo_t *info, void *at) {
    ucontext_t *context = at;
    stack_t current;
    sigaltstack(NULL, &current);
    say("  on the alternate stack %d, flags %d, told %d %d, frame aligned %d", on_stack(&current), current.ss_flags & 3,
        context->uc_stack.ss_sp == stack, context->uc_stack.ss_flags & 3, (long)__builtin_frame_address(0) % 16 == 0);
    if (number == SIGUSR1) {
        stack_t other = {stack, 0, 8192};
        SHOW(sigaltstack(&other, NULL));
        raise(SIGUSR2);
    }
}
CHECK(alternate_stack) {
    stack_t own = {stack, 0, sizeof stack}, old, small = {stack, 0, 100}, off = {0, SS_DISABLE, 0};
    SHOW(sigaltstack(&own, &old)); say("  before: %d", old.ss_flags);
    SHOW(sigaltstack(&small, NULL)); SHOW(sigaltstack((void *)8, NULL));
    stack_t odd = {stack, 64, sizeof stack};
    SHOW(sigaltstack(&odd, NULL));
    struct sigaction action = with(where, SA_ONSTACK);
    sigaction(SIGUSR1, &action, NULL); sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR1);
    action = with(where, 0);
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    SHOW(sigaltstack(&off, NULL)); SHOW(sigaltstack(NULL, &old)); say("  now: %d", old.ss_flags);
}
static void disarmed(int number, siginfo_t *info, void *at) { stack_t current; sigaltstack(NULL, &current); say("  on it %d, disabled meanwhile %d", on_stack(&current), current.ss_flags); }
CHECK(autodisarm) {
    stack_t own = {stack, 1u << 31, sizeof stack}, after;
    SHOW(sigaltstack(&own, NULL));
    struct sigaction action = with(disarmed, SA_ONSTACK);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigaltstack(NULL, &after);
    say("  after: %d", after.ss_flags == 1u << 31);
    own.ss_flags = SS_DISABLE;
    sigaltstack(&own, NULL);
}
static sigjmp_buf out;
static jmp_buf plain;
static void jumps(int number) { count++; siglongjmp(out, 1); }
CHECK(jumping_out) {
    handle(SIGUSR1, jumps, 0);
    count = 0;
    for (int n = 0; n < 1000; n++) { if (!sigsetjmp(out, 1)) { raise(SIGUSR1); say("  not reached"); } }
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    say("  %d, blocked %d", count, sigismember(&mask, SIGUSR1));
    if (!sigsetjmp(out, 0)) raise(SIGUSR1);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    say("  without mask: blocked %d", sigismember(&mask, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
}
static ucontext_t first, other;
static void elsewhere(void) { raise(SIGUSR1); say("  on another stack"); }
static void noted(int number) { count++; }
CHECK(contexts) {
    handle(SIGUSR1, noted, 0);
    getcontext(&other);
    other.uc_stack.ss_sp = stack; other.uc_stack.ss_size = sizeof stack; other.uc_link = &first;
    makecontext(&other, elsewhere, 0);
    count = 0;
    SHOW(swapcontext(&first, &other));
    say("  %d", count);
}
CHECK(bad_return) {
    CHILD(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifdef __riscv
        __asm__ volatile("li sp, 16\n li a7, 139\n ecall");
#else
        __asm__ volatile("mov $16, %rsp\n mov $15, %eax\n syscall");
#endif
    );
}
CHECK(no_room_for_the_frame) {
    CHILD(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); handle(SIGUSR1, noted, 0); int process = getpid(); int thread = tid();
#ifdef __riscv
        register long a0 __asm__("a0") = process; register long a1 __asm__("a1") = thread; register long a2 __asm__("a2") = SIGUSR1; register long a7 __asm__("a7") = SYS_tgkill;
        __asm__ volatile("li sp, 64\n ecall" :: "r"(a0), "r"(a1), "r"(a2), "r"(a7));
#else
        __asm__ volatile("mov $64, %%rsp\n syscall" :: "a"(SYS_tgkill), "D"(process), "S"(thread), "d"(SIGUSR1) : "rcx", "r11");
#endif
    );
}
static void recurses(int number) { if (++count < 200) raise(number); }
CHECK(deep_nesting) { handle(SIGUSR1, recurses, SA_NODEFER); count = 0; raise(SIGUSR1); say("  %d", count); }
