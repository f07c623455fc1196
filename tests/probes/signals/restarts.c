/* Every call that waits: EINTR without SA_RESTART; with it, restarted or not as signal(7) says, and never twice. */
#include "../probe.h"
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
/* A timer ticks every 5 ms. The handler's third tick makes the call ready; so a restarted one ends well, at the third. */
static volatile int ticks;
static void (*make_ready)(void);
static void tick(int number) { if (++ticks == 3) make_ready(); }
static void ticking(int on) {
    struct itimerval timer = {{0, on ? 5000 : 0}, {0, on ? 5000 : 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
}
static int pipes[2], sockets[2], descriptor, child;
static unsigned word;
static void fill(void) { if (write(pipes[1], "xyz", 3) != 3) _exit(95); }
static void drain(void) { static char buffer[1 << 17]; if (read(pipes[0], buffer, sizeof buffer) <= 0) _exit(95); }
static void fill_socket(void) { if (write(sockets[1], "xyz", 3) != 3) _exit(95); }
static void drain_socket(void) { static char buffer[1 << 20]; while (recv(sockets[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0) ; }
static void connect_there(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    getsockname(descriptor, (void *)&address, &size);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fd, (void *)&address, size);
}
static void wake(void) { word = 1; futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0); }
static void post(void) { eventfd_write(descriptor, 1); }
static void finish_child(void) { kill(child, SIGTERM); }
static void unlock(void) { kill(child, SIGKILL); }
static void nothing(void) {}
static long attempt(const char *text, int flags, void (*ready)(void), long (*call)(void)) {
    handle(SIGALRM, tick, flags);
    make_ready = ready;
    ticks = 0;
    ticking(1);
    errno = 0;
    long result = call();
    int error = errno, at = ticks;
    ticking(0);
    say("  %s, %s: %ld %s, %s", text, flags & SA_RESTART ? "restart" : "plain", result, result < 0 ? strerrorname_np(error) : "", at >= 3 ? "when ready" : "at the first signal");
    return result;
}
/* The functions made here use nothing of where they stand: no code is made on the stack. */
#define BOTH(text, ready, before, call) do { long run_(void) { return call; } \
    for (int n_ = 0; n_ < 2; n_++) { before; attempt(text, n_ ? SA_RESTART : 0, ready, run_); } } while (0)
static char buffer[1 << 17];
static struct iovec vector = {buffer, 8};
static void full(void) {
    fcntl(pipes[1], F_SETFL, O_NONBLOCK);
    while (write(pipes[1], buffer, 4096) > 0) ;
    fcntl(pipes[1], F_SETFL, 0);
}
CHECK(pipes_and_files) {
    MUST(!pipe(pipes));
    BOTH("read", fill, , read(pipes[0], buffer, 8));
    BOTH("readv", fill, , readv(pipes[0], &vector, 1));
    BOTH("write", drain, full(), write(pipes[1], "a", 1));
    BOTH("splice", fill, close(pipes[0]); close(pipes[1]); MUST(!pipe(pipes)); MUST(!pipe(sockets)), splice(pipes[0], NULL, sockets[1], NULL, 8, 0));
    static char name[] = "fifo";
    unlink(name);
    MUST(!mkfifo(name, 0600));
    BOTH("open of a fifo", nothing, if (n_) break, open(name, O_RDONLY));
    unlink(name);
    descriptor = eventfd(0, 0);
    static eventfd_t value;
    BOTH("eventfd", post, , eventfd_read(descriptor, &value));
    close(descriptor);
    descriptor = timerfd_create(CLOCK_MONOTONIC, 0);
    static struct itimerspec soon = {{0}, {0, 60000000}};
    BOTH("timerfd", nothing, timerfd_settime(descriptor, 0, &soon, NULL), read(descriptor, buffer, 8));
    close(descriptor);
    descriptor = inotify_init();
    BOTH("inotify", nothing, if (n_) break, read(descriptor, buffer, 100));
    close(descriptor);
}
CHECK(sockets_) {
    MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    static struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    static struct mmsghdr many;
    many.msg_hdr = message;
    BOTH("recv", fill_socket, , recv(sockets[0], buffer, 8, 0));
    BOTH("recvmsg", fill_socket, , recvmsg(sockets[0], &message, 0));
    BOTH("recvmmsg", fill_socket, , recvmmsg(sockets[0], &many, 1, 0, NULL));
    struct timeval limit = {5};
    setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    BOTH("recv with a time limit", fill_socket, , recv(sockets[0], buffer, 8, 0));
    BOTH("send", drain_socket, while (send(sockets[0], buffer, 4096, MSG_DONTWAIT) > 0) ;, send(sockets[0], "a", 1, 0));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    descriptor = socket(AF_INET, SOCK_STREAM, 0);
    MUST(!bind(descriptor, (void *)&address, sizeof address) && !listen(descriptor, 5));
    BOTH("accept", connect_there, , accept(descriptor, NULL, NULL) > 0 ? 1 : -1);
    close(descriptor);
}
CHECK(waiting_for_many) {
    MUST(!pipe(pipes));
    static struct pollfd one;
    static fd_set set;
    static struct timespec limit = {10};
    static struct timeval time = {10};
    static sigset_t mask;
    static int queue;
    static struct epoll_event event = {EPOLLIN}, got;
    one = (struct pollfd){pipes[0], POLLIN};
    queue = epoll_create1(0);
    epoll_ctl(queue, EPOLL_CTL_ADD, pipes[0], &event);
    BOTH("poll", nothing, , poll(&one, 1, -1));
    BOTH("ppoll", nothing, , ppoll(&one, 1, &limit, &mask));
    BOTH("select", nothing, FD_ZERO(&set); FD_SET(pipes[0], &set), select(pipes[0] + 1, &set, NULL, NULL, &time));
    BOTH("pselect", nothing, FD_ZERO(&set); FD_SET(pipes[0], &set), pselect(pipes[0] + 1, &set, NULL, NULL, NULL, &mask));
    BOTH("epoll_wait", nothing, , epoll_wait(queue, &got, 1, -1));
    BOTH("epoll_pwait", nothing, , epoll_pwait(queue, &got, 1, 10000, &mask));
    BOTH("epoll_pwait2", nothing, , syscall(441, queue, &got, 1, &limit, &mask, 8));
    BOTH("pause", nothing, , pause());
    BOTH("sigsuspend", nothing, , sigsuspend(&mask));
    BOTH("sigwaitinfo", nothing, sigprocmask(SIG_BLOCK, SET(SIGUSR1), NULL), sigwaitinfo(SET(SIGUSR1), NULL));
    close(queue);
}
CHECK(sleeping) {
    static struct timespec time = {0, 60000000}, left = {9}, at;
    BOTH("nanosleep", nothing, , nanosleep(&time, &left));
    say("  time is left %d", left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec < 60000000);
    BOTH("clock_nanosleep", nothing, , clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &left) == EINTR ? (errno = EINTR, -1) : 0);
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += 10;
    left.tv_sec = 5;
    BOTH("until", nothing, , clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, &left) == EINTR ? (errno = EINTR, -1) : 0);
    say("  nothing told %ld", left.tv_sec);
}
/* Ignored signals interrupt nothing; a stop and a continuation go on with the sleep that was. */
CHECK(sleeping_through) {
    struct timespec time = {0, 60000000};
    handle(SIGALRM, SIG_IGN, 0);
    ticking(1);
    SHOW(nanosleep(&time, NULL));
    ticking(0);
    pid_t process = fork();
    if (!process) { struct pollfd none; int r = poll(&none, 0, 200) * 10; r += nanosleep(&(struct timespec){0, 200000000}, NULL) != 0; _exit(r); }
    for (int n = 0; n < 4; n++) { pause_ms(40); kill(process, SIGSTOP); pause_ms(10); kill(process, SIGCONT); }
    ended("stopped and continued", process);
}
CHECK(futexes_and_locks) {
    BOTH("futex", wake, word = 0, futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
    static struct timespec limit = {0, 60000000}, at;
    BOTH("futex with a time limit", nothing, word = 0, futex(&word, FUTEX_WAIT, 0, &limit, NULL, 0));
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += 10;
    BOTH("futex until", wake, word = 0, futex(&word, FUTEX_WAIT_BITSET, 0, &at, NULL, ~0u));
    static sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    void posts(void) { sem_post(&semaphore); }
    BOTH("sem_wait", posts, , sem_wait(&semaphore));
    static int fd, told[2];
    char byte;
    static struct flock whole = {.l_type = F_WRLCK};
    fd = open("lock", O_CREAT | O_RDWR, 0600);
#define HOLDER(lock) MUST(!pipe(told)); child = fork(); if (!child) { int own = open("lock", O_RDWR); lock; MUST(write(told[1], "", 1) == 1); for (;;) pause(); } MUST(read(told[0], &byte, 1) == 1)
#define RELEASED kill(child, SIGKILL); waitpid(child, NULL, 0); close(told[0]); close(told[1])
    HOLDER(flock(own, LOCK_EX));
    BOTH("flock", unlock, , flock(fd, LOCK_EX));
    RELEASED;
    flock(fd, LOCK_UN);
    HOLDER(fcntl(own, F_SETLK, &whole));
    BOTH("record lock", unlock, , fcntl(fd, F_SETLKW, &whole));
    RELEASED;
    close(fd);
    unlink("lock");
}
CHECK(children) {
    static int status;
    static siginfo_t info;
#define START child = fork(); if (!child) { handle(SIGALRM, SIG_IGN, 0); for (;;) pause(); }
    START
    BOTH("waitpid", finish_child, , waitpid(child, &status, 0) == child ? 1 : -1);
    START
    BOTH("waitid", finish_child, , waitid(P_PID, child, &info, WEXITED));
    START
    BOTH("wait4 of any", finish_child, , wait4(-1, &status, 0, NULL) == child ? 1 : -1);
}
CHECK(system_v) {
    static int queue, set;
    static struct { long type; char text[8]; } message = {1};
    static struct sembuf down = {0, -1, 0};
    queue = msgget(IPC_PRIVATE, 0600);
    set = semget(IPC_PRIVATE, 1, 0600);
    BOTH("msgrcv", nothing, , msgrcv(queue, &message, 8, 0, 0));
    BOTH("semop", nothing, , semop(set, &down, 1));
    msgctl(queue, IPC_RMID, NULL);
    semctl(set, 0, IPC_RMID);
    MUST(read(0, buffer, 1) <= 0);
}
