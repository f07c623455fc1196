/* Loops that fault: in a program that has no handler for that, in one that gets one when it is hot, and under another thread. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
enum { SIZE = 4096, WORDS = SIZE / sizeof(long) };
static long *page;
static volatile int stop;
static volatile long faults, wrong;
static __attribute__((noinline)) long sum(const long *from, long count, long odd) {
    long total = 0, twisted = 1;
    for (long n = 0; n < count; n++) {
        total += from[n] ^ n;
        twisted = twisted * 5 + total;
        if (twisted & odd) total ^= twisted >> 7;
    }
    return total + twisted;
}
static void tell(int number, siginfo_t *info, void *context) {
    mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
    printf("signal %d at %ld\n", number, (long)((char *)info->si_addr - (char *)page));
    for (int n = 10; n < 18; n++) printf("a%d %lx\n", n - 10, at->__gregs[n] - (at->__gregs[n] > 1L << 30 ? (unsigned long)page : 0));
    exit(5);
}
static void open_again(int number, siginfo_t *info, void *context) {
    if (info->si_addr < (void *)page || info->si_addr >= (void *)page + SIZE) _exit(90);
    faults++;
    mprotect(page, SIZE, PROT_READ | PROT_WRITE);
}
static void *sums(void *wanted) {
    while (!stop) wrong += sum(page, WORDS, 64) != (long)wanted;
    return NULL;
}
static void handle(void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL)) abort();
}
int main(int count, char **words) {
    char how = words[1][0];
    FILE *file = tmpfile();
    if (ftruncate(fileno(file), 2 * SIZE)) return 1;
    page = how == 'b' ? mmap(NULL, 2 * SIZE, PROT_READ, MAP_SHARED, fileno(file), 0)
                      : mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (how != 'b') for (long n = 0; n < WORDS; n++) page[n] = n * 77;
    long all = 0, once = sum(page, WORDS, 64);
    for (long round = atol(words[2]); round; round--) all += sum(page, WORDS, round & 1 ? 64 : 128);
    printf("%lx\n", all);
    fflush(stdout);
    if (how == 'o') {   /* under another thread that is inside */
        pthread_t thread;
        pthread_create(&thread, NULL, sums, (void *)once);
        for (int round = 0; round < atoi(words[3]); round++) {
            signal(SIGSEGV, SIG_DFL);
            signal(SIGBUS, SIG_DFL);
            usleep(3000);
            handle(open_again);
            long before = faults;
            mprotect(page, SIZE, PROT_NONE);
            while (faults == before) usleep(10);
        }
        stop = 1;
        pthread_join(thread, NULL);
        printf("wrong %ld\n", wrong);
        return 0;
    }
    if (how == 'h') handle(tell);
    if (how == 'b') { if (ftruncate(fileno(file), SIZE)) return 1; } else mprotect((char *)page + SIZE, SIZE, PROT_NONE);
    printf("%lx\n", sum(page, 2 * WORDS, 64));
    return 0;
}
