/* What the kernel's services cost a program: `costs NAME COUNT` does one COUNT times, and prints nanoseconds for each by the
   clock and of processor time, its children's too. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}
static double used(void) {
    double sum = 0;
    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage usage;
        getrusage(who, &usage);
        sum += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
    }
    return sum;
}
static void check(int right) { if (!right) { perror("costs"); exit(1); } }
static char buffer[64];

static void parent(long count) { while (count--) check(syscall(SYS_getppid) > 0); }
static void write_byte(long count) {
    int fd = open("/dev/null", O_WRONLY);
    while (count--) check(write(fd, buffer, 1) == 1);
    close(fd);
}
static void read_some(long count) {
    int fd = open("/dev/zero", O_RDONLY);
    while (count--) check(read(fd, buffer, 64) == 64);
    close(fd);
}
static void clocks(long count) { struct timespec time; while (count--) check(!clock_gettime(CLOCK_MONOTONIC, &time)); }
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *returns(void *unused) { return unused; }
static void mutexes(long count) {
    while (count--) { pthread_mutex_lock(&lock); __asm__ volatile("" ::: "memory"); pthread_mutex_unlock(&lock); }
}
static void threads(long count) {
    while (count--) { pthread_t thread; check(!pthread_create(&thread, NULL, returns, NULL)); check(!pthread_join(thread, NULL)); }
}
static char self[4096];
static void processes(long count) {
    while (count--) {
        int status;
        pid_t child = fork();
        if (!child) { execl(self, self, "nothing", "1", NULL); _exit(1); }
        check(waitpid(child, &status, 0) == child && !status);
    }
}
static void forks(long count) {
    while (count--) { int status; pid_t child = fork(); if (!child) _exit(0); check(waitpid(child, &status, 0) == child && !status); }
}
static void nothing(long count) {}
static void skips(int number, siginfo_t *info, void *at) {
    ucontext_t *context = at;
#if defined(__riscv)
    context->uc_mcontext.__gregs[0] += 4;
#elif defined(__x86_64__)
    context->uc_mcontext.gregs[REG_RIP] += 2;
#else
    context->uc_mcontext.pc += 4;
#endif
}
static void faults(long count) {
    struct sigaction action = {.sa_sigaction = skips, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    while (count--) {
#if defined(__riscv)
        __asm__ volatile(".option push\n .option norvc\n lw zero, 0(%0)\n .option pop" :: "r"(8L) : "memory");
#elif defined(__x86_64__)
        __asm__ volatile("movl (%%rax), %%eax" :: "a"(8L) : "memory");
#else
        __asm__ volatile("ldr wzr, [%0]" :: "r"(8L) : "memory");
#endif
    }
}
/* A processor-bound loop, COUNT steps of which are one turn. `one` takes turns for a second, `two` does in two threads that begin at
   once: threads are not on processors of their own from their first instruction on, and a loop of some milliseconds shows only that. */
static volatile uint64_t sink;
static pthread_barrier_t together;
static double until;
static long turns;      /* that were taken, by all threads; 0 where COUNT says how often a thing was done */
static void *computes(void *count) {
    uint64_t a = 88172645463325252u, table[256] = {0};
    long taken = 0;
    pthread_barrier_wait(&together);
    for (; now() < until; taken++)
        for (long n = (long)count; n; n--) { a ^= a << 13; a ^= a >> 7; a ^= a << 17; table[a & 255] += a; }
    sink = table[a & 255];
    __atomic_fetch_add(&turns, taken, __ATOMIC_RELAXED);
    return NULL;
}
static void compute(int threads, long count) {
    pthread_t other;
    turns = 0;
    until = now() + 1e9;
    pthread_barrier_init(&together, NULL, threads);
    if (threads > 1) check(!pthread_create(&other, NULL, computes, (void *)count));
    computes((void *)count);
    if (threads > 1) pthread_join(other, NULL);
}
static void one(long count) { compute(1, count); }
static void two(long count) { compute(2, count); }
static const struct { const char *name; void (*run)(long); } all[] = {
    {"getppid", parent}, {"write", write_byte}, {"read", read_some}, {"clock_gettime", clocks}, {"mutex", mutexes}, {"thread", threads},
    {"exec", processes}, {"fork", forks}, {"nothing", nothing}, {"fault", faults}, {"one", one}, {"two", two},
};
int main(int words, char **word) {
    if (words != 3 || readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 2;
    long count = atol(word[2]);
    for (unsigned n = 0; n < sizeof all / sizeof *all; n++) if (!strcmp(all[n].name, word[1])) {
        if (all[n].run == nothing) return 0;
        /* Threads have been there: what a program with them pays, and what makes a mutex more than an assignment. */
        pthread_t once;
        check(!pthread_create(&once, NULL, returns, NULL) && !pthread_join(once, NULL));
        all[n].run(count > 9 ? count / 10 : 1);    /* warm */
        double start = now(), before = used();
        all[n].run(count);
        if (turns) count = turns;
        printf("%.3f %.3f\n", (now() - start) / count, (used() - before) / count);
        return 0;
    }
    return 2;
}
