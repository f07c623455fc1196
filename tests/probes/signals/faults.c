/* Faults: which signal, code and address, the exact state at the instruction, and going on after them. */
#include "../probe.h"
#include <sys/syscall.h>
static char *file_page;
char *page;
static sigjmp_buf out;
static volatile int signal_, code_;
static volatile long address_;
static volatile unsigned long pc_, at_pc;
#ifdef __riscv
#define ILLEGAL __asm__ volatile(".word 0")
#define PC(context) ((context)->uc_mcontext.__gregs[0])
#define ARGUMENT(context) ((context)->uc_mcontext.__gregs[10])
#else
#define ILLEGAL __asm__ volatile("ud2")
#define PC(context) ((context)->uc_mcontext.gregs[REG_RIP])
#define ARGUMENT(context) ((context)->uc_mcontext.gregs[REG_RDI])
#endif
static void caught(int number, siginfo_t *info, void *context) {
    signal_ = number; code_ = info->si_code; address_ = (long)info->si_addr; pc_ = PC((ucontext_t *)context);
    siglongjmp(out, 1);
}
static void catch_all(void *handler, int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    for (int n = 0; n < 5; n++) sigaction((int[]){SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE}[n], &action, NULL);
}
#define FAULT(text, base, ...) do { signal_ = 0; if (!sigsetjmp(out, 1)) { __VA_ARGS__; } \
    say("  %s: signal %d code %d address %+ld", text, signal_, code_, address_ - (long)(base)); } while (0)
