/* What mapping calls do to memory: each is printed with its result, and what is there afterwards. */
#include "show.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
static char *base;
static sigjmp_buf back;
static volatile int code, number;
static void fault(int signal, siginfo_t *info, void *context) { number = signal; code = info->si_code; siglongjmp(back, 1); }
/* The byte at a page, or which signal reading it raises. */
static void look(long page) {
    if (sigsetjmp(back, 1)) { printf("  page %ld: signal %d code %d\n", page, number, code); return; }
    printf("  page %ld: %d\n", page, *(volatile char *)(base + page * PAGE));
}
static void put(long page, int value) {
    if (sigsetjmp(back, 1)) { printf("  write to page %ld: signal %d code %d\n", page, number, code); return; }
    *(volatile char *)(base + page * PAGE) = value;
}
static long where(void *address) { return address == MAP_FAILED ? -1 : ((char *)address - base) / PAGE; }
/* Lines of /proc/self/maps about the area, in pages from its start. */
static void maps(void) {
    FILE *file = fopen("/proc/self/maps", "r"); char line[512];
    while (fgets(line, sizeof line, file)) {
        unsigned long start, end, offset; char letters[8], name[256] = ""; int minor, major; long inode;
        sscanf(line, "%lx-%lx %7s %lx %x:%x %ld %255s", &start, &end, letters, &offset, &major, &minor, &inode, name);
        if (start < (unsigned long)base + 64 * PAGE && end > (unsigned long)base) {
            if (letters[0] == '-' && start <= (unsigned long)base && 0) continue;
            printf("  %ld-%ld %s %lx %s\n", where((void *)start), where((void *)end), letters, offset, strrchr(name, '/') ? strrchr(name, '/') : name);
        }
    }
    fclose(file); fflush(stdout);
}

static void anonymous(void) {
    SHOW(where(mmap(base, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0))); put(0, 1); put(1, 2); put(2, 3); put(3, 4);
    SHOW(where(mmap(base + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0))); SHOW(where(mmap(base + 8 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0)));
    SHOW(where(mmap(base + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0))); SHOW(where(mmap(NULL, 0, RW, ANON, -1, 0))); SHOW(where(mmap(NULL, PAGE, RW, 0, -1, 0))); SHOW(where(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0)));
    SHOW(where(mmap(NULL, 1L << 62, RW, ANON, -1, 0))); SHOW(mprotect(base + PAGE, PAGE, PROT_READ)); put(1, 9); look(1); SHOW(mprotect(base + 2 * PAGE, PAGE, PROT_NONE)); look(2); maps();
    SHOW(mprotect(base, 6 * PAGE, RW)); look(2); put(1, 9); look(1); SHOW(mprotect(base + 1, PAGE, RW)); SHOW(mprotect(base, PAGE, 0x4000)); SHOW(mprotect(base, 0, RW));
    SHOW(madvise(base, PAGE, MADV_DONTNEED)); look(0); SHOW(madvise(base, 10 * PAGE, MADV_DONTNEED)); look(1); SHOW(madvise(base, PAGE, 77)); SHOW(madvise(base + 1, PAGE, MADV_DONTNEED)); SHOW(madvise(base, PAGE, MADV_HUGEPAGE) >= -1);
    put(3, 5); SHOW(madvise(base + 3 * PAGE, PAGE, MADV_COLD)); look(3); SHOW(madvise(base + 3 * PAGE, PAGE, MADV_POPULATE_READ)); SHOW(madvise(base + 20 * PAGE, PAGE, MADV_POPULATE_READ)); SHOW(madvise(base, PAGE, MADV_REMOVE));
    SHOW(munmap(base + PAGE, PAGE)); look(1); SHOW(munmap(base + PAGE, PAGE)); SHOW(munmap(base, 0)); SHOW(munmap(base + 1, PAGE)); maps();
    unsigned char vec[4]; SHOW(mincore(base + 2 * PAGE, 2 * PAGE, vec)); SHOW(mincore(base, 4 * PAGE, vec)); SHOW(mincore(base + 2 * PAGE, PAGE, (void *)8)); SHOW(mincore(base + 1, PAGE, vec));
    SHOW(mlock(base + 2 * PAGE, PAGE)); SHOW(mlock(base + 1 * PAGE, PAGE)); SHOW(munlock(base + 2 * PAGE, PAGE)); SHOW(syscall(SYS_mlock2, base + 2 * PAGE, PAGE, 1)); SHOW(syscall(SYS_mlock2, base + 2 * PAGE, PAGE, 8)); SHOW(mlockall(0)); SHOW(mlockall(64)); SHOW(munlockall());
    SHOW(msync(base + 2 * PAGE, PAGE, MS_SYNC)); SHOW(msync(base, 3 * PAGE, MS_SYNC)); SHOW(msync(base, PAGE, 99)); SHOW(munmap(base, 64 * PAGE));
}

