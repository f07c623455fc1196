/* Code written while the program runs: by one thread for others, over and over, moved, unmapped and mapped again. */
#include "../probe.h"
#ifdef __riscv
#include <sys/cachectl.h>
#endif
typedef int function(void);
static char *page;
static volatile int stop, wanted = -1;
/* A function that returns a number below 2048. */
static void emit(char *at, int value) {
#ifdef __riscv
    uint32_t code[] = {value << 20 | 0x513, 0x00008067};    /* li a0, value; ret */
#else
    unsigned char code[8] = {0xB8, value, value >> 8, 0, 0, 0xC3};
#endif
    memcpy(at, code, sizeof code);
}
static void flush(char *start, char *end) {
#ifdef __riscv
    if (syscall(259, start, end, 0)) say("  riscv_flush_icache: %s", strerrorname_np(errno));
#endif
}
static char *map(int protection) { return mmap(NULL, 16384, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static int call(char *at) { return ((function *)at)(); }
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
CHECK(rewritten_by_itself) {
    long sum = 0;
    page = map(RWX);
    for (int n = 0; n < 500; n++) { emit(page, n); flush(page, page + 8); sum += call(page); }
    say("  %ld", sum);
    munmap(page, 16384);
}
CHECK(fence_i_is_enough) {
    long sum = 0;
    page = map(RWX);
    for (int n = 0; n < 500; n++) {
        emit(page, n);
#ifdef __riscv
        __asm__ volatile("fence.i" ::: "memory");
#endif
        sum += call(page);
    }
    say("  %ld", sum);
    munmap(page, 16384);
}
/* Others spin in a loop that calls the function; each new one must be seen by all, without a system call of theirs. */
static volatile int seen[3];
static void *runs(void *which) {
    while (!stop) {
        seen[(long)which] = call(page);
#ifdef __riscv
        __asm__ volatile("fence.i" ::: "memory");
#endif
    }
    return NULL;
}
static void rewrite_under(int protect) {
    pthread_t threads[2];
    int missed = 0;
    page = map(RWX);
    emit(page, 2000);
    flush(page, page + 8);
    stop = seen[0] = seen[1] = 0;
    for (long n = 0; n < 2; n++) spawn(&threads[n], runs, (void *)n);
    for (int value = 1; value < 60 && !missed; value++) {
        if (protect) {  /* written elsewhere and swapped in, as JITs that never have writable code */
            char *fresh = map(PROT_READ | PROT_WRITE);
            emit(fresh, value);
            mprotect(fresh, 16384, PROT_READ | PROT_EXEC);
            MUST(mremap(fresh, 16384, 16384, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
        } else {
#ifdef __riscv
            *(volatile uint32_t *)page = value << 20 | 0x513;
#else
            *(volatile int *)(page + 1) = value;
#endif
        }
        flush(page, page + 8);
        double start = now();
        while ((seen[0] != value || seen[1] != value) && !(missed = now() - start > 5)) sched_yield();
    }
    stop = 1;
    for (int n = 0; n < 2; n++) joined(threads[n]);
    say("  missed %d", missed);
    munmap(page, 16384);
}
CHECK(rewritten_under_others) { rewrite_under(0); }
CHECK(replaced_under_others) { rewrite_under(1); }
/* A loop with a branch that is patched to leave it, while another thread is inside it. */
static char *loop;
static void *spins_inside(void *unused) { stop = 1; return (void *)(long)call(loop); }
CHECK(loop_patched_to_end) {
    long results = 0;
    for (int n = 0; n < 20; n++) {
        pthread_t thread;
        loop = map(RWX);
#ifdef __riscv
        uint32_t code[] = {0x0000100F, 0xFFDFF06F, (n + 1) << 20 | 0x513, 0x00008067};     /* fence.i; j -4; li a0, n + 1; ret */
        memcpy(loop, code, sizeof code);
#else
        unsigned char code[] = {0x90, 0x90, 0xEB, 0xFC, 0xB8, n + 1, 0, 0, 0, 0xC3};
        memcpy(loop, code, sizeof code);
#endif
        flush(loop, loop + 16);
        stop = 0;
        spawn(&thread, spins_inside, 0);
        while (!stop) ;
        if (n & 1) pause_ms(2);
#ifdef __riscv
        *(volatile uint32_t *)(loop + 4) = 0x0040006F;      /* j +4 */
#else
        *(volatile unsigned short *)(loop + 2) = 0x00EB;
#endif
        flush(loop, loop + 16);
        results += (long)joined(thread);
        munmap(loop, 16384);
    }
    say("  %ld", results);
}
static sigjmp_buf out;
static __thread volatile int inside;
static volatile long faults;
static void faulted(int number, siginfo_t *info, void *unused) {
    if (!inside) _exit(90);
    __atomic_add_fetch(&faults, 1, __ATOMIC_SEQ_CST);
    siglongjmp(out, (uintptr_t)info->si_addr - (uintptr_t)page < 8 ? 1 : 2);
}
/* Code goes away and comes back; a thread that runs it gets SIGSEGV with its address, and goes on. Which of the function's two
   instructions finds itself without a page is chance. */
static void *survives(void *unused) {
    long odd = 0;
    while (!stop) {
        int how = sigsetjmp(out, 1);
        if (how == 2) odd++;
        inside = 1;
        if (!how) seen[2] = call(page);
        inside = 0;
    }
    return (void *)odd;
}
CHECK(unmapped_under_another) {
    pthread_t thread;
    struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    stop = faults = 0;
    page = map(RWX);
    emit(page, 7);
    flush(page, page + 8);
    spawn(&thread, survives, 0);
    for (int value = 1; value <= 20; value++) {
        munmap(page, 16384);
        for (long before = faults; faults == before; ) sched_yield();
        MUST(mmap(page, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
        emit(page, value);
        mprotect(page, 16384, PROT_READ | PROT_EXEC);
        flush(page, page + 8);
        while (seen[2] != value) sched_yield();
    }
    stop = 1;
    say("  other addresses %ld", (long)joined(thread));
    handle(SIGSEGV, SIG_DFL, 0);
}
/* One file twice in memory: written here, run there. */
CHECK(two_mappings) {
    long sum = 0;
    int fd = memfd_create("code", 0);
    MUST(!ftruncate(fd, 4096));
    char *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *runs_there = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    for (int n = 0; n < 200; n++) { emit(writable, n); flush(runs_there, runs_there + 8); sum += call(runs_there); }
    say("  %ld", sum);
    close(fd);
}
/* Each thread writes code for itself, all at once. */
static void *compiles(void *which) {
    long sum = 0;
    char *own = map(RWX);
    for (int n = 0; n < 300; n++) {
        char *at = own + n % 64 * 64;
        emit(at, n);
        flush(at, at + 8);
        sum += call(at);
    }
    munmap(own, 16384);
    return (void *)sum;
}
CHECK(four_compile_at_once) {
    pthread_t threads[4];
    for (long n = 0; n < 4; n++) spawn(&threads[n], compiles, (void *)n);
    for (int n = 0; n < 4; n++) say("  %ld", (long)joined(threads[n]));
}
/* A function within a function, which the compiler makes a piece of code on the stack for: the program asks for such a stack. */
static int twice(int (*given)(int)) { return given(given(1)); }
CHECK(code_on_the_stack) {
    volatile int added = 20;
    int adds(int to) { return to + added; }
    say("  %d", twice(adds));
}
