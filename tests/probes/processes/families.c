/* Making processes and waiting for them: fork, vfork, spawn, exec, scripts, groups, sessions, descriptors, limits. */
#include "../probe.h"
#include <spawn.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/times.h>
static char self[PATH_MAX];
static void know_myself(void) { ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1); MUST(size > 0); self[size] = 0; }
/* Programs that others below start. */
CHECK(say_nothing) {}
CHECK(say_descriptors) { for (int fd = 3; fd < 64; fd++) if (fcntl(fd, F_GETFD) >= 0) say("  %d is open", fd); }
CHECK(say_environment) { for (char **entry = environ; *entry; entry++) if (!strncmp(*entry, "PROBE", 5)) say("  %s", *entry); }
CHECK(plain_fork) {
    volatile int mine = 1;
    CHILD(mine = 2; _exit(10 + mine));
    say("  ours %d", mine);
    for (int n = 0; n < 30; n++) { int status; pid_t child = fork(); if (!child) _exit(n); MUST(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == n); }
}
static volatile int from_child;
static volatile long written;
CHECK(vfork_shares) {
    int status;
    pid_t child = vfork();
    if (!child) { from_child = 5; _exit(3); }
    MUST(waitpid(child, &status, 0) == child);
    say("  memory %d, %s", from_child, status_text(status));
    know_myself();
    child = vfork();
    if (!child) { execl(self, self, "say_nothing", NULL); _exit(127); }
    ended("vfork and exec", child);
    child = vfork();
    if (!child) { execl("/nothing", "nothing", NULL); from_child = errno; _exit(9); }
    ended("vfork and no exec", child);
    say("  errno %s", strerrorname_np(from_child));
}
CHECK(spawn_) {
    know_myself();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t child;
    char *words[] = {self, "say_descriptors", NULL}, *environment[] = {"PROBE=1", NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 40, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 1, 41);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    MUST(!posix_spawn(&child, self, &actions, &attributes, words, environment));
    ended("descriptors", child);
    words[1] = "say_environment";
    MUST(!posix_spawn(&child, self, NULL, NULL, words, environment));
    ended("environment", child);
    ERROR(posix_spawn(&child, "/nothing", NULL, NULL, words, environment));
    ERROR(posix_spawn(&child, "/dev/null", NULL, NULL, words, environment));
}
static void *counts_up(void *unused) { while (!from_child) written++; return NULL; }
CHECK(spawn_beside_a_thread) {
    know_myself();
    pthread_t thread;
    pid_t child;
    char *words[] = {self, "say_nothing", NULL};
    from_child = 0;
    MUST(!pthread_create(&thread, NULL, counts_up, NULL));
    for (int n = 0; n < 5; n++) { long before = written; ERROR(posix_spawn(&child, "/nothing", NULL, NULL, words, environ)); MUST(written >= before); }
    MUST(!posix_spawn(&child, self, NULL, NULL, words, environ));
    ended("spawned", child);
    from_child = 1;
    pthread_join(thread, NULL);
}
struct shared { volatile long counts[512]; volatile int child; };
static void *counts_all(void *given) { struct shared *all = given; long rounds = 0; for (; !from_child; rounds++) for (int n = 0; n < 512; n++) all->counts[n]++; return (void *)rounds; }
CHECK(vfork_beside_a_thread_on_this_stack) {
    struct shared all = {0};
    pthread_t thread;
    int status, lost = 0;
    void *rounds;
    from_child = 0;
    MUST(!pthread_create(&thread, NULL, counts_all, &all));
    for (int n = 1; n < 9; n++) {
        pid_t child = vfork();
        if (!child) { all.child = n; usleep(20000); _exit(n); }
        MUST(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == n);
        if (all.child != n) say("  not handed back");
    }
    from_child = 1;
    pthread_join(thread, &rounds);
    for (int n = 0; n < 512; n++) lost += all.counts[n] != (long)rounds;
    say("  %d counts are not what was counted", lost);
}
CHECK(close_on_exec) {
    know_myself();
    int kept = dup2(1, 50), gone = fcntl(1, F_DUPFD_CLOEXEC, 51), dropped = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHILD(execl(self, self, "say_descriptors", NULL));
    SHOW(syscall(436 /* close_range */, 50, 60, 0));
    close(dropped);
    (void)kept; (void)gone;
}
static void script(const char *name, const char *first, const char *rest, int mode) {
    unlink(name);
    int fd = open(name, O_CREAT | O_WRONLY, mode);
    dprintf(fd, "%s%s", first, rest);
    close(fd);
}
CHECK(scripts) {
    char line[PATH_MAX + 32];
    know_myself();
    sprintf(line, "#!%s -x", self);
    script("script", "#!", self, 0700);
    CHILD(execl("./script", "zeroth", "say_nothing", NULL));
    script("script", line, "\n", 0700);
    CHILD(execl("./script", "zeroth", "say_nothing", NULL));
    sprintf(line, "#! %s \t\n", self);
    script("inner", line, "ignored\n", 0700);
    script("script", "#!./inner", "\n", 0700);
    CHILD(execl("./script", "zeroth", "say_nothing", NULL));
    script("script", "#!./script", "\n", 0700);
    CHILD(SHOW(execl("./script", "zeroth", NULL)));
    script("script", "#!/nothing/there", "\n", 0700);
    CHILD(SHOW(execl("./script", "zeroth", NULL)));
    script("script", "no program", "\n", 0700);
    CHILD(SHOW(execl("./script", "zeroth", NULL)));
    script("script", "", "", 0700);
    CHILD(SHOW(execl("./script", "zeroth", NULL)));
    script("script", "#!/bin/sh", "\n", 0600);
    CHILD(SHOW(execl("./script", "zeroth", NULL)));
    CHILD(SHOW(execl(".", "zeroth", NULL)); SHOW(execl("", "", NULL)); SHOW(execve((void *)8, NULL, NULL)); SHOW(execve("./script", (void *)8, NULL)));
    unlink("script"); unlink("inner");
}
CHECK(exec_by_descriptor) {
    know_myself();
    int fd = open(self, O_RDONLY);
    char *words[] = {"fexec", "say_nothing", NULL};
    CHILD(syscall(SYS_execveat, fd, "", words, environ, AT_EMPTY_PATH); say("  %s", strerrorname_np(errno)));
    CHILD(SHOW(syscall(SYS_execveat, fd, "", words, environ, 0)); SHOW(syscall(SYS_execveat, -100, self, words, environ, 0x77)));
    close(fd);
}
CHECK(waiting) {
    int status;
    siginfo_t info = {0};
    struct rusage usage;
    SHOW(waitpid(-1, &status, 0)); SHOW(waitpid(-1, &status, WNOHANG)); SHOW(waitpid(1, &status, 0)); SHOW(waitpid(-1, &status, 0x7777777));
    SHOW(waitid(P_ALL, 0, &info, WEXITED)); SHOW(waitid(P_ALL, 0, &info, 0)); SHOW(waitid(77, 0, &info, WEXITED));
    pid_t one = fork();
    if (!one) { struct timespec used; do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used); while (used.tv_nsec < 30000000); _exit(300); }
    SHOW(waitpid(one, &status, WNOHANG)); SHOW(waitid(P_PID, one, &info, WEXITED | WNOHANG)); say("  pid %d", info.si_pid);
    SHOW(waitid(P_PID, one, &info, WEXITED | WNOWAIT)); say("  code %d status %d same %d", info.si_code, info.si_status, info.si_pid == one);
    SHOW(wait4(one, &status, 0, &usage) == one); say("  %s, used %d", status_text(status), usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 10000);
    struct tms times_;
    times(&times_);
    say("  children's time %d", times_.tms_cutime + times_.tms_cstime > 0);
    SHOW(waitpid(one, &status, 0));
    pid_t group = fork();
    if (!group) { setpgid(0, 0); _exit(5); }
    setpgid(group, group);
    SHOW(waitid(P_PGID, group, &info, WEXITED)); SHOW(waitpid(-group, &status, 0));
    SHOW(wait4(-1, (void *)8, 0, NULL));
    one = fork();
    if (!one) _exit(6);
    SHOW(wait4(one, (void *)8, 0, NULL));
    SHOW(waitpid(one, &status, 0));
}
CHECK(groups_and_sessions) {
    CHILD(SHOW(setpgid(0, 0)); SHOW(getpgrp() == getpid()); SHOW(getpgid(getppid()) != getpid()); SHOW(setsid()); SHOW(getsid(0) != getpid()); SHOW(setpgid(getpid(), 1)); SHOW(setpgid(999999999, 0)));
    CHILD(SHOW(setsid() == getpid()); SHOW(getpgrp() == getpid()); SHOW(getsid(0) == getpid()); SHOW(setpgid(0, 0)); SHOW(open("/dev/tty", O_RDWR)));
    SHOW(getsid(999999999)); SHOW(getpgid(-1));
}
CHECK(process_descriptors) {
    pid_t child = fork();
    if (!child) { pause_ms(200); _exit(8); }
    int fd = syscall(434, child, 0);
    struct pollfd one = {fd, POLLIN};
    SHOW(fd > 0); SHOW(fcntl(fd, F_GETFD)); SHOW(poll(&one, 1, 0)); SHOW(poll(&one, 1, 5000));
    siginfo_t info = {0};
    SHOW(waitid(P_PIDFD, fd, &info, WEXITED)); say("  status %d", info.si_status);
    SHOW(syscall(424, fd, 0, NULL, 0)); SHOW(syscall(434, 999999999, 0)); SHOW(syscall(434, getpid(), 0x77));
    SHOW(waitid(P_PIDFD, 1, &info, WEXITED));
    close(fd);
    int pipes[2];
    MUST(!pipe(pipes));
    child = fork();
    if (!child) { dup2(pipes[0], 70); MUST(write(pipes[1], "r", 1) == 1); for (;;) pause(); }
    struct pollfd ready = {pipes[0], POLLIN};
    char byte = 0;
    MUST(poll(&ready, 1, 10000) == 1 && read(pipes[0], &byte, 1) == 1);
    fd = syscall(434, child, 0);
    int taken = syscall(438, fd, 70, 0);
    MUST(write(pipes[1], "k", 1) == 1);
    SHOW(read(taken, &byte, 1)); say("  %c", byte);
    SHOW(syscall(424, fd, SIGKILL, NULL, 0));
    ended("taken from", child);
    close(fd); close(taken); close(pipes[0]); close(pipes[1]);
}
CHECK(controls) {
    char name[17] = "";
    SHOW(prctl(PR_SET_NAME, "a name that is too long")); SHOW(prctl(PR_GET_NAME, name)); say("  %s", name);
    int value = 99;
    SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR1)); SHOW(prctl(PR_GET_PDEATHSIG, &value)); say("  %d", value);
    SHOW(prctl(PR_SET_PDEATHSIG, 99)); SHOW(prctl(PR_SET_PDEATHSIG, 0));
    CHILD(int in_child = 99; prctl(PR_GET_PDEATHSIG, &in_child); say("  child's %d", in_child));
    SHOW(prctl(PR_GET_CHILD_SUBREAPER, &value)); say("  %d", value);
    SHOW(prctl(PR_SET_DUMPABLE, 0)); SHOW(prctl(PR_GET_DUMPABLE)); SHOW(prctl(PR_SET_DUMPABLE, 1)); SHOW(prctl(PR_SET_DUMPABLE, 9));
    SHOW(prctl(PR_SET_KEEPCAPS, 0)); SHOW(prctl(PR_GET_KEEPCAPS)); SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); SHOW(prctl(PR_SET_TIMERSLACK, 70000)); SHOW(prctl(PR_GET_TIMERSLACK));
    SHOW(prctl(12345));
}
#define MB << 20
/* What becomes writable is data, mapping by mapping; stacks and what is shared are none. Heaps of glibc's threads grow so. */
static void data_grows_by_protection(void) {
    struct rlimit less = {64 MB, 64 MB};
    int private = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char *place = mmap(NULL, 200 MB, PROT_NONE, private, -1, 0), *shared = mmap(NULL, 100 MB, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(place != MAP_FAILED && shared != MAP_FAILED);
    SHOW(mprotect(place + (16 MB), 16 MB, PROT_READ)); SHOW(setrlimit(RLIMIT_DATA, &less));
    SHOW(mprotect(place, 200 MB, PROT_READ | PROT_WRITE)); place[0] = 1; place[(32 MB) - 1] = 1;
    SHOW(mprotect(place + (32 MB), 48 MB, PROT_READ | PROT_WRITE)); SHOW(mprotect(place + (32 MB), 48 MB, PROT_READ)); SHOW(mprotect(place + (32 MB), 8 MB, PROT_READ | PROT_WRITE));
    SHOW(mprotect(place, 32 MB, PROT_READ)); SHOW(mprotect(place + (32 MB), 40 MB, PROT_READ | PROT_WRITE)); SHOW(mprotect(place, 32 MB, PROT_READ | PROT_WRITE));
    SHOW(mprotect(shared, 100 MB, PROT_READ | PROT_WRITE));
    SHOW(mmap(NULL, 100 MB, PROT_READ | PROT_WRITE, private, -1, 0) == MAP_FAILED); SHOW(mmap(NULL, 100 MB, PROT_READ | PROT_WRITE, private | MAP_GROWSDOWN, -1, 0) == MAP_FAILED);
}
CHECK(limits) {
    struct rlimit limit, low = {20, 30}, bad = {9, 8};
    CHILD(SHOW(setrlimit(RLIMIT_NOFILE, &low)); SHOW(getrlimit(RLIMIT_NOFILE, &limit)); say("  %ld %ld", (long)limit.rlim_cur, (long)limit.rlim_max);
        SHOW(dup2(1, 19)); SHOW(dup2(1, 20)); int made = 0; while (dup(1) >= 0) made++; SHOW(dup(1)); SHOW(open("/dev/null", O_RDONLY)); SHOW(setrlimit(RLIMIT_NOFILE, &bad)));
    SHOW(setrlimit(99, &low)); SHOW(getrlimit(99, &low)); SHOW(prlimit(0, RLIMIT_STACK, NULL, &limit)); SHOW(prlimit(999999999, RLIMIT_STACK, NULL, &limit));
    CHILD(setrlimit(RLIMIT_NOFILE, &low); execl("/proc/self/exe", "x", "say_limits", NULL));
    CHILD(struct rlimit less = {64 << 20, 64 << 20}; SHOW(setrlimit(RLIMIT_AS, &less)); SHOW(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED); say("  %s", strerrorname_np(errno)));
    CHILD(struct rlimit less = {1 << 20, 1 << 20}; SHOW(setrlimit(RLIMIT_DATA, &less)); SHOW(malloc(8 << 20) == NULL));
    CHILD(data_grows_by_protection());
}
CHECK(small_address_space) {
    if (!getenv("FRESH")) {     /* of a program that has done nothing yet */
        CHILD(setenv("FRESH", "1", 1); execl("/proc/self/exe", "x", "small_address_space", NULL));
        return;
    }
    struct rlimit space = {24 << 20, 24 << 20};
    SHOW(setrlimit(RLIMIT_AS, &space));
    for (int n = 0; n < 2; n++) SHOW(mmap(NULL, 15 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}
CHECK(no_files_but_proc) {
    const char *paths[] = {"/proc/self/maps", "/proc/self/status", "/proc/cpuinfo", "/proc/self/auxv"};
    CHILD(struct rlimit none = {0}; int read_from = 0; char start[3]; setrlimit(RLIMIT_FSIZE, &none);
          for (int n = 0; n < 4; n++) read_from += read(open(paths[n], O_RDONLY | O_CLOEXEC), start, 3) == 3; _exit(read_from));
}
CHECK(descriptors_up_to_the_limit) {
    CHILD(int last = 0, made = 0; struct rlimit limit; getrlimit(RLIMIT_NOFILE, &limit);
          limit.rlim_cur = limit.rlim_max < 3000 ? limit.rlim_max : 3000; SHOW(setrlimit(RLIMIT_NOFILE, &limit));
          SHOW(dup2(1, 900));
          for (char byte; made < (long)limit.rlim_cur - 100; made++) { int fd = open("/dev/zero", O_RDONLY); if (fd < 0 || read(fd, &byte, 1) != 1) break; last = fd; }
          say("  all but few %d, the last one %d", made == (int)limit.rlim_cur - 100, last >= made);
          SHOW(dup2(last, 900)); SHOW(write(900, "x", 1)));
}
CHECK(say_limits) { struct rlimit limit; getrlimit(RLIMIT_NOFILE, &limit); say("  %ld", (long)limit.rlim_cur); }
/* A pipeline as shells make it. */
CHECK(pipeline) {
    int first[2], second[2];
    MUST(!pipe(first) && !pipe(second));
    pid_t producer = fork();
    if (!producer) { for (int n = 0; n < 1000; n++) MUST(write(first[1], "0123456789", 10) == 10); _exit(0); }
    close(first[1]);
    pid_t filter = fork();
    if (!filter) { char buffer[77]; ssize_t size; close(second[0]); while ((size = read(first[0], buffer, sizeof buffer)) > 0) MUST(write(second[1], buffer, size) == size); _exit(0); }
    close(first[0]); close(second[1]);
    long total = 0;
    char buffer[500];
    for (ssize_t size; (size = read(second[0], buffer, sizeof buffer)) > 0; ) total += size;
    say("  %ld", total);
    ended("producer", producer);
    ended("filter", filter);
    close(second[0]);
}
CHECK(a_hundred_at_once) {
    pid_t children[100];
    int sum = 0;
    for (int n = 0; n < 100; n++) if (!(children[n] = fork())) _exit(n);
    for (int n = 0; n < 100; n++) { int status; MUST(waitpid(children[n], &status, 0) == children[n]); sum += WEXITSTATUS(status); }
    say("  %d", sum);
}
CHECK(a_group_that_is_killed_while_it_forks) {
    int left = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int n = 0; n < 24; n++) {
        pid_t leader = fork();
        if (!leader) { setpgid(0, 0); for (int child = 0; child < 6; child++) if (!fork()) { pause(); _exit(0); } pause(); _exit(0); }
        setpgid(leader, leader);
        nanosleep(&(struct timespec){0, n * 400000L}, NULL);
        kill(-leader, SIGTERM);
        for (int ms = 0; ms < 3000 && !kill(-leader, 0); ms++) { waitpid(-1, NULL, WNOHANG); pause_ms(1); }
        if (!kill(-leader, 0)) { left++; kill(-leader, SIGKILL); }
        while (waitpid(-1, NULL, 0) > 0) ;
    }
    say("  left %d", left);
}
