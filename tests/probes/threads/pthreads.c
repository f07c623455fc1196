/* What the C library's threads are made of: locks, conditions, keys, cancellation, names. */
#include "../probe.h"
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static __thread int local = 5;
static __thread long zeroed[40];
static volatile int step;

static void *twice(void *n) { return (void *)((long)n * 2); }
CHECK(create_join) {
    pthread_t threads[50];
    long sum = 0;
    for (long n = 0; n < 50; n++) spawn(&threads[n], twice, (void *)n);
    for (int n = 0; n < 50; n++) sum += (long)joined(threads[n]);
    say("  %ld", sum);
    ERROR(pthread_join(pthread_self(), NULL));
}
static void *locals(void *n) {
    long was = local + zeroed[39];
    local = (long)n; zeroed[39] = 9;
    errno = (long)n;
    sched_yield();
    return (void *)(was + 100 * (local == (long)n && errno == (long)n));
}
CHECK(thread_locals) {
    for (long n = 0; n < 3; n++) { pthread_t thread; spawn(&thread, locals, (void *)n); say("  %ld", (long)joined(thread)); }
    say("  mine %d %ld", local, zeroed[39]);
}
static long counter;
static void *count(void *kind) {
    for (int n = 0; n < 20000; n++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}
CHECK(mutex_counter) {
    pthread_t threads[4];
    for (int n = 0; n < 4; n++) spawn(&threads[n], count, 0);
    for (int n = 0; n < 4; n++) joined(threads[n]);
    say("  %ld", counter);
}
static pthread_mutex_t kinds;
static void *other_thread(void *unused) {
    ERROR(pthread_mutex_trylock(&kinds));
    ERROR(pthread_mutex_unlock(&kinds));
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    ERROR(pthread_mutex_timedlock(&kinds, &at));
    clock_gettime(CLOCK_MONOTONIC, &at);
    ERROR(pthread_mutex_clocklock(&kinds, CLOCK_MONOTONIC, &at));
    return NULL;
}
CHECK(mutex_kinds) {
    int types[] = {PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE};
    for (int protocol = 0; protocol < 2; protocol++)
        for (int n = 0; n < 2; n++) {
            pthread_mutexattr_t attributes;
            pthread_mutexattr_init(&attributes);
            pthread_mutexattr_settype(&attributes, types[n]);
            pthread_mutexattr_setprotocol(&attributes, protocol ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
            pthread_mutex_init(&kinds, &attributes);
            ERROR(pthread_mutex_lock(&kinds));
            ERROR(pthread_mutex_lock(&kinds));
            pthread_t thread;
            spawn(&thread, other_thread, 0);
            joined(thread);
            ERROR(pthread_mutex_unlock(&kinds));
            ERROR(pthread_mutex_unlock(&kinds));
            ERROR(pthread_mutex_unlock(&kinds));
            ERROR(pthread_mutex_destroy(&kinds));
        }
}
static void *dies_with(void *mutex) { MUST(!pthread_mutex_lock(mutex)); return NULL; }
CHECK(robust_mutex) {
    for (int protocol = 0; protocol < 2; protocol++) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        pthread_mutexattr_setprotocol(&attributes, protocol ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
        pthread_mutex_init(&kinds, &attributes);
        pthread_t thread;
        spawn(&thread, dies_with, &kinds);
        joined(thread);
        if (ERROR(pthread_mutex_lock(&kinds)) == EOWNERDEAD) ERROR(pthread_mutex_consistent(&kinds));
        ERROR(pthread_mutex_unlock(&kinds));
        spawn(&thread, dies_with, &kinds);
        joined(thread);
        ERROR(pthread_mutex_lock(&kinds));
        ERROR(pthread_mutex_unlock(&kinds));
        ERROR(pthread_mutex_lock(&kinds));
    }
}
CHECK(robust_between_processes) {
    pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(shared, &attributes);
    CHILD(pthread_mutex_lock(shared); kill(getpid(), SIGKILL));
    ERROR(pthread_mutex_lock(shared));
}
CHECK(robust_at_the_end_of_a_process) {
    pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(shared, &attributes);
    CHILD(pthread_mutex_lock(shared); _exit(3));
    ERROR(pthread_mutex_lock(shared)); ERROR(pthread_mutex_consistent(shared)); ERROR(pthread_mutex_unlock(shared));
    CHILD(pthread_mutex_lock(shared); kill(getpid(), SIGTERM));
    ERROR(pthread_mutex_lock(shared)); ERROR(pthread_mutex_consistent(shared)); ERROR(pthread_mutex_unlock(shared));
    CHILD(pthread_mutex_lock(shared); execl("/proc/self/exe", "x", "create_join", NULL));
    ERROR(pthread_mutex_lock(shared));
}
CHECK(robust_when_killed) {
    pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    struct timespec soon;
    int ends[2];
    char byte;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(shared, &attributes);
    MUST(!pipe(ends));
    pid_t child = fork();
    if (!child) { pthread_mutex_lock(shared); write(ends[1], "", 1); for (;;) pause(); }
    MUST(read(ends[0], &byte, 1) == 1);
    kill(child, SIGKILL);
    ended("SIGKILL", child);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec++;
    ERROR(pthread_mutex_timedlock(shared, &soon));
}
static void init_robust(pthread_mutex_t *mutex, int protocol) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutex_init(mutex, &attributes);
}
static pthread_mutex_t *robust_here;
static void *locks_here(void *unused) { pthread_mutex_lock(&robust_here[2]); for (;;) pause(); }
CHECK(robust_of_all_threads_when_killed) {
    char byte, path[] = "/tmp/robust.XXXXXX";
    int ends[2], file = mkstemp(path);
    MUST(!unlink(path) && !ftruncate(file, 4096) && !pipe(ends));
    robust_here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    for (int n = 0; n < 5; n++) init_robust(&robust_here[n], n == 1 ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
    pid_t child = fork();
    if (!child) {
        static pthread_mutex_t own;     /* in memory that ends with the process, in the middle of its list */
        pthread_t thread;
        init_robust(&own, PTHREAD_PRIO_NONE);
        pthread_mutex_lock(&robust_here[0]); pthread_mutex_lock(&own); pthread_mutex_lock(&robust_here[1]); pthread_mutex_lock(&robust_here[3]);
        pthread_mutex_unlock(&robust_here[3]);
        spawn(&thread, locks_here, 0);
        while (pthread_mutex_trylock(&robust_here[2]) != EBUSY) pthread_mutex_unlock(&robust_here[2]);
        write(ends[1], "", 1);
        for (;;) pause();
    }
    MUST(read(ends[0], &byte, 1) == 1);
    kill(child, SIGKILL);
    ended("SIGKILL", child);
    for (int n = 0; n < 4; n++) if (ERROR(pthread_mutex_trylock(&robust_here[n])) == EOWNERDEAD) ERROR(pthread_mutex_consistent(&robust_here[n]));
    for (int n = 0; n < 4; n++) pthread_mutex_unlock(&robust_here[n]);
    close(ends[0]); close(ends[1]); close(file);
}
static void *awaits(void *mutex) { return (void *)(long)pthread_mutex_lock(mutex); }
CHECK(robust_wakes_who_waits) {
    char byte;
    int ends[2];
    pthread_t threads[2];
    pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    init_robust(shared, PTHREAD_PRIO_NONE);
    MUST(!pipe(ends));
    pid_t child = fork();
    if (!child) { pthread_mutex_lock(shared); write(ends[1], "", 1); for (;;) pause(); }
    MUST(read(ends[0], &byte, 1) == 1);
    spawn(&threads[0], awaits, shared);
    while (!(shared->__data.__lock & FUTEX_WAITERS)) sched_yield();
    pause_ms(5);
    kill(child, SIGKILL);
    say("  %s", strerrorname_np((long)joined(threads[0])));
    ended("SIGKILL", child);
    close(ends[0]); close(ends[1]);
}
static void *ping(void *unused) {
    pthread_mutex_lock(&lock);
    for (int n = 0; n < 1000; n++) {
        while (step != 1) pthread_cond_wait(&condition, &lock);
        step = 0;
        pthread_cond_broadcast(&condition);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}
CHECK(condition_ping_pong) {
    pthread_t thread;
    spawn(&thread, ping, 0);
    pthread_mutex_lock(&lock);
    for (int n = 0; n < 1000; n++) {
        step = 1;
        pthread_cond_broadcast(&condition);
        while (step != 0) pthread_cond_wait(&condition, &lock);
    }
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    ERROR(pthread_cond_timedwait(&condition, &lock, &at));
    clock_gettime(CLOCK_MONOTONIC, &at);
    ERROR(pthread_cond_clockwait(&condition, &lock, CLOCK_MONOTONIC, &at));
    pthread_mutex_unlock(&lock);
    joined(thread);
}
static pthread_rwlock_t shared_lock = PTHREAD_RWLOCK_INITIALIZER;
static long guarded[2], torn;
static void *reads(void *unused) {
    for (int n = 0; n < 3000; n++) { pthread_rwlock_rdlock(&shared_lock); torn += guarded[0] != guarded[1]; pthread_rwlock_unlock(&shared_lock); }
    return NULL;
}
static void *writes(void *unused) {
    for (int n = 0; n < 3000; n++) { pthread_rwlock_wrlock(&shared_lock); guarded[0]++; guarded[1]++; pthread_rwlock_unlock(&shared_lock); }
    return NULL;
}
CHECK(readers_writers) {
    pthread_t threads[4];
    for (int n = 0; n < 4; n++) spawn(&threads[n], n & 1 ? reads : writes, 0);
    for (int n = 0; n < 4; n++) joined(threads[n]);
    say("  %ld torn %ld", guarded[0], torn);
}
static pthread_barrier_t barrier;
static sem_t semaphore;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_runs;
static void initialize(void) { once_runs++; pause_ms(2); }
static void *meets(void *unused) {
    long serial = 0;
    pthread_once(&once, initialize);
    for (int n = 0; n < 100; n++) serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    sem_post(&semaphore);
    return (void *)serial;
}
CHECK(barrier_semaphore_once) {
    pthread_t threads[3];
    long serial = 0;
    pthread_barrier_init(&barrier, NULL, 3);
    sem_init(&semaphore, 0, 0);
    for (int n = 0; n < 3; n++) spawn(&threads[n], meets, 0);
    for (int n = 0; n < 3; n++) sem_wait(&semaphore);
    for (int n = 0; n < 3; n++) serial += (long)joined(threads[n]);
    say("  serial %ld once %d", serial, once_runs);
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    SHOW(sem_timedwait(&semaphore, &at));
    SHOW(sem_trywait(&semaphore));
}
static pthread_key_t keys[2];
static int destroyed;
static void destroy(void *value) { destroyed += (long)value; if ((long)value < 3) pthread_setspecific(keys[0], (char *)value + 1); }
static void *with_keys(void *unused) { pthread_setspecific(keys[0], (void *)1); pthread_setspecific(keys[1], (void *)10); return NULL; }
CHECK(key_destructors) {
    pthread_t thread;
    pthread_key_create(&keys[0], destroy);
    pthread_key_create(&keys[1], destroy);
    spawn(&thread, with_keys, 0);
    joined(thread);
    say("  %d", destroyed);
}
static void cleanup(void *text) { while (step != 7) ; say("  cleanup %s", (char *)text); }
static sem_t ready;
static void *cancelled(void *how) {
    int old, pipes[2];
    MUST(!pipe(pipes));
    if (how == (void *)1) pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    if (how == (void *)2) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_cleanup_push(cleanup, (void *)(how == (void *)1 ? "asynchronous" : how == (void *)2 ? "disabled" : "deferred"));
    sem_post(&ready);
    char byte;
    if (how == (void *)0) MUST(read(pipes[0], &byte, 1) == 99);
    else if (how == (void *)1) for (;;) ;
    else { while (step != 7) ; pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old); pthread_testcancel(); }
    pthread_cleanup_pop(0);
    return NULL;
}
CHECK(cancellation) {
    sem_init(&ready, 0, 0);
    for (long how = 0; how < 3; how++) {
        pthread_t thread;
        step = 0;
        spawn(&thread, cancelled, (void *)how);
        while (sem_wait(&ready)) ;
        ERROR(pthread_cancel(thread));
        step = 7;
        say("  %d", joined(thread) == PTHREAD_CANCELED);
    }
}
static volatile int handled_by;
static void note(int number) { handled_by = tid(); }
static void *waits(void *mine) { *(volatile int *)mine = tid(); while (step != 3) pause_ms(1); return NULL; }
CHECK(kill_a_thread) {
    pthread_t thread;
    int its = 0;
    step = 0;
    handle(SIGUSR1, note, 0);
    spawn(&thread, waits, &its);
    while (!*(volatile int *)&its) pause_ms(1);
    ERROR(pthread_kill(thread, SIGUSR1));
    while (!handled_by) pause_ms(1);
    say("  by it %d", handled_by == its);
    step = 3;
    joined(thread);
}
static void *ids(void *unused) { while (step != 4) ; return (void *)(long)(geteuid() * 1000 + getegid()); }
CHECK(setuid_of_all_threads) {
    CHILD(
        pthread_t threads[3]; step = 0;
        for (int n = 0; n < 3; n++) spawn(&threads[n], ids, 0);
        SHOW(setgid(65)); SHOW(setuid(12)); step = 4;
        for (int n = 0; n < 3; n++) { long seen = (long)joined(threads[n]); MUST(seen == geteuid() * 1000 + getegid()); });
}
static void *named(void *unused) {
    char name[16];
    pthread_setname_np(pthread_self(), "renamed");
    pthread_getname_np(pthread_self(), name, 16);
    char path[64], text[16] = "";
    sprintf(path, "/proc/self/task/%d/comm", tid());
    int fd = open(path, O_RDONLY);
    MUST(read(fd, text, 15) > 0);
    close(fd);
    say("  %s %s", name, text[0] == 'r' ? "same" : text);
    return NULL;
}
CHECK(names) {
    pthread_t thread;
    char name[16];
    spawn(&thread, named, 0);
    joined(thread);
    prctl(PR_SET_NAME, "leader");
    pthread_getname_np(pthread_self(), name, 16);
    say("  %s", name);
}
CHECK(attributes) {
    pthread_attr_t attributes;
    size_t size, guard;
    void *stack, *mine = &stack;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &stack, &size);
    say("  main's stack has a local %d, 1 MiB at least %d", (char *)mine > (char *)stack && (char *)mine < (char *)stack + size, size >= 1 << 20);
    pthread_attr_init(&attributes);
    SHOW(pthread_attr_setstacksize(&attributes, 1 << 17));
    SHOW(pthread_attr_setguardsize(&attributes, 1 << 16));
    SHOW(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED));
    pthread_t thread;
    sem_init(&semaphore, 0, 0);
    pthread_barrier_init(&barrier, NULL, 1);
    SHOW(pthread_create(&thread, &attributes, meets, 0));
    while (sem_wait(&semaphore)) ;
    cpu_set_t set;
    SHOW(pthread_getaffinity_np(pthread_self(), sizeof set, &set));
    say("  %d", CPU_COUNT(&set) >= 1);
    SHOW(pthread_setaffinity_np(pthread_self(), sizeof set, &set));
}
static void *clocks(void *unused) {
    struct timespec mine;
    clockid_t clock;
    double start = now();
    while (now() - start < 0.02) ;
    SHOW(pthread_getcpuclockid(pthread_self(), &clock));
    SHOW(clock_gettime(clock, &mine));
    MUST(mine.tv_sec == 0 && mine.tv_nsec > 1000000);
    struct rusage usage;
    SHOW(getrusage(RUSAGE_THREAD, &usage));
    return NULL;
}
CHECK(processor_clocks) { pthread_t thread; spawn(&thread, clocks, 0); joined(thread); }