static void moving(void) {
    mmap(base, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0); put(0, 1); put(3, 4);
    SHOW(where(mremap(base, 4 * PAGE, 6 * PAGE, 0))); look(5); SHOW(where(mremap(base, 6 * PAGE, 2 * PAGE, 0))); look(0); look(2); maps();
    mmap(base + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0); mprotect(base + 2 * PAGE, PAGE, PROT_READ); SHOW(where(mremap(base, 2 * PAGE, 4 * PAGE, 0)));
    SHOW(where(mremap(base, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 10 * PAGE))); look(0); look(10); look(12); maps();
    SHOW(where(mremap(base + 10 * PAGE, 3 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 20 * PAGE))); look(10); look(12); look(20); maps();
    SHOW(where(mremap(base + 20 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 20 * PAGE))); SHOW(where(mremap(base + 20 * PAGE, PAGE, PAGE, MREMAP_FIXED, base + 21 * PAGE))); SHOW(where(mremap(base + 20 * PAGE + 1, PAGE, PAGE, 0)));
    SHOW(where(mremap(base + 20 * PAGE, PAGE, 0, 0))); SHOW(where(mremap(base + 40 * PAGE, PAGE, PAGE, 0))); SHOW(where(mremap(base + 20 * PAGE, PAGE, PAGE, 64))); SHOW(where(mremap(base + 20 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE)));
    SHOW(where(mremap(base + 20 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, base + 30 * PAGE))); look(20); look(30); SHOW(where(mremap(base + 20 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP))); maps();
    char *shared = mmap(base + 40 * PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0); put(40, 7); SHOW(where(mremap(shared, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 42 * PAGE))); put(42, 8); look(40);
    SHOW(where(mremap(base + 30 * PAGE, 0, PAGE, MREMAP_MAYMOVE))); SHOW(where(mremap(shared, PAGE, 2 * PAGE, 0))); look(41); SHOW(munmap(base, 64 * PAGE));
}

static void files(void) {
    int fd = open("mapped", O_RDWR | O_CREAT, 0600), reader = open("mapped", O_RDONLY); char data[PAGE + 100];
    memset(data, 'a', sizeof data); SHOW(write(fd, data, sizeof data));
    SHOW(where(mmap(base, 3 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0))); SHOW(where(mmap(base + 4 * PAGE, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0))); look(0); look(1); look(2); put(0, 'x'); put(4, 'y'); look(4); SHOW(pread(fd, data, 1, 0)); say("byte", data[0]);
    SHOW(madvise(base + 4 * PAGE, PAGE, MADV_DONTNEED)); look(4); SHOW(where(mmap(base + 8 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, reader, 0))); SHOW(where(mmap(base + 8 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, reader, 0))); SHOW(mprotect(base + 8 * PAGE, PAGE, RW)); SHOW(where(mmap(base + 9 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, reader, PAGE))); maps();
    SHOW(where(mmap(base + 10 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 1))); SHOW(where(mmap(base + 10 * PAGE, PAGE, RW, MAP_SHARED_VALIDATE | MAP_FIXED | 1 << 29, fd, 0))); SHOW(where(mmap(base + 10 * PAGE, PAGE, RW, MAP_SHARED_VALIDATE | MAP_FIXED | 1 << 24, fd, 0))); int folder = open(".", O_RDONLY); SHOW(where(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, folder, 0))); int path = open("mapped", O_PATH); SHOW(where(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0)));
    SHOW(msync(base, 3 * PAGE, MS_SYNC)); SHOW(ftruncate(fd, 10)); look(0); look(1); put(1, 1); SHOW(ftruncate(fd, 3 * PAGE)); look(1); put(2, 3); SHOW(where(mremap(base, 3 * PAGE, PAGE, 0))); SHOW(where(mremap(base, PAGE, 3 * PAGE, 0))); look(2); maps();
    int memory = memfd_create("name", MFD_ALLOW_SEALING); SHOW(ftruncate(memory, PAGE)); SHOW(where(mmap(base + 20 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, memory, 0))); put(20, 5); SHOW(pread(memory, data, 1, 0)); say("byte", data[0]); SHOW(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE)); SHOW(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK)); SHOW(fcntl(memory, F_GET_SEALS)); SHOW(ftruncate(memory, 0));
    SHOW(memfd_create("name", 0x8000) >= 0); close(fd); put(0, 'z'); look(0); pid_t child = fork(); if (!child) { put(0, 'c'); put(4, 'c'); _exit(0); } waitpid(child, NULL, 0); look(0); look(4); SHOW(munmap(base, 64 * PAGE));
}

