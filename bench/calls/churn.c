/* A guest that makes code all the time: churn THREADS MEBIBYTES [reuse|fresh|dual] [signals] [faults] [forks].
 *
 * Each thread writes functions into memory of its own, calls them, and does the same sums in C. Some live long and are called all
 * the time; most are called a few times, and written over later (reuse), or left behind in memory that is not used again (fresh).
 * With dual, code is written through one mapping and executed in another. Signals come every millisecond, one in 64 functions reads
 * from nowhere and its handler steps over that, and now and then a child goes on for a while. Every sum is checked. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { CHUNK = 512 << 10, LIVE = 96, OLD = 16, LENGTH = 120, CALLS = 3 };
enum { ADDI, XORI, SHIFT_ADD, ROTATE, SKIP, LOOP, KINDS };

struct function {
    int64_t (*code)(int64_t);
    int length, then;                       /* then: the old function that it ends with, or -1 */
    struct { uint8_t kind; int16_t number; } step[LENGTH];
};

struct worker {
    uint64_t random;
    char *writable, *executable;
    size_t size, used;
    struct function old[OLD], live[LIVE];
    int64_t made, sums;
    size_t bytes;
};

static int fresh, dual, faults, forks;
static size_t wanted;
static volatile sig_atomic_t alarms;
static _Atomic long skipped;

static uint64_t next(struct worker *w) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    return w->random ^= w->random << 17;
}

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static int64_t expected(struct worker *w, const struct function *f, int64_t x) {
    for (int i = 0; i < f->length; i++) {
        int64_t n = f->step[i].number;
        switch (f->step[i].kind) {
        case ADDI: x += n; break;
        case XORI: x ^= n; break;
        case SHIFT_ADD: x += (int64_t)((uint64_t)x << (n & 31)); break;
        case ROTATE: x -= (int64_t)((uint64_t)x >> (n & 31 | 1)); break;
        case SKIP: if (x & 1) x += n; break;
        case LOOP: for (int k = 0; k < 5; k++) x = x * 3 + n; break;
        }
    }
    return f->then >= 0 ? expected(w, &w->old[f->then], x) : x;
}

static uint32_t immediate(uint32_t op, int rd, int rs, int64_t n) { return (uint32_t)(n & 0xFFF) << 20 | rs << 15 | rd << 7 | op; }
static uint32_t registers(uint32_t op, int rd, int a, int b) { return b << 20 | a << 15 | rd << 7 | op; }
static uint32_t branch(uint32_t op, int a, int b, int far) {
    return (far >> 12 & 1u) << 31 | (far >> 5 & 63u) << 25 | b << 20 | a << 15 | (far >> 1 & 15u) << 8 | (far >> 11 & 1u) << 7 | op;
}
static uint32_t jump(int far) {
    return (far >> 20 & 1u) << 31 | (far >> 1 & 1023u) << 21 | (far >> 11 & 1u) << 20 | (far >> 12 & 255u) << 12 | 0x6F;
}

static void make(struct worker *w, struct function *f, int then) {
    enum { A0 = 10, T0 = 5, T1 = 6, T2 = 7, RA = 1 };
    uint32_t code[LENGTH * 6 + 8];
    int n = 0;
    f->length = LENGTH / 4 + next(w) % (LENGTH * 3 / 4);
    f->then = then;
    for (int i = 0; i < f->length; i++) {
        int16_t number = next(w) % 1000 - 500;
        f->step[i].kind = next(w) % KINDS;
        f->step[i].number = number;
        switch (f->step[i].kind) {
        case ADDI: code[n++] = immediate(0x13, A0, A0, number); break;
        case XORI: code[n++] = immediate(0x4013, A0, A0, number); break;
        case SHIFT_ADD:
            code[n++] = immediate(0x1013, T0, A0, number & 31);
            code[n++] = registers(0x33, A0, A0, T0);
            break;
        case ROTATE:
            code[n++] = immediate(0x5013, T0, A0, number & 31 | 1);
            code[n++] = registers(0x40000033, A0, A0, T0);
            break;
        case SKIP:
            code[n++] = immediate(0x7013, T0, A0, 1);
            code[n++] = branch(0x63, T0, 0, 8);
            code[n++] = immediate(0x13, A0, A0, number);
            break;
        case LOOP:
            code[n++] = immediate(0x13, T1, 0, 5);
            code[n++] = immediate(0x1013, T0, A0, 1);
            code[n++] = registers(0x33, A0, A0, T0);
            code[n++] = immediate(0x13, A0, A0, number);
            code[n++] = immediate(0x13, T1, T1, -1);
            code[n++] = branch(0x1063, T1, 0, -16);
            break;
        }
    }
    if (faults && next(w) % 64 == 0)
        code[n++] = immediate(0x3003, T2, 0, 0);        /* ld t2, 0(zero) */
    char *place = w->executable + w->used;
    code[n] = then < 0 ? immediate(0x67, 0, RA, 0) : jump((int)((char *)w->old[then].code - (place + 4 * n)));
    n++;
    memcpy(w->writable + w->used, code, 4 * n);
    __builtin___clear_cache(place, place + 4 * n);
    f->code = (int64_t (*)(int64_t))place;
    w->used += 4 * n + 15 & -16;
    w->bytes += 4 * n;
    w->made++;
}

