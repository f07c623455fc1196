/* What every kernel shares: the count of iterations from the command line, random numbers that are the same everywhere,
   and one line of output. A kernel defines ITERATIONS (about half a second of native code) and
   `work(iterations)`, whose time grows in proportion and whose result depends on all it did. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static uint64_t work(long iterations);

/* Marsaglia's xorshift64: any non-zero seed. */
static inline uint64_t next_random(uint64_t *seed)
{
    uint64_t x = *seed;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *seed = x;
}

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x100000001b3;
}

/* Floating-point results are rounded before they are compared: a compiler may contract a * b + c for one machine
   and not for another. */
static inline uint64_t rounded(double value, double scale)
{
    return (uint64_t)(int64_t)(value * scale + (value < 0 ? -0.5 : 0.5));
}

int main(int argc, char **argv)
{
    long iterations = argc > 1 ? atol(argv[1]) : ITERATIONS;
    printf("%ld %016llx\n", iterations, (unsigned long long)work(iterations));
    return 0;
}
