/* Makes system calls and prints what came of them, so that a guest can be compared with the host, line by line. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
#define SHOW(call) (errno = 0, show(#call, (long)(call)))
static void show(const char *text, long value) { printf("%s = %ld %s\n", text, value, errno ? strerrorname_np(errno) : ""); fflush(stdout); }

static void files(void) {
    char buffer[256]; struct stat st; struct statx sx;
    int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
    SHOW(open("file", O_RDWR | O_CREAT | O_EXCL, 0640));
    SHOW(write(fd, "hello world", 11)); SHOW(lseek(fd, -5, SEEK_END)); SHOW(read(fd, buffer, 100));
    SHOW(pwrite(fd, "J", 1, 0)); SHOW(pread(fd, buffer, 5, 0)); printf("%.5s\n", buffer);
    struct iovec iov[2] = {{buffer, 3}, {buffer + 10, 3}}; lseek(fd, 0, 0);
    SHOW(readv(fd, iov, 2)); SHOW(writev(fd, iov, 2)); SHOW(readv(fd, iov, -1)); SHOW(preadv(fd, iov, 2, 1));
    SHOW(fstat(fd, &st)); printf("%o %ld %ld\n", st.st_mode, (long)st.st_size, (long)st.st_nlink);
    SHOW(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &sx)); printf("%o %ld\n", sx.stx_mode, (long)sx.stx_size);
    SHOW(lseek(fd, 0, 99)); SHOW(lseek(fd, -1, SEEK_SET)); SHOW(ftruncate(fd, 4)); SHOW(ftruncate(fd, -1)); SHOW(truncate("file", 6));
    SHOW(fchmod(fd, 0600)); SHOW(chmod("none", 0600)); SHOW(link("file", "hard")); SHOW(symlink("file", "soft"));
    SHOW(readlink("soft", buffer, 2)); SHOW(readlink("file", buffer, 9)); SHOW(readlink("soft", buffer, 0));
    SHOW(lstat("soft", &st)); printf("%o %ld\n", st.st_mode & S_IFMT, (long)st.st_size);
    SHOW(rename("hard", "moved")); SHOW(rename("none", "x")); SHOW(renameat2(AT_FDCWD, "moved", AT_FDCWD, "file", RENAME_NOREPLACE));
    SHOW(mkdir("dir", 0755)); SHOW(mkdir("dir", 0755)); SHOW(rmdir("none")); SHOW(unlink("dir") < 0); SHOW(open("file/x", 0));
    SHOW(open("dir", O_WRONLY)); SHOW(open("file", O_DIRECTORY)); SHOW(open("soft", O_NOFOLLOW)); SHOW(open("", 0));
    SHOW(access("file", R_OK)); SHOW(access("none", F_OK)); SHOW(faccessat(AT_FDCWD, "soft", F_OK, AT_SYMLINK_NOFOLLOW));
    struct timespec times[2] = {{5, 6}, {7, 8}};
    SHOW(utimensat(AT_FDCWD, "file", times, 0)); stat("file", &st); printf("%ld %ld\n", (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    times[0].tv_nsec = UTIME_OMIT; times[1].tv_nsec = 2000000000; SHOW(futimens(fd, times));
    SHOW(close(open("dir/a", O_CREAT | O_WRONLY, 0600)) );
    DIR *dir = opendir("dir"); int names = 0; while (readdir(dir)) names++; printf("names %d\n", names); closedir(dir);
    SHOW(chdir("dir")); SHOW(chdir("a")); getcwd(buffer, sizeof buffer); printf("%s\n", strrchr(buffer, '/'));
    SHOW((long)getcwd(buffer, 2)); SHOW(chdir("..")); SHOW(unlink("dir/a")); SHOW(rmdir("dir"));
    SHOW(fcntl(fd, F_GETFL) & O_ACCMODE); SHOW(fcntl(fd, F_SETFL, O_APPEND)); SHOW((fcntl(fd, F_GETFL) & O_APPEND) != 0);
    SHOW(fcntl(fd, F_GETFD)); SHOW(fcntl(fd, F_SETFD, 1)); SHOW(fcntl(fd, F_GETFD)); SHOW(fcntl(99, F_GETFD)); SHOW(fcntl(fd, 12345));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    SHOW(fcntl(fd, F_SETLK, &lock)); SHOW(fcntl(fd, F_GETLK, &lock)); printf("lock %d\n", lock.l_type); SHOW(flock(fd, LOCK_EX | LOCK_NB));
    int copy = open("copy", O_RDWR | O_CREAT, 0600); off_t at = 1; loff_t in = 2;
    SHOW(sendfile(copy, fd, &at, 3)); SHOW(at); fcntl(copy, F_SETFL, 0); SHOW(copy_file_range(fd, &in, copy, NULL, 3, 0)); SHOW(in);
    SHOW(fallocate(copy, 0, 0, 5000)); fstat(copy, &st); SHOW(st.st_size); SHOW(fallocate(copy, FALLOC_FL_KEEP_SIZE, 0, 0));
    SHOW(dup2(fd, 50)); SHOW(dup3(fd, 50, O_CLOEXEC)); SHOW(dup3(fd, fd, 0)); SHOW(dup2(99, 50)); SHOW(close(50)); SHOW(close(50));
    SHOW(posix_fadvise(fd, 0, 0, 2)); SHOW(fsync(fd)); SHOW(mkfifo("fifo", 0600)); SHOW(umask(077)); SHOW(umask(022));
    struct statfs sf; SHOW(statfs(".", &sf)); SHOW(sf.f_bsize > 0); SHOW(statfs("none", &sf));
    SHOW(syscall(9999)); SHOW(read(fd, (void *)8, 4)); SHOW(write(1, (void *)8, 4)); SHOW(open((void *)8, 0)); SHOW(read(-1, buffer, 1));
    SHOW(isatty(fd)); SHOW(ioctl(fd, FIONREAD, buffer)); SHOW(ioctl(fd, 0x1234, buffer));
}

static void memory(void) {
    long page = sysconf(_SC_PAGESIZE); printf("page %ld\n", page);
    char *base = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(base, "first"); strcpy(base + 4 * page, "middle");
    SHOW(munmap(base + 2 * page, page)); SHOW(mprotect(base, 3 * page, PROT_READ)); SHOW(madvise(base, page, MADV_DONTNEED));
    printf("[%s]\n", base); SHOW(munmap(base + 1, page)); SHOW(munmap(base, 0));
    char *moved = mremap(base + 4 * page, page, 6 * page, MREMAP_MAYMOVE); printf("%s\n", moved); moved[6 * page - 1] = 1;
    SHOW(mremap(moved, 6 * page, 2 * page, 0) == moved); SHOW((long)mremap(moved, page, 0, 0)); SHOW((long)mremap((void *)page, page, page, 0));
    int fd = open("map", O_RDWR | O_CREAT, 0600); ftruncate(fd, 2 * page);
    char *shared = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *private = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    strcpy(shared, "shared"); printf("%s\n", private); strcpy(private, "private"); char text[8]; pread(fd, text, 8, 0); printf("%s\n", text);
    SHOW(msync(shared, page, MS_SYNC)); SHOW(msync(shared + 1, page, MS_SYNC)); SHOW((long)mmap(NULL, page, PROT_READ, MAP_PRIVATE, 99, 0));
    SHOW((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); SHOW((long)mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 1));
    SHOW((long)mmap(NULL, 1L << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW((long)mmap(shared, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    int readonly = open("map", O_RDONLY); SHOW((long)mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, readonly, 0));
    unsigned char present[2]; SHOW(mincore(shared, 2 * page, present)); SHOW(mlock(shared, page)); SHOW(munlock(shared, page));
    char *old = sbrk(0); SHOW(sbrk(3 * page) == old); old[2 * page] = 7; SHOW(sbrk(-2 * page) == old + 3 * page); sbrk(2 * page); SHOW(old[2 * page]);
    int mem = memfd_create("name", MFD_CLOEXEC); SHOW(write(mem, "abc", 3)); SHOW(fcntl(mem, F_GETFD));
}

static volatile int count; static sigjmp_buf back; static volatile long fault;
static void handler(int number) { count += number; }
static void detailed(int number, siginfo_t *info, void *context) { fault = (long)info->si_addr; count = info->si_code; siglongjmp(back, 1); }
static void on_stack(int number) { stack_t now; sigaltstack(NULL, &now); count = now.ss_flags; }

static void signals(void) {
    struct sigaction action = {.sa_handler = handler}, old; sigset_t set, pending;
    SHOW(sigaction(SIGUSR1, &action, NULL)); SHOW(sigaction(SIGUSR1, NULL, &old)); SHOW(old.sa_handler == handler); SHOW(sigaction(SIGKILL, &action, NULL));
    SHOW(raise(SIGUSR1)); SHOW(count); SHOW(kill(getpid(), 0)); SHOW(kill(getpid(), 999)); SHOW(kill(999999999, 0));
    sigemptyset(&set); sigaddset(&set, SIGUSR1); SHOW(sigprocmask(SIG_BLOCK, &set, NULL)); raise(SIGUSR1); SHOW(count);
    sigpending(&pending); SHOW(sigismember(&pending, SIGUSR1)); SHOW(sigprocmask(SIG_UNBLOCK, &set, NULL)); SHOW(count);
    sigprocmask(SIG_BLOCK, &set, NULL); raise(SIGUSR1); sigemptyset(&pending); SHOW(sigsuspend(&pending)); SHOW(count);
    raise(SIGUSR1); struct timespec none = {0, 0}; SHOW(sigtimedwait(&set, NULL, &none)); SHOW(sigtimedwait(&set, NULL, &none)); SHOW(count);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    action.sa_handler = handler; action.sa_flags = 0; sigaction(SIGALRM, &action, NULL); count = 0;
    struct itimerval timer = {{0, 0}, {0, 50000}}; struct timespec second = {1, 0}, rest; int ends[2]; char byte; pipe(ends);
    setitimer(ITIMER_REAL, &timer, NULL); SHOW(nanosleep(&second, &rest)); SHOW(rest.tv_nsec > 500000000); SHOW(count);
    setitimer(ITIMER_REAL, &timer, NULL); SHOW(read(ends[0], &byte, 1)); SHOW(count);
    setitimer(ITIMER_REAL, &timer, NULL); SHOW(poll(NULL, 0, 1000));
    action.sa_flags = SA_RESTART; sigaction(SIGALRM, &action, NULL); count = 0; setitimer(ITIMER_REAL, &timer, NULL);
    pid_t child = fork(); if (!child) { usleep(150000); write(ends[1], "x", 1); _exit(0); }
    SHOW(read(ends[0], &byte, 1)); SHOW(count); SHOW(waitpid(child, NULL, 0) == child);
    setitimer(ITIMER_REAL, &timer, NULL); while (count < 28) { } SHOW(count);
    struct sigaction info = {.sa_sigaction = detailed, .sa_flags = SA_SIGINFO}; sigaction(SIGSEGV, &info, NULL); sigaction(SIGBUS, &info, NULL);
    if (!sigsetjmp(back, 1)) *(volatile int *)16 = 1; printf("fault %ld code %d\n", fault, count);
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!sigsetjmp(back, 1)) *(volatile char *)(page + 5) = 1; printf("fault %d code %d\n", fault == (long)page + 5, count);
    int empty = open("empty", O_RDWR | O_CREAT, 0600); page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, empty, 0);
    if (!sigsetjmp(back, 1)) printf("%d\n", *(volatile char *)page); printf("bus %d code %d\n", fault == (long)page, count);
    static char room[65536]; stack_t stack = {room, 0, sizeof room}; SHOW(sigaltstack(&stack, NULL));
    struct sigaction other = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK | SA_RESETHAND}; sigaction(SIGUSR2, &other, NULL);
    raise(SIGUSR2); SHOW(count); sigaction(SIGUSR2, NULL, &old); SHOW(old.sa_handler == SIG_DFL);
    stack.ss_size = 100; SHOW(sigaltstack(&stack, NULL)); signal(SIGPIPE, SIG_IGN); close(ends[0]); SHOW(write(ends[1], "x", 1));
    signal(SIGCHLD, SIG_DFL);
}

static void children(const char *self) {
    int status; struct rusage usage; siginfo_t info; pid_t child;
    if (!(child = fork())) _exit(7);
    SHOW(wait4(child, &status, 0, &usage) == child); SHOW(WEXITSTATUS(status)); SHOW(waitpid(-1, &status, 0)); SHOW(waitpid(-1, &status, WNOHANG));
    if (!(child = fork())) { signal(SIGTERM, SIG_DFL); raise(SIGTERM); _exit(1); }
    waitpid(child, &status, 0); SHOW(WIFSIGNALED(status)); SHOW(WTERMSIG(status));
    if (!(child = fork())) { signal(SIGSEGV, SIG_DFL); *(volatile int *)0 = 1; }
    waitid(P_PID, child, &info, WEXITED); SHOW(info.si_status); SHOW(info.si_pid == child); SHOW((info.si_code == CLD_KILLED) | (info.si_code == CLD_DUMPED));
    if (!(child = fork())) { pause(); _exit(1); }
    SHOW(waitpid(child, &status, WNOHANG)); SHOW(kill(child, SIGKILL)); waitpid(child, &status, 0); SHOW(WTERMSIG(status));
    if (!(child = vfork())) _exit(3);
    waitpid(child, &status, 0); SHOW(WEXITSTATUS(status));
    char *arguments[] = {"self", "again", "", NULL}, *wrong[] = {"x", NULL}, *environment[] = {"A=b", NULL};
    status = posix_spawn(&child, "/none", NULL, NULL, wrong, environ); SHOW(status); int spawned = posix_spawn(&child, self, NULL, NULL, arguments, environment);
    waitpid(child, &status, 0); SHOW(spawned); SHOW(WEXITSTATUS(status)); SHOW(execve("/", wrong, environ)); SHOW(execve("none", wrong, environ));
    int ends[2]; pipe2(ends, O_CLOEXEC); if (!(child = fork())) { dup2(ends[1], 1); execl("/bin/sh", "sh", "-c", "echo from shell; exit 4", NULL); }
    char text[32] = ""; SHOW(read(ends[0], text, 31)); printf("%s", text); waitpid(child, &status, 0); SHOW(WEXITSTATUS(status));
    SHOW(system("exit 5") >> 8); FILE *pipe = popen("echo popen", "r"); fgets(text, 31, pipe); printf("%s", text); SHOW(pclose(pipe));
    if (!(child = fork())) { SHOW(setsid() == getpid()); SHOW(getpgid(0) == getpid()); SHOW(setpgid(0, 0)); _exit(0); }
    waitpid(child, &status, 0); SHOW(getppid() > 0); SHOW(getpgid(getpid()) == getpgrp()); SHOW(getsid(0) > 0); fflush(stdout);
}

static void waiting(void) {
    int ends[2], event = eventfd(3, 0), poller = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0), pair[2]; char buffer[64];
    pipe2(ends, O_NONBLOCK); SHOW(read(ends[0], buffer, 1)); SHOW(write(ends[1], "abc", 3)); int ready; ioctl(ends[0], FIONREAD, &ready); SHOW(ready);
    struct pollfd polls[3] = {{ends[0], POLLIN, 0}, {-1, POLLIN, 9}, {99, POLLIN, 0}}; SHOW(poll(polls, 3, 10));
    printf("%d %d %d\n", polls[0].revents, polls[1].revents, polls[2].revents);
    fd_set in, out; FD_ZERO(&in); FD_ZERO(&out); FD_SET(ends[0], &in); FD_SET(ends[1], &out); struct timeval wait = {0, 1000};
    SHOW(select(ends[1] + 1, &in, &out, NULL, &wait)); SHOW(FD_ISSET(ends[0], &in)); FD_ZERO(&in); FD_SET(50, &in); SHOW(select(51, &in, NULL, NULL, &wait));
    struct epoll_event event_in = {EPOLLIN, {.u64 = 0x1234567890ABCDEF}}, events[4]; SHOW(epoll_ctl(poller, EPOLL_CTL_ADD, event, &event_in));
    SHOW(epoll_ctl(poller, EPOLL_CTL_ADD, event, &event_in)); SHOW(epoll_wait(poller, events, 4, 10)); printf("%x %lx\n", events[0].events, events[0].data.u64);
    SHOW(read(event, buffer, 8)); SHOW(epoll_wait(poller, events, 4, 10)); SHOW(epoll_wait(poller, events, 0, 10)); SHOW(epoll_ctl(poller, EPOLL_CTL_DEL, event, NULL));
    struct itimerspec spec = {{0, 0}, {0, 20000000}}; SHOW(timerfd_settime(timer, 0, &spec, NULL)); SHOW(read(timer, buffer, 8)); SHOW(buffer[0]);
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)); struct iovec iov = {"data", 4}; char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message); head->cmsg_level = SOL_SOCKET; head->cmsg_type = SCM_RIGHTS; head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &ends[0], sizeof(int)); SHOW(sendmsg(pair[0], &message, 0)); iov.iov_base = buffer; iov.iov_len = 64; SHOW(recvmsg(pair[1], &message, 0));
    int got; memcpy(&got, CMSG_DATA(head), sizeof got); SHOW(read(got, buffer, 9)); printf("%.3s\n", buffer);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0); struct sockaddr_un name = {AF_UNIX, "socket"}, peer; socklen_t length = sizeof peer;
    SHOW(bind(listener, (void *)&name, sizeof name)); SHOW(listen(listener, 5)); SHOW(connect(client, (void *)&name, sizeof name)); int served = accept(listener, (void *)&peer, &length); SHOW(served >= 0);
    SHOW(send(client, "x", 1, 0)); SHOW(recv(served, buffer, 9, 0)); int value; length = sizeof value; SHOW(getsockopt(client, SOL_SOCKET, SO_TYPE, &value, &length)); SHOW(value); SHOW(shutdown(client, SHUT_WR)); SHOW(recv(served, buffer, 9, 0));
    SHOW(connect(client, (void *)&name, 1)); SHOW(socket(999, 1, 0));
}

static void others(void) {
    struct timespec now, later; struct rlimit limit; struct timeval day; struct tm *utc; time_t zero = 0;
    SHOW(clock_gettime(CLOCK_MONOTONIC, &now)); usleep(2000); clock_gettime(CLOCK_MONOTONIC, &later); SHOW(later.tv_sec * 1000000000L + later.tv_nsec - now.tv_sec * 1000000000L - now.tv_nsec >= 2000000);
    SHOW(clock_gettime(99, &now)); SHOW(clock_getres(CLOCK_REALTIME, &now)); SHOW(now.tv_nsec); SHOW(gettimeofday(&day, NULL)); utc = gmtime(&zero); printf("%d\n", utc->tm_year);
    struct timespec wrong = {0, 2000000000}; SHOW(nanosleep(&wrong, NULL)); SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL));
    SHOW(getrlimit(RLIMIT_NOFILE, &limit)); limit.rlim_cur = 512; SHOW(setrlimit(RLIMIT_NOFILE, &limit)); getrlimit(RLIMIT_NOFILE, &limit); SHOW(limit.rlim_cur);
    limit.rlim_cur = limit.rlim_max + 1; SHOW(limit.rlim_max != RLIM_INFINITY && setrlimit(RLIMIT_NOFILE, &limit)); struct rusage use; SHOW(getrusage(RUSAGE_SELF, &use)); SHOW(getrusage(77, &use));
    SHOW(getuid() == geteuid()); SHOW(getpriority(PRIO_PROCESS, 0)); SHOW(sysconf(_SC_NPROCESSORS_ONLN) > 0); SHOW(sysconf(_SC_CLK_TCK));
    unsigned char bytes[16]; SHOW(getentropy(bytes, 16)); SHOW(getentropy(bytes, 300)); char name[100]; SHOW(gethostname(name, 100));
}

int main(int count_arguments, char **arguments) {
    if (count_arguments == 3) { printf("again %s [%s] %s\n", arguments[0], arguments[2], environ[0]); return 9; }
    char self[4096]; self[readlink("/proc/self/exe", self, 4095)] = 0;
    if (chdir(arguments[1])) return 1;
    files(); memory(); signals(); children(self); waiting(); others();
    return 42;
}