static void call(struct worker *w, const struct function *f) {
    int64_t x = (int64_t)next(w), got = f->code(x);
    if (got != expected(w, f, x)) {
        fprintf(stderr, "f(%lld) is wrong\n", (long long)x);
        _exit(1);
    }
    w->sums++;
}

static void begin(struct worker *w) {
    if (fresh || !w->writable) {
        w->size = CHUNK;
        if (dual) {
            int fd = memfd_create("code", 0);
            if (fd < 0 || ftruncate(fd, CHUNK))
                fail("memfd");
            w->writable = mmap(0, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            w->executable = mmap(0, CHUNK, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
            close(fd);
        } else {
            w->writable = w->executable = mmap(0, CHUNK, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        }
        if (w->writable == MAP_FAILED || w->executable == MAP_FAILED)
            fail("mmap");
    }
    w->used = 0;
    for (int i = 0; i < OLD; i++)
        make(w, &w->old[i], -1);
    for (int i = 0; i < LIVE; i++)
        make(w, &w->live[i], i % OLD);
}

static void work(struct worker *w, size_t bytes) {
    while (w->bytes < bytes) {
        if (w->used + 8192 > w->size)
            begin(w);
        struct function *f = &w->live[next(w) % LIVE];
        make(w, f, next(w) % 2 ? (int)(next(w) % OLD) : -1);
        call(w, f);
        for (int i = 0; i < CALLS; i++)
            call(w, &w->live[next(w) % LIVE]);
        if (forks && w->made % 2000 == 0) {
            pid_t child = fork();
            if (child == 0) {
                work(w, w->bytes + (200 << 10));
                for (int i = 0; i < LIVE; i++)
                    call(w, &w->live[i]);
                _exit(0);
            }
            int status = -1;
            while (child > 0 && waitpid(child, &status, 0) != child)
                ;
            if (status) {
                fprintf(stderr, "a child ended with %#x\n", status);
                _exit(1);
            }
        }
    }
}

static void *thread(void *number) {
    struct worker *w = calloc(1, sizeof *w);
    w->random = 88172645463325252u + (uint64_t)number * 7919;
    begin(w);
    work(w, wanted);
    return w;
}

static void on_alarm(int signal) { alarms++; (void)signal; }

static void on_fault(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    if (info->si_addr)
        _exit(3);
#ifdef __riscv
    uc->uc_mcontext.__gregs[REG_PC] += 4;
#endif
    skipped++;
    (void)signal;
}

int main(int count, char **arguments) {
    if (count < 3)
        return 64;
    int threads = atoi(arguments[1]);
    int signals = 0;
    wanted = ((size_t)atoi(arguments[2]) << 20) / threads;
    for (int i = 3; i < count; i++) {
        fresh |= !strcmp(arguments[i], "fresh");
        dual |= !strcmp(arguments[i], "dual");
        signals |= !strcmp(arguments[i], "signals");
        faults |= !strcmp(arguments[i], "faults");
        forks |= !strcmp(arguments[i], "forks");
    }
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, 0);
    signal(SIGALRM, on_alarm);
    if (signals)
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, 0);
    pthread_t made[16];
    for (long i = 0; i < threads; i++)
        if (pthread_create(&made[i], 0, thread, (void *)i))
            fail("pthread_create");
    int64_t functions = 0, sums = 0;
    size_t bytes = 0;
    for (int i = 0; i < threads; i++) {
        struct worker *w;
        pthread_join(made[i], (void **)&w);
        functions += w->made, sums += w->sums, bytes += w->bytes;
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
    if (signals && !alarms || faults && !skipped)
        return 4;
    printf("%lld functions, %zu bytes of code, %lld sums\n", (long long)functions, bytes, (long long)sums);
    return 0;
}
