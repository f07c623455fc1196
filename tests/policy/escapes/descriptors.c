// Descriptors that came from outside: inherited, and passed over a socket.
#include "escape.h"

static int inherited_directory(void) { return reads_secret(openat(dir_fd, "secret", O_RDONLY)); }
static int climb_from_inherited(void) { return reads_secret(openat(dir_fd, "../closed/secret", O_RDONLY)); }
static int enter_inherited(void) { return fchdir(dir_fd) == 0 && reads_secret(open("secret", O_RDONLY)); }
static int make_in_inherited(void) { return openat(dir_fd, "made2", O_CREAT | O_WRONLY, 0600) >= 0; }
static int look_in_inherited(void) {
    struct stat status;
    return fstatat(dir_fd, "secret", &status, 0) == 0;
}
static int rename_into_inherited(void) {
    close(open(in(open_dir, "mine2"), O_CREAT | O_WRONLY, 0600));
    return renameat(AT_FDCWD, in(open_dir, "mine2"), dir_fd, "mine2") == 0;
}
static int mode_of_inherited(void) { return fchmod(file_fd, 0644) == 0; }
static int owner_of_inherited(void) { return fchownat(file_fd, "", getuid(), -1, AT_EMPTY_PATH) == 0; }
static int times_of_inherited(void) { return futimens(file_fd, NULL) == 0; }

// The server behind `passer` in open_dir sends a descriptor of closed_dir and one of the secret to whoever connects.
static int received(int which) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/passer", open_dir);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, sizeof address)) return -1;
    char data, control[CMSG_SPACE(2 * sizeof(int))];
    struct iovec buffer = {&data, 1};
    struct msghdr message = {.msg_iov = &buffer, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, 0) != 1) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    return header ? ((int *)CMSG_DATA(header))[which] : -1;
}
static int passed_directory(void) { return reads_secret(openat(received(0), "secret", O_RDONLY)); }
static int passed_file(void) { return reads_secret(received(1)); }
static int enter_passed(void) { return fchdir(received(0)) == 0 && reads_secret(open("secret", O_RDONLY)); }
static int passed_directory_by_proc(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d/secret", received(0));
    return reads_secret(open(path, O_RDONLY));
}

const struct attempt descriptors[] = {
#define A(name) {#name, name}
    A(inherited_directory), A(climb_from_inherited), A(enter_inherited), A(make_in_inherited), A(look_in_inherited),
    A(rename_into_inherited), A(mode_of_inherited), A(owner_of_inherited), A(times_of_inherited), A(passed_directory),
    A(passed_file), A(enter_passed), A(passed_directory_by_proc),
    {0},
};
