/* How threads and their process come to an end, in every order; and forks and programs begun by a second thread. */
#include "../probe.h"
#include <spawn.h>
static pthread_t main_thread;
static volatile int ready, stop;
static void count_me(void) { __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST); }
static void *spins(void *unused) { count_me(); for (;;) ; }
static void *sleeps(void *unused) { count_me(); for (;;) pause(); }
static void *reads(void *unused) { int pipes[2]; char byte; count_me(); return (void *)(long)(pipe(pipes) || read(pipes[0], &byte, 1)); }
static void *waits(void *word) { count_me(); for (;;) futex(word, FUTEX_WAIT, 0, NULL, NULL, 0); }
static unsigned zero;
static char self[PATH_MAX];
static void know_myself(void) { MUST(readlink("/proc/self/exe", self, sizeof self) > 0); }
static void crowd(void) {
    pthread_t thread;
    ready = 0;
    spawn(&thread, spins, 0); spawn(&thread, sleeps, 0); spawn(&thread, reads, 0); spawn(&thread, waits, &zero);
    while (ready < 4) pause_ms(1);
}
static void *outlives(void *unused) { pthread_join(main_thread, NULL); say("  main is gone, %d left", threads_here()); exit(21); }
CHECK(main_thread_leaves_first) { CHILD(pthread_t t; main_thread = pthread_self(); spawn(&t, outlives, 0); pthread_exit(NULL)); }
static void *last(void *unused) { pause_ms(5); return NULL; }
static void *later(void *unused) { pause_ms(100); return NULL; }
CHECK(last_thread_returns) { CHILD(pthread_t t; spawn(&t, last, 0); pthread_exit(NULL)); }
CHECK(raw_exit_of_main) { CHILD(pthread_t t; main_thread = pthread_self(); spawn(&t, later, 0); syscall(SYS_exit, 5)); }
static void *raw_last(void *unused) { pause_ms(100); syscall(SYS_exit, 9); return NULL; }
CHECK(status_of_the_leader_counts) { CHILD(pthread_t t; spawn(&t, raw_last, 0); syscall(SYS_exit, 5)); }
static void *ends_all(void *status) { _exit((long)status); }
CHECK(exit_group_of_second) { CHILD(pthread_t t; crowd(); spawn(&t, ends_all, (void *)31); for (;;) ;); }
CHECK(exit_group_while_main_waits) { CHILD(pthread_t t; crowd(); spawn(&t, ends_all, (void *)32); pthread_join(t, NULL)); }
CHECK(exit_group_of_main) { CHILD(crowd(); exit(33)); }
/* Threads that block every signal there is: one reads, one spins, one waits for any signal at all. */
static void deaf(void) { sigset_t all; sigfillset(&all); syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8); }
static void *deaf_reader(void *unused) { deaf(); return reads(NULL); }
static void *deaf_spinner(void *unused) { deaf(); return spins(NULL); }
static void *waits_for_any(void *unused) {
    sigset_t all;
    siginfo_t info;
    sigfillset(&all);
    deaf();
    count_me();
    say("  got %ld", syscall(SYS_rt_sigtimedwait, &all, &info, NULL, 8));
    return NULL;
}
static void deaf_crowd(void) {
    pthread_t thread;
    spawn(&thread, deaf_reader, 0); spawn(&thread, deaf_spinner, 0); spawn(&thread, waits_for_any, 0);
    while (ready < 3) pause_ms(1);
    pause_ms(5);
}
CHECK(exit_group_with_deaf_threads) { CHILD(deaf_crowd(); _exit(35)); }
CHECK(exec_with_deaf_threads) { know_myself(); CHILD(deaf_crowd(); execl(self, self, "after_exec", NULL)); }
CHECK(killed_with_deaf_threads) { CHILD(deaf_crowd(); raise(SIGKILL)); CHILD(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); deaf_crowd(); abort()); }
CHECK(two_exit_at_once) { CHILD(pthread_t t[8]; for (int n = 0; n < 8; n++) spawn(&t[n], ends_all, (void *)34); _exit(34)); }
static void *kills(void *unused) { kill(getpid(), SIGTERM); for (;;) pause(); }
CHECK(killed_with_threads) { CHILD(pthread_t t; crowd(); spawn(&t, kills, 0); for (;;) pause()); }
static void *faults(void *unused) { return (void *)(long)*(volatile int *)0x10; }
CHECK(fault_in_a_thread) { CHILD(pthread_t t; setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); crowd(); spawn(&t, faults, 0); for (;;) ;); }
static void *aborts(void *unused) { abort(); }
CHECK(abort_in_a_thread) { CHILD(pthread_t t; setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); crowd(); spawn(&t, aborts, 0); pthread_join(t, NULL)); }
CHECK(killed_from_outside_while_spinning) {
    pid_t child = fork();
    if (!child) { crowd(); for (;;) ; }
    pause_ms(30);
    kill(child, SIGKILL);
    ended("SIGKILL", child);
}
static void *forks(void *unused) {
    pid_t child = fork();
    if (!child) {
        say("  alone %d, leads %d", threads_here() == 1, tid() == getpid());
        pthread_t thread;
        spawn(&thread, last, 0);
        joined(thread);
        _exit(41);
    }
    ended("fork in a thread", child);
    return NULL;
}
CHECK(fork_in_a_thread) { CHILD(crowd(); pthread_t t; spawn(&t, forks, 0); joined(t); _exit(42)); }
static void *executes(void *unused) {
    sigprocmask(SIG_BLOCK, SET(SIGHUP), NULL);     /* its mask, not the first thread's, is the new program's */
    execl(self, self, "after_exec", NULL);
    say("  execl: %s", strerrorname_np(errno));
    _exit(97);
}
CHECK(after_exec) {
    char open_too[8];
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    say("  threads %d, leads %d, blocked %d", threads_here(), tid() == getpid(), sigismember(&blocked, SIGHUP));
}
CHECK(exec_in_a_thread) {
    know_myself();
    CHILD(crowd(); pthread_t t; spawn(&t, executes, 0); for (;;) ;);
    CHILD(crowd(); executes(NULL));
}
CHECK(failing_exec_leaves_threads) {
    CHILD(crowd(); SHOW(execl("/nothing", "x", NULL)); say("  %d", threads_here()); pthread_t t; spawn(&t, last, 0); joined(t));
}
static void *spawns(void *unused) {
    pid_t child;
    char *words[] = {self, "after_exec", NULL};
    MUST(!posix_spawn(&child, self, NULL, NULL, words, environ));
    ended("spawned", child);
    ERROR(posix_spawn(&child, "/nothing", NULL, NULL, words, environ));
    return NULL;
}
CHECK(spawn_in_a_thread) {
    know_myself();
    CHILD(crowd(); pthread_t t; spawn(&t, spawns, 0); joined(t));
}
/* Forks, threads that come and go and allocations at once: a lock held over a fork would hang a child. */
static void *churns(void *unused) {
    for (int n = 0; n < 30; n++) { pthread_t t; spawn(&t, last, 0); joined(t); free(malloc(1 << 18)); }
    return NULL;
}
static void *fork_often(void *unused) {
    for (int n = 0; n < 15; n++) {
        pid_t child = fork();
        if (!child) { free(malloc(100000)); _exit(7); }
        int status;
        MUST(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
    }
    return NULL;
}
CHECK(fork_among_busy_threads) {
    pthread_t threads[4];
    for (int n = 0; n < 4; n++) spawn(&threads[n], n & 1 ? churns : fork_often, 0);
    for (int n = 0; n < 4; n++) joined(threads[n]);
    say("  done");
}
static sem_t turn;
static void *one_of_many(void *unused) { sem_wait(&turn); return (void *)1; }
CHECK(five_hundred) {
    static pthread_t threads[500];
    pthread_attr_t attributes;
    long sum = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    sem_init(&turn, 0, 0);
    for (int n = 0; n < 500; n++) MUST(!pthread_create(&threads[n], &attributes, one_of_many, 0));
    say("  %d threads", threads_here());
    for (int n = 0; n < 500; n++) sem_post(&turn);
    for (int n = 0; n < 500; n++) sum += (long)joined(threads[n]);
    say("  %ld joined", sum);
}
static long many_then(int limit) {
    long made = 0;
    pthread_t threads[64];
    struct rlimit memory = {limit, limit};
    setrlimit(RLIMIT_AS, &memory);
    int error = 0;
    sem_init(&turn, 0, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32 << 20);
    while (made < 64 && !(error = pthread_create(&threads[made], &attributes, one_of_many, 0))) made++;
    say("  %s, some %d", strerrorname_np(error), made > 0 && made < 64);
    for (int n = 0; n < made; n++) sem_post(&turn);
    for (int n = 0; n < made; n++) joined(threads[n]);
    return made;
}
CHECK(exhaustion) { CHILD(many_then(512 << 20)); }
static int overflow(int depth) {
    volatile char page[4096];
    page[0] = depth;
    return overflow(depth + 1) + page[0];
}
static char *guard_at, alternate[65536];
static void overflowed(int number, siginfo_t *info, void *unused) {
    say("  SIGSEGV, in the guard page %d, code %d", (char *)info->si_addr >= guard_at && (char *)info->si_addr < guard_at + 4096, info->si_code);
    _exit(51);
}
static void *overflows(void *handled) {
    if (handled) {
        stack_t stack = {alternate, 0, sizeof alternate};
        sigaltstack(&stack, NULL);
        struct sigaction action = {.sa_sigaction = overflowed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigaction(SIGSEGV, &action, NULL);
    }
    return (void *)(long)overflow(0);
}
static void overflow_on_a_stack(void *handled) {
    pthread_t thread;
    pthread_attr_t attributes;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    char *stack = mmap(NULL, 4096 + (1 << 18), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    mprotect(guard_at = stack, 4096, PROT_NONE);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack + 4096, 1 << 18);
    MUST(!pthread_create(&thread, &attributes, overflows, handled));
    for (;;) pause();
}
CHECK(guard_page) { CHILD(overflow_on_a_stack(NULL)); CHILD(overflow_on_a_stack((void *)1)); }
