/* Litmus tests of the memory model: what the fences, acquires, releases and dependencies of RVWMO forbid is never seen. */
#include "../probe.h"
#define ROUNDS 4000
#define THREADS 4
#define RUNS 3
/* Each round has variables of its own, a cache line apart. Threads meet before each, but do not wait long for each other. */
static struct { long x; char gap[56]; long y; char gap2[56]; } vars[ROUNDS] __attribute__((aligned(64)));
static struct { volatile int at; char gap[60]; } progress[THREADS] __attribute__((aligned(64)));
static int count;
static long seen[THREADS][ROUNDS][2];
static volatile int arrived;
#ifdef __riscv
#define LOAD(r, a) __asm__ volatile("ld %0, 0(%1)" : "=r"(r) : "r"(a) : "memory")
#define STORE(v, a) __asm__ volatile("sd %0, 0(%1)" :: "r"(v), "r"(a) : "memory")
#define FENCE(kind) __asm__ volatile("fence " kind ::: "memory")
#define LOAD_AFTER(r, a, d) __asm__ volatile("xor t0, %2, %2\n add t0, t0, %1\n ld %0, 0(t0)" : "=r"(r) : "r"(a), "r"(d) : "memory", "t0")
#define STORE_AFTER(v, a, d) __asm__ volatile("xor t0, %2, %2\n add t0, t0, %1\n sd %0, 0(t0)" :: "r"(v), "r"(a), "r"(d) : "memory", "t0")
#define STORE_IF(v, a, d) __asm__ volatile("bne %2, zero, 1f\n 1: sd %0, 0(%1)" :: "r"(v), "r"(a), "r"(d) : "memory")
#define SWAP(r, v, a, order) __asm__ volatile("amoswap.d" order " %0, %1, (%2)" : "=r"(r) : "r"(v), "r"(a) : "memory")
#define LOAD_ACQUIRE(r, a) do { __asm__ volatile("lr.d.aq %0, (%1)" : "=r"(r) : "r"(a) : "memory"); } while (0)
#define STORE_RELEASE(v, a) do { long o_; __asm__ volatile("1: lr.d t0, (%1)\n sc.d.rl %0, %2, (%1)\n bnez %0, 1b" : "=&r"(o_) : "r"(a), "r"(v) : "memory", "t0"); } while (0)
#else
#define LOAD(r, a) (r = __atomic_load_n(a, __ATOMIC_RELAXED))
#define STORE(v, a) __atomic_store_n(a, v, __ATOMIC_RELAXED)
#define FENCE(kind) __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define LOAD_AFTER(r, a, d) (r = __atomic_load_n(a, __ATOMIC_RELAXED))
#define STORE_AFTER(v, a, d) __atomic_store_n(a, v, __ATOMIC_RELAXED)
#define STORE_IF(v, a, d) __atomic_store_n(a, v, __ATOMIC_RELAXED)
#define SWAP(r, v, a, order) (r = __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST))
#define LOAD_ACQUIRE(r, a) (r = __atomic_load_n(a, __ATOMIC_ACQUIRE))
#define STORE_RELEASE(v, a) __atomic_store_n(a, v, __ATOMIC_RELEASE)
#endif
struct test { void (*threads[THREADS])(int me); int (*forbidden)(int n); };
static struct test *current;
static void meet(int me, int round) {
    progress[me].at = round;
    for (int n = 0; n < count; n++) for (int spins = 0; progress[n].at < round && spins < 300; spins++) ;
}
static void *walk(void *which) {
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
    while (arrived < count) ;
    current->threads[(long)which]((long)which);
    return NULL;
}
static void run(struct test *test) {
    long bad = 0;
    current = test;
    for (count = 0; count < THREADS && test->threads[count]; ) count++;
    for (int round = 0; round < RUNS; round++) {
        pthread_t threads[THREADS];
        memset(vars, 0, sizeof vars);
        memset(seen, 0, sizeof seen);
        memset(progress, 0, sizeof progress);
        arrived = 0;
        for (long n = 0; n < count; n++) spawn(&threads[n], walk, (void *)n);
        for (int n = 0; n < count; n++) joined(threads[n]);
        for (int n = 0; n < ROUNDS; n++) bad += test->forbidden(n);
    }
    say("  forbidden outcomes %ld", bad);
}
#define X &vars[n].x
#define Y &vars[n].y
#define A(t) seen[t][n][0]
#define B(t) seen[t][n][1]
#define THREAD(name, ...) static void name(int me) { for (int n = 0; n < ROUNDS; n++) { long r0 = 0, r1 = 0; meet(me, n); __VA_ARGS__; } }
#define KEEP(t) A(t) = r0; B(t) = r1
#define LITMUS(name, outcome, ...) static int name##_bad(int n) { return outcome; } \
    CHECK(name) { run(&(struct test){{__VA_ARGS__}, name##_bad}); }

THREAD(mp_write, STORE(1L, X); FENCE("w,w"); STORE(1L, Y))
THREAD(mp_read, LOAD(r0, Y); FENCE("r,r"); LOAD(r1, X); KEEP(1))
LITMUS(message_fences, A(1) == 1 && B(1) == 0, mp_write, mp_read)
THREAD(mp_read_dependent, LOAD(r0, Y); LOAD_AFTER(r1, X, r0); KEEP(1))
LITMUS(message_address_dependency, A(1) == 1 && B(1) == 0, mp_write, mp_read_dependent)
THREAD(mp_write_release, STORE(1L, X); SWAP(r0, 1L, Y, ".rl"))
THREAD(mp_read_acquire, LOAD_ACQUIRE(r0, Y); LOAD(r1, X); KEEP(1))
LITMUS(message_acquire_release, A(1) == 1 && B(1) == 0, mp_write_release, mp_read_acquire)
THREAD(mp_write_sc, STORE(1L, X); STORE_RELEASE(1L, Y))
LITMUS(message_store_conditional, A(1) == 1 && B(1) == 0, mp_write_sc, mp_read_acquire)
THREAD(mp_write_tso, STORE(1L, X); FENCE("rw,w"); STORE(1L, Y))
THREAD(mp_read_tso, LOAD(r0, Y); FENCE("r,rw"); LOAD(r1, X); KEEP(1))
LITMUS(message_c11_fences, A(1) == 1 && B(1) == 0, mp_write_tso, mp_read_tso)

THREAD(sb_0, STORE(1L, X); FENCE("rw,rw"); LOAD(r0, Y); KEEP(0))
THREAD(sb_1, STORE(1L, Y); FENCE("rw,rw"); LOAD(r0, X); KEEP(1))
LITMUS(store_buffer_fences, A(0) == 0 && A(1) == 0, sb_0, sb_1)
THREAD(sbwr_0, STORE(1L, X); FENCE("w,r"); LOAD(r0, Y); KEEP(0))
THREAD(sbwr_1, STORE(1L, Y); FENCE("w,r"); LOAD(r0, X); KEEP(1))
LITMUS(store_buffer_write_read_fences, A(0) == 0 && A(1) == 0, sbwr_0, sbwr_1)
THREAD(sba_0, SWAP(r1, 1L, X, ".aqrl"); LOAD(r0, Y); KEEP(0))
THREAD(sba_1, SWAP(r1, 1L, Y, ".aqrl"); LOAD(r0, X); KEEP(1))
LITMUS(store_buffer_atomics, A(0) == 0 && A(1) == 0, sba_0, sba_1)

THREAD(lb_0, LOAD(r0, X); FENCE("r,w"); STORE(1L, Y); KEEP(0))
THREAD(lb_1, LOAD(r0, Y); FENCE("r,w"); STORE(1L, X); KEEP(1))
LITMUS(load_buffer_fences, A(0) == 1 && A(1) == 1, lb_0, lb_1)
THREAD(lbd_0, LOAD(r0, X); STORE_AFTER(1L, Y, r0); KEEP(0))
THREAD(lbd_1, LOAD(r0, Y); STORE_IF(1L, X, r0); KEEP(1))
LITMUS(load_buffer_dependencies, A(0) == 1 && A(1) == 1, lbd_0, lbd_1)

THREAD(iriw_x, STORE(1L, X))
THREAD(iriw_y, STORE(1L, Y))
THREAD(iriw_2, LOAD(r0, X); FENCE("rw,rw"); LOAD(r1, Y); KEEP(2))
THREAD(iriw_3, LOAD(r0, Y); FENCE("rw,rw"); LOAD(r1, X); KEEP(3))
LITMUS(independent_reads, A(2) == 1 && B(2) == 0 && A(3) == 1 && B(3) == 0, iriw_x, iriw_y, iriw_2, iriw_3)

THREAD(corr_write, STORE(1L, X); STORE(2L, X))
THREAD(corr_read, LOAD(r0, X); LOAD(r1, X); KEEP(1))
LITMUS(coherence_read_read, A(1) > B(1), corr_write, corr_read)
THREAD(w_0, STORE(1L, X); FENCE("w,w"); STORE(2L, Y))
THREAD(w_1, STORE(1L, Y); FENCE("w,w"); STORE(2L, X))
LITMUS(two_writers, vars[n].x == 1 && vars[n].y == 1, w_0, w_1)
THREAD(wrc_0, STORE(1L, X))
THREAD(wrc_1, LOAD(r0, X); FENCE("rw,rw"); STORE(r0, Y); KEEP(1))
THREAD(wrc_2, LOAD(r0, Y); FENCE("rw,rw"); LOAD(r1, X); KEEP(2))
LITMUS(write_to_read_causality, A(2) == 1 && B(2) == 0, wrc_0, wrc_1, wrc_2)
