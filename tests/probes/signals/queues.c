/* Signals that wait: queues of real-time signals, sigtimedwait, signalfd, pidfd_send_signal, and whom they reach. */
#include "../probe.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>
static int order[64], values[64];
static volatile int count;
static void queued(int number, siginfo_t *info, void *unused) { order[count] = number - SIGRTMIN; values[count++] = info->si_value.sival_int; }
static void handler_of(int number, void *handler) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    sigaction(number, &action, NULL);
}
CHECK(real_time_order) {
    sigset_t some = set_of(SIGRTMIN, SIGRTMIN + 1, SIGRTMIN + 4, SIGUSR1, 0);
    sigprocmask(SIG_BLOCK, &some, NULL);
    for (int n = 0; n < 3; n++) handler_of((int[]){SIGRTMIN, SIGRTMIN + 1, SIGRTMIN + 4}[n], queued);
    for (int n = 0; n < 12; n++) sigqueue(getpid(), (int[]){SIGRTMIN + 4, SIGRTMIN, SIGRTMIN + 1}[n % 3], (union sigval){.sival_int = n});
    count = 0;
    sigprocmask(SIG_UNBLOCK, &some, NULL);
    for (int n = 0; n < count; n++) say("  %d: %d", order[n], values[n]);
}
CHECK(ordinary_ones_do_not_queue) {
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL);
    handler_of(SIGUSR1, queued);
    count = 0;
    for (int n = 0; n < 5; n++) sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = n});
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
    say("  %d, value %d", count, values[0]);
}
CHECK(waiting_for_one) {
    siginfo_t info;
    struct timespec short_time = {0, 10000000}, none = {0}, bad = {0, -1};
    sigset_t set = set_of(SIGUSR1, SIGRTMIN, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SHOW(sigtimedwait(&set, &info, &none)); SHOW(sigtimedwait(&set, &info, &short_time)); SHOW(sigtimedwait(&set, &info, &bad));
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 2});
    raise(SIGUSR1);
    SHOW(sigwaitinfo(&set, &info) == SIGUSR1);
    SHOW(sigwaitinfo(&set, &info) == SIGRTMIN); say("  value %d code %d", info.si_value.sival_int, info.si_code);
    SHOW(sigtimedwait(&set, &info, &none) == SIGRTMIN); say("  value %d", info.si_value.sival_int);
    SHOW(sigtimedwait(&set, NULL, &none));
    SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 7)); SHOW(syscall(SYS_rt_sigtimedwait, 8, NULL, NULL, 8));
    pid_t child = fork();
    if (!child) { pause_ms(10); kill(getppid(), SIGUSR1); _exit(0); }
    SHOW(sigwaitinfo(&set, &info) == SIGUSR1); say("  from child %d", info.si_pid == child);
    ended("child", child);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
