/* Scheduling, membarrier, rseq and what else threads ask about themselves. */
#include "../probe.h"
#include <linux/membarrier.h>
#ifndef SYS_rseq
#ifdef __riscv
#define SYS_rseq 293
#else
#define SYS_rseq 334
#endif
#endif
CHECK(policies) {
    struct sched_param parameter = {0};
    SHOW(sched_getscheduler(0));
    SHOW(sched_getparam(0, &parameter));
    SHOW(sched_setscheduler(0, SCHED_OTHER, &parameter));
    SHOW(sched_setscheduler(0, SCHED_BATCH, &parameter));
    SHOW(sched_getscheduler(0));
    SHOW(sched_setscheduler(0, SCHED_OTHER, &parameter));
    parameter.sched_priority = 200;
    SHOW(sched_setscheduler(0, SCHED_FIFO, &parameter));
    SHOW(sched_setscheduler(0, 99, &parameter));
    SHOW(sched_getscheduler(999999999));
    SHOW(sched_get_priority_max(SCHED_FIFO)); SHOW(sched_get_priority_min(SCHED_FIFO));
    SHOW(sched_get_priority_max(SCHED_OTHER)); SHOW(sched_get_priority_min(77));
    struct timespec slice;
    SHOW(sched_rr_get_interval(0, &slice));
    SHOW(sched_yield());
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 3));
    SHOW(getpriority(PRIO_PROCESS, 0));
}
CHECK(affinity) {
    unsigned long mask[128] = {0};
    long size = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    say("  %d %d", size > 0 && size % 8 == 0, mask[0] != 0);
    SHOW(syscall(SYS_sched_getaffinity, 0, 7, mask));
    SHOW(syscall(SYS_sched_getaffinity, 0, sizeof mask, (void *)8));
    SHOW(syscall(SYS_sched_getaffinity, 999999999, sizeof mask, mask));
    unsigned cpu = 9999, node;
    SHOW(syscall(SYS_getcpu, &cpu, &node, NULL));
    say("  %d", cpu < 4096);
    unsigned long only = mask[0] & -mask[0];
    SHOW(syscall(SYS_sched_setaffinity, 0, sizeof only, &only));
    SHOW(syscall(SYS_getcpu, &cpu, NULL, NULL));
    MUST(1UL << cpu == only);
    SHOW(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask));
    unsigned long none = 0;
    SHOW(syscall(SYS_sched_setaffinity, 0, sizeof none, &none));
}
static volatile int stop;
static void *spins(void *unused) { while (!stop) ; return NULL; }
CHECK(barriers_of_memory) {
    pthread_t thread;
    stop = 0;
    spawn(&thread, spins, 0);
    long known = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    say("  query %s", known < 0 ? strerrorname_np(errno) : "fine");
    int commands[] = {MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, MEMBARRIER_CMD_PRIVATE_EXPEDITED,
        MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
        MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, MEMBARRIER_CMD_GLOBAL_EXPEDITED};
    for (unsigned n = 0; n < sizeof commands / 4; n++) {
        if (commands[n] & ~known) { say("  not known, refused %d", syscall(SYS_membarrier, commands[n], 0, 0) < 0); continue; }
        long r = syscall(SYS_membarrier, commands[n], 0, 0);
        say("  command %d: %s", commands[n], r ? strerrorname_np(errno) : "fine");
    }
    SHOW(syscall(SYS_membarrier, 1 << 20, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 77, 0));
    stop = 1;
    joined(thread);
}
/* Right, or refused so that the C library goes without: never "registered" and then wrong. */
static void *registers(void *unused) {
    static __thread struct { unsigned start, id; unsigned long section; unsigned flags, node, mm; } area __attribute__((aligned(32)));
    area.id = -1u;
    long r = syscall(SYS_rseq, &area, 32, 0, 0x53053053);
    if (r == 0) { sched_yield(); MUST(area.id < 4096); MUST(syscall(SYS_rseq, &area, 32, 1, 0x53053053) == 0); }
    else MUST(errno == ENOSYS || errno == EBUSY || errno == EINVAL || errno == EPERM);
    return NULL;
}
CHECK(restartable_sequences) { pthread_t thread; spawn(&thread, registers, 0); joined(thread); say("  right or refused"); }
CHECK(many_yields) {
    for (int n = 0; n < 1000; n++) MUST(!sched_yield());
    say("  done");
}
CHECK(extended_attributes) {
    struct { unsigned size, policy; unsigned long flags; int nice; unsigned priority; unsigned long more[3]; unsigned clamps[2]; } attributes = {0};
    SHOW(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0));
    say("  policy %u size %d", attributes.policy, attributes.size >= 48);
    SHOW(syscall(SYS_sched_getattr, 0, &attributes, 4, 0));
    attributes.size = 48;
    SHOW(syscall(SYS_sched_setattr, 0, &attributes, 0));
}
