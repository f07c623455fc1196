/* Every futex operation, with threads that wait and with values that refuse. */
#include "../probe.h"
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#define SYS_waitv 449
static unsigned word, second, third;
static void *waiter(void *count) {
    long r = futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0);
    return (void *)(r ? -(long)errno : 0);
}
CHECK(wait_wake) {
    pthread_t threads[3];
    word = 1;
    SHOW(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE, 5, NULL, NULL, 0));
    SHOW(futex((char *)&word + 1, FUTEX_WAIT, 0, NULL, NULL, 0));
    SHOW(futex((void *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
    SHOW(futex((void *)8, FUTEX_WAKE, 1, NULL, NULL, 0));
    SHOW(futex(&word, 99, 1, NULL, NULL, 0));
    word = 0;
    for (int n = 0; n < 3; n++) spawn(&threads[n], waiter, 0);
    until_waiting(&word, 3);
    SHOW(futex(&word, FUTEX_WAKE, 2, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE, 2, NULL, NULL, 0));
    for (int n = 0; n < 3; n++) say("  %ld", (long)joined(threads[n]));
}
static void *private_waiter(void *unused) { return (void *)futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0); }
CHECK(private_and_shared) {
    pthread_t thread;
    word = 0;
    spawn(&thread, private_waiter, 0);
    while (futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 0, (void *)1, &word, 0) != 1) pause_ms(1);
    SHOW(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0));
    say("  %ld", (long)joined(thread));
}
CHECK(timeouts) {
    struct timespec short_time = {0, 20000000}, bad = {0, 1000000000}, negative = {-1, 0}, at;
    word = 0;
    double start = now();
    SHOW(futex(&word, FUTEX_WAIT, 0, &short_time, NULL, 0));
    MUST(now() - start >= 0.0199);
    SHOW(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, 0, &negative, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, 0, (void *)1, NULL, 0));
    for (int realtime = 0; realtime < 2; realtime++) {
        clock_gettime(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &at);
        at.tv_nsec += 20000000;
        if (at.tv_nsec >= 1000000000) { at.tv_sec++; at.tv_nsec -= 1000000000; }
        start = now();
        SHOW(futex(&word, FUTEX_WAIT_BITSET | (realtime ? FUTEX_CLOCK_REALTIME : 0), 0, &at, NULL, ~0u));
        MUST(now() - start >= 0.0199 && now() - start < 5);
        at.tv_sec -= 100;
        SHOW(futex(&word, FUTEX_WAIT_BITSET | (realtime ? FUTEX_CLOCK_REALTIME : 0), 0, &at, NULL, ~0u));
    }
    SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
}
static void *bit_waiter(void *bits) { return (void *)futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, (long)bits); }
CHECK(bitsets) {
    pthread_t one, two;
    word = 0;
    spawn(&one, bit_waiter, (void *)1);
    spawn(&two, bit_waiter, (void *)6);
    until_waiting(&word, 2);
    SHOW(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 8));
    SHOW(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 4));
    joined(two);
    SHOW(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 3));
    joined(one);
}
CHECK(requeue) {
    pthread_t threads[4];
    word = second = 0;
    for (int n = 0; n < 4; n++) spawn(&threads[n], waiter, 0);
    until_waiting(&word, 4);
    SHOW(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2, &second, 5));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2, &second, 0));
    SHOW(futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0));
    SHOW(futex(&second, FUTEX_WAKE, 1, NULL, NULL, 0));
    SHOW(futex(&second, FUTEX_REQUEUE, 0, (void *)9, &word, 0));
    SHOW(futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0));
    for (int n = 0; n < 4; n++) say("  %ld", (long)joined(threads[n]));
}
CHECK(wake_op) {
    unsigned results[4];
    int operations[][3] = {{FUTEX_OP_SET, 5, 0}, {FUTEX_OP_ADD, 3, 5}, {FUTEX_OP_OR, 16, 8}, {FUTEX_OP_ANDN, 8, 24}, {FUTEX_OP_XOR, 1, 16}};
    word = second = 0;
    for (unsigned n = 0; n < 5; n++) {
        long woken = futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &second, FUTEX_OP(operations[n][0], operations[n][1], FUTEX_OP_CMP_EQ, operations[n][2]));
        say("  %ld %u", woken, second);
    }
    SHOW(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &second, FUTEX_OP(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 7, FUTEX_OP_CMP_GT, 3)));
    say("  %u", second);
    pthread_t thread;
    spawn(&thread, waiter, 0);
    until_waiting(&word, 1);
    second = 4;
    SHOW(futex(&third, FUTEX_WAKE_OP, 1, (void *)1, &word, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_NE, 0)));
    SHOW(futex(&third, FUTEX_WAKE_OP, 1, (void *)1, &word, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 9)));
    say("  word %u %ld", word, (long)joined(thread));
    (void)results;
}
static pthread_barrier_t barrier;
static void *owner(void *unused) {
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    say("  mine %d", (word & FUTEX_TID_MASK) == (unsigned)tid());
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    pthread_barrier_wait(&barrier);
    while (!(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS)) pause_ms(1);
    MUST(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    return NULL;
}
CHECK(priority_inheritance) {
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    word = 0;
    spawn(&thread, owner, 0);
    pthread_barrier_wait(&barrier);
    SHOW(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    joined(thread);
    say("  mine %d", (word & FUTEX_TID_MASK) == (unsigned)tid());
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    say("  free %u", word);
    SHOW(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI2, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    word = 0x3ffffff0;     /* no such thread */
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
}
struct vector { uint64_t value, address; uint32_t flags, reserved; };
static void *vector_waiter(void *unused) {
    struct vector vector[3] = {{0, (long)&word, 2}, {0, (long)&second, 2}, {0, (long)&third, 2}};
    return (void *)syscall(SYS_waitv, vector, 3, 0, NULL, 0);
}
CHECK(waitv) {
    word = second = third = 0;
    struct vector vector[2] = {{1, (long)&word, 2}, {0, (long)&second, 2}};
    struct timespec past = {1};
    SHOW(syscall(SYS_waitv, vector, 2, 0, NULL, 0));
    vector[0].value = 0;
    SHOW(syscall(SYS_waitv, vector, 2, 0, &past, CLOCK_MONOTONIC));
    SHOW(syscall(SYS_waitv, vector, 2, 0, &past, CLOCK_REALTIME));
    SHOW(syscall(SYS_waitv, vector, 2, 1, NULL, 0));
    SHOW(syscall(SYS_waitv, vector, 0, 0, NULL, 0));
    SHOW(syscall(SYS_waitv, vector, 129, 0, NULL, 0));
    vector[1].flags = 0x77;
    SHOW(syscall(SYS_waitv, vector, 2, 0, NULL, 0));
    vector[1].flags = 2; vector[1].address = 8;
    SHOW(syscall(SYS_waitv, vector, 2, 0, &past, CLOCK_MONOTONIC));
    SHOW(syscall(SYS_waitv, (void *)8, 2, 0, NULL, 0));
    pthread_t thread;
    spawn(&thread, vector_waiter, 0);
    while (futex(&second, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) pause_ms(1);
    say("  woken %ld", (long)joined(thread));
}
CHECK(between_processes) {
    unsigned *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (!child) { while (!*shared) futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0); _exit(*shared); }
    pause_ms(5);
    *shared = 12;
    futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0);
    ended("child", child);
    *shared = 0;
    child = fork();
    if (!child) { _exit(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0)); }
    ended("locks and dies", child);
    SHOW(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    munmap(shared, 4096);
}
/* Requeue from a condition to a PI lock, as pthread_cond_wait once did. */
static void *requeued(void *unused) {
    long r = futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &second, 0);
    int mine = (second & FUTEX_TID_MASK) == (unsigned)tid();
    long u = futex(&second, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    say("  %ld mine %d unlock %ld", r, mine, u);
    return NULL;
}
CHECK(requeue_pi) {
    pthread_t threads[2];
    word = second = 0;
    SHOW(futex(&second, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    for (int n = 0; n < 2; n++) spawn(&threads[n], requeued, 0);
    long moved = 0;
    for (int n = 0; moved < 2 && n < 2000; n++) {
        long more = futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &second, 0);
        if (more > 0) moved += more;
        pause_ms(1);
    }
    say("  moved %ld", moved);
    MUST(futex(&second, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
    for (int n = 0; n < 2; n++) joined(threads[n]);
    say("  free %u", second);
}
static void on_signal(int signal) {}
static volatile int interrupted;
static void *signalled(void *restart) {
    struct timespec long_time = {20};
    long r = futex(&word, FUTEX_WAIT, 0, restart ? NULL : &long_time, NULL, 0);
    int error = errno;
    interrupted = 1;
    return (void *)(r < 0 ? (long)error : 0);
}
CHECK(interrupted_by_signals) {
    for (int restart = 0; restart < 2; restart++) {
        pthread_t thread;
        handle(SIGUSR1, on_signal, restart ? SA_RESTART : 0);
        word = interrupted = 0;
        spawn(&thread, signalled, (void *)(long)restart);
        until_waiting(&word, 1);
        for (int n = 0; n < 5 && !interrupted; n++) { pthread_kill(thread, SIGUSR1); pause_ms(5); }
        if (restart) { say("  still waiting %d", !interrupted); word = 1; while (!interrupted) { futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0); pause_ms(1); } }
        say("  %s", joined(thread) ? "EINTR" : "woken");
    }
}
/* Four threads hand numbers round a ring by futexes: a lost wake-up hangs. */
#define HANDS 4
#define ROUNDS 2000
static unsigned hands[HANDS];
static void *hand(void *which) {
    long me = (long)which, next = (me + 1) % HANDS;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        while (__atomic_load_n(&hands[me], __ATOMIC_ACQUIRE) != round) futex(&hands[me], FUTEX_WAIT, round - 1, NULL, NULL, 0);
        __atomic_store_n(&hands[next], next ? round : round + 1, __ATOMIC_RELEASE);
        futex(&hands[next], FUTEX_WAKE, 1, NULL, NULL, 0);
    }
    return NULL;
}
CHECK(ring) {
    pthread_t threads[HANDS];
    for (long n = 0; n < HANDS; n++) spawn(&threads[n], hand, (void *)n);
    __atomic_store_n(&hands[0], 1, __ATOMIC_RELEASE);
    futex(&hands[0], FUTEX_WAKE, 1, NULL, NULL, 0);
    for (int n = 0; n < HANDS; n++) joined(threads[n]);
    say("  %u", hands[0]);
}
/* A thread that dies holding locks of its robust list leaves FUTEX_OWNER_DIED and wakes one that waits. */
struct link { struct link *next; unsigned lock; } head_node;
static struct { struct link *next; long offset; struct link *pending; } head;
static struct link locks[2];
static void *dies_holding(void *unused) {
    head.offset = offsetof(struct link, lock);
    head.next = &locks[0];
    locks[0].next = (struct link *)&head;
    head.pending = &locks[1];
    locks[0].lock = locks[1].lock = tid();
    SHOW(syscall(SYS_set_robust_list, &head, 24));
    void *got = 0; size_t size = 0;
    SHOW(syscall(SYS_get_robust_list, 0, &got, &size));
    say("  %d %zu", got == &head, size);
    pthread_barrier_wait(&barrier);
    while (futex(&locks[0].lock, FUTEX_CMP_REQUEUE, 0, (void *)1, &locks[0].lock, locks[0].lock) != 1) pause_ms(1);
    syscall(SYS_exit, 0);
    return NULL;
}
CHECK(robust_list) {
    pthread_t thread;
    SHOW(syscall(SYS_set_robust_list, &head, 23));
    pthread_barrier_init(&barrier, NULL, 2);
    spawn(&thread, dies_holding, 0);
    pthread_barrier_wait(&barrier);
    unsigned held = locks[0].lock | FUTEX_WAITERS;
    locks[0].lock = held;
    SHOW(futex(&locks[0].lock, FUTEX_WAIT, held, NULL, NULL, 0));
    pthread_join(thread, NULL);
    say("  %d %d", locks[0].lock == (FUTEX_OWNER_DIED | FUTEX_WAITERS), locks[1].lock == FUTEX_OWNER_DIED);
}
