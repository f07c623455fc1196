// Accesses that fail in loops, handled by the guest, which looks at all registers, mends the matter or jumps away.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = 2 * PAGE / 8 };
static char *area;              // two pages for all, one for nothing
static unsigned long hash;
static int handled, leaving;
static sigjmp_buf away;
static long prot_end = PROT_READ | PROT_WRITE;

static void mix(unsigned long value) { hash = (hash ^ value) * 0x100000001b3ul; }

static void on_fault(int number, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    handled++;
    mix(number); mix(info->si_code); mix((unsigned long)info->si_addr);
    for (int i = 0; i < 32; i++) {
        mix(u->uc_mcontext.__gregs[i]);
        mix(u->uc_mcontext.__fpregs.__d.__f[i]);
    }
    mix(u->uc_mcontext.__fpregs.__d.__fcsr);
    if (leaving) siglongjmp(away, 1);
    if (number == SIGBUS) {
        mmap(info->si_addr - (unsigned long)info->si_addr % PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    } else {
        mprotect(area + 2 * PAGE, PAGE, prot_end);
    }
}

// Between these two stands what is made regions of.
__attribute__((noinline)) void first_of_all(void) { __asm__ volatile(""); }
__attribute__((noinline)) long reads(long *p, long n) {
    long sum = 0, other = 1;
    for (long i = 0; i < n; i++) { sum += p[i]; other = other * 5 + sum; }
    return sum ^ other;
}
__attribute__((noinline)) long writes(unsigned char *p, long n, long value) {
    for (long i = 0; i < n; i++) { value = value * 0x5851f42d4c957f2d + 1; p[i] = value >> 33; }
    return value;
}
__attribute__((noinline)) double floats(double *p, long n, float *q) {
    double sum = 0.5;
    for (long i = 0; i < n; i++) { p[i] = sum; sum += p[i] * 0.25 + q[i & 7]; q[i & 7] = sum; }
    return sum;
}
__attribute__((noinline)) long askew(char *p, long n) {
    long sum = 0;
    for (long i = 0; i < n; i++) { long v; __asm__ volatile("ld %0, 0(%1)" : "=r"(v) : "r"(p + 8 * i + 3)); sum += v ^ i; }
    return sum;
}
__attribute__((noinline)) long atomics(long *p, long n) {
    long sum = 0;
    for (long i = 0; i < n; i++) sum += __atomic_fetch_xor(&p[i], i, __ATOMIC_SEQ_CST) + __atomic_fetch_add(&p[i], 3, __ATOMIC_RELAXED);
    return sum;
}
__attribute__((noinline)) void last_of_all(void) { __asm__ volatile(""); }

static void show(const char *what, long value) {
    printf("%s %lx, %d handled, %lx\n", what, value, handled, hash);
    fflush(stdout);
}

static long wild(long address) {
    leaving = 1;
    long got = sigsetjmp(away, 1) ? -1 : reads((long *)address, 9);
    leaving = 0;
    return got;
}

int main(void) {
    float q[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    area = mmap((void *)0x300000000, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long *words = (long *)area;
    for (int i = 0; i < 3 * PAGE / 8; i++) words[i] = i * 0x9e3779b97f4a7c15;
    first_of_all(); last_of_all();
    // Without a handler yet.
    show("reads", reads(words, WORDS)); show("writes", writes((unsigned char *)area, WORDS * 8, 1));
    show("floats", (long)floats((double *)area, WORDS, q)); show("askew", askew(area, WORDS - 1)); show("atomics", atomics(words, WORDS));

    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, 0);
    sigaction(SIGBUS, &action, 0);
    for (int round = 0; round < 40; round++) {
        mprotect(area + 2 * PAGE, PAGE, round & 1 ? PROT_NONE : PROT_READ);
        show("reads", reads(words, WORDS + 9));
        mprotect(area + 2 * PAGE, PAGE, round & 1 ? PROT_NONE : PROT_READ);
        show("writes", writes((unsigned char *)area, WORDS * 8 + 9, round));
        mprotect(area + 2 * PAGE, PAGE, PROT_NONE);
        show("floats", (long)floats((double *)area, WORDS + 9, q));
        mprotect(area + 2 * PAGE, PAGE, PROT_NONE);
        show("askew", askew(area, WORDS + 2));
        mprotect(area + 2 * PAGE, PAGE, round & 1 ? PROT_NONE : PROT_READ);
        show("atomics", atomics(words, WORDS + 2));
    }
    show("wild", wild(8)); show("wild", wild(0x7ffffffffff8)); show("wild", wild(1l << 63)); show("wild", wild(-24)); show("wild", wild(0x4000000001));

    char name[] = "/tmp/shortened-XXXXXX";
    int file = mkstemp(name);
    unlink(name);
    ftruncate(file, 2 * PAGE);
    long *shared = mmap((void *)0x310000000, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    writes((unsigned char *)shared, 2 * PAGE, 7);
    ftruncate(file, PAGE);
    show("shortened", reads(shared, WORDS));
    ftruncate(file, 0);
    show("shortened", writes((unsigned char *)shared, PAGE, 3));
    return 42;
}
