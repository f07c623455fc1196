/* A loop that is hot only after its program has got a handler for faults. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned words[4096];

static __attribute__((noinline)) unsigned mix(unsigned sum, int count) {
    for (int n = 0; n < count; n++) {
        sum ^= words[n & 4095];
        words[n * 7 & 4095] += sum;
        sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
    }
    return sum;
}

static void leave(int number) {
    _exit(number);
}

int main(int count, char **arguments) {
    unsigned sum = mix(1, 10);
    signal(SIGSEGV, leave);
    for (int round = atoi(arguments[1]); round; round--) sum = mix(sum, 400000);
    printf("%08x\n", sum);
    return 0;
}
