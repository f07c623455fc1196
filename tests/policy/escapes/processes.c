// Other processes: signals to them, looking into them, changing how they are run.
#include "escape.h"

static int signal_an_outsider(void) { return kill(outsider, 0) == 0; }
static int stop_an_outsider(void) { return kill(outsider, SIGCONT) == 0; }
static int signal_its_group(void) { return kill(-getpgid(outsider), 0) == 0; }
static int signal_its_thread(void) { return syscall(SYS_tkill, outsider, SIGCONT) == 0; }
static int signal_its_thread_group(void) { return syscall(SYS_tgkill, outsider, outsider, SIGCONT) == 0; }
static int queue_a_signal(void) {
    siginfo_t info = {.si_signo = SIGCONT, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    return syscall(SYS_rt_sigqueueinfo, outsider, SIGCONT, &info) == 0;
}
static int signal_by_pidfd(void) {
    int fd = syscall(SYS_pidfd_open, outsider, 0);
    return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0) == 0;
}
static int take_its_descriptor(void) {
    int fd = syscall(SYS_pidfd_open, outsider, 0);
    return fd >= 0 && syscall(SYS_pidfd_getfd, fd, 1, 0) >= 0;
}
static int signal_by_owner(void) {
    int ends[2];
    if (pipe(ends)) return 0;
    return fcntl(ends[0], F_SETOWN, outsider) == 0;
}
// The lowest: whoever runs the tests may have been nice already.
static int priority_of_an_outsider(void) { return setpriority(0, outsider, 19) == 0; }
static int affinity_of_an_outsider(void) {
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 && sched_setaffinity(outsider, sizeof cpus, &cpus) == 0;
}
static int limits_of_an_outsider(void) {
    unsigned long limit[2];
    return syscall(SYS_prlimit64, outsider, 7, NULL, limit) == 0;
}
static int memory_of_an_outsider(void) {
    char data[8];
    struct iovec local = {data, 8}, remote = {(void *)0x400000, 8};
    return syscall(SYS_process_vm_readv, outsider, &local, 1, &remote, 1, 0) > 0 || (errno != EPERM && errno != ENOSYS);
}

const struct attempt processes[] = {
#define A(name) {#name, name}
    A(signal_an_outsider), A(stop_an_outsider), A(signal_its_group), A(signal_its_thread), A(signal_its_thread_group),
    A(queue_a_signal), A(signal_by_pidfd), A(take_its_descriptor), A(signal_by_owner), A(priority_of_an_outsider),
    A(affinity_of_an_outsider), A(limits_of_an_outsider), A(memory_of_an_outsider),
    {0},
};
