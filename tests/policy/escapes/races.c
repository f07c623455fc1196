// Races: a second process changes what a path means while the first uses it, thousands of times.
#include "escape.h"

#define TRIES 3000

// Start a process that does the same thing again and again, until it is killed.
static pid_t meanwhile(void (*act)(void)) {
    pid_t parent = getpid(), pid = fork();
    if (!pid) while (getppid() == parent) act();
    return pid;
}
static int end(pid_t pid, int result) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return result;
}

static const char *here, *there;    // two names that change places

static void swap(void) { syscall(SYS_renameat2, AT_FDCWD, here, AT_FDCWD, there, RENAME_EXCHANGE); }

// `here` and `there` in a new folder of the open directory, `there` a link to `target`.
static void prepare(const char *folder, const char *target) {
    static char names[2][4096];
    mkdir(in(open_dir, folder), 0700);
    snprintf(names[0], sizeof names[0], "%s/%s/here", open_dir, folder);
    snprintf(names[1], sizeof names[1], "%s/%s/there", open_dir, folder);
    here = names[0], there = names[1];
    if (symlink(target, there)) perror("symlink");
}
static int directory_becomes_link(void) {
    prepare("r1", closed_dir);
    mkdir(here, 0700);
    close(open(in(here, "secret"), O_CREAT | O_WRONLY, 0600));
    pid_t other = meanwhile(swap);
    for (int i = 0; i < TRIES; i++)
        if (reads_secret(open(in(here, "secret"), O_RDONLY))) return end(other, 1);
    return end(other, 0);
}
static int file_becomes_link(void) {
    prepare("r2", in(closed_dir, "secret"));
    close(open(here, O_CREAT | O_WRONLY, 0600));
    pid_t other = meanwhile(swap);
    for (int i = 0; i < TRIES; i++)
        if (reads_secret(open(here, O_RDWR | O_CREAT, 0600))) return end(other, 1);
    return end(other, 0);
}
static void appear_and_vanish(void) {
    symlink(in(closed_dir, "raced"), in(open_dir, "fresh"));
    unlink(in(open_dir, "fresh"));
}
static int link_where_nothing_was(void) {
    struct stat status;
    pid_t other = meanwhile(appear_and_vanish);
    for (int i = 0; i < TRIES; i++) {
        int fd = open(in(open_dir, "fresh"), O_CREAT | O_WRONLY, 0600);
        if (fd >= 0) {
            char path[64], name[4096] = "";
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            readlink(path, name, sizeof name - 1);
            close(fd);
            if (!strcmp(name, in(closed_dir, "raced"))) return end(other, 1);
            unlink(in(open_dir, "fresh"));
        }
    }
    return end(other, stat(in(closed_dir, "raced"), &status) == 0);
}
static void move_up_and_down(void) {
    rename(in(open_dir, "m/a/b/c"), in(open_dir, "m/c"));
    rename(in(open_dir, "m/c"), in(open_dir, "m/a/b/c"));
}
static int climb_while_it_moves(void) {
    // c/../../../.. is the open directory while c is deep down; when it has just moved up, the same climbs out of it.
    mkdir(in(open_dir, "m"), 0700), mkdir(in(open_dir, "m/a"), 0700), mkdir(in(open_dir, "m/a/b"), 0700);
    mkdir(in(open_dir, "m/a/b/c"), 0700);
    pid_t other = meanwhile(move_up_and_down);
    int inside = open(in(open_dir, "m/a/b/c"), O_PATH | O_DIRECTORY);
    for (int i = 0; i < TRIES; i++) {
        if (reads_secret(openat(inside, "../../../closed/secret", O_RDONLY))) return end(other, 1);
        if (reads_secret(open(in(open_dir, "m/a/b/c/../../../closed/secret"), O_RDONLY))) return end(other, 1);
    }
    return end(other, 0);
}
static int mode_while_it_turns(void) {
    struct stat before, after;
    prepare("r3", in(ro_dir, "mode"));
    close(open(here, O_CREAT | O_WRONLY, 0600));
    if (stat(in(ro_dir, "mode"), &before)) return 0;
    pid_t other = meanwhile(swap);
    for (int i = 0; i < TRIES; i++) chmod(here, (before.st_mode ^ 0022) & 0777);
    return end(other, stat(in(ro_dir, "mode"), &after) == 0 && after.st_mode != before.st_mode);
}

const struct attempt races[] = {
#define A(name) {#name, name}
    A(directory_becomes_link), A(file_becomes_link), A(link_where_nothing_was), A(climb_while_it_moves),
    A(mode_while_it_turns),
    {0},
};