static void nothing(int number) { count++; }
CHECK(waiting_is_interrupted) {
    struct itimerval timer = {{0, 10000}, {0, 10000}}, off = {0};
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL);
    handle(SIGALRM, nothing, SA_RESTART);
    setitimer(ITIMER_REAL, &timer, NULL);
    SHOW(sigwaitinfo(SET(SIGUSR1), NULL));
    setitimer(ITIMER_REAL, &off, NULL);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
}
CHECK(signal_descriptor) {
    sigset_t set = set_of(SIGUSR1, SIGRTMIN, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    struct signalfd_siginfo info[3];
    SHOW(read(fd, info, sizeof info)); SHOW(read(fd, info, 10));
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 5});
    kill(getpid(), SIGUSR1);
    struct pollfd one = {fd, POLLIN};
    SHOW(poll(&one, 1, 0));
    SHOW(read(fd, info, sizeof info));
    for (int n = 0; n < 2; n++) say("  signal %d code %d int %d pid %d", info[n].ssi_signo == SIGUSR1, info[n].ssi_code, info[n].ssi_int, info[n].ssi_pid == getpid());
    SHOW(poll(&one, 1, 0));
    set = set_of(SIGUSR2, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SHOW(signalfd(fd, &set, 0) == fd);
    kill(getpid(), SIGUSR2);
    int queue = epoll_create1(0);
    struct epoll_event event = {EPOLLIN}, got;
    SHOW(epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event)); SHOW(epoll_wait(queue, &got, 1, 1000));
    SHOW(read(fd, info, sizeof *info));
    SHOW(syscall(SYS_signalfd4, -1, &set, 4, 0)); SHOW(syscall(SYS_signalfd4, -1, &set, 8, 77)); SHOW(signalfd(1, &set, 0));
    close(fd); close(queue);
    set = set_of(SIGUSR1, SIGUSR2, SIGRTMIN, 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
static void *posts(void *process) { pause_ms(10); kill((long)process, SIGUSR1); return NULL; }
CHECK(blocking_descriptor) {
    struct signalfd_siginfo info = {0};
    pthread_t thread;
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL);
    int fd = signalfd(-1, SET(SIGUSR1), 0);
    spawn(&thread, posts, (void *)(long)getpid());
    SHOW(read(fd, &info, sizeof info)); say("  %d", info.ssi_signo == SIGUSR1);
    joined(thread);
    close(fd);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
}
CHECK(by_process_descriptor) {
    int fd = syscall(434, getpid(), 0);
    handler_of(SIGRTMIN, queued); handler_of(SIGUSR1, queued);
    count = 0;
    SHOW(syscall(424, fd, SIGUSR1, NULL, 0));
    siginfo_t info = {.si_signo = SIGRTMIN, .si_code = SI_QUEUE};
    info.si_value.sival_int = 42;
    SHOW(syscall(424, fd, SIGRTMIN, &info, 0)); SHOW(syscall(424, fd, SIGUSR1, &info, 0)); SHOW(syscall(424, fd, 0, NULL, 0));
    SHOW(syscall(424, 1, SIGUSR1, NULL, 0)); SHOW(syscall(424, fd, 99, NULL, 0)); SHOW(syscall(424, fd, SIGUSR1, NULL, 9));
    say("  %d value %d", count, values[1]);
    close(fd);
}
/* Of threads, one that does not block it takes a signal for the process; a thread's own stays its own. */
static volatile int stop, taker, other_tid;
static void takes(int number) { taker = tid(); }
static void *willing(void *unused) { other_tid = tid(); sigprocmask(SIG_UNBLOCK, SET(SIGUSR1, SIGUSR2), NULL); while (!stop) ; return NULL; }
CHECK(which_thread) {
    pthread_t thread;
    sigset_t pending;
    handle(SIGUSR1, takes, 0); handle(SIGUSR2, takes, 0);
    sigprocmask(SIG_BLOCK, SET(SIGUSR1, SIGUSR2), NULL);
    stop = taker = 0;
    spawn(&thread, willing, 0);
    while (!other_tid) pause_ms(1);
    pause_ms(5);
    kill(getpid(), SIGUSR1);
    while (!taker) pause_ms(1);
    say("  the willing one %d", taker == other_tid);
    taker = 0;
    pthread_kill(pthread_self(), SIGUSR2);
    pause_ms(10);
    sigpending(&pending);
    say("  not ours %d, pending %d", taker, sigismember(&pending, SIGUSR2));
    stop = 1;
    joined(thread);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1, SIGUSR2), NULL);
    say("  now ours %d", taker == tid());
}
static void *looks(void *unused) {
    sigset_t mask, pending;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigpending(&pending);
    say("  thread: blocked %d %d, pending %d", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGTERM), sigismember(&pending, SIGUSR1));
    return NULL;
}
CHECK(masks_are_inherited) {
    pthread_t thread;
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL);
    pthread_kill(pthread_self(), SIGUSR1);
    spawn(&thread, looks, 0); joined(thread);
    struct timespec none = {0};
    SHOW(sigtimedwait(SET(SIGUSR1), NULL, &none) == SIGUSR1);
    kill(getpid(), SIGUSR1);
    spawn(&thread, looks, 0); joined(thread);
    SHOW(sigtimedwait(SET(SIGUSR1), NULL, &none) == SIGUSR1);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
}
CHECK(limit_of_the_queue) {
    CHILD(
        struct rlimit limit = {.rlim_cur = 0}; setrlimit(RLIMIT_SIGPENDING, &limit);
        sigprocmask(SIG_BLOCK, SET(SIGRTMIN, SIGUSR1), NULL);
        SHOW(sigqueue(getpid(), SIGRTMIN, (union sigval){0}));
        SHOW(kill(getpid(), SIGUSR1)));
}
CHECK(groups) {
    CHILD(
        setpgid(0, 0); handle(SIGUSR1, SIG_IGN, 0); int status; int told[2]; char byte; MUST(!pipe(told));
        pid_t one = fork(); if (!one) { handle(SIGUSR1, SIG_DFL, 0); MUST(write(told[1], "", 1) == 1); for (;;) pause(); }
        MUST(read(told[0], &byte, 1) == 1);
        SHOW(kill(0, SIGUSR1)); waitpid(one, &status, 0); say("  %s", status_text(status));
        SHOW(kill(-getpid(), 0)); SHOW(kill(-999999999, 0)); SHOW(killpg(getpgrp(), SIGUSR1)));
}
static volatile int taken_by, waits_now;
static void taken(int number) { taken_by = tid(); }
static void *unblocks(void *mask) {
    sigset_t pending;
    sigpending(&pending);
    say("  thread: pending %d %d", sigismember(&pending, SIGSEGV), sigismember(&pending, SIGBUS));
    pthread_sigmask(SIG_UNBLOCK, mask, NULL);
    say("  by the thread that unblocks it: %d", taken_by == tid());
    return NULL;
}
static void *suspends(void *mask) {
    waits_now = 1;
    say("  %d", sigsuspend(mask));
    say("  by the thread that waits: %d", taken_by == tid());
    return NULL;
}
CHECK(raised_ones_are_for_any_thread) {
    int numbers[] = {SIGSEGV, SIGBUS};
    for (int n = 0; n < 2; n++) {
        pthread_t thread, other;
        sigset_t all, none;
        sigfillset(&all); sigemptyset(&none);
        taken_by = waits_now = 0;
        sigprocmask(SIG_SETMASK, &all, NULL);
        spawn(&other, suspends, &all);  /* a second one, so that there are several */
        handle(numbers[n], taken, 0);
        kill(getpid(), numbers[n]);
        spawn(&thread, unblocks, SET(numbers[n]));
        joined(thread);
        taken_by = waits_now = 0;
        spawn(&thread, suspends, &none);
        while (!waits_now) sched_yield();
        kill(getpid(), numbers[n]);
        joined(thread);
        handle(numbers[n], SIG_DFL, 0);
        sigprocmask(SIG_SETMASK, &none, NULL);
    }
}
/* Those that code raises by itself, but sent: they wait as others do. And that which no kernel sends. */
CHECK(sent_faults_are_waited_for) {
    sigset_t set = set_of(SIGSEGV, SIGBUS, 16, SIGUSR1, 0), left;
    struct timespec soon = {0, 50000000}, none = {0};
    siginfo_t info;
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1); raise(SIGSEGV); raise(SIGBUS);
    SHOW(sigpending(&left)); say("  %d %d", sigismember(&left, SIGSEGV), sigismember(&left, SIGBUS));
    SHOW(sigtimedwait(SET(SIGSEGV), &info, &none)); say("  code %d, by us %d", info.si_code, info.si_pid == getpid());
    SHOW(sigtimedwait(SET(SIGSEGV, SIGBUS), &info, &none)); SHOW(sigtimedwait(&set, &info, &none)); SHOW(sigtimedwait(&set, &info, &none));
    sigqueue(getpid(), SIGSEGV, (union sigval){.sival_int = 7});
    SHOW(sigwaitinfo(&set, &info)); say("  code %d, value %d", info.si_code, info.si_value.sival_int);
    kill(getpid(), 16); SHOW(sigtimedwait(&set, &info, &soon));
    pid_t child = fork();
    if (!child) { pause_ms(20); kill(getppid(), SIGBUS); pause_ms(20); kill(getppid(), 16); _exit(0); }
    SHOW(sigwaitinfo(&set, &info)); say("  from child %d", info.si_pid == child); SHOW(sigwaitinfo(&set, &info));
    ended("child", child);
    handle(SIGSEGV, nothing, 0);
    sigprocmask(SIG_UNBLOCK, SET(SIGSEGV), NULL);
    child = fork();
    if (!child) { pause_ms(400); kill(getppid(), SIGSEGV); _exit(0); }
    SHOW(sigwaitinfo(&set, &info)); say("  handled %d", count);
    ended("child", child);
    handle(SIGSEGV, SIG_DFL, 0);
    CHILD(pid_t me = getpid(); if (!fork()) { pause_ms(400); kill(me, SIGSEGV); _exit(0); } sigwaitinfo(&set, NULL));
}
static void *waits_for(void *set) { return (void *)(long)sigwaitinfo(set, NULL); }
static void one_waits(void) {
    sigset_t set = set_of(SIGSEGV, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pthread_t thread;
    spawn(&thread, waits_for, &set);
    pause_ms(20);
    kill(getpid(), SIGSEGV);
    say("  %ld", (long)joined(thread));
}
static void *polls(void *at) { struct pollfd entry = {*(int *)at, POLLIN}; return (void *)(long)poll(&entry, 1, 5000); }
/* In a child, without threads that other checks have left waiting. */
CHECK(sent_faults_wake_who_waits) { CHILD(one_waits()); }
static void all_by_descriptor(void) {
    sigset_t set = set_of(SIGSEGV, SIGBUS, SIGUSR1, 0), left;
    struct signalfd_siginfo found[4];
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK), epoll = epoll_create1(0);
    struct epoll_event event = {EPOLLIN | EPOLLET, {.fd = 5}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    SHOW(read(fd, found, sizeof found));
    struct pollfd entry = {fd, POLLIN};
    SHOW(poll(&entry, 1, 0));
    raise(SIGUSR1); raise(SIGSEGV); pthread_sigqueue(pthread_self(), SIGBUS, (union sigval){.sival_int = 3});
    SHOW(poll(&entry, 1, 0)); SHOW(epoll_wait(epoll, &event, 1, 0)); SHOW(poll(&entry, 1, 100));
    sigpending(&left); say("  pending %d", sigismember(&left, SIGSEGV));
    SHOW(read(fd, found, sizeof found) / sizeof *found);
    for (int n = 0; n < 3; n++) say("  %d code %d value %d", found[n].ssi_signo, found[n].ssi_code, found[n].ssi_int);
    SHOW(read(fd, found, sizeof found)); SHOW(poll(&entry, 1, 0)); sigpending(&left); say("  pending %d", sigismember(&left, SIGSEGV));
    for (int n = 0; n < 3; n++) {
        pid_t child = fork();
        if (!child) { pause_ms(30); kill(getppid(), SIGSEGV); _exit(0); }
        if (n == 0) SHOW(poll(&entry, 1, 5000));
        if (n == 1) SHOW(epoll_wait(epoll, &event, 1, 5000));
        if (n == 2) { fcntl(fd, F_SETFL, 0); }
        SHOW(read(fd, found, sizeof *found)); say("  %d from child %d", found->ssi_signo, found->ssi_pid == child);
        ended("child", child);
    }
    pthread_t thread;
    spawn(&thread, polls, &fd);
    pause_ms(20);
    kill(getpid(), SIGBUS);
    say("  %ld", (long)joined(thread));
    SHOW(read(fd, found, sizeof *found)); say("  %d", found->ssi_signo);
    raise(SIGSEGV); SHOW(poll(&entry, 1, 1000));
    handle(SIGSEGV, nothing, 0);
    count = 0; sigprocmask(SIG_UNBLOCK, &set, NULL); say("  handled %d", count);
    volatile int *none = 0; 
    sigprocmask(SIG_BLOCK, &set, NULL);
    CHILD(*none = 1);
    CHILD(signal(SIGSEGV, SIG_DFL); sigprocmask(SIG_UNBLOCK, &set, NULL); *none = 1);
}
CHECK(sent_faults_by_descriptor) { CHILD(all_by_descriptor()); }