static void prepare(void) {
    page = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 12288, 4096);
    mprotect(page + 4096, 4096, PROT_READ);
    mprotect(page + 8192, 4096, PROT_NONE);
    int fd = memfd_create("short", 0);
    MUST(!ftruncate(fd, 4096));
    file_page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    catch_all(caught, 0);
}
#define AT(type, offset) (*(volatile type *)(page + (offset)))
CHECK(data) {
    prepare();
    FAULT("read nothing", page, AT(int, 12300));
    FAULT("write nothing", page, AT(long, 12304) = 1);
    FAULT("write read-only", page, AT(char, 5000) = 1);
    FAULT("read protected", page, AT(short, 8200));
    FAULT("write protected", page, AT(long, 9000) = 5);
    FAULT("null", 0, *(volatile int *)0);
    FAULT("null and a field", 0, *(volatile int *)0x18 = 4);
    FAULT("behind a file", file_page, ((volatile char *)file_page)[4100]);
    FAULT("write behind a file", file_page, file_page[8000] = 1);
    FAULT("read across into protected", page, AT(long, 8192 - 4));
#ifdef __riscv      /* the host's kernel says 0 and another code for an address that no pointer can be */
    FAULT("no pointer", 0x5555555555555550, *(volatile int *)0x5555555555555550);
    FAULT("kernel's", -4096, *(volatile int *)-4096);
#else
    say("  no pointer: signal 11 code 1 address +0"); say("  kernel's: signal 11 code 1 address +0");
#endif
}
CHECK(code) {
    prepare();
    FAULT("jump to nothing", page, ((void (*)(void))(page + 12288))()); say("  pc there %d", pc_ == (unsigned long)page + 12288);
    FAULT("jump to data", page, ((void (*)(void))page)()); say("  pc there %d", pc_ == (unsigned long)page);
    FAULT("jump to null", 0, ((void (*)(void))0)()); say("  pc there %d", pc_ == 0);
    FAULT("write to code", (long)prepare, *(volatile char *)prepare = 1);
}
extern char illegal_here[], trap_here[], load_here[];
CHECK(instructions) {
    prepare();
#ifdef __riscv
    FAULT("illegal", illegal_here, __asm__ volatile("illegal_here: .word 0")); say("  pc %d", pc_ == (unsigned long)illegal_here);
    FAULT("trap", trap_here, __asm__ volatile("trap_here: ebreak")); say("  pc %d", pc_ == (unsigned long)trap_here);
    FAULT("division by zero", 0, long r; __asm__ volatile("div %0, %1, zero" : "=r"(r) : "r"(7L)); address_ = r);
#else
    say("  illegal: signal 4 code 1 address +0"); say("  pc 1");
    say("  trap: signal 5 code 1 address +0"); say("  pc 1");
    say("  division by zero: signal 0 code 1 address -1");
#endif
}
/* Every register at the instruction that faults, as the program put it there. */
static long registers[32];
static void *floating[32];
static void records(int number, siginfo_t *info, void *at) {
    ucontext_t *context = at;
#ifdef __riscv
    for (int n = 1; n < 32; n++) registers[n] = context->uc_mcontext.__gregs[n];
    memcpy(floating, context->uc_mcontext.__fpregs.__d.__f, sizeof floating);
    at_pc = PC(context) == (unsigned long)load_here;
    PC(context) += 4;
#endif
}
CHECK(state) {
    prepare();
    catch_all(records, 0);
    page += 12288;
#ifdef __riscv
    __asm__ volatile(
        "mv s1, sp\n mv s0, tp\n mv s11, gp\n ld s10, page\n"
        "li a0,110\n li a1,111\n li a2,112\n li a3,113\n li a4,114\n li a5,115\n li a6,116\n li a7,117\n li s2,118\n li s3,119\n li s4,120\n li s5,121\n"
        "li s6,122\n li s7,123\n li s8,124\n li s9,125\n li t3,128\n li t4,129\n li t5,130\n li t6,131\n li t0,105\n li t1,106\n li t2,107\n li ra,101\n"
        "fmv.d.x fa0,a0\n fmv.d.x fs1,a1\n fmv.d.x ft11,a2\n fmv.d.x ft0,a3\n fmv.d.x fs11,a4\n"
        "addi a0,a0,1000\n add t6,t6,a0\n .option push\n .option norvc\n load_here: ld a0, 0(s10)\n .option pop\n addi a0,a0,1\n"
        ::: "ra", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
        "t0", "t1", "t2", "t3", "t4", "t5", "t6", "fa0", "fs1", "ft11", "ft0", "fs11", "memory");
    for (int n = 1; n < 32; n++) if (n != 2 && n != 3 && n != 4 && n != 8 && n != 9 && n != 26 && n != 27) MUST(registers[n] == (n == 10 ? 1110 : n == 31 ? 131 + 1110 : 100 + n));
    MUST(registers[9] == registers[2] && registers[8] == registers[4] && registers[27] == registers[3] && registers[26] == (long)page);
    MUST((long)floating[10] == 110 && (long)floating[9] == 111 && (long)floating[31] == 112 && (long)floating[0] == 113 && (long)floating[27] == 114);
    say("  at the load %ld", at_pc);
#else
    say("  at the load 1");
#endif
}
/* As garbage collectors do: a page is protected, a write opens it and goes on. */
static volatile long opened;
static void opens(int number, siginfo_t *info, void *context) {
    char *at = (char *)((long)info->si_addr & -4096);
    if (at < page || at >= page + 16384) _exit(91);
    opened++;
    mprotect(at, 4096, PROT_READ | PROT_WRITE);
}
CHECK(ten_thousand_write_barriers) {
    page = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    catch_all(opens, 0);
    opened = 0;
    for (int n = 0; n < 10000; n++) {
        char *at = page + n % 4 * 4096;
        mprotect(at, 4096, PROT_READ);
        ++*(volatile long *)(at + n % 500 * 8);
    }
    long sum = 0;
    for (int n = 0; n < 2048; n++) sum += ((long *)page)[n];
    say("  %ld handled, %ld counted", opened, sum);
}
static void skips(int number, siginfo_t *info, void *at) {
    opened++;
    siglongjmp(out, 1);
}
CHECK(ten_thousand_null_checks) {
    catch_all(skips, SA_NODEFER);
    opened = 0;
    for (int n = 0; n < 10000; n++) if (!sigsetjmp(out, 0)) *(volatile int *)8 = n;
    say("  %ld", opened);
}
static void *barriers(void *which) {
    char *at = page + (long)which * 4096;
    for (int n = 0; n < 1000; n++) { mprotect(at, 4096, PROT_NONE); ++*(volatile long *)(at + 64); }
    return (void *)*(long *)(at + 64);
}
CHECK(faults_of_four_threads_at_once) {
    pthread_t threads[4];
    page = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    catch_all(opens, 0);
    for (long n = 0; n < 4; n++) spawn(&threads[n], barriers, (void *)n);
    for (int n = 0; n < 4; n++) say("  %ld", (long)joined(threads[n]));
}
static void no_core(void) { setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); }
CHECK(without_help) {
    CHILD(no_core(); handle(SIGSEGV, SIG_DFL, 0); *(volatile int *)8);
    CHILD(no_core(); handle(SIGSEGV, SIG_IGN, 0); *(volatile int *)8);
    CHILD(no_core(); catch_all(caught, 0); sigprocmask(SIG_BLOCK, SET(SIGSEGV), NULL); *(volatile int *)8);
    CHILD(no_core(); catch_all(opens, 0); page = (char *)-65536; *(volatile int *)8);
    CHILD(no_core(); handle(SIGILL, SIG_DFL, 0); ILLEGAL);
    CHILD(no_core(); handle(SIGBUS, SIG_DFL, 0); prepare(); handle(SIGBUS, SIG_DFL, 0); *(volatile char *)(file_page + 5000) = 1);
}
static void tells(int number, siginfo_t *info, void *unused) { say("  signal %d code %d pid %d", number, info->si_code, info->si_pid == getpid()); }
CHECK(sent_not_suffered) {
    catch_all(tells, 0);
    kill(getpid(), SIGSEGV); raise(SIGILL); raise(SIGTRAP); kill(getpid(), SIGFPE); kill(getpid(), SIGBUS);
    sigprocmask(SIG_BLOCK, SET(SIGSEGV), NULL);
    raise(SIGSEGV);
    say("  blocked");
    sigprocmask(SIG_UNBLOCK, SET(SIGSEGV), NULL);
    handle(SIGSEGV, SIG_IGN, 0);
    raise(SIGSEGV);
    say("  ignored");
}
static char alternate[65536];
static int overflow(int depth) { volatile char room[1000]; room[0] = depth; return overflow(depth + 1) + room[0]; }
CHECK(stack_overflow) {
    CHILD(no_core(); setrlimit(RLIMIT_STACK, &(struct rlimit){1 << 20, 1 << 20}); handle(SIGSEGV, SIG_DFL, 0); overflow(0));
    stack_t stack = {alternate, 0, sizeof alternate};
    sigaltstack(&stack, NULL);
    catch_all(caught, SA_ONSTACK);
    for (int n = 0; n < 3; n++) { signal_ = 0; if (!sigsetjmp(out, 1)) overflow(0); say("  signal %d code %d", signal_, code_); }
}
CHECK(bad_pointers_of_calls_are_no_signals) {
    prepare();
    SHOW(write(1, page + 12288, 5)); SHOW(read(0, page + 4096, 5) <= 0); SHOW(pipe((int *)(page + 8192)));
    SHOW(nanosleep((void *)(page + 12288), NULL)); SHOW(syscall(SYS_clock_gettime, CLOCK_REALTIME, page + 4096));
}
