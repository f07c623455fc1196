// Threads: one changes what the other has just been allowed, in memory and in the table of descriptors.
#include "escape.h"
#include <pthread.h>

#define TRIES 4000

static volatile int over;

static int with(void *(*other)(void *), int (*attempt)(void)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, other, NULL)) return 2;
    int result = 0;
    for (int i = 0; i < TRIES && !result; i++) result = attempt();
    over = 1;
    pthread_join(thread, NULL);
    return result;
}

// The text of a path, of a socket's address.
static char path[4096];
static void *flip_path(void *none) {
    while (!over) strcpy(path, in(closed_dir, "secret")), strcpy(path, in(open_dir, "mine3"));
    return NULL;
}
static int open_path(void) { return reads_secret(open(path, O_RDONLY)); }
static int path_in_memory(void) {
    close(open(in(open_dir, "mine3"), O_CREAT | O_WRONLY, 0600));
    return with(flip_path, open_path);
}
static int look_at_path(void) {
    struct stat status;
    return stat(path, &status) == 0 && status.st_size == sizeof WORD;
}
static int path_to_look_at(void) { return with(flip_path, look_at_path); }

static struct sockaddr_un address;
static void *flip_address(void *none) {
    while (!over) {
        snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", closed_dir);
        snprintf(address.sun_path, sizeof address.sun_path, "%s/passer", open_dir);
    }
    return NULL;
}
static int connect_there(void) {
    struct sockaddr_un peer;
    socklen_t length = sizeof peer;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    memset(&peer, 0, sizeof peer);
    int done = connect(fd, (void *)&address, sizeof address) == 0 && getpeername(fd, (void *)&peer, &length) == 0;
    close(fd);
    return done && strstr(peer.sun_path, "/socket") != NULL;
}
static int address_in_memory(void) {
    address.sun_family = AF_UNIX;
    return with(flip_address, connect_there);
}

// Numbers of descriptors: those that stand for a directory on the way, for a moment, become something else.
static int from;
static void *take_numbers(void *none) {
    while (!over) {
        for (int fd = from + 1; fd < from + 6; fd++) dup3(from, fd, 0);
        for (int fd = 900; fd < 925; fd++) dup3(from, fd, 0);
        for (int fd = from + 1; fd < from + 6; fd++) close(fd);
    }
    return NULL;
}
static int open_below(void) { return reads_secret(open(in(open_dir, "t/secret"), O_RDONLY)); }
static int number_of_a_directory(void) {
    mkdir(in(open_dir, "t"), 0700);
    close(open(in(open_dir, "t/secret"), O_CREAT | O_WRONLY, 0600));
    from = dup(dir_fd);
    return with(take_numbers, open_below);
}
static ino_t closed_inode;
static int open_to_write(void) {
    struct stat status;
    int fd = open(in(open_dir, "mine4"), O_RDWR | O_CREAT, 0600);
    if (fd < 0) return 0;
    int wrong = fstat(fd, &status) == 0 && status.st_ino == closed_inode && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
    close(fd);
    return wrong;
}
static int number_of_a_file(void) {
    struct stat status;
    from = open(in(ro_dir, "file"), O_RDONLY);
    fstat(from, &status);
    closed_inode = status.st_ino;
    return with(take_numbers, open_to_write);
}
static void *close_numbers(void *none) {
    while (!over) {
        for (int fd = 3; fd < 12; fd++) if (fd != dir_fd && fd != file_fd) close(fd);
        for (int fd = 900; fd < 940; fd++) close(fd);
    }
    return NULL;
}
static int open_it(void) { return reads_secret(open(in(closed_dir, "secret"), O_RDONLY)); }
static int closing_what_is_held(void) { return with(close_numbers, open_it); }

const struct attempt threads[] = {
#define A(name) {#name, name}
    A(path_in_memory), A(path_to_look_at), A(address_in_memory), A(number_of_a_directory), A(number_of_a_file),
    A(closing_what_is_held),
    {0},
};
