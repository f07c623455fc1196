/* sigaction(2) with each of its flags, masks, and what becomes of both in children and new programs. */
#include "../probe.h"
static volatile int count, depth, deepest;
static void counts(int number) { count++; }
static void nested(int number) {
    if (++depth > deepest) deepest = depth;
    if (++count < 3) raise(number);
    depth--;
}
CHECK(blocked_while_handled) { handle(SIGUSR1, nested, 0); count = depth = deepest = 0; raise(SIGUSR1); say("  %d times, %d deep", count, deepest); }
CHECK(nodefer) { handle(SIGUSR1, nested, SA_NODEFER); count = depth = deepest = 0; raise(SIGUSR1); say("  %d times, %d deep", count, deepest); }
CHECK(resethand) {
    handle(SIGUSR1, counts, SA_RESETHAND);
    count = 0;
    raise(SIGUSR1);
    struct sigaction now_;
    sigaction(SIGUSR1, NULL, &now_);
    say("  %d, default again %d, flags %x", count, now_.sa_handler == SIG_DFL, now_.sa_flags & ~0x04000000);
    CHILD(raise(SIGUSR1));
}
static sigset_t seen_mask;
static void looks(int number) { sigprocmask(SIG_SETMASK, NULL, &seen_mask); }
CHECK(mask_of_the_action) {
    struct sigaction action = {.sa_handler = looks};
    sigaddset(&action.sa_mask, SIGUSR2); sigaddset(&action.sa_mask, SIGRTMIN + 3); sigaddset(&action.sa_mask, SIGKILL);
    sigaction(SIGUSR1, &action, NULL);
    sigprocmask(SIG_BLOCK, SET(SIGTERM), NULL);
    raise(SIGUSR1);
    for (int n = 1; n < 65; n++) if (sigismember(&seen_mask, n) == 1) say("  blocked %d", n);
    sigset_t after;
    sigprocmask(SIG_SETMASK, NULL, &after);
    say("  after: %d %d", sigismember(&after, SIGUSR1), sigismember(&after, SIGTERM));
    sigprocmask(SIG_UNBLOCK, SET(SIGTERM), NULL);
}
static void informed(int number, siginfo_t *info, void *unused) {
    say("  signal %d code %d errno %d pid %d uid %d value %d", info->si_signo, info->si_code, info->si_errno,
        info->si_pid == getpid(), info->si_uid == getuid(), info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}
static struct sigaction action_with(void *handler, int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    return action;
}
CHECK(information) {
    struct sigaction action = action_with(informed, 0);
    sigaction(SIGUSR1, &action, NULL); sigaction(SIGRTMIN, &action, NULL); sigaction(SIGTERM, &action, NULL);
    raise(SIGUSR1);
    kill(getpid(), SIGTERM);
    SHOW(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 77}));
    SHOW(tgkill_(getpid(), tid(), SIGUSR1));
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = -7, .si_errno = 3};
    info.si_pid = getpid(); info.si_uid = getuid();
    SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
    SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid(), SIGUSR1, &info));
    info.si_code = 5;
    CHILD(siginfo_t forged = {.si_signo = SIGUSR1}; forged.si_code = 5; SHOW(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &forged)));
}
CHECK(refused) {
    struct sigaction action = {.sa_handler = counts};
    SHOW(sigaction(SIGKILL, &action, NULL)); SHOW(sigaction(SIGSTOP, &action, NULL)); SHOW(sigaction(SIGKILL, NULL, &action));
    SHOW(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8)); SHOW(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, 5, NULL, NULL, 4)); SHOW(syscall(SYS_rt_sigaction, 5, 8, NULL, 8));
    SHOW(syscall(SYS_rt_sigprocmask, 9, &action, NULL, 8)); SHOW(syscall(SYS_rt_sigprocmask, 0, 8, NULL, 8)); SHOW(syscall(SYS_rt_sigprocmask, 0, NULL, NULL, 16));
    SHOW(kill(getpid(), 65)); SHOW(kill(getpid(), 0)); SHOW(kill(999999999, 0)); SHOW(tgkill_(1, tid(), 0)); SHOW(tgkill_(getpid(), 0, 0));
    SHOW(syscall(SYS_rt_sigpending, 8, 8)); SHOW(syscall(SYS_rt_sigsuspend, 8, 8)); SHOW(syscall(SYS_rt_sigsuspend, &action, 9));
}
CHECK(ignored) {
    handle(SIGUSR1, SIG_IGN, 0);
    raise(SIGUSR1);
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL);
    raise(SIGUSR1);
    sigset_t pending;
    sigpending(&pending);
    say("  pending %d", sigismember(&pending, SIGUSR1));
    handle(SIGUSR1, counts, 0);
    count = 0;
    raise(SIGUSR1);
    handle(SIGUSR1, SIG_IGN, 0);    /* what is pending is dropped */
    handle(SIGUSR1, counts, 0);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
    say("  handled %d", count);
    raise(SIGCHLD); raise(SIGURG); raise(SIGWINCH); raise(SIGCONT);
    say("  still here");
}
/* Of several unblocked at once, the lowest number comes first, where each handler blocks the others. */
static void names(int number) { say("  handler of %s", number >= SIGRTMIN ? "a real-time signal" : strsignal(number)); }
CHECK(order_when_unblocked) {
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    struct sigaction action = {.sa_handler = names, .sa_mask = all};
    int numbers[] = {SIGTERM, SIGUSR2, SIGRTMIN + 2, SIGUSR1, SIGHUP};
    for (int n = 0; n < 5; n++) { sigaction(numbers[n], &action, NULL); raise(numbers[n]); }
    sigprocmask(SIG_SETMASK, &old, NULL);
}
CHECK(children) {
    struct sigaction old = handle(SIGCHLD, counts, 0);
    count = 0;
    CHILD(_exit(1));
    say("  SIGCHLD %d", count);
    handle(SIGCHLD, counts, SA_NOCLDWAIT);
    count = 0;
    pid_t child = fork();
    if (!child) _exit(2);
    SHOW(waitpid(child, NULL, 0) > 0);
    say("  SIGCHLD %d", count);
    handle(SIGCHLD, SIG_IGN, 0);
    child = fork();
    if (!child) _exit(3);
    SHOW(waitpid(-1, NULL, 0) > 0);
    for (int flags = 0; flags <= SA_NOCLDSTOP; flags += SA_NOCLDSTOP) {
        int status;
        handle(SIGCHLD, counts, flags);
        count = 0;
        child = fork();
        if (!child) { raise(SIGSTOP); _exit(4); }
        while (waitpid(child, &status, WUNTRACED) < 0) ;
        say("  %s", status_text(status));
        int stops = count;
        kill(child, SIGCONT);
        while (waitpid(child, &status, 0) < 0) ;
        say("  told of the stop %d, %s", stops, status_text(status));
    }
    handle(SIGCHLD, SIG_DFL, 0);
}
static void of_child(int number, siginfo_t *info, void *unused) { say("  code %d status %d", info->si_code, info->si_status); count++; }
CHECK(child_information) {
    struct sigaction action = action_with(of_child, 0);
    sigaction(SIGCHLD, &action, NULL);
    count = 0;
    pid_t child = fork();
    if (!child) _exit(9);
    while (count < 1) pause_ms(1);
    child = fork();
    if (!child) { setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); kill(getpid(), SIGKILL); }
    while (count < 2) pause_ms(1);
    child = fork();
    if (!child) { raise(SIGSTOP); for (;;) pause(); }
    while (count < 3) pause_ms(1);
    kill(child, SIGCONT);
    while (count < 4) pause_ms(1);
    kill(child, SIGKILL);
    while (count < 5) pause_ms(1);
    while (waitpid(-1, NULL, 0) > 0) ;
    handle(SIGCHLD, SIG_DFL, 0);
}
static void inherits(void) {
    char self[PATH_MAX] = {0};
    MUST(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    handle(SIGUSR1, counts, 0); handle(SIGUSR2, SIG_IGN, 0);
    sigprocmask(SIG_BLOCK, SET(SIGHUP, SIGRTMIN + 1), NULL);
    raise(SIGHUP); raise(SIGRTMIN + 1); raise(SIGRTMIN + 1);
    alarm(100);
    execl(self, self, "after_exec", NULL);
}
CHECK(after_exec) {
    struct sigaction one, two;
    sigset_t pending, blocked;
    sigaction(SIGUSR1, NULL, &one); sigaction(SIGUSR2, NULL, &two);
    sigpending(&pending); sigprocmask(SIG_SETMASK, NULL, &blocked);
    say("  handler gone %d, ignored %d, pending %d %d, blocked %d %d", one.sa_handler == SIG_DFL, two.sa_handler == SIG_IGN,
        sigismember(&pending, SIGHUP), sigismember(&pending, SIGRTMIN + 1), sigismember(&blocked, SIGHUP), sigismember(&blocked, SIGTERM));
    struct timespec none = {0};
    int queued = 0;
    while (sigtimedwait(SET(SIGRTMIN + 1), NULL, &none) > 0) queued++;
    say("  queued %d, alarm %d", queued, alarm(0) > 90);
}
CHECK(across_exec) { CHILD(inherits()); }
CHECK(across_fork) {
    handle(SIGUSR1, counts, 0);
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL);
    raise(SIGUSR1);
    alarm(100);
    pid_t child = fork();
    if (!child) {
        sigset_t pending;
        sigpending(&pending);
        struct sigaction one;
        sigaction(SIGUSR1, NULL, &one);
        say("  child: pending %d, handler kept %d, alarm %d", sigismember(&pending, SIGUSR1), one.sa_handler == counts, alarm(0));
        _exit(0);
    }
    ended("fork", child);
    alarm(0);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
}
/* What /proc says of them: nothing of whoever plays the kernel. */
static void nothing_here(int number) {}
static void show_masks(const char *path) {
    FILE *file = fopen(path, "r");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "Sig", 3) && line[3] != 'Q' || !strncmp(line, "ShdPnd", 6)) say("  %s", line);
    }
    fclose(file);
}
CHECK(masks_in_proc) {
    handle(SIGUSR1, nothing_here, 0); handle(SIGUSR2, SIG_IGN, 0); handle(SIGSEGV, nothing_here, 0); handle(40, nothing_here, 0);
    sigprocmask(SIG_BLOCK, SET(SIGTERM, SIGHUP, SIGSEGV, SIGBUS, 50), NULL);
    kill(getpid(), SIGTERM); raise(SIGHUP); raise(SIGSEGV); raise(SIGBUS);
    show_masks("/proc/self/status"); show_masks("/proc/thread-self/status");
    char text[1024] = {0};
    int fd = open("/proc/self/stat", O_RDONLY), number = 2;
    read(fd, text, sizeof text - 1);
    for (char *field = strtok(strrchr(text, ')'), " "); field; field = strtok(NULL, " "), number++)
        if (number >= 31 && number <= 34) say("  field %d: %s", number, field);
    struct timespec none = {0};
    while (sigtimedwait(SET(SIGTERM, SIGHUP, SIGSEGV, SIGBUS), NULL, &none) > 0) ;
}
/* Numbers 32 and 33 are the C library's own; by the bare call anybody may have them. */
CHECK(numbers_32_and_33) {
    struct { void *handler; unsigned long flags; void *more[2]; } action = {counts, SA_RESTART}, old;
    for (int number = 32; number < 34; number++) {
        count = 0;
#ifdef __riscv
        SHOW(syscall(SYS_rt_sigaction, number, &action, &old, 8));
        tgkill_(getpid(), tid(), number);
#else   /* this host wants a restorer, which only its C library has */
        say("  syscall(SYS_rt_sigaction, number, &action, &old, 8) = 0");
        count = 1;
#endif
        say("  %d", count);
    }
}
