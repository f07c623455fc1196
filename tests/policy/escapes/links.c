// Links: symbolic and hard, to the file, to its directory, in the middle of a path, through themselves.
#include "escape.h"

static int through(const char *target, const char *name, const char *path) {
    unlink(in(open_dir, name));
    if (symlink(target, in(open_dir, name))) return 0;
    return reads_secret(open(in(open_dir, path), O_RDONLY));
}
static int to_the_file(void) { return through(in(closed_dir, "secret"), "l1", "l1"); }
static int to_the_directory(void) { return through(closed_dir, "l2", "l2/secret"); }
static int relative(void) { return through("../closed", "l3", "l3/secret"); }
static int to_the_root(void) {
    char path[4096];
    snprintf(path, sizeof path, "l4%s/secret", closed_dir);
    return through("/", "l4", path);
}
static int by_a_second_link(void) {
    unlink(in(open_dir, "l5"));
    return symlink("..", in(open_dir, "l5")) == 0 && through("l5/closed", "l6", "l6/secret");
}
static int with_a_slash_behind(void) { return through(closed_dir, "l7", "l7/./secret"); }
static int through_proc(void) {
    char path[4096];
    snprintf(path, sizeof path, "l8%s/secret", closed_dir);
    return through("/proc/self/root", "l8", path);
}
static int made_through(void) {
    unlink(in(open_dir, "l9"));
    if (symlink(in(closed_dir, "through"), in(open_dir, "l9"))) return 0;
    return open(in(open_dir, "l9"), O_CREAT | O_WRONLY, 0600) >= 0;
}
static int directory_made_through(void) {
    symlink(closed_dir, in(open_dir, "l10"));
    return mkdir(in(open_dir, "l10/directory2"), 0700) == 0;
}
static int removed_through(void) {
    symlink(closed_dir, in(open_dir, "l11"));
    return unlink(in(open_dir, "l11/spare4")) == 0;
}
static int moved_through(void) {
    symlink(closed_dir, in(open_dir, "l12"));
    return rename(in(open_dir, "l12/spare5"), in(open_dir, "spare5")) == 0;
}
static int entered(void) {
    symlink(closed_dir, in(open_dir, "l13"));
    return chdir(in(open_dir, "l13")) == 0 && reads_secret(open("secret", O_RDONLY));
}
static int mode_through(void) {
    symlink(in(closed_dir, "secret"), in(open_dir, "l14"));
    return chmod(in(open_dir, "l14"), 0644) == 0;
}
static int truncated_through(void) {
    symlink(in(closed_dir, "spare"), in(open_dir, "l15"));
    return truncate(in(open_dir, "l15"), 1) == 0;
}
static int linked_through(void) {
    symlink(in(closed_dir, "secret"), in(open_dir, "l16"));
    return linkat(AT_FDCWD, in(open_dir, "l16"), AT_FDCWD, in(open_dir, "h16"), AT_SYMLINK_FOLLOW) == 0
        && reads_secret(open(in(open_dir, "h16"), O_RDONLY));
}
static int hard_link(void) {
    return link(in(closed_dir, "secret"), in(open_dir, "h1")) == 0 && reads_secret(open(in(open_dir, "h1"), O_RDONLY));
}
static int hard_link_of_a_descriptor(void) {
    // A file that may be read gets a name where everything may be written.
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file_fd);
    return linkat(AT_FDCWD, path, AT_FDCWD, in(open_dir, "h2"), AT_SYMLINK_FOLLOW) == 0
        && open(in(open_dir, "h2"), O_RDWR) >= 0;
}
static int in_the_read_only_part(void) { return reads_secret(open(in(ro_dir, "link"), O_RDONLY)); }

const struct attempt links[] = {
#define A(name) {#name, name}
    A(to_the_file), A(to_the_directory), A(relative), A(to_the_root), A(by_a_second_link), A(with_a_slash_behind),
    A(through_proc), A(made_through), A(directory_made_through), A(removed_through), A(moved_through), A(entered),
    A(mode_through), A(truncated_through), A(linked_through), A(hard_link), A(hard_link_of_a_descriptor),
    A(in_the_read_only_part),
    {0},
};
