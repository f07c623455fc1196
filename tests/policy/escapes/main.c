// Runs attempts to escape, each in a process of its own, and says of each whether it got out: `name escaped` or `name held`.
#include "escape.h"

const char *open_dir, *ro_dir, *closed_dir;
int outsider, port, dir_fd, file_fd;

static const struct { const char *name; const struct attempt *attempts; } groups[] = {
    {"files", files}, {"links", links}, {"proc", proc}, {"descriptors", descriptors}, {"races", races},
    {"processes", processes}, {"sockets", sockets}, {"programs", programs},
    {"threads", threads},
};

static void run(const struct attempt *attempt) {
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        signal(SIGPIPE, SIG_IGN);
        exit(attempt->escape());
    }
    int status = -1;
    while (waitpid(pid, &status, 0) != pid) {}
    if (WIFEXITED(status) && WEXITSTATUS(status) < 2) printf("%s %s\n", attempt->name, WEXITSTATUS(status) ? "escaped" : "held");
    else if (WIFEXITED(status)) printf("%s unsaid %d\n", attempt->name, WEXITSTATUS(status));
    else printf("%s died %d\n", attempt->name, WTERMSIG(status));
}

int main(int argc, char **argv) {
    if (argc < 9) return 99;
    open_dir = argv[1], ro_dir = argv[2], closed_dir = argv[3];
    outsider = atoi(argv[4]), port = atoi(argv[5]), dir_fd = atoi(argv[6]), file_fd = atoi(argv[7]);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        int wanted = 0;
        for (int j = 8; j < argc; j++) wanted |= !strcmp(argv[j], groups[i].name);
        for (const struct attempt *attempt = groups[i].attempts; wanted && attempt->name; attempt++) run(attempt);
    }
    return 0;
}
