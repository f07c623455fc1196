/* The sieve of Eratosthenes over bytes, 64 KiB of them: they stay in a near cache. */
#define ITERATIONS 6000
#include "../kernel.h"

enum { LIMIT = 1 << 16 };
static uint8_t composite[LIMIT];

static uint64_t work(long iterations)
{
    uint64_t sum = 0;
    for (long round = 0; round < iterations; round++) {
        memset(composite, 0, sizeof composite);
        for (uint32_t n = 2; n < LIMIT; n++) {
            if (composite[n]) continue;
            sum = mix(sum, n);
            for (uint32_t multiple = n * 2; multiple < LIMIT; multiple += n) composite[multiple] = 1;
        }
    }
    return sum;
}
