/* Many signals, none lost: between two processes, two threads, at calls that wait and at loops that never call. */
#include "../probe.h"
#define MANY 200
static volatile int count, other;
static void counts(int number) { count++; }
/* Each waits for the other's signal and answers: one lost hangs both. */
static void ping_pong(pid_t to, int first, int rounds, void (*wait_for)(int)) {
    for (int n = 1; n <= rounds; n++) {
        if (first) kill(to, SIGUSR1);
        wait_for(n);
        if (!first) kill(to, SIGUSR1);
    }
}
static sigset_t during;
static void by_sigsuspend(int n) { while (count < n) sigsuspend(&during); }
static void by_ppoll(int n) { while (count < n) ppoll(NULL, 0, NULL, &during); }
static void by_pselect(int n) { while (count < n) pselect(0, NULL, NULL, NULL, NULL, &during); }
static void by_sigwait(int n) { int got; sigwait(SET(SIGUSR1), &got); count++; }
static void by_spinning(int n) { sigprocmask(SIG_SETMASK, &during, NULL); while (count < n) ; sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL); }
static void between_processes(void (*wait_for)(int)) {
    handle(SIGUSR1, counts, SA_RESTART);
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), &during);
    sigdelset(&during, SIGUSR1);
    count = 0;
    pid_t parent = getpid(), child = fork();
    if (!child) { ping_pong(parent, 0, MANY / 3, wait_for); _exit(count == MANY / 3 ? 0 : 1); }
    ping_pong(child, 1, MANY / 3, wait_for);
    say("  %d", count);
    ended("ping pong", child);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
}
CHECK(sigsuspend_) { between_processes(by_sigsuspend); }
CHECK(ppoll_) { between_processes(by_ppoll); }
CHECK(pselect_) { between_processes(by_pselect); }
CHECK(sigwait_) { between_processes(by_sigwait); }
CHECK(spinning) { between_processes(by_spinning); }
static void *pings(void *target) {
    for (int n = 1; n <= MANY; n++) {
        pthread_kill(*(pthread_t *)target, SIGUSR2);
        while (count < n) sched_yield();
    }
    return NULL;
}
/* A thread in a call that is restarted, or in none at all, is sent one signal after another. */
static volatile int stop;
static int pipes[2];
static void *in_read(void *unused) { char byte; return (void *)read(pipes[0], &byte, 1); }
static void *in_loop(void *unused) { long n = 0; while (!stop) n++; return (void *)1; }
static void *in_calls(void *unused) { while (!stop) getppid(); return (void *)1; }
static void *in_locks(void *unused) { pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; while (!stop) { pthread_mutex_lock(&lock); pthread_mutex_unlock(&lock); } return (void *)1; }
static void *in_yields(void *unused) { while (!stop) sched_yield(); return (void *)1; }
static void *in_writes(void *unused) { int fd = open("/dev/null", O_WRONLY); while (!stop) write(fd, "x", 1); return (void *)1; }
static void *in_naps(void *unused) { struct timespec nap = {0, 1000}; while (!stop) nanosleep(&nap, NULL); return (void *)1; }
static void *in_faults(void *unused) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    while (!stop) { page[0]++; madvise(page, 4096, MADV_DONTNEED); }
    return (void *)1;
}
static void thread_in(void *(*where)(void *)) {
    pthread_t target, sender;
    handle(SIGUSR2, counts, SA_RESTART);
    count = stop = 0;
    MUST(!pipe(pipes));
    spawn(&target, where, 0);
    spawn(&sender, pings, &target);
    joined(sender);
    stop = 1;
    MUST(write(pipes[1], "x", 1) == 1);
    say("  %d, result %ld", count, (long)joined(target));
    close(pipes[0]); close(pipes[1]);
}
CHECK(in_a_read) { thread_in(in_read); }
CHECK(in_a_loop) { thread_in(in_loop); }
CHECK(in_calls_) { thread_in(in_calls); }
CHECK(in_locks_) { thread_in(in_locks); }
CHECK(in_yields_) { thread_in(in_yields); }
CHECK(in_writes_) { thread_in(in_writes); }
CHECK(in_naps_) { thread_in(in_naps); }
CHECK(in_page_faults) { thread_in(in_faults); }
/* All of 3,000 queued signals arrive, in order, whatever else is done meanwhile. */
static volatile int sum, last, disorder;
static void adds(int number, siginfo_t *info, void *unused) { sum++; disorder += info->si_value.sival_int != last + 1; last = info->si_value.sival_int; }
CHECK(none_of_the_queue_is_lost) {
    struct sigaction action = {.sa_sigaction = adds, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN + 1, &action, NULL);
    sum = last = disorder = 0;
    pid_t parent = getpid(), child = fork();
    if (!child) {
        for (int n = 1; n <= 3000; n++) while (sigqueue(parent, SIGRTMIN + 1, (union sigval){.sival_int = n})) sched_yield();
        _exit(0);
    }
    char *volatile keep = NULL;
    for (int n = 0; sum < 3000; n++) { if (n % 3 == 0) getppid(); else if (n % 3 == 1) { keep = malloc(n % 5000); free(keep); } else sched_yield(); }
    int status;
    while (waitpid(child, &status, 0) < 0) ;
    say("  %d, out of order %d", sum, disorder);
}
/* A restarted write writes once, a restarted read takes once. */
static void *byte_writer(void *unused) { for (int n = 0; n < 5000; n++) { unsigned char byte = n; if (write(pipes[1], &byte, 1) != 1) return (void *)1; } return NULL; }
CHECK(no_call_is_made_twice) {
    struct itimerval timer = {{0, 200}, {0, 200}}, off = {0};
    pthread_t thread;
    MUST(!pipe(pipes));
    fcntl(pipes[1], 1031 /* F_SETPIPE_SZ */, 4096);
    handle(SIGALRM, counts, SA_RESTART);
    setitimer(ITIMER_REAL, &timer, NULL);
    spawn(&thread, byte_writer, 0);
    long wrong = 0, n;
    for (n = 0; n < 5000; n++) { unsigned char byte; wrong += read(pipes[0], &byte, 1) != 1 || byte != (unsigned char)n; }
    setitimer(ITIMER_REAL, &off, NULL);
    say("  writer failed %ld, wrong %ld", (long)joined(thread), wrong);
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    char more;
    SHOW(read(pipes[0], &more, 1));
}
static sigjmp_buf out;
static void jumps(int number) { siglongjmp(out, ++count); }
CHECK(jumping_out_of_everything) {
    struct itimerval timer = {{0, 700}, {0, 700}}, off = {0};
    volatile long work = 0;
    handle(SIGALRM, jumps, 0);
    count = 0;
    sigsetjmp(out, 1);
    if (count == 0) setitimer(ITIMER_REAL, &timer, NULL);
    while (count < 300) {
        if (count % 3 == 0) work++;
        else if (count % 3 == 1) pause();
        else read(pipes[0], (char *)&work, 1);
    }
    setitimer(ITIMER_REAL, &off, NULL);
    say("  %s", count >= 300 ? "all" : "not all");     /* one more may come before the timer is off */
}
