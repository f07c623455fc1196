// What every attempt to escape has at hand. An attempt returns 1 if it got out, 0 if it was held.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define WORD "the secret word"  // what the closed file holds

extern const char *open_dir;    // may be read and written
extern const char *ro_dir;      // may be read: `file` in it
extern const char *closed_dir;  // is closed: `secret` in it, and `socket`, a local socket that somebody listens to
extern int outsider;            // a process that is not the guest's
extern int port;                // of a server on 127.0.0.1
extern int dir_fd;              // inherited: closed_dir
extern int file_fd;             // inherited: ro_dir/file, for reading

struct attempt { const char *name; int (*escape)(void); };
extern const struct attempt files[], links[], proc[], descriptors[], races[], processes[], sockets[], programs[], threads[];

// Paths made of a directory and more.
static inline const char *in(const char *dir, const char *rest) {
    static char names[8][4096];
    static int next;
    char *name = names[next++ & 7];
    snprintf(name, sizeof names[0], "%s/%s", dir, rest);
    return name;
}

// Whether an open file (or the error in place of one) gives the secret away.
static inline int reads_secret(int fd) {
    char text[64] = "";
    if (fd < 0) return 0;
    int got = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    return got > 0 && strstr(text, WORD) != NULL;
}
