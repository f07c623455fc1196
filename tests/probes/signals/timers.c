/* Timers of all kinds: interval timers, POSIX timers, timer descriptors, alarms and clocks. */
#include "../probe.h"
#include <sys/timerfd.h>
static volatile int count, who, value, code, overruns;
static void counts(int number) { count++; }
static int spin_until(int wanted, double limit) {
    double start = now();
    while (count < wanted && now() - start < limit) ;
    return count >= wanted;
}
CHECK(interval_timers) {
    int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
    for (int which = 0; which < 3; which++) {
        struct itimerval timer = {{0, 10000}, {0, 10000}}, off = {0}, old;
        count = 0;
        handle(signals[which], counts, SA_RESTART);
        SHOW(setitimer(which, &timer, NULL));
        say("  came thrice %d", spin_until(3, 5));
        SHOW(getitimer(which, &old));
        say("  interval %ld, left at most that %d", (long)old.it_interval.tv_usec, old.it_value.tv_usec <= 14000 && old.it_value.tv_sec == 0);
        SHOW(setitimer(which, &off, &old));
        count = 0;
        SHOW(getitimer(which, &old)); say("  off %ld", (long)old.it_value.tv_usec);
    }
    struct itimerval bad = {{0, 1000000}, {0, 1}};
    SHOW(setitimer(0, &bad, NULL)); SHOW(setitimer(5, &bad, NULL)); SHOW(setitimer(0, (void *)8, NULL)); SHOW(getitimer(0, (void *)8));
}
CHECK(once) {
    struct itimerval timer = {{0}, {0, 5000}};
    count = 0;
    handle(SIGALRM, counts, 0);
    sigset_t none, with;
    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, SET(SIGALRM), &with);   /* it comes in the wait, and not between the look and the wait */
    setitimer(ITIMER_REAL, &timer, NULL);
    while (!count) sigsuspend(&none);
    sigprocmask(SIG_SETMASK, &with, NULL);
    pause_ms(20);
    say("  %d", count);
    alarm(50);
    say("  alarm %d", alarm(0) >= 49);
}
static void informed(int number, siginfo_t *info, void *unused) { count++; who = tid(); value = info->si_value.sival_int; code = info->si_code; if (info->si_overrun > overruns) overruns = info->si_overrun; }
CHECK(posix_timers) {
    struct sigaction action = {.sa_sigaction = informed, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN + 2, &action, NULL);
    clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    for (int n = 0; n < 5; n++) {
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2};
        event.sigev_value.sival_int = 40 + n;
        SHOW(timer_create(clocks[n], &event, &timer));
        struct itimerspec times = {{0, 10000000}, {0, 10000000}}, left;
        count = 0;
        SHOW(timer_settime(timer, 0, &times, NULL));
        int thrice = spin_until(3, 5);
        say("  came thrice %d: value %d, timer's code %d", thrice, value, code == SI_TIMER);
        SHOW(timer_gettime(timer, &left)); say("  interval %ld", left.it_interval.tv_nsec);
        SHOW(timer_delete(timer));
        SHOW(timer_delete(timer) < 0);
        SHOW(timer_getoverrun(timer) < 0);
    }
    timer_t timer;
    struct sigevent bad = {.sigev_notify = 77};
    SHOW(timer_create(CLOCK_MONOTONIC, &bad, &timer));
    bad = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, &bad, &timer)); SHOW(timer_create(99, NULL, &timer));
}
static volatile int other, stop, made;
static void *of_a_thread(void *unused) {
    other = tid();
    while (!stop) ;
    return NULL;
}
CHECK(timer_of_a_thread) {
    struct sigaction action = {.sa_sigaction = informed, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t thread;
    other = stop = count = 0;
    spawn(&thread, of_a_thread, 0);
    while (!other) pause_ms(1);
    timer_t timer;
    struct { union sigval value; int signal, notify, thread; int rest[11]; } event = {{.sival_int = 3}, SIGUSR1, 4 /* SIGEV_THREAD_ID */, other};
    int kernel_timer;
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &kernel_timer));
    struct itimerspec times = {{0, 5000000}, {0, 5000000}}, off = {0};
    SHOW(syscall(SYS_timer_settime, kernel_timer, 0, &times, NULL));
    while (count < 3) pause_ms(1);
    say("  in that thread %d, value %d", who == other, value);
    SHOW(syscall(SYS_timer_settime, kernel_timer, 0, &off, NULL)); SHOW(syscall(SYS_timer_delete, kernel_timer));
    stop = 1;
    joined(thread);
}
static void called(union sigval given) { value = given.sival_int; __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST); }
CHECK(timer_that_starts_threads) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = called};
    event.sigev_value.sival_int = 9;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec times = {{0, 5000000}, {0, 5000000}};
    SHOW(timer_settime(timer, 0, &times, NULL));
    while (made < 3) pause_ms(1);
    say("  value %d", value);
    SHOW(timer_delete(timer));
}
CHECK(silent_timer_and_overruns) {
    timer_t timer;
    struct sigevent silent = {.sigev_notify = SIGEV_NONE};
    struct itimerspec times = {{0}, {100}}, left;
    SHOW(timer_create(CLOCK_MONOTONIC, &silent, &timer)); SHOW(timer_settime(timer, 0, &times, NULL)); SHOW(timer_gettime(timer, &left));
    say("  %d", left.it_value.tv_sec >= 99);
    SHOW(timer_settime(timer, 0, &times, &left)); say("  %d", left.it_value.tv_sec >= 99);
    SHOW(timer_delete(timer));
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct sigaction action = {.sa_sigaction = informed, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN, &action, NULL);
    sigprocmask(SIG_BLOCK, SET(SIGRTMIN), NULL);
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    times = (struct itimerspec){{0, 1000000}, {0, 1000000}};
    timer_settime(timer, 0, &times, NULL);
    pause_ms(30);
    count = overruns = 0;   /* the timer goes on: a slow machine sees more signals, which have missed nothing */
    sigprocmask(SIG_UNBLOCK, SET(SIGRTMIN), NULL);
    say("  missed many %d, all told by one %d, asked %d", overruns >= 10, count >= 1, timer_getoverrun(timer) >= 0);
    SHOW(timer_delete(timer));
}
CHECK(timer_descriptors) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec times = {{0, 5000000}, {0, 5000000}}, off = {0}, left;
    uint64_t often = 0;
    SHOW(read(fd, &often, 8)); SHOW(timerfd_settime(fd, 0, &times, NULL));
    pause_ms(30);
    SHOW(read(fd, &often, 8)); say("  at least five %d", often >= 5);
    SHOW(read(fd, &often, 7)); SHOW(timerfd_gettime(fd, &left)); say("  %ld", left.it_interval.tv_nsec);
    SHOW(timerfd_settime(fd, 0, &off, NULL));
    clock_gettime(CLOCK_MONOTONIC, &times.it_value);
    times.it_value.tv_sec -= 1;
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &times, NULL));
    struct pollfd one = {fd, POLLIN};
    SHOW(poll(&one, 1, 1000));
    SHOW(timerfd_create(99, 0)); SHOW(timerfd_settime(1, 0, &times, NULL)); SHOW(timerfd_settime(fd, 99, &times, NULL));
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    times = (struct itimerspec){{0}, {0, 5000000}};
    timerfd_settime(fd, 0, &times, NULL);
    SHOW(read(fd, &often, 8)); say("  %d", (int)often);
    close(fd);
}
CHECK(clocks) {
    struct timespec a, b, past = {1};
    for (int n = 0; n < 12; n++) {
        if (n == 10) continue;
        int r = clock_gettime(n, &a), q = clock_getres(n, &b);
        say("  clock %d: %d, resolution %d", n, r, q);
    }
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int n = 0; n < 1000; n++) { clock_gettime(CLOCK_MONOTONIC, &b); MUST(b.tv_sec > a.tv_sec || b.tv_nsec >= a.tv_nsec); a = b; }
    SHOW(syscall(SYS_clock_gettime, 99, &a)); SHOW(syscall(SYS_clock_gettime, 1, 8)); SHOW(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &a));
    ERROR(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL)); ERROR(clock_nanosleep(99, 0, &past, NULL)); ERROR(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &past, NULL));
    struct timespec bad = {0, 1000000000};
    SHOW(nanosleep(&bad, NULL));
}
CHECK(across_fork_and_exec) {
    struct itimerval timer = {{0}, {50}};
    setitimer(ITIMER_REAL, &timer, NULL);
    timer_t made_here;
    timer_create(CLOCK_MONOTONIC, NULL, &made_here);
    CHILD(struct itimerval left; getitimer(ITIMER_REAL, &left); struct itimerspec none; say("  child has an alarm %d, a timer %d", left.it_value.tv_sec > 0, timer_gettime(made_here, &none) == 0));
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}
