// How much memory can be had, by each way of getting it: MiB, one line for each way.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define MOST 200    // more than the limit that is tried

static void *map(size_t size, int prot, int flags) {
    return mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}
static int by_mmap(void) {
    int got = 0;
    while (got < MOST && map(MIB, PROT_READ | PROT_WRITE, 0) != MAP_FAILED) got++;
    return got;
}
static int by_shared_mmap(void) {
    int got = 0;
    while (got < MOST && mmap(NULL, MIB, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) got++;
    return got;
}
static int by_dev_zero(void) {
    int got = 0, fd = open("/dev/zero", O_RDWR);
    for (char *at; got < MOST && (at = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, 0)) != MAP_FAILED; got++)
        if (mprotect(at, MIB, PROT_READ | PROT_WRITE)) break;
    return got;
}
static int by_dev_zero_at_once(void) {
    int got = 0, fd = open("/dev/zero", O_RDWR);
    while (got < MOST && mmap(NULL, MIB, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED) got++;
    return got;
}
static int by_brk(void) {
    int got = 0;
    while (got < MOST && sbrk(MIB) != (void *)-1) got++;
    return got;
}
static int by_mremap(void) {
    char *at = map(MIB, PROT_READ | PROT_WRITE, 0);
    int got = 1;
    for (char *next; got < MOST && (next = mremap(at, got * MIB, (got + 1) * MIB, MREMAP_MAYMOVE)) != MAP_FAILED; got++) at = next;
    return got;
}
static int by_mprotect(void) {
    char *at = map(MOST * MIB, PROT_NONE, MAP_NORESERVE);
    int got = 0;
    if (at == MAP_FAILED) return -1;    // room alone costs nothing
    while (got < MOST && mprotect(at + got * MIB, MIB, PROT_READ | PROT_WRITE) == 0) got++;
    return got;
}
static int by_hiding_what_was_written(void) {
    int got = 0;
    for (char *at; got < MOST && (at = map(MIB, PROT_READ | PROT_WRITE, 0)) != MAP_FAILED; got++) {
        memset(at, 1, MIB);
        if (mprotect(at, MIB, PROT_NONE)) break;
    }
    return got;
}
static int by_memfd(void) {
    int fd = syscall(SYS_memfd_create, "x", 0);
    return fd < 0 ? 0 : ftruncate(fd, MOST * MIB) == 0 ? MOST : 0;
}
static int again_and_again(void) {  // what is given back can be had again
    for (int i = 0; i < MOST; i++) {
        char *at = map(20 * MIB, PROT_READ | PROT_WRITE, 0);
        if (at == MAP_FAILED) return i;
        if (i & 1) munmap(at, 20 * MIB);
        else {
            madvise(at, 20 * MIB, MADV_DONTNEED);
            munmap(at + MIB, 19 * MIB);
            munmap(at, MIB);
        }
    }
    return MOST;
}
static int in_the_same_place(void) {
    char *at = map(20 * MIB, PROT_READ | PROT_WRITE, 0);
    for (int i = 0; i < MOST; i++)
        if (mmap(at, 20 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) return i;
    return MOST;
}

int main(void) {
    static const struct { const char *name; int (*take)(void); } ways[] = {
        {"mmap", by_mmap}, {"shared", by_shared_mmap}, {"brk", by_brk}, {"zero", by_dev_zero}, {"zero2", by_dev_zero_at_once}, {"mremap", by_mremap}, {"mprotect", by_mprotect},
        {"hidden", by_hiding_what_was_written}, {"memfd", by_memfd}, {"again", again_and_again}, {"place", in_the_same_place},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        fflush(stdout);
        if (!fork()) {
            printf("%s %d\n", ways[i].name, ways[i].take());
            exit(0);
        }
        wait(NULL);
    }
    return 0;
}
