/* clone(2) and clone3(2) as glibc, musl and Go call them, and as nobody should. */
#include "../probe.h"
#include <linux/sched.h>
#include <sys/stat.h>
#define FLAGS_GO (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_THREAD)
#define FLAGS_GLIBC (FLAGS_GO | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define FLAGS_MUSL (FLAGS_GLIBC | 0x400000)
#define STACK 65536
static char stacks[4][STACK] __attribute__((aligned(64)));
static char tls_block[4096] __attribute__((aligned(64)));
static volatile unsigned seen, child_tid, parent_tid, go, tls_ok, its_pid, its_tid;

static long raw1(long number, long a) {
#ifdef __riscv
    register long n __asm__("a7") = number, r __asm__("a0") = a;
    __asm__ volatile("ecall" : "+r"(r) : "r"(n) : "memory");
#else
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a) : "rcx", "r11", "memory");
#endif
    return r;
}
static long thread_pointer(void) {
    long r;
#ifdef __riscv
    __asm__ volatile("mv %0, tp" : "=r"(r));
#else
    __asm__ volatile("rdfsbase %0" : "=r"(r));
#endif
    return r;
}
/* Nothing of the C library runs in these: they may share their TLS with another thread. */
static int child(void *argument) {
    its_pid = raw1(SYS_getpid, 0);
    its_tid = raw1(SYS_gettid, 0);
    tls_ok = thread_pointer() == (long)argument;
    seen = 1;
    while (!go) ;
    return 7;
}
static void reset(void) { seen = go = tls_ok = 0; child_tid = parent_tid = 77; }
static void wait_cleared(void) {
    unsigned value;
    while ((value = child_tid)) syscall(SYS_futex, &child_tid, FUTEX_WAIT, value, NULL, NULL, 0);
}
static void run(const char *name, int flags, void *tls) {
    reset();
    int made = clone(child, stacks[0] + STACK, flags, tls, &parent_tid, tls, &child_tid);
    if (made < 0) { say("  %s: %s", name, strerrorname_np(errno)); return; }
    while (!seen) sched_yield();
    say("  %s: tls %d parent_tid %d pid %d tid %d", name, tls_ok, parent_tid == made, its_pid == (unsigned)getpid(), its_tid == (unsigned)made);
    if (flags & CLONE_CHILD_CLEARTID) {
        child_tid = made;
        go = 1;
        wait_cleared();
        say("  cleared");
    } else {
        go = 1;
        while (tgkill_(getpid(), made, 0) == 0) pause_ms(1);
        say("  gone %s", strerrorname_np(errno));
    }
}
CHECK(as_glibc) { run("glibc", FLAGS_GLIBC, tls_block); }
CHECK(as_musl) { run("musl", FLAGS_MUSL, tls_block + 64); }
CHECK(as_go) { run("go", FLAGS_GO, (void *)thread_pointer()); }
CHECK(child_settid) {
    reset();
    int made = clone(child, stacks[0] + STACK, FLAGS_GLIBC | CLONE_CHILD_SETTID, tls_block, &parent_tid, tls_block, &child_tid);
    while (!seen) sched_yield();
    say("  child tid set %d", child_tid == (unsigned)made);
    go = 1;
    wait_cleared();
}
CHECK(refused) {
    struct { const char *name; unsigned long flags; } bad[] = {
        {"THREAD without SIGHAND", CLONE_THREAD | CLONE_VM}, {"SIGHAND without VM", CLONE_SIGHAND},
        {"THREAD and PIDFD with PARENT_SETTID", CLONE_PIDFD | CLONE_PARENT_SETTID}, {"FS and NEWNS", CLONE_FS | CLONE_NEWNS},
        {"CLEAR_SIGHAND and SIGHAND", 0x100000000UL | CLONE_SIGHAND | CLONE_VM},
    };
    for (unsigned n = 0; n < 4; n++) {
        long made = syscall(SYS_clone, bad[n].flags | SIGCHLD, 0, &parent_tid, 0, 0);
        if (!made) _exit(0);
        say("  %s: %ld %s", bad[n].name, made, made < 0 ? strerrorname_np(errno) : "");
    }
    struct clone_args arguments = {.flags = bad[4].flags};
    SHOW(syscall(SYS_clone3, &arguments, sizeof arguments));
    arguments = (struct clone_args){.exit_signal = 65};
    SHOW(syscall(SYS_clone3, &arguments, sizeof arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
    SHOW(syscall(SYS_clone3, &arguments, sizeof arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .stack_size = 4096};
    SHOW(syscall(SYS_clone3, &arguments, sizeof arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD};
    SHOW(syscall(SYS_clone3, &arguments, 63));
    SHOW(syscall(SYS_clone3, (void *)1, 88));
    struct { struct clone_args known; char more[64]; } longer = {{.exit_signal = SIGCHLD}, {1}};
    SHOW(syscall(SYS_clone3, &longer, sizeof longer));
    SHOW(syscall(SYS_clone3, &longer, 5000));
}
/* clone3 with a stack returns on that stack: it takes assembly. */
static long clone3_call(struct clone_args *arguments, int (*run)(void *), void *argument) {
#ifdef __riscv
    register long a0 __asm__("a0") = (long)arguments, a1 __asm__("a1") = sizeof *arguments, a7 __asm__("a7") = SYS_clone3;
    register long f __asm__("t1") = (long)run, x __asm__("t2") = (long)argument;
    __asm__ volatile("ecall\n bnez a0, 1f\n mv a0, t2\n jalr t1\n li a7, 93\n ecall\n 1:"
                     : "+r"(a0) : "r"(a1), "r"(a7), "r"(f), "r"(x) : "memory", "ra");
    return a0;
#else
    long made;
    register long f __asm__("r8") = (long)run, x __asm__("r9") = (long)argument;
    __asm__ volatile("syscall\n test %%rax, %%rax\n jnz 1f\n mov %%r9, %%rdi\n call *%%r8\n mov %%eax, %%edi\n mov $60, %%eax\n syscall\n 1:"
                     : "=a"(made) : "a"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments), "r"(f), "r"(x) : "rcx", "r11", "memory");
    return made;
#endif
}
CHECK(clone3_thread) {
    reset();
    struct clone_args arguments = {
        .flags = FLAGS_GLIBC, .child_tid = (long)&child_tid, .parent_tid = (long)&parent_tid,
        .stack = (long)stacks[1], .stack_size = STACK, .tls = (long)tls_block,
    };
    long made = clone3_call(&arguments, child, tls_block);
    if (made < 0) { say("  %s", strerrorname_np(-made)); return; }
    while (!seen) sched_yield();
    say("  tls %d parent_tid %d pid %d tid %d", tls_ok, parent_tid == made, its_pid == (unsigned)getpid(), its_tid == (unsigned)made);
    child_tid = made;
    go = 1;
    wait_cleared();
    say("  cleared");
}
CHECK(clone3_process) {
    int pidfd = -1;
    struct clone_args arguments = {.flags = CLONE_PIDFD | CLONE_CHILD_SETTID, .pidfd = (long)&pidfd, .child_tid = (long)&child_tid, .exit_signal = SIGCHLD};
    int pipes[2];
    MUST(!pipe(pipes));
    long made = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (made < 0) { say("  %s", strerrorname_np(errno)); return; }
    if (!made) { char byte = child_tid == (unsigned)getpid(); MUST(write(pipes[1], &byte, 1) == 1); _exit(3); }
    char byte = 9;
    MUST(read(pipes[0], &byte, 1) == 1);
    say("  child knows its tid: %d; pidfd %d", byte, pidfd > 2);
    struct pollfd end = {pidfd, POLLIN};
    SHOW(poll(&end, 1, 5000));
    siginfo_t info = {0};
    SHOW(waitid(P_PIDFD, pidfd, &info, WEXITED));
    say("  status %d pid %d", info.si_status, info.si_pid == made);
    close(pidfd); close(pipes[0]); close(pipes[1]);
}
CHECK(clear_sighand) {
    handle(SIGUSR1, exit, 0);
    handle(SIGUSR2, SIG_IGN, 0);
    struct clone_args arguments = {.flags = 0x100000000UL, .exit_signal = SIGCHLD};
    long made = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (!made) {
        struct sigaction one, two;
        sigaction(SIGUSR1, NULL, &one);
        sigaction(SIGUSR2, NULL, &two);
        _exit((one.sa_handler == SIG_DFL) + 2 * (two.sa_handler == SIG_IGN));
    }
    if (made < 0) say("  %s", strerrorname_np(errno)); else ended("clear_sighand", made);
    handle(SIGUSR1, SIG_DFL, 0); handle(SIGUSR2, SIG_DFL, 0);
}
CHECK(exit_signals) {
    long made = syscall(SYS_clone, 0L, 0, 0, 0, 0);
    if (!made) _exit(4);
    int status = 0;
    SHOW(waitpid(-1, &status, 0));
    MUST(waitpid(-1, &status, __WCLONE) == made);
    say("  __WCLONE %s", status_text(status));
    sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL);
    made = syscall(SYS_clone, (long)SIGUSR1, 0, 0, 0, 0);
    if (!made) _exit(5);
    MUST(waitpid(-1, &status, __WALL) == made);
    say("  __WALL %s", status_text(status));
    siginfo_t info = {0};
    struct timespec second = {1};
    SHOW(sigtimedwait(SET(SIGUSR1), &info, &second));
    say("  code %d status %d pid %d", info.si_code, info.si_status, info.si_pid == made);
    sigprocmask(SIG_UNBLOCK, SET(SIGUSR1), NULL);
}
static volatile int shared;
static int set_shared(void *argument) { shared = (int)(long)argument; return 6; }
CHECK(shared_memory_process) {
    int status;
    pid_t made = clone(set_shared, stacks[2] + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)41);
    say("  vfork: %s, shared %d", made > 0 ? "made" : strerrorname_np(errno), shared);
    if (made > 0) { MUST(waitpid(made, &status, 0) == made); say("  %s", status_text(status)); }
}
static int change_files(void *unused) { close(77); return chdir("/"); }
CHECK(shared_files) {
    char *before = getcwd(NULL, 0);
    dup2(1, 77);
    int status, made = clone(change_files, stacks[3] + STACK, CLONE_FILES | CLONE_FS | SIGCHLD, NULL);
    if (made > 0) { MUST(waitpid(made, &status, 0) == made); char *after = getcwd(NULL, 0); say("  fd %d cwd %s", fcntl(77, F_GETFD), after); free(after); }
    else say("  refused %s", strerrorname_np(errno));
    MUST(!chdir(before)); free(before); close(77);
}
static int changed_files(void *unused) {
    umask(077);
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 78);
    fcntl(78, F_SETFD, FD_CLOEXEC);
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}
static int executes(void *unused) { fcntl(77, F_SETFD, FD_CLOEXEC); return execl("/proc/self/exe", "x", "tid_address", NULL); }
CHECK(shared_files_both_ways) {
    int status, made, (*children[])(void *) = {changed_files, executes};
    umask(022);
    dup2(1, 77);
    for (int n = 0; n < 2; n++) {
        made = clone(children[n], stacks[3] + STACK, CLONE_FILES | CLONE_FS | SIGCHLD, NULL);
        MUST(made > 0 && waitpid(made, &status, 0) == made);
        say("  %s: 77 %d, 78 %d, its last %d", status_text(n ? status : 0), fcntl(77, F_GETFD), fcntl(78, F_GETFD), n ? 0 : fcntl(WEXITSTATUS(status), F_GETFD));
    }
    say("  umask %o", umask(022));
    SHOW(unshare(CLONE_FILES | CLONE_FS));
    close(77); close(78);
}
CHECK(siblings) {
    int ends[2], status;
    pid_t made = 0;
    MUST(!pipe(ends));
    pid_t child = fork();
    if (!child) {
        made = syscall(SYS_clone, (long)(CLONE_PARENT | SIGCHLD), 0, 0, 0, 0);
        if (made) MUST(write(ends[1], &made, sizeof made) == sizeof made);
        _exit(made ? 0 : 3);
    }
    MUST(read(ends[0], &made, sizeof made) == sizeof made);
    MUST(waitpid(child, &status, 0) == child);
    MUST(waitpid(made, &status, 0) == made);
    say("  %s", status_text(status));
    close(ends[0]); close(ends[1]);
}
CHECK(tid_address) {
    unsigned old = 5;
    long mine = syscall(SYS_set_tid_address, &old);
    say("  %d %d", mine == tid(), tid() == getpid());
}
/* A thread may have a directory and descriptors of its own. */
static void *goes_its_own_way(void *unused) {
    if (SHOW(unshare(CLONE_FS | CLONE_FILES))) return NULL;
    SHOW(chdir("/proc")); SHOW(close(100));
    return NULL;
}
CHECK(unshared_by_a_thread) {
    char before[300], after[300];
    MUST(getcwd(before, sizeof before) && dup2(1, 100) == 100);
    pthread_t thread;
    spawn(&thread, goes_its_own_way, NULL);
    joined(thread);
    MUST(getcwd(after, sizeof after)); say("  where it was %d", !strcmp(before, after)); SHOW(fcntl(100, F_GETFD));
    SHOW(unshare(CLONE_FS | CLONE_FILES));
}
