/* What every probe is made with: checks by name, and lines that say what came out. No line may hang on time or place. */
#ifndef PROBE_H
#define PROBE_H
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

struct check { const char *name; void (*run)(void); };
#define CHECK(id) static void id(void); \
    __attribute__((section("checks"), used, no_reorder, aligned(8))) static struct check entry_##id = {#id, id}; static void id(void)
extern struct check __start_checks[], __stop_checks[];

/* One line, written at once: no buffer that a fork doubles or a death loses. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (size > (int)sizeof line - 2) size = sizeof line - 2;
    line[size++] = '\n';
    if (write(1, line, size) != size) _exit(99);
}

/* A call with its value, and what errno says where it failed. */
#define SHOW(call) (errno = 0, show(#call, (long)(call)))
static long show(const char *text, long value) {
    say("  %s = %ld%s%s", text, value, value == -1 ? " " : "", value == -1 ? strerrorname_np(errno) : "");
    return value;
}
/* A function that returns its error. */
#define ERROR(call) result(#call, (call))
static int result(const char *text, int error) {
    say("  %s: %s", text, error ? strerrorname_np(error) : "fine");
    return error;
}
/* Something that must be: silent if it is, so that what it was computed from may vary. */
#define MUST(what) ((what) ? (void)0 : say("  NOT: %s (line %d)", #what, __LINE__))

static void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) && errno == EINTR) ;
}
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}
static pid_t tid(void) { return syscall(SYS_gettid); }
static int threads_here(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static const char *status_text(int status) {
    static char text[80];
    if (WIFEXITED(status)) sprintf(text, "exited %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) sprintf(text, "died of signal %d%s", WTERMSIG(status), WCOREDUMP(status) ? ", core" : "");
    else if (WIFSTOPPED(status)) sprintf(text, "stopped by %d", WSTOPSIG(status));
    else sprintf(text, "continued");
    return text;
}
/* Do it in a child and say how that ended. */
#define CHILD(...) do { fflush(stdout); pid_t child_ = fork(); if (!child_) { __VA_ARGS__; _exit(0); } ended(#__VA_ARGS__, child_); } while (0)
static int ended(const char *text, pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) ;
    say("  {%.60s} %s", text, status_text(status));
    return status;
}
static struct sigaction handle(int signal, void *handler, int flags) {
    struct sigaction action = {0}, old;
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, &old);
    return old;
}
static sigset_t set_of(int first, ...) {
    sigset_t set;
    sigemptyset(&set);
    va_list arguments;
    va_start(arguments, first);
    for (int number = first; number > 0; number = va_arg(arguments, int)) sigaddset(&set, number);
    va_end(arguments);
    return set;
}
#define SET(...) ((sigset_t[]){set_of(__VA_ARGS__, 0)})
static int tgkill_(pid_t group, pid_t thread, int signal) { return syscall(SYS_tgkill, group, thread, signal); }
static long futex(void *word, int operation, unsigned value, const void *timeout, void *second, unsigned third) {
    return syscall(SYS_futex, word, operation, value, timeout, second, third);
}
/* Wait until the thread of our process sleeps in the kernel on this futex word: as many as `waiters` can be requeued. */
static void until_waiting(unsigned *word, int waiters) {
    while (futex(word, FUTEX_CMP_REQUEUE, 0, (void *)(long)waiters, word, *word) < waiters) pause_ms(1);
}
static void *spawn(pthread_t *thread, void *(*run)(void *), void *argument) {
    int error = pthread_create(thread, NULL, run, argument);
    if (error) { say("  pthread_create: %s", strerrorname_np(error)); _exit(98); }
    return NULL;
}
static void *joined(pthread_t thread) {
    void *value = NULL;
    int error = pthread_join(thread, &value);
    if (error) say("  pthread_join: %s", strerrorname_np(error));
    return value;
}

/* All checks in the order of the file, or those named; -l lists them. A file with a main of its own says so first. */
#ifndef OWN_MAIN
int main(int count, char **names) {
    for (struct check *check = __start_checks; check < __stop_checks; check++) {
        int wanted = count == 1;
        for (int n = 1; n < count; n++) wanted |= !strcmp(names[n], check->name);
        if (count == 2 && !strcmp(names[1], "-l")) { say("%s", check->name); continue; }
        if (!wanted) continue;
        say("%s", check->name);
        check->run();
    }
    return 0;
}
#endif
#endif
