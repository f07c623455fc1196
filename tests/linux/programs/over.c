/* Runs code of a file's first page, then what lies in the second: that of the same file, or of another mapped over it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static char *place = (char *)0x20000000;

static void put(const char *name, int first)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0700);
    for (int page = 0; page < 2; page++) {
        unsigned code[1024] = {0x513 | (first + page) << 20, 0x8067};   /* addi a0, zero, number; ret */
        write(fd, code, sizeof code);
    }
    close(fd);
}

static int call(int page)
{
    return ((int (*)(void))(place + 4096 * page))();
}

int main(int argc, char **argv)
{
    chdir(argv[1]);
    put("one", 1);
    put("other", 11);
    mmap(place, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, open("one", O_RDONLY), 0);
    printf("%d\n", call(0));
    if (argc > 2)
        mmap(place + 4096, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, open("other", O_RDONLY), 4096);
    printf("%d\n", call(1));
}
