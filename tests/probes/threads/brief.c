/* Threads that live for some microseconds: none is lost, nor a signal that came to one, and their memory is as new. */
#include "../probe.h"
#define MANY 300
static atomic_int counted, told;
static void *counts(void *unused) { atomic_fetch_add(&counted, 1); return NULL; }
static void tells(int number) { atomic_fetch_add(&told, 1); }
static void *sends(void *unused) {
    for (int n = 0; n < MANY; n++) { while (sigqueue(getpid(), SIGRTMIN, (union sigval){0})) sched_yield(); if (n % 8 == 0) sched_yield(); }
    return NULL;
}
CHECK(no_signal_is_lost) {
    pthread_t sender, thread;
    handle(SIGRTMIN, tells, SA_RESTART);
    spawn(&sender, sends, NULL);
    for (int n = 0; n < MANY; n++) { spawn(&thread, counts, NULL); pthread_join(thread, NULL); }
    pthread_join(sender, NULL);
    for (int n = 0; n < 1000 && told < MANY; n++) pause_ms(1);
    say("  %d threads, %d signals", counted, told);
}
CHECK(detached) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int n = 0; n < MANY; n++) while (pthread_create(&thread, &attributes, counts, NULL)) pause_ms(1);
    for (int n = 0; n < 2000 && (counted < MANY || threads_here() > 1); n++) pause_ms(1);
    say("  %d counted, %d left", counted, threads_here());
}
static pthread_mutex_t owned;
static void *leaves_it_locked(void *unused) { pthread_mutex_lock(&owned); return NULL; }
CHECK(robust_mutex) {
    pthread_mutexattr_t attributes;
    pthread_t thread;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (int n = 0; n < 3; n++) {
        pthread_mutex_init(&owned, &attributes);
        spawn(&thread, leaves_it_locked, NULL);
        pthread_join(thread, NULL);
        ERROR(pthread_mutex_lock(&owned));
        ERROR(pthread_mutex_consistent(&owned));
        ERROR(pthread_mutex_unlock(&owned));
        pthread_mutex_destroy(&owned);
    }
}
static void *lingers(void *unused) { pause_ms(1); return counts(NULL); }
static void leave_many(void *(*run)(void *)) {
    pthread_t thread;
    for (int n = 0; n < 30; n++) spawn(&thread, run, NULL);
    pthread_exit(NULL);
}
CHECK(main_leaves) { for (int n = 0; n < 5; n++) { CHILD(leave_many(counts)); CHILD(leave_many(lingers)); } }
static void *begets(void *depth) {
    pthread_t thread;
    if (depth) { spawn(&thread, begets, (char *)depth - 1); pthread_join(thread, NULL); }
    return counts(NULL);
}
CHECK(generations) { begets((void *)60L); say("  %d", counted); }
static __thread volatile int mine;
static void marks(int number) { mine = 1; atomic_fetch_add(&told, 1); }
static void *awaits_mark(void *unused) { while (!mine) sched_yield(); return NULL; }
CHECK(killed_as_they_begin) {
    pthread_t thread;
    handle(SIGUSR1, marks, SA_RESTART);
    for (int n = 0; n < MANY; n++) { spawn(&thread, awaits_mark, NULL); MUST(!pthread_kill(thread, SIGUSR1)); pthread_join(thread, NULL); }
    say("  %d", told);
}
/* Each inherits what its maker blocks, from its first instruction on. */
static void *shows_mask(void *wanted) {
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    return (void *)(long)(sigismember(&set, SIGUSR2) == (wanted != NULL));
}
CHECK(masks) {
    sigset_t set;
    long right = 0;
    pthread_t thread;
    void *result;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    for (long n = 0; n < 20; n++) {
        pthread_sigmask(n & 1 ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
        spawn(&thread, shows_mask, (void *)(n & 1));
        pthread_join(thread, &result);
        right += (long)result;
    }
    say("  %ld", right);
}
static void *makes_more(void *unused) { pthread_t thread; for (;;) { if (!pthread_create(&thread, NULL, counts, NULL)) pthread_join(thread, NULL); } }
static void end_among(int number) {
    pthread_t thread;
    spawn(&thread, makes_more, NULL);
    spawn(&thread, makes_more, NULL);
    pause_ms(10 + number);
    _exit(number);
}
CHECK(process_ends_among_them) { for (int n = 0; n < 6; n++) CHILD(end_among(n)); }
static char self[PATH_MAX];
static void execute_among(void) {
    pthread_t thread;
    MUST(readlink("/proc/self/exe", self, sizeof self) > 0);
    spawn(&thread, makes_more, NULL);
    spawn(&thread, makes_more, NULL);
    pause_ms(10);
    execl(self, self, "generations", NULL);
}
CHECK(program_begins_among_them) { CHILD(execute_among()); CHILD(execute_among()); }
static void *forks_once(void *unused) {
    pid_t child = fork();
    int status;
    if (!child) { pthread_t thread; spawn(&thread, counts, NULL); pthread_join(thread, NULL); _exit(counted == 1 ? 3 : 4); }
    waitpid(child, &status, 0);
    return (void *)(long)WEXITSTATUS(status);
}
CHECK(forks) {
    long sum = 0;
    for (int n = 0; n < 10; n++) { pthread_t thread; void *result; spawn(&thread, forks_once, NULL); pthread_join(thread, &result); sum += (long)result; }
    say("  %ld", sum);
}
#define PAGE 4096L
#define SIZE (4 * PAGE)
static void fill(char *at) { memset(at, 7, SIZE); }
static int sum(char *at) { int made = 0; for (long n = 0; n < SIZE; n++) made += at[n]; return made / 1024; }
CHECK(memory_given_up) {
    char name[] = "given-XXXXXX", *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file = mkstemp(name);
    unlink(name);
    for (int n = 0; n < 3; n++) { fill(at); madvise(at, SIZE, MADV_DONTNEED); say("  %d", sum(at)); }
    for (int n = 0; n < 2; n++) { fill(at); madvise(at + PAGE, PAGE, MADV_DONTNEED); say("  a part: %d", sum(at)); }
    SHOW(madvise(at, SIZE, MADV_NORMAL));
    SHOW(madvise(at + 1, PAGE, MADV_DONTNEED));
    SHOW(madvise(at, 0, MADV_DONTNEED));
    SHOW(madvise(at, -PAGE, MADV_DONTNEED));
    SHOW(madvise(at, 1, MADV_DONTNEED));
    munmap(at + PAGE, PAGE);
    SHOW(madvise(at, SIZE, MADV_DONTNEED));
    for (int n = 0; n < (int)SIZE; n += 16) MUST(write(file, "written in a file", 16) == 16);
    MUST(mmap(at, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0) == at);
    for (int n = 0; n < 2; n++) { fill(at); SHOW(madvise(at, SIZE, MADV_DONTNEED)); say("  of a file: %.8s", at); }
    MUST(mmap(at, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
    for (int n = 0; n < 2; n++) { fill(at); SHOW(madvise(at, SIZE, MADV_DONTNEED)); say("  shared: %d", sum(at)); }
}
CHECK(robust_list_itself) {
    struct robust_list_head head = {{&head.list}, 0, NULL}, *found = NULL;
    size_t size = 0;
    SHOW(syscall(SYS_set_robust_list, &head, 8));
    for (int n = 0; n < 2; n++) SHOW(syscall(SYS_set_robust_list, &head, sizeof head));
    SHOW(syscall(SYS_get_robust_list, 0, &found, &size));
    say("  right %d, size %zu", found == &head, size);
}