static void shared(void) {
    int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600); SHOW(shmget(12345, 8, 0)); struct shmid_ds status;
    SHOW(where(shmat(id, base, 0))); put(0, 1); SHOW(where(shmat(id, base + 4 * PAGE, SHM_RDONLY))); look(4); put(4, 1); SHOW(where(shmat(id, base, 0))); SHOW(where(shmat(id, base, SHM_REMAP))); look(0); SHOW(where(shmat(id, base + 9 * PAGE + 5, SHM_RND))); SHOW(where(shmat(id, base + 20 * PAGE + 5, 0))); SHOW(where(shmat(999999, NULL, 0)));
    SHOW(shmctl(id, IPC_STAT, &status)); say("attached", status.shm_nattch); say("size", status.shm_segsz); pid_t child = fork(); if (!child) { put(0, 77); _exit(0); } waitpid(child, NULL, 0); look(4);
    SHOW(shmdt(base + PAGE)); SHOW(shmdt(base)); look(0); SHOW(shmdt(base)); SHOW(shmctl(id, IPC_RMID, NULL)); look(5); SHOW(shmdt(base + 4 * PAGE)); SHOW(shmdt(base + 9 * PAGE));
}

static void growing(void) {
    SHOW(where(mmap(base + 600 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0))); put(600, 1); put(599, 2); look(599); look(598); put(590, 3); look(595); look(100); look(601); look(590);
    SHOW(mprotect(base + 600 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN)); put(590, 1); SHOW(mprotect(base + 5 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN)); SHOW(munmap(base + 580 * PAGE, 30 * PAGE)); look(590);
}

static void limits(void) {
    struct rlimit limit = {1 << 30, RLIM_INFINITY}; mmap(base, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0); base += 0;
    SHOW(setrlimit(RLIMIT_AS, &limit)); SHOW(where(mmap(NULL, 2L << 30, RW, ANON, -1, 0))); SHOW(getrlimit(RLIMIT_AS, &limit)); say("soft", limit.rlim_cur); limit.rlim_cur = RLIM_INFINITY; SHOW(setrlimit(RLIMIT_AS, &limit));
    limit.rlim_cur = 20 << 20; limit.rlim_max = 30 << 20; SHOW(setrlimit(RLIMIT_DATA, &limit)); void *heap = sbrk(0); SHOW(sbrk(64 << 20) == (void *)-1); SHOW(where(mmap(NULL, 64L << 20, RW, ANON, -1, 0))); SHOW(where(mmap(NULL, 64L << 20, PROT_READ, ANON, -1, 0)) != -1); SHOW(sbrk(PAGE) == heap); SHOW(brk(heap)); limit.rlim_cur = 40 << 20; SHOW(setrlimit(RLIMIT_DATA, &limit)); SHOW(setrlimit(99, &limit)); SHOW(getrlimit(RLIMIT_DATA, (void *)8));
}

int main(int argc, char **argv) {
    static char stack[65536]; stack_t own = {stack, 0, sizeof stack}; struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (argc < 2 || chdir(argv[1])) return 2;
    sigaltstack(&own, NULL); sigaction(SIGSEGV, &action, NULL); sigaction(SIGBUS, &action, NULL);
    base = (char *)0x2000000000; munmap(base, 64 * PAGE);
    anonymous(); moving(); files(); shared(); growing(); limits();
    return 42;
}
