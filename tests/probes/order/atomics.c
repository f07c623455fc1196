/* Atomic instructions among threads: counters, locks in assembly, sequence locks, lists, misaligned data. */
#include "../probe.h"
#define EACH 20000
static long total, second;
static int word;
static volatile int go;
static void together(void *(*run)(void *), int count) {
    pthread_t threads[4];
    go = 0;
    for (long n = 0; n < count; n++) spawn(&threads[n], run, (void *)n);
    go = 1;
    for (int n = 0; n < count; n++) joined(threads[n]);
}
static void *adds(void *unused) {
    while (!go) ;
    for (int n = 0; n < EACH; n++) { __atomic_fetch_add(&total, 3, __ATOMIC_RELAXED); __atomic_fetch_add(&word, -1, __ATOMIC_ACQ_REL); }
    return NULL;
}
CHECK(counters) { total = word = 0; together(adds, 4); say("  %ld %d", total, word); }
static void *operates(void *which) {
    long bit = 1L << (long)which * 8, mine = 0;
    while (!go) ;
    for (int n = 0; n < EACH; n++) {
        __atomic_fetch_or(&total, bit, __ATOMIC_SEQ_CST);
        mine += (__atomic_fetch_and(&total, ~bit, __ATOMIC_SEQ_CST) & bit) == 0;
        __atomic_fetch_xor(&second, bit << 1, __ATOMIC_SEQ_CST);
    }
    return (void *)mine;
}
CHECK(bits) { total = second = 0; together(operates, 4); say("  %lx %lx", total, second); }
#ifdef __riscv
#define EXTREME(name, instruction) static long name(long *at, long value) { long old; __asm__ volatile(instruction ".aqrl %0, %1, (%2)" : "=r"(old) : "r"(value), "r"(at) : "memory"); return old; }
EXTREME(fetch_max, "amomax.d") EXTREME(fetch_min, "amomin.d") EXTREME(fetch_maxu, "amomaxu.d") EXTREME(fetch_minu, "amominu.d")
#else
#define EXTREME(name, type, relation) static long name(long *at, long value) { long old = *at; do if (!((type)value relation (type)old)) break; while (!__atomic_compare_exchange_n(at, &old, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)); return old; }
EXTREME(fetch_max, long, >) EXTREME(fetch_min, long, <) EXTREME(fetch_maxu, unsigned long, >) EXTREME(fetch_minu, unsigned long, <)
#endif
static long extremes[4];
static void *extreme(void *which) {
    unsigned long value = 88172645463325252UL + (long)which;
    while (!go) ;
    for (int n = 0; n < EACH; n++) {
        value ^= value << 13; value ^= value >> 7; value ^= value << 17;
        fetch_max(&extremes[0], value); fetch_min(&extremes[1], value); fetch_maxu(&extremes[2], value); fetch_minu(&extremes[3], value);
    }
    return NULL;
}
CHECK(extreme_values) {
    extremes[0] = extremes[1] = extremes[2] = 0; extremes[3] = -1;
    together(extreme, 3);
    say("  %lx %lx %lx %lx", extremes[0], extremes[1], extremes[2], extremes[3]);
}
/* A lock in assembly: amoswap, or lr and sc. */
static int spin;
static void lock_swap(void) {
#ifdef __riscv
    __asm__ volatile("li t0, 1\n 1: amoswap.w.aq t1, t0, (%0)\n bnez t1, 1b" :: "r"(&spin) : "t0", "t1", "memory");
#else
    while (__atomic_exchange_n(&spin, 1, __ATOMIC_ACQUIRE)) ;
#endif
}
static void lock_reserve(void) {
#ifdef __riscv
    __asm__ volatile("li t0, 1\n 1: lr.w.aq t1, (%0)\n bnez t1, 1b\n sc.w t1, t0, (%0)\n bnez t1, 1b" :: "r"(&spin) : "t0", "t1", "memory");
#else
    lock_swap();
#endif
}
static void unlock(void) {
#ifdef __riscv
    __asm__ volatile("amoswap.w.rl zero, zero, (%0)" :: "r"(&spin) : "memory");
#else
    __atomic_store_n(&spin, 0, __ATOMIC_RELEASE);
#endif
}
static void *locks(void *which) {
    while (!go) ;
    for (int n = 0; n < 3000; n++) {
        if ((long)which & 1) lock_swap(); else lock_reserve();
        total++;
        second--;
        unlock();
    }
    return NULL;
}
CHECK(spin_locks) { total = second = 0; together(locks, 2); say("  %ld %ld", total, second); }
/* A reservation, an addition, a conditional store: as compilers write what the atomics lack. */
static void *reserves(void *unused) {
    while (!go) ;
    for (int n = 0; n < EACH; n++) {
#ifdef __riscv
        long failed, value;
        __asm__ volatile("1: lr.d %0, (%2)\n slli t0, %0, 1\n sub t0, t0, %0\n addi t0, t0, 1\n sc.d %1, t0, (%2)\n bnez %1, 1b"
                         : "=&r"(value), "=&r"(failed) : "r"(&total) : "t0", "memory");
        int old;
        __asm__ volatile("1: lr.w.aqrl %0, (%2)\n addiw t0, %0, 1\n sc.w.aqrl %1, t0, (%2)\n bnez %1, 1b"
                         : "=&r"(old), "=&r"(failed) : "r"(&word) : "t0", "memory");
#else
        __atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
#endif
    }
    return NULL;
}
CHECK(reservations) { total = word = 0; together(reserves, 3); say("  %ld %d", total, word); }
/* Bytes and halves by compare-and-swap of their word. */
static struct { uint8_t bytes[4]; uint16_t halves[2]; } small;
static void *narrow(void *which) {
    while (!go) ;
    for (int n = 0; n < EACH; n++) {
        uint8_t byte = small.bytes[(long)which];
        while (!__atomic_compare_exchange_n(&small.bytes[(long)which], &byte, byte + 1, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) ;
        __atomic_fetch_add(&small.halves[(long)which & 1], 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}
CHECK(narrow_neighbours) {
    memset(&small, 0, sizeof small);
    together(narrow, 4);
    say("  %d %d %d %d  %d %d", small.bytes[0], small.bytes[1], small.bytes[2], small.bytes[3], small.halves[0], small.halves[1]);
}
/* A store by another thread between lr and sc makes the sc fail, even one of the value that was there. */
static volatile int stage;
static void *meddles(void *unused) {
    while (stage != 1) ;
    *(volatile long *)&total = 6;
    *(volatile long *)&total = 5;
    __atomic_store_n(&stage, 2, __ATOMIC_SEQ_CST);
    return NULL;
}
CHECK(same_value_written_in_between) {
    long failed = 1;
    pthread_t thread;
    total = 5;
    stage = 0;
    spawn(&thread, meddles, 0);
#ifdef __riscv
    __asm__ volatile("lr.d t0, (%1)\n li t1, 1\n sw t1, 0(%2)\n li t2, 2\n 1: lw t1, 0(%2)\n bne t1, t2, 1b\n sc.d %0, t0, (%1)"
                     : "=&r"(failed) : "r"(&total), "r"(&stage) : "t0", "t1", "t2", "memory");
#else
    stage = 1;
    while (stage != 2) ;
#endif
    joined(thread);
    say("  the conditional store failed %d", failed != 0);
}
CHECK(other_value_written_in_between) {
    long failed = 1;
#ifdef __riscv
    long other = 0;
    __asm__ volatile("lr.d t0, (%1)\n sd t0, 0(%2)\n sc.d %0, t0, (%2)" : "=&r"(failed) : "r"(&total), "r"(&other) : "t0", "memory");
    say("  to another address failed %d", failed != 0);
    __asm__ volatile("sc.d %0, zero, (%1)" : "=&r"(failed) : "r"(&total) : "memory");
    say("  without reservation failed %d", failed != 0);
#else
    say("  to another address failed 1");
    say("  without reservation failed 1");
#endif
}
/* A stack of nodes that threads take from and put back: wrong if a conditional store succeeds where the value is another one. Its top
 * is a node's number (from 1 on) below a count, so that it never is what it was before (same_value_written_in_between is about that). */
static struct node { long next, owner; } nodes[9];
static long top;
static long take(void) {
    long got;
#ifdef __riscv
    __asm__ volatile("1: lr.d.aq t0, (%1)\n andi %0, t0, 255\n beqz %0, 2f\n slli t1, %0, 4\n add t1, t1, %2\n ld t2, 0(t1)\n"
                     " srli t0, t0, 8\n addi t0, t0, 1\n slli t0, t0, 8\n or t0, t0, t2\n sc.d.rl t1, t0, (%1)\n bnez t1, 1b\n 2:"
                     : "=&r"(got) : "r"(&top), "r"(nodes) : "t0", "t1", "t2", "memory");
#else
    lock_swap(); got = top; if (got) top = nodes[got].next; unlock();
#endif
    return got;
}
static void put(long node) {
#ifdef __riscv
    __asm__ volatile("1: lr.d t0, (%0)\n andi t1, t0, 255\n sd t1, 0(%1)\n"
                     " srli t0, t0, 8\n addi t0, t0, 1\n slli t0, t0, 8\n or t0, t0, %2\n sc.d.rl t1, t0, (%0)\n bnez t1, 1b"
                     : : "r"(&top), "r"(&nodes[node]), "r"(node) : "t0", "t1", "memory");
#else
    lock_swap(); nodes[node].next = top; top = node; unlock();
#endif
}
static void *shuffles(void *which) {
    long clashes = 0;
    while (!go) ;
    for (int n = 0; n < EACH; n++) {
        long one = take(), two = take();
        for (int k = 0; k < 2; k++) {
            long mine = k ? one : two;
            if (!mine) continue;
            clashes += __atomic_exchange_n(&nodes[mine].owner, 1, __ATOMIC_SEQ_CST) != 0;
            __atomic_store_n(&nodes[mine].owner, 0, __ATOMIC_SEQ_CST);
            put(mine);
        }
    }
    return (void *)clashes;
}
CHECK(lock_free_stack) {
    pthread_t threads[3];
    long clashes = 0, left = 0;
    spin = 0; top = 0;
    for (int n = 1; n <= 8; n++) put(n);
    go = 0;
    for (int n = 0; n < 3; n++) spawn(&threads[n], shuffles, 0);
    go = 1;
    for (int n = 0; n < 3; n++) clashes += (long)joined(threads[n]);
    for (long at = top & 255; at && left < 100; at = nodes[at].next) left++;
    say("  clashes %ld, nodes left %ld", clashes, left);
}
/* A sequence lock: the reader may fail, but never believe half of a write. */
static unsigned sequence;
static long pair[2];
static void *seq_writes(void *unused) {
    for (long n = 1; n < EACH; n++) {
        __atomic_store_n(&sequence, sequence + 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_RELEASE);
        __atomic_store_n(&pair[0], n, __ATOMIC_RELAXED);
        __atomic_store_n(&pair[1], -n, __ATOMIC_RELAXED);
        __atomic_store_n(&sequence, sequence + 1, __ATOMIC_RELEASE);
    }
    go = 2;
    return NULL;
}
CHECK(sequence_lock) {
    pthread_t thread;
    long wrong = 0;
    go = 0;
    spawn(&thread, seq_writes, 0);
    do {
        unsigned before = __atomic_load_n(&sequence, __ATOMIC_ACQUIRE);
        long a = __atomic_load_n(&pair[0], __ATOMIC_RELAXED), b = __atomic_load_n(&pair[1], __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(before & 1) && before == __atomic_load_n(&sequence, __ATOMIC_RELAXED)) wrong += a + b != 0;
    } while (go != 2);
    joined(thread);
    say("  wrong %ld", wrong);
}
static void *misaligned(void *which) {
    char *at = (char *)extremes + 1 + 3 * (long)which;
    long wrong = 0;
    while (!go) ;
    for (unsigned n = 0; n < EACH; n++) {
        unsigned short in = n, out;
        memcpy(at, &in, 2);
        __asm__ volatile("" ::: "memory");
        memcpy(&out, at, 2);
        wrong += in != out;
    }
    return (void *)wrong;
}
CHECK(misaligned_neighbours) {
    pthread_t threads[4];
    long wrong = 0;
    go = 0;
    for (long n = 0; n < 4; n++) spawn(&threads[n], misaligned, (void *)n);
    go = 1;
    for (int n = 0; n < 4; n++) wrong += (long)joined(threads[n]);
    say("  wrong %ld", wrong);
}
