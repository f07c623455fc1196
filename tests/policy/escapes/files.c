// Plain paths: climbing out, looking, and changing what may only be read.
#include "escape.h"

static int absolute_path(void) { return reads_secret(open(in(closed_dir, "secret"), O_RDONLY)); }
static int dot_dot(void) { return reads_secret(open(in(open_dir, "../closed/secret"), O_RDONLY)); }
static int many_dot_dots(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/../../../../../../../../../../..%s/secret", open_dir, closed_dir);
    return reads_secret(open(path, O_RDONLY));
}
static int openat_directory(void) {
    int fd = open(open_dir, O_RDONLY | O_DIRECTORY);
    return fd >= 0 && reads_secret(openat(fd, "../closed/secret", O_RDONLY));
}
static int openat_path_directory(void) {
    int fd = open(closed_dir, O_PATH | O_DIRECTORY);
    return fd >= 0 && reads_secret(openat(fd, "secret", O_RDONLY));
}
static int path_only_descriptor(void) {
    int fd = open(in(closed_dir, "secret"), O_PATH);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return fd >= 0 && reads_secret(open(path, O_RDONLY));
}
static int change_directory(void) { return chdir(closed_dir) == 0 && reads_secret(open("secret", O_RDONLY)); }
static int climb_by_chdir(void) {
    if (chdir(open_dir)) return 0;
    return chdir("..") == 0 && reads_secret(open("closed/secret", O_RDONLY));
}
static int look_at_it(void) {
    struct stat status;
    return stat(in(closed_dir, "secret"), &status) == 0;
}
static int extended_look(void) {
    struct statx status;
    return statx(AT_FDCWD, in(closed_dir, "secret"), 0, STATX_ALL, &status) == 0;
}
static int list_it(void) { return open(closed_dir, O_RDONLY | O_DIRECTORY) >= 0; }
static int ask_for_access(void) { return access(in(closed_dir, "secret"), F_OK) == 0; }
static int list_attributes(void) { return listxattr(in(closed_dir, "secret"), NULL, 0) >= 0; }
static int watch_it(void) {
    int fd = syscall(SYS_inotify_init1, 0);
    return fd >= 0 && syscall(SYS_inotify_add_watch, fd, closed_dir, 2) >= 0;
}
static int write_it(void) { return open(in(closed_dir, "secret"), O_WRONLY) >= 0; }
static int make_a_file(void) { return open(in(closed_dir, "made"), O_CREAT | O_WRONLY, 0600) >= 0; }
static int make_a_directory(void) { return mkdir(in(closed_dir, "directory"), 0700) == 0; }
static int make_a_nameless_file(void) { return open(closed_dir, O_TMPFILE | O_RDWR, 0600) >= 0; }
static int change_its_mode(void) { return chmod(in(closed_dir, "secret"), 0644) == 0; }
static int truncate_it(void) { return truncate(in(closed_dir, "spare"), 0) == 0; }
static int unlink_it(void) { return unlink(in(closed_dir, "spare2")) == 0; }
static int move_it_in(void) { return rename(in(closed_dir, "spare3"), in(open_dir, "spare3")) == 0; }
static int move_its_directory_in(void) { return rename(in(closed_dir, "folder"), in(open_dir, "folder")) == 0; }
static int move_something_out(void) {
    close(open(in(open_dir, "mine"), O_CREAT | O_WRONLY, 0600));
    return rename(in(open_dir, "mine"), in(closed_dir, "mine")) == 0;
}

// What may be read may not be written.
static int ro_open_for_writing(void) { return open(in(ro_dir, "file"), O_RDWR) >= 0; }
static int ro_truncate_on_open(void) { return open(in(ro_dir, "short"), O_RDONLY | O_TRUNC) >= 0; }
static int ro_truncate(void) { return truncate(in(ro_dir, "short"), 0) == 0; }
static int ro_create(void) { return open(in(ro_dir, "new"), O_CREAT | O_RDONLY, 0600) >= 0; }
static int ro_unlink(void) { return unlink(in(ro_dir, "one")) == 0; }
static int ro_rename(void) { return rename(in(ro_dir, "two"), in(ro_dir, "too")) == 0; }
static int ro_move_away(void) { return rename(in(ro_dir, "three"), in(open_dir, "three")) == 0; }
static int ro_mkdir(void) { return mkdir(in(ro_dir, "directory"), 0700) == 0; }
static int ro_chmod(void) { return chmod(in(ro_dir, "file"), 0666) == 0; }
static int ro_utimes(void) { return utimensat(AT_FDCWD, in(ro_dir, "file"), NULL, 0) == 0; }
static int ro_setxattr(void) { return setxattr(in(ro_dir, "file"), "user.x", "y", 1, 0) == 0; }
static int ro_access(void) { return access(in(ro_dir, "file"), W_OK) == 0; }
static int ro_chmod_by_descriptor(void) { return fchmod(open(in(ro_dir, "file"), O_RDONLY), 0644) == 0; }
static int ro_utimes_by_descriptor(void) { return futimens(open(in(ro_dir, "file"), O_RDONLY), NULL) == 0; }
static int ro_setxattr_by_descriptor(void) {
    return fsetxattr(open(in(ro_dir, "file"), O_RDONLY), "user.x", "y", 1, 0) == 0;
}
static int ro_by_a_name_in_rw(void) {
    return link(in(ro_dir, "file"), in(open_dir, "second-name")) == 0 && open(in(open_dir, "second-name"), O_RDWR) >= 0;
}
static int ro_nested_in_rw(void) { return open(in(open_dir, "nested/file"), O_RDWR) >= 0; }
static int ro_nested_moved(void) {
    return rename(in(open_dir, "nested"), in(open_dir, "moved")) == 0 && open(in(open_dir, "moved/file"), O_RDWR) >= 0;
}
static int device_node(void) {
    return mknod(in(open_dir, "device"), S_IFCHR | 0600, makedev(1, 5)) == 0;
}

const struct attempt files[] = {
#define A(name) {#name, name}
    A(absolute_path), A(dot_dot), A(many_dot_dots), A(openat_directory), A(openat_path_directory),
    A(path_only_descriptor), A(change_directory), A(climb_by_chdir), A(look_at_it), A(extended_look), A(list_it),
    A(ask_for_access), A(list_attributes), A(watch_it), A(write_it), A(make_a_file), A(make_a_directory),
    A(make_a_nameless_file), A(change_its_mode), A(truncate_it), A(unlink_it), A(move_it_in), A(move_its_directory_in),
    A(move_something_out), A(ro_open_for_writing), A(ro_truncate_on_open), A(ro_truncate), A(ro_create), A(ro_unlink),
    A(ro_rename), A(ro_move_away), A(ro_mkdir), A(ro_chmod), A(ro_utimes), A(ro_setxattr), A(ro_access),
    A(ro_chmod_by_descriptor), A(ro_utimes_by_descriptor), A(ro_setxattr_by_descriptor), A(ro_by_a_name_in_rw),
    A(ro_nested_in_rw), A(ro_nested_moved), A(device_node),
    {0},
};
