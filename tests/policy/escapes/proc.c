// /proc: the root, current directory and descriptors of this process and of others, and the memory of Xenos itself.
#include "escape.h"

static int open_proc(const char *format, int number, const char *rest) {
    char path[4096];
    snprintf(path, sizeof path, format, number);
    strcat(path, rest);
    return reads_secret(open(path, O_RDONLY));
}
static int own_root(void) { return open_proc("/proc/self/root%.0d", 0, in(closed_dir, "secret")); }
static int own_root_by_number(void) { return open_proc("/proc/%d/root", getpid(), in(closed_dir, "secret")); }
static int root_of_a_thread(void) { return open_proc("/proc/self/task/%d/root", getpid(), in(closed_dir, "secret")); }
static int own_directory(void) {
    if (chdir(open_dir)) return 0;
    return open_proc("/proc/self/cwd%.0d", 0, "/../closed/secret");
}
static int round_about(void) { return open_proc("/proc/self/../self/root%.0d", 0, in(closed_dir, "secret")); }
static int root_of_the_parent(void) { return open_proc("/proc/%d/root", getppid(), in(closed_dir, "secret")); }
static int root_of_an_outsider(void) { return open_proc("/proc/%d/root", outsider, in(closed_dir, "secret")); }
static int directory_of_an_outsider(void) { return open_proc("/proc/%d/cwd", outsider, "/secret"); }
static int environment_of_an_outsider(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", outsider);
    return open(path, O_RDONLY) >= 0;
}
static int a_directory_that_is_open(void) {
    int fd = open(open_dir, O_RDONLY | O_DIRECTORY);
    return open_proc("/proc/self/fd/%d", fd, "/../closed/secret");
}
static int an_inherited_directory(void) { return open_proc("/proc/self/fd/%d", dir_fd, "/secret"); }
static int by_dev_fd(void) { return open_proc("/dev/fd/%d", dir_fd, "/secret"); }
static int an_inherited_file_for_writing(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file_fd);
    return open(path, O_RDWR) >= 0;
}
static int relative_in_proc(void) {
    int fd = open("/proc/self", O_PATH | O_DIRECTORY);
    char path[4096];
    snprintf(path, sizeof path, "root%s/secret", closed_dir);
    return reads_secret(openat(fd, path, O_RDONLY));
}
static int descriptors_of_xenos(void) {
    // Whatever Xenos holds open for itself, the root among it: is any of it a way out?
    for (int fd = 3; fd < 1024; fd++) {
        if (fd != dir_fd && fd != file_fd && reads_secret(openat(fd, closed_dir + 1, O_RDONLY))) return 1;
        char path[4096];
        snprintf(path, sizeof path, "/proc/self/fd/%d%s/secret", fd, closed_dir);
        if (reads_secret(open(path, O_RDONLY))) return 1;
    }
    return reads_secret(open(in(closed_dir, "secret"), O_RDONLY));
}
static int memory_of_xenos(void) { return open("/proc/self/mem", O_RDWR) >= 0; }
static int memory_by_number(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/mem", getpid(), getpid());
    return open(path, O_RDWR) >= 0;
}
static int settings_of_the_kernel(void) { return open("/proc/sys/kernel/hostname", O_WRONLY) >= 0; }

const struct attempt proc[] = {
#define A(name) {#name, name}
    A(own_root), A(own_root_by_number), A(root_of_a_thread), A(own_directory), A(round_about), A(root_of_the_parent),
    A(root_of_an_outsider), A(directory_of_an_outsider), A(environment_of_an_outsider), A(a_directory_that_is_open),
    A(an_inherited_directory), A(by_dev_fd), A(an_inherited_file_for_writing), A(relative_in_proc),
    A(descriptors_of_xenos), A(memory_of_xenos), A(memory_by_number), A(settings_of_the_kernel),
    {0},
};
