/* How processes die: of each signal, with which status; stops and continuations; core dumps; who is told. */
#include "../probe.h"
static void no_core(void) { setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); prctl(PR_SET_DUMPABLE, 0); }
CHECK(of_each_signal) {
    for (int number = 1; number < 65; number++) {
        if (number == 32 || number == 33 || number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) continue;
        pid_t child = fork();
        if (!child) { no_core(); handle(number, SIG_DFL, 0); raise(number); _exit(1); }
        char text[16];
        sprintf(text, "%d", number);
        ended(text, child);
    }
}
CHECK(from_outside) {
    int numbers[] = {SIGKILL, SIGTERM, SIGINT, SIGSEGV, SIGUSR1, SIGPIPE, SIGRTMIN, SIGRTMAX};
    for (unsigned n = 0; n < sizeof numbers / 4; n++) {
        pid_t child = fork();
        if (!child) { no_core(); handle(numbers[n], SIG_DFL, 0); if (n & 1) for (;;) ; for (;;) pause(); }
        pause_ms(10);
        kill(child, numbers[n]);
        char text[16];
        sprintf(text, "%d", numbers[n]);
        ended(text, child);
    }
}
CHECK(core_dump_is_told) {
    CHILD(setrlimit(RLIMIT_CORE, &(struct rlimit){4096, 4096}); abort());
    CHILD(no_core(); abort());
    unlink("core");
}
CHECK(broken_pipe) {
    int pipes[2];
    MUST(!pipe(pipes));
    close(pipes[0]);
    CHILD(write(pipes[1], "x", 1));
    handle(SIGPIPE, SIG_IGN, 0);
    SHOW(write(pipes[1], "x", 1));
    handle(SIGPIPE, SIG_DFL, 0);
}
CHECK(file_size_limit) {
    CHILD(int fd = open("big", O_CREAT | O_RDWR, 0600); no_core(); setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 10});
        SHOW(write(fd, "0123456789abc", 13)); handle(SIGXFSZ, SIG_IGN, 0); SHOW(write(fd, "x", 1)); handle(SIGXFSZ, SIG_DFL, 0); write(fd, "x", 1));
    unlink("big");
}
CHECK(processor_time_limit) { CHILD(no_core(); setrlimit(RLIMIT_CPU, &(struct rlimit){1, 2}); for (;;) ;); }
CHECK(stops) {
    int status;
    pid_t child = fork();
    if (!child) for (;;) ;
    int numbers[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    setpgid(child, child);
    for (int n = 0; n < 4; n++) {
        kill(child, numbers[n]);
        MUST(waitpid(child, &status, WUNTRACED) == child);
        say("  %s", status_text(status));
        SHOW(waitpid(child, &status, WUNTRACED | WNOHANG));
        kill(child, SIGCONT);
        MUST(waitpid(child, &status, WCONTINUED) == child);
        say("  %s", status_text(status));
    }
    kill(child, SIGSTOP);
    kill(child, SIGKILL);
    MUST(waitpid(child, &status, 0) == child);
    say("  %s", status_text(status));
}
static volatile int continued;
static void on_continue(int number) { continued++; }
CHECK(handler_of_continue) {
    int told[2], go[2];
    char byte;
    MUST(!pipe(told) && !pipe(go));
    pid_t child = fork();
    if (!child) {
        handle(SIGCONT, on_continue, 0);
        MUST(write(told[1], "", 1) == 1);
        while (!continued) pause_ms(1);
        MUST(read(go[0], &byte, 1) == 1);   /* nobody hears that it went on when it has ended */
        _exit(7);
    }
    MUST(read(told[0], &byte, 1) == 1);
    kill(child, SIGSTOP);
    siginfo_t info = {0};
    SHOW(waitid(P_PID, child, &info, WSTOPPED | WNOWAIT)); say("  code %d status %d", info.si_code, info.si_status);
    SHOW(waitid(P_PID, child, &info, WSTOPPED)); say("  code %d status %d", info.si_code, info.si_status);
    kill(child, SIGCONT);
    SHOW(waitid(P_PID, child, &info, WCONTINUED)); say("  code %d status %d", info.si_code, info.si_status);
    MUST(write(go[1], "", 1) == 1);
    ended("continued", child);
}
static void handled_stop(int number) { say("  handler of %d", number); }
CHECK(stop_signals_can_be_caught) {
    handle(SIGTSTP, handled_stop, 0);
    raise(SIGTSTP);
    handle(SIGTSTP, SIG_IGN, 0);
    raise(SIGTSTP);
    say("  not stopped");
    handle(SIGTSTP, SIG_DFL, 0);
}
CHECK(with_the_parent) {
    int pipes[2];
    char byte;
    MUST(!pipe(pipes));
    pid_t child = fork();
    if (!child) {
        pid_t grandchild = fork();
        if (!grandchild) { prctl(PR_SET_PDEATHSIG, SIGKILL); MUST(write(pipes[1], "x", 1) == 1); for (;;) pause(); }
        MUST(read(pipes[0], &byte, 1) == 1);
        _exit(0);
    }
    ended("parent", child);
    close(pipes[1]);
    SHOW(read(pipes[0], &byte, 1));     /* the end of file says that the grandchild is gone */
    close(pipes[0]);
}
CHECK(orphans_have_a_subreaper) {
    int pipes[2], status;
    pid_t grandchild = 0;
    MUST(!pipe(pipes));
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
    pid_t child = fork();
    if (!child) {
        pid_t made = fork();
        if (!made) { pause_ms(20); _exit(23); }
        MUST(write(pipes[1], &made, sizeof made) == sizeof made);
        _exit(0);
    }
    ended("middle", child);
    MUST(read(pipes[0], &grandchild, sizeof grandchild) == sizeof grandchild);
    SHOW(waitpid(-1, &status, 0) == grandchild);
    say("  %s", status_text(status));
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(pipes[0]); close(pipes[1]);
}
