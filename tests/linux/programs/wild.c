/* System calls with arguments that make no sense, made by a guest: wild SEED COUNT. What it does to itself is its own
   affair (it may well crash), what it does to who runs it is not. Prints how many calls it made. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define NUMBERS 470
/* What ends a call that waits. Made anew each time: madvise(2) may have emptied the stack. */
#define OFTEN &(struct itimerval){{0, 20000}, {0, 20000}}
static uint64_t state, made;
static char *area;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state; }
static void tick(int signal) { (void)signal; }
static void hurt(int signal) { (void)signal; _exit(43); }
static const char *names[] = {"file", "folder", "link", ".", "", "/proc/self/maps", "/proc/self/fd", "/proc/self/exe", "/dev/null", "none", "/proc/self/mem", "/dev/fd/900"};

static uint64_t value(void) {
    static const uint64_t edges[] = {0, 1, 2, 3, 4, 7, 8, 16, 64, 128, 255, 4095, 4096, 65536, 1u << 31, 0xFFFFFFFF, 1ull << 32, 1ull << 38, (1ull << 38) - 4096, 1ull << 46, (1ull << 46) - 8, 1ull << 47, 1ull << 63, -1ull, -8ull, -100ull, -4096ull, -0x40000000ull, -0x3FFFF000ull};
    switch (next() % 10) {
    case 0: case 1: return edges[next() % (sizeof edges / sizeof *edges)];
    case 2: case 3: case 4: return (uint64_t)area + next() % 16384 / 8 * 8;
    case 5: return (uint64_t)area + 4096 * (next() % 12);
    case 6: return (uint64_t)names[next() % (sizeof names / sizeof *names)];
    case 7: return next() % 40;
    case 8: return next() >> next() % 64;
    default: return 890 + next() % 30;
    }
}

/* What would leave the run without an end, or end it at once. */
static int left_out(long number, uint64_t *a) {
    switch (number) {
    case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: case SYS_rt_sigsuspend: case SYS_sync: case SYS_syncfs: case SYS_rt_sigprocmask: case SYS_setitimer: case SYS_rt_sigtimedwait: case SYS_setsid: case SYS_rt_sigaction: case SYS_sigaltstack: case SYS_brk: return 1;
    case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: case SYS_pidfd_send_signal: return 1;
    case SYS_clone: a[0] = a[0] & ~0x8100ull; if (a[0] & 0x4000) return 1; a[1] = 0; return next() % 8; /* no threads on a stack that is none */
    case SYS_clone3: a[0] = 8; return 0;
    case SYS_ppoll: a[3] = 0; return 0;
    case SYS_epoll_pwait: case 441: a[4] = 0; return 0;
    case SYS_pselect6: a[5] = 0; return 0;
    case SYS_fcntl: return a[1] == F_SETSIG;
    case SYS_setrlimit: return (uint32_t)a[0] < 2 || (uint32_t)a[0] == 7 || (uint32_t)a[0] == 15; case SYS_prlimit64: return (uint32_t)a[1] < 2 || (uint32_t)a[1] == 7 || (uint32_t)a[1] == 15;
    case SYS_madvise: if (a[2] == 22 || a[2] == 23) a[1] &= 0xFFFFF; return 0;
    case SYS_prctl: return (uint32_t)a[0] == 1;
    case SYS_munmap: case SYS_mprotect: case SYS_mremap: case SYS_mmap: case SYS_madvise + 100000: /* mostly of its own pages */
        if (next() % 64) { a[0] = (uint64_t)area + 4096 * (4 + next() % 8); a[1] = 4096 * (next() % 4); if (number == SYS_mremap) { a[2] &= 0xF000; a[4] = (uint64_t)area + 4096 * (4 + next() % 8); } }
        return 0;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    state = strtoull(argv[1], 0, 0) * 0x9E3779B97F4A7C15ull | 1;
    long count = atol(argv[2]); int pipes[2], pair[2];
    struct sigaction action = {.sa_handler = tick};
    for (int signal = 1; signal < 65; signal++) if (signal != SIGSEGV && signal != SIGBUS && signal != SIGILL) sigaction(signal, &action, NULL);
    static char stack[16384]; sigaltstack(&(stack_t){stack, 0, sizeof stack}, NULL);
    struct sigaction crash = {.sa_handler = hurt, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &crash, NULL); sigaction(SIGBUS, &crash, NULL); sigaction(SIGILL, &crash, NULL);
    setitimer(ITIMER_REAL, OFTEN, NULL);
    pid_t self = getpid();
    area = mmap(NULL, 12 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    close(open("file", O_CREAT | O_RDWR, 0600)); mkdir("folder", 0700); symlink("file", "link");
    for (long at = 0; at < count; at++) {
        if (at % 50 == 0) {
            mmap(area, 12 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            for (int i = 0; i < 2048; i++) ((uint64_t *)area)[i] = value();
            for (int fd = 10; fd < 60; fd++) close(fd);
            pipe2(pipes, O_NONBLOCK); socketpair(AF_UNIX, SOCK_STREAM, 0, pair); open("file", O_RDWR); open(".", O_RDONLY); epoll_create1(0); eventfd(0, 0); socket(AF_INET, SOCK_STREAM, 0);
            while (waitpid(-1, NULL, WNOHANG) > 0);
            setitimer(ITIMER_REAL, OFTEN, NULL);
        }
        uint64_t a[6]; for (int i = 0; i < 6; i++) a[i] = value();
        long number = next() % NUMBERS;
        for (int i = 0; i < 3; i++) if ((uint32_t)a[i] == 2) a[i] = 3; /* what Xenos says is to be read */
        if (left_out(number, a) || (number == SYS_close_range && (uint32_t)a[0] < 3)) continue;
        made++;
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (getpid() != self) _exit(0);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    char text[64]; int length = snprintf(text, sizeof text, "made %lu\n", made);
    int out = open("made", O_CREAT | O_WRONLY | O_TRUNC, 0600); write(out, text, length);
    _exit(42);
}
