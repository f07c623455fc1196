/* All descriptors in use: what needs none goes on, what needs one fails, and the process ends as it wants to. */
#include "../probe.h"
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
extern char **environ;
static volatile int count;
static void counts(int number) { count++; }
static void *seven(void *unused) { return (void *)7; }
CHECK(say_executed) { say("  executed"); }
static void with_none_left(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    int made = 0, ends[2], status;
    while (dup(1) >= 0) made++;
    say("  %s, nearly all of them %d", strerrorname_np(errno), made > (long)limit.rlim_cur - 40);
    CHILD(_exit(3));
    pthread_t thread;
    spawn(&thread, seven, NULL);
    say("  %ld", (long)joined(thread));
    handle(SIGUSR1, counts, 0); raise(SIGUSR1); say("  handled %d", count);
    SHOW(open("/proc/self/maps", O_RDONLY)); SHOW(socket(AF_UNIX, SOCK_STREAM, 0)); SHOW(epoll_create1(0)); SHOW(pipe(ends));
    SHOW(access("/etc", F_OK)); SHOW(mkdir("made", 0700)); SHOW(chdir("made")); SHOW(chdir("..")); SHOW(rmdir("made"));
    pid_t child = vfork();
    if (!child) _exit(4);
    ended("vfork", child);
    char *words[] = {"x", "say_executed", NULL};
    if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ) == 0) ended("spawn", child);
    child = fork();
    if (!child) { execv("/proc/self/exe", words); _exit(errno); }
    ended("exec", child);
    child = fork();
    if (!child) { execl("/proc/self/exe/nothing", "x", NULL); _exit(errno); }
    ended("exec of nothing", child);
    volatile int *nowhere = NULL;
    CHILD(*nowhere = 1);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    char *memory = mmap(NULL, 1 << 16, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *shared = mmap(NULL, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SHOW(memory != MAP_FAILED); SHOW(mprotect(memory, 4096, 5)); SHOW(munmap(memory, 1 << 16));
    CHILD(*shared = 2); SHOW(*shared);
    SHOW(prctl(PR_SET_NAME, "name")); SHOW(close(100)); SHOW(dup(1)); SHOW(dup(1));
    _exit(9);
}
static void limited(long soft, long hard) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit = (struct rlimit){soft, hard ? hard : limit.rlim_max};
    MUST(!setrlimit(RLIMIT_NOFILE, &limit));
    MUST(!getrlimit(RLIMIT_NOFILE, &limit));
    say("  soft %ld", (long)limit.rlim_cur);
    with_none_left();
}
CHECK(of_the_soft_limit) { CHILD(limited(200, 0)); }
CHECK(of_the_hard_limit) { CHILD(limited(2000, 2000)); }
CHECK(of_a_small_limit) { CHILD(limited(300, 300)); }
CHECK(limits_beyond) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max + 1; SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max; SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    getrlimit(RLIMIT_NOFILE, &limit); MUST(limit.rlim_cur == limit.rlim_max);
    SHOW(prlimit(0, RLIMIT_NOFILE, (void *)8, NULL)); SHOW(prlimit(getpid(), RLIMIT_NOFILE, NULL, (void *)8));
    CHILD(execl("/bin/sh", "sh", "-c", "test $(ulimit -n) = $(ulimit -Hn)", NULL));
}
/* Any number may be taken, whoever plays the kernel may have some himself. */
CHECK(each_number) {
    int taken = 0;
    MUST(!chdir("/"));
    for (int fd = 600; fd < 1000; fd++) taken += dup2(1, fd) == fd;
    say("  %d", taken);
    SHOW(access("etc", F_OK)); SHOW(chdir("etc")); SHOW(access("passwd", F_OK));
    CHILD(_exit(access("passwd", F_OK)));
    SHOW(syscall(SYS_close_range, 600, 1000, 0)); SHOW(access("passwd", F_OK)); SHOW(fcntl(900, F_GETFD));
}
/* The last check, so that the process ends so. */
CHECK(left_open) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    MUST(!setrlimit(RLIMIT_NOFILE, &limit));
    while (dup(1) >= 0) ;
}
