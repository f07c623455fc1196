/* malloc and free of the C library, sizes from a skewed distribution, 4096 blocks alive. */
#define ITERATIONS 20000000
#include "../kernel.h"

enum { ALIVE = 4096 };
static uint64_t *blocks[ALIVE];

static uint64_t work(long iterations)
{
    uint64_t seed = 4, sum = 0;
    for (long round = 0; round < iterations; round++) {
        uint64_t random = next_random(&seed);
        uint64_t **block = &blocks[random % ALIVE];
        if (*block) {
            sum = mix(sum, **block);
            free(*block);
        }
        *block = malloc(16 + (random >> 32 & 255) * ((random >> 40 & 7) == 0 ? 8 : 1));
        **block = (uint64_t)round;
    }
    return sum;
}
