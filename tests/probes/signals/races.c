/* Signals that come at a bad moment: while the action changes, at a fork, as a thread ends or changes its mask. */
#include "../probe.h"
static volatile int count, stop, in_child;
static pid_t parent;
static void counts(int number) { __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST); }
static void where(int number) { if (getpid() != parent) in_child = 1; }
/* A child that sends a signal again and again until it is killed. */
static pid_t sender(int number) {
    parent = getpid();
    pid_t child = fork();
    if (!child) { while (getppid() == parent) { kill(parent, number); sched_yield(); } _exit(0); }
    return child;
}
static void end(pid_t child) { kill(child, SIGKILL); while (waitpid(child, NULL, 0) < 0 && errno == EINTR) ; }
/* By default it does nothing; it must not do more when it came while there was a handler. */
CHECK(handler_taken_away) {
    int numbers[] = {SIGURG, SIGWINCH, SIGCHLD};
    for (int n = 0; n < 3; n++) {
        handle(numbers[n], counts, SA_RESTART);
        pid_t child = sender(numbers[n]);
        double start = now();
        while (now() - start < 0.15) { handle(numbers[n], counts, SA_RESTART); handle(numbers[n], SIG_DFL, 0); handle(numbers[n], counts, 0); handle(numbers[n], SIG_IGN, 0); }
        end(child);
        handle(numbers[n], SIG_DFL, 0);
    }
    say("  alive");
}
/* What is pending at a fork is not the child's. */
CHECK(not_the_childs) {
    handle(SIGUSR1, where, SA_RESTART);
    pid_t child = sender(SIGUSR1);
    int wrong = 0;
    for (int n = 0; n < 60; n++) {
        int status;
        pid_t one = fork();
        if (!one) { for (int k = 0; k < 20; k++) getppid(); _exit(in_child); }
        while (waitpid(one, &status, 0) < 0 && errno == EINTR) ;
        wrong += status != 0;
    }
    end(child);
    say("  handled in the child %d", wrong);
}
static volatile int received, last;
static void receives(int number, siginfo_t *info, void *unused) { __atomic_add_fetch(&received, 1, __ATOMIC_SEQ_CST); }
static pid_t queues(int many) {
    parent = getpid();
    pid_t child = fork();
    if (!child) {
        for (int n = 1; n <= many; n++) while (sigqueue(parent, SIGRTMIN + 3, (union sigval){.sival_int = n})) sched_yield();
        _exit(0);
    }
    return child;
}
static void *short_lived(void *unused) { getppid(); return NULL; }
CHECK(threads_end_meanwhile) {
    struct sigaction action = {.sa_sigaction = receives, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN + 3, &action, NULL);
    received = 0;
    pid_t child = queues(2000);
    int status = -1;
    double start = now();
    while (received < 2000 && now() - start < 30) {
        pthread_t threads[3];
        for (int n = 0; n < 3; n++) spawn(&threads[n], short_lived, 0);
        for (int n = 0; n < 3; n++) joined(threads[n]);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) ;
    say("  received %d", received);
}
static void *takes_what_others_refuse(void *unused) {
    struct timespec soon = {0, 20000000};
    long taken = 0;
    siginfo_t info;
    for (;;) {
        int got = sigtimedwait(SET(SIGRTMIN + 3), &info, &soon);
        if (got > 0) taken++;
        else if (stop) return (void *)taken;
    }
}
CHECK(masks_change_meanwhile) {
    struct sigaction action = {.sa_sigaction = receives, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN + 3, &action, NULL);
    sigprocmask(SIG_BLOCK, SET(SIGRTMIN + 3), NULL);
    pthread_t thread;
    stop = received = 0;
    spawn(&thread, takes_what_others_refuse, 0);
    pid_t child = queues(2000);
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) { sigprocmask(SIG_UNBLOCK, SET(SIGRTMIN + 3), NULL); sigprocmask(SIG_BLOCK, SET(SIGRTMIN + 3), NULL); }
    stop = 1;
    long taken = (long)joined(thread);
    sigset_t left;
    sigpending(&left);
    say("  all %d, left %d", received + taken == 2000, sigismember(&left, SIGRTMIN + 3));
    sigprocmask(SIG_UNBLOCK, SET(SIGRTMIN + 3), NULL);
}
/* Two kinds at once: one that hardware raises, too, and another. */
CHECK(two_kinds_at_once) {
    handle(SIGFPE, counts, SA_RESTART);
    struct sigaction action = {.sa_sigaction = receives, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN + 3, &action, NULL);
    received = count = 0;
    pid_t other = sender(SIGFPE), child = queues(1000);
    double start = now();
    while ((received < 1000 || !count) && now() - start < 20) getppid();
    end(child);
    end(other);
    say("  received %d, the other kind, too %d", received, count > 0);
}
/* An exec in the middle of signals whose handlers go with the old program. */
CHECK(say_alive) { say("  alive"); }
CHECK(exec_meanwhile) {
    char self[PATH_MAX] = {0};
    MUST(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    for (int n = 0; n < 8; n++) {
        pid_t runs = fork();
        if (!runs) {
            handle(SIGURG, counts, SA_RESTART);
            pid_t child = sender(SIGURG);
            while (count < 3) ;
            prctl(PR_SET_CHILD_SUBREAPER, 1);
            execl(self, self, "say_alive", NULL);
            _exit(99);
        }
        ended("exec", runs);
    }
}
/* And one that ends the process, at any moment of its exec: of a guest's program, and of the host's. */
CHECK(stay) { pause_ms(500); }
CHECK(killed_in_an_exec) {
    char self[PATH_MAX] = {0};
    MUST(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    int killed = 0;
    for (int n = 0; n < 60; n++) {
        pid_t child = fork();
        if (!child) {
            dup2(open("/dev/null", O_WRONLY), 1);
            if (n & 1) execl("/bin/sleep", "sleep", "1", NULL);
            execl(self, self, "stay", NULL);
            _exit(99);
        }
        struct timespec soon = {0, n * 120000};
        nanosleep(&soon, NULL);
        kill(child, SIGTERM);
        int status = 0;
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
    }
    say("  killed %d", killed);
}
